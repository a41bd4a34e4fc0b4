"""`idp client import`: all or none, again updates, and nobody's `sub` moves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.cli.conftest import Command
from tests.cli.test_clients import A_KEY, OURS, audited, known
from tests.world import World

SECRET = "a secret of the other provider 0123456789"
PUBLISHED = {"keys": [A_KEY.as_dict(private=False)]}


def an_entry(client_id: str = "portal-1", **changes: Any) -> dict[str, Any]:
    """Metadata as another provider would export it."""
    entry = {
        "client_id": client_id,
        "client_secret": SECRET,
        "client_name": "搬来的网厅",
        "redirect_uris": ["https://portal.example/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "scope": "openid profile entity",
        "contacts": ["somebody@portal.example"],
        "application_type": "web",
        **changes,
    }
    return {name: value for name, value in entry.items() if value is not ...}


def a_file(tmp_path: Path, *entries: Any) -> Path:
    """A file to import."""
    path = tmp_path / "clients.json"
    path.write_text(json.dumps(list(entries)), encoding="utf-8")
    return path


def test_clients_come_with_their_own_ids_and_secrets(idp: Command, world: World, tmp_path: Path) -> None:
    entries = [an_entry(), an_entry("portal-2", token_endpoint_auth_method="none", client_secret=...)]
    told = idp.does("client", "import", a_file(tmp_path, *entries))
    assert told == {
        "added": ["portal-1", "portal-2"],
        "updated": [],
        "passed_over": {"portal-1": ["application_type"], "portal-2": ["application_type"]},
        "short_secrets": [],
    }
    client = known(world, "portal-1")
    assert client.knows_secret(SECRET, now=world.now())
    assert (client.name, client.scopes) == ("搬来的网厅", frozenset({"openid", "profile", "entity"}))
    assert known(world, "portal-2").secret_hashes == ()


def test_a_name_that_is_ours_alone_means_nothing_in_a_file(idp: Command, tmp_path: Path) -> None:
    told = idp.does("client", "import", a_file(tmp_path, an_entry(passed_over=7)))
    assert told["passed_over"] == {"portal-1": ["application_type", "passed_over"]}


def test_importing_again_updates_and_running_processes_see_it(
    idp: Command, world: World, tmp_path: Path
) -> None:
    idp.does("client", "import", a_file(tmp_path, an_entry()))
    known(world, "portal-1")
    changed = an_entry(client_name="改名的网厅", client_secret="another " + SECRET)
    told = idp.does("client", "import", a_file(tmp_path, changed, an_entry("portal-2")))
    assert (told["added"], told["updated"]) == (["portal-2"], ["portal-1"])
    client = known(world, "portal-1")
    assert client.name == "改名的网厅"
    assert client.knows_secret("another " + SECRET, now=world.now())
    assert not client.knows_secret(SECRET, now=world.now())
    actions = [("client_added", "cli"), ("client_changed", "cli")]
    assert audited(world, "client:portal-1") == actions


def test_one_wrong_entry_keeps_all_out(idp: Command, world: World, tmp_path: Path) -> None:
    wrong = an_entry("portal-2", redirect_uris=["http://portal.example/callback"])
    error = idp.refuses("client", "import", a_file(tmp_path, an_entry(), wrong))
    assert "Nothing was imported" in error
    assert "portal-2" in error
    assert idp.does("client", "list") == []
    assert audited(world, "client:portal-1") == []


def test_an_update_without_a_secret_keeps_it(idp: Command, world: World, tmp_path: Path) -> None:
    idp.does("client", "import", a_file(tmp_path, an_entry()))
    idp.does("client", "import", a_file(tmp_path, an_entry(client_secret=...)))
    assert known(world, "portal-1").knows_secret(SECRET, now=world.now())


def test_what_an_administrator_decided_survives_an_update(idp: Command, world: World, tmp_path: Path) -> None:
    decided = an_entry(sector="group.example", subject_type="pairwise", first_party=True, full_phone=True)
    idp.does("client", "import", a_file(tmp_path, decided))
    idp.does("client", "import", a_file(tmp_path, an_entry(redirect_uris=["https://moved.example/callback"])))
    client = known(world, "portal-1")
    assert client.redirect_uris == ("https://moved.example/callback",)
    assert (client.sector, client.first_party, client.full_phone) == ("group.example", True, True)


def test_the_sector_keeps_its_first_host_when_addresses_move(
    idp: Command, world: World, tmp_path: Path
) -> None:
    idp.does("client", "import", a_file(tmp_path, an_entry()))
    idp.does("client", "import", a_file(tmp_path, an_entry(redirect_uris=["https://moved.example/callback"])))
    assert known(world, "portal-1").sector == "portal.example"


def test_who_registered_himself_keeps_his_own_sector(idp: Command, world: World, tmp_path: Path) -> None:
    client_id = world.a_client(registered_with=uuid4()).client_id
    told = idp.does("client", "show", client_id)
    for entry in (an_entry(client_id), {**an_entry(client_id), "sector": told["sector"]}):
        idp.does("client", "import", a_file(tmp_path, entry))
        assert known(world, client_id).sector == client_id


def test_no_code_is_sent_back_to_this_provider(embedded: Command, tmp_path: Path) -> None:
    entry = an_entry(redirect_uris=[f"{OURS}/oauth/authorize"])
    assert "on the host of this provider" in embedded.refuses("client", "import", a_file(tmp_path, entry))


def test_a_client_that_becomes_public_loses_its_secret(idp: Command, world: World, tmp_path: Path) -> None:
    idp.does("client", "import", a_file(tmp_path, an_entry()))
    idp.does("client", "import", a_file(tmp_path, an_entry(token_endpoint_auth_method="none")))
    assert known(world, "portal-1").secret_hashes == ()


def test_what_show_prints_can_be_imported(idp: Command, world: World, tmp_path: Path) -> None:
    idp.does("client", "import", a_file(tmp_path, an_entry(first_party=True)))
    shown = idp.does("client", "show", "portal-1")
    idp.does("client", "remove", "portal-1")
    idp.does("client", "import", a_file(tmp_path, {**shown, "client_secret": SECRET}))
    again = idp.does("client", "show", "portal-1")
    assert {**again, "client_id_issued_at": 0} == {**shown, "client_id_issued_at": 0}


@pytest.mark.parametrize(
    ("entry", "sentence"),
    [
        ("portal-1", "must be an object"),
        ({}, "client_id is missing"),
        (an_entry(redirect_uris=...), "at least one redirect URI"),
        (an_entry(redirect_uris="https://portal.example/callback"), "redirect_uris must be a list"),
        (an_entry(redirect_uris=["https://portal.example/callback", 7]), "redirect_uris.1 must be text"),
        (an_entry(redirect_uris=[]), "at least one redirect URI"),
        (an_entry(first_party="yes"), "first_party must be true or false"),
        (an_entry(client_secret=...), "needs a client_secret"),
        (an_entry(client_secret=""), "client_secret"),
        (an_entry("a b"), "client id"),
        (an_entry("x" * 65), "client id"),
        (an_entry("门户"), "client id"),
        (an_entry(client_name="a\u0000b"), "printable"),
        (an_entry(client_name="\ud800"), "client_name must be text that UTF-8 can write"),
        (an_entry(client_secret="\ud800"), "client_secret"),
        ({**an_entry(), "\ud800": 1}, "name in the metadata must be text that UTF-8 can write"),
        (an_entry(jwks={"keys": [{}]}), "a key that is not"),
        (an_entry(jwks={"keys": A_KEY.as_dict(private=False)}), "JSON Web Key Set"),
        (an_entry(jwks={"keys": [A_KEY.as_dict(private=True)]}), "a private key was sent"),
        (an_entry(jwks=PUBLISHED, jwks_uri="https://portal.example/jwks"), "not both"),
        (an_entry(jwks=PUBLISHED, token_endpoint_auth_signing_alg="RS256"), "no key for the assertion"),
        (an_entry(jwks_uri="http://portal.example/jwks"), "must be https"),
        (an_entry(jwks={"keys": [], "x": float("inf")}), "JSON does not know"),
        (an_entry(jwks={"keys": [[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}), "nested too deeply"),
        (an_entry(dpop_bound_access_tokens="yes"), "must be true or false"),
        (an_entry(default_max_age=True), "default_max_age must be a whole number"),
        (an_entry(contacts=None), "contacts must be a list"),
        (an_entry(client_secret="x" * 513), "client_secret must be text of 1 to 512 characters"),
        (an_entry(tls_client_certificate_bound_access_tokens=True), "not offered"),
        (an_entry(userinfo_signed_response_alg="RS256"), "not offered"),
        (an_entry(token_endpoint_auth_method="private_key_jwt"), "need jwks or jwks_uri"),
        (
            an_entry(profile="fapi2", token_endpoint_auth_method="client_secret_basic"),
            "takes only the auth method private_key_jwt",
        ),
        (an_entry(profile="fapi1"), "Unknown profile"),
        (an_entry(response_types=["token"]), "only code"),
        (an_entry(scope="profile"), "must contain openid"),
        (an_entry(grant_types=["implicit"]), "Unknown grant"),
        (an_entry(id_token_signed_response_alg="HS256"), "Unknown ID token algorithm"),
    ],
    ids=lambda value: value if isinstance(value, str) else "entry",
)
def test_a_wrong_entry_is_refused_without_repeating_its_secret(
    embedded: Command, tmp_path: Path, entry: Any, sentence: str
) -> None:
    error = embedded.refuses("client", "import", a_file(tmp_path, entry))
    assert sentence in error
    assert SECRET not in error


def test_a_client_with_keys_comes_without_a_secret(idp: Command, world: World, tmp_path: Path) -> None:
    entry = an_entry(
        client_secret=...,
        token_endpoint_auth_method="private_key_jwt",
        token_endpoint_auth_signing_alg="ES256",
        jwks=PUBLISHED,
        request_object_signing_alg="ES256",
        require_signed_request_object=True,
        require_pushed_authorization_requests=True,
        dpop_bound_access_tokens=True,
        default_acr_values=["urn:idp:loa:2"],
        default_max_age=600,
        client_uri="https://portal.example/",
        resources=["https://seal.example/api"],
        serves=["https://portal.example/api"],
    )
    idp.does("client", "import", a_file(tmp_path, entry))
    client = known(world, "portal-1")
    assert (client.auth_method, client.assertion_alg, client.jwks) == ("private_key_jwt", "ES256", PUBLISHED)
    assert (client.request_object_alg, client.require_signed_requests) == ("ES256", True)
    assert (client.require_par, client.dpop) == (True, True)
    assert (client.default_acr_values, client.default_max_age) == (("urn:idp:loa:2",), 600)
    assert client.resources == {"https://seal.example/api"}
    assert client.serves == {"https://portal.example/api"}
    shown = idp.does("client", "show", "portal-1")
    assert {name: shown[name] for name in entry if name != "application_type"} == {
        name: value for name, value in entry.items() if name != "application_type"
    }


def test_an_update_keeps_the_profile_and_is_held_to_it(idp: Command, world: World, tmp_path: Path) -> None:
    keyed: dict[str, Any] = {
        "client_secret": ...,
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": PUBLISHED,
    }
    idp.does("client", "import", a_file(tmp_path, an_entry(profile="fapi2", **keyed)))
    idp.does("client", "import", a_file(tmp_path, an_entry(client_name="改名的网厅", **keyed)))
    client = known(world, "portal-1")
    assert (client.name, client.profile.name, client.id_token_alg) == ("改名的网厅", "fapi2", "PS256")
    error = idp.refuses("client", "import", a_file(tmp_path, an_entry()))
    assert "Nothing was imported" in error
    loosened = an_entry(id_token_signed_response_alg="RS256", **keyed)
    assert "for ID tokens, not RS256" in idp.refuses("client", "import", a_file(tmp_path, loosened))
    idp.does("client", "import", a_file(tmp_path, an_entry(profile="basic")))
    assert known(world, "portal-1").profile.name == "basic"


def test_a_short_secret_is_taken_and_said_to_be_short(idp: Command, world: World, tmp_path: Path) -> None:
    file = a_file(tmp_path, an_entry(client_secret="fifteen letters"), an_entry("portal-2"))
    assert idp.does("client", "import", file)["short_secrets"] == ["portal-1"]
    assert known(world, "portal-1").knows_secret("fifteen letters", now=world.now())
    shown = idp("client", "import", file).out
    assert "rotate-secret portal-1" in shown
    assert "fifteen letters" not in shown


def test_every_wrong_entry_is_named_at_once(embedded: Command, tmp_path: Path) -> None:
    error = embedded.refuses("client", "import", a_file(tmp_path, {}, an_entry(), an_entry(), 7))
    assert "Client 1:" in error
    assert "Client 4:" in error
    assert "portal-1 stands there twice" in error


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[", b"\xff\xfe", b"[" * 100_000, b'"text"', b"null"], ids=lambda c: repr(c[:8])
)
def test_a_file_that_is_no_array_is_refused(embedded: Command, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clients.json"
    path.write_bytes(content)
    embedded.refuses("client", "import", path)


def test_a_file_that_is_not_there_is_refused(embedded: Command, tmp_path: Path) -> None:
    assert "does not exist" in embedded.refuses("client", "import", tmp_path / "nothing.json")
    embedded.refuses("client", "import", tmp_path)
