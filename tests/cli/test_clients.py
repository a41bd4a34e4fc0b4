"""`idp client`: what is registered is used at once, and a secret is shown once."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select

from idp.access.clients import RegisteredClient
from idp.accounts.audit import AuditEvent
from idp.accounts.outbox import NotDelivered, deliver_due, enqueue
from tests.cli.conftest import Command
from tests.world import ISSUER, World

CALLBACK = "https://portal.example/callback"
ADD = ("client", "add", "--name", "示例网厅", "--redirect-uri", CALLBACK)
OURS = ISSUER.replace("http:", "https:")
A_KEY = ECKey.generate_key("P-256")


def a_key_set(tmp_path: Path) -> Path:
    """A file with the public half of a key."""
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [A_KEY.as_dict(private=False)]}), encoding="utf-8")
    return path


def delivered(_payload: dict[str, Any]) -> None:
    """A relying party that takes the message."""


def not_reached(_payload: dict[str, Any]) -> None:
    """One that does not."""
    raise NotDelivered("answered 503")


def known(world: World, client_id: str) -> RegisteredClient:
    """The client as the running application sees it."""
    found = world.platform.clients.find(client_id)
    assert found is not None
    return found


def audited(world: World, target: str) -> list[tuple[str, str]]:
    """Action and actor of what happened to `target`, in order."""
    with world.reading() as db:
        rows = db.scalars(select(AuditEvent).where(AuditEvent.target == target).order_by(AuditEvent.id))
        return [(row.action, row.actor.partition(":")[0]) for row in rows]


def test_a_new_client_can_be_used_at_once(idp: Command, world: World) -> None:
    told = idp.does(*ADD)
    client = known(world, told["client_id"])
    assert client.knows_secret(told["client_secret"], now=world.now())
    assert told["redirect_uris"] == [CALLBACK]
    assert told["token_endpoint_auth_method"] == "client_secret_basic"
    assert told["grant_types"] == ["authorization_code"]
    assert "openid" in told["scope"].split()


def test_every_option_arrives(idp: Command, world: World) -> None:
    told = idp.does(
        *ADD,
        *("--redirect-uri", "https://other.example/callback", "--sector", "group.example"),
        *("--post-logout-redirect-uri", "https://portal.example/bye"),
        *("--backchannel-logout-uri", "https://portal.example/logout"),
        *("--auth-method", "client_secret_post", "--id-token-alg", "ES256", "--subject-type", "public"),
        *("--grant", "authorization_code", "--grant", "refresh_token"),
        *("--scope", "openid profile", "--scope", "entity", "--full-phone", "--first-party"),
        *("--client-id", "my-portal"),
    )
    assert told["client_id"] == "my-portal"
    client = known(world, "my-portal")
    assert client.redirect_uris == (CALLBACK, "https://other.example/callback")
    assert client.post_logout_redirect_uris == ("https://portal.example/bye",)
    assert client.backchannel_logout_uri == "https://portal.example/logout"
    assert client.auth_method == "client_secret_post"
    assert (client.id_token_alg, client.subject_type, client.sector) == ("ES256", "public", "group.example")
    assert client.grant_types == {"authorization_code", "refresh_token"}
    assert client.scopes == {"openid", "profile", "entity"}
    assert (client.full_phone, client.first_party) == (True, True)


def test_every_option_of_security_arrives(idp: Command, world: World, tmp_path: Path) -> None:
    keys = a_key_set(tmp_path)
    told = idp.does(
        *(*ADD, "--auth-method", "private_key_jwt", "--jwks", keys, "--client-id", "guarded"),
        *("--assertion-alg", "ES256", "--request-object-alg", "ES256", "--require-signed-requests"),
        *("--require-par", "--dpop", "--id-token-alg", "EdDSA"),
        *("--resource", "https://seal.example/api", "--serves", "https://portal.example/api"),
        *("--default-acr-value", "urn:idp:loa:2", "--default-max-age", "0"),
        *("--client-uri", "https://portal.example/", "--contact", "duty@portal.example"),
        *("--grant", "authorization_code", "--grant", "urn:ietf:params:oauth:grant-type:device_code"),
    )
    assert "client_secret" not in told
    client = known(world, "guarded")
    assert (client.auth_method, client.assertion_alg) == ("private_key_jwt", "ES256")
    assert (client.request_object_alg, client.require_signed_requests) == ("ES256", True)
    assert (client.require_par, client.dpop, client.id_token_alg) == (True, True, "EdDSA")
    assert client.jwks == json.loads(keys.read_text())
    assert client.resources == {"https://seal.example/api"}
    assert client.serves == {"https://portal.example/api"}
    assert (client.default_acr_values, client.default_max_age) == (("urn:idp:loa:2",), 0)
    assert "urn:ietf:params:oauth:grant-type:device_code" in client.grant_types
    assert (told["client_uri"], told["contacts"]) == ("https://portal.example/", ["duty@portal.example"])


def test_a_phone_app_is_registered_with_its_channel(idp: Command, world: World) -> None:
    grants = ("--grant", "authorization_code", "--grant", "refresh_token")
    app = (*grants, "--auth-method", "none", "--dpop", "--first-party", "--scope", "openid app")
    told = idp.does(*ADD, *app, "--channel", "social_card")
    assert told["channel"] == "social_card"
    assert known(world, told["client_id"]).channel == "social_card"
    assert "Unknown channel" in idp.refuses(*ADD, *app, "--channel", "wechat")
    assert "needs a channel" in idp.refuses(*ADD, *app)


def test_keys_may_be_published_in_place_of_a_file(idp: Command, world: World) -> None:
    uri = "https://portal.example/jwks"
    told = idp.does(*ADD, "--auth-method", "private_key_jwt", "--jwks-uri", uri)
    client = known(world, told["client_id"])
    assert (client.jwks, client.jwks_uri, client.secret_hashes) == (None, uri, ())


def test_the_profile_decides_what_is_not_said(idp: Command, world: World, tmp_path: Path) -> None:
    told = idp.does(*ADD, "--profile", "fapi2", "--jwks", a_key_set(tmp_path))
    client = known(world, told["client_id"])
    assert (client.auth_method, client.assertion_alg) == ("private_key_jwt", "ES256")
    assert (client.require_par, client.dpop, client.id_token_alg) == (True, True, "PS256")
    assert told["require_pushed_authorization_requests"] is True


def test_a_profile_is_attached_once_the_registration_fits(idp: Command, world: World, tmp_path: Path) -> None:
    client_id = idp.does(*ADD, "--client-id", "growing")["client_id"]
    refusal = idp.refuses("client", "profile", client_id, "fapi2")
    assert "auth method private_key_jwt, not client_secret_basic" in refusal
    assert "for ID tokens, not RS256" in refusal
    assert known(world, client_id).profile.name == "basic"
    idp.does("client", "remove", client_id)
    fitting = ("--auth-method", "private_key_jwt", "--jwks", a_key_set(tmp_path), "--id-token-alg", "ES256")
    idp.does(*ADD, "--client-id", "growing", *fitting)
    assert not known(world, client_id).require_par
    assert idp.does("client", "profile", client_id, "fapi2") == {"client_id": client_id, "profile": "fapi2"}
    client = known(world, client_id)
    assert (client.profile.name, client.require_par, client.dpop) == ("fapi2", True, True)
    assert audited(world, f"client:{client_id}")[-1] == ("client_changed", "cli")
    idp.does("client", "profile", client_id, "basic")
    assert not known(world, client_id).dpop


def test_a_profile_that_is_not_known_is_refused(embedded: Command) -> None:
    client_id = embedded.does(*ADD)["client_id"]
    assert "choose from basic, fapi2" in embedded.refuses("client", "profile", client_id, "fapi1")


def test_show_lists_what_became_of_the_logout_messages(idp: Command, world: World) -> None:
    client_id = idp.does(*ADD)["client_id"]
    assert idp.does("client", "show", client_id)["logout_deliveries"] == []
    fates: list[Callable[[dict[str, Any]], None]] = [delivered, not_reached]
    for number, fate in enumerate(fates):
        with world.write() as db:
            enqueue(
                db,
                world.backends.vault,
                kind="logout",
                subject=f"client:{client_id}",
                payload={"sid": "secret-sid"},
                now=world.now() - timedelta(minutes=2 - number),
            )
        deliver_due(world.backends.database, world.backends.vault, {"logout": fate}, now=world.now())
    waiting, done = idp.does("client", "show", client_id)["logout_deliveries"]
    assert (waiting["state"], waiting["tries"], waiting["last_error"]) == ("waiting", 1, "answered 503")
    assert waiting["next_try_at"]
    assert (done["state"], done["tries"], done["next_try_at"]) == ("delivered", 1, None)
    shown = idp("client", "show", client_id).out
    assert "answered 503" in shown
    assert "secret-sid" not in shown


def test_the_trail_holds_neither_secrets_nor_contacts(idp: Command, world: World, tmp_path: Path) -> None:
    told = idp.does(*ADD, "--contact", "duty@portal.example", "--jwks", a_key_set(tmp_path))
    with world.reading() as db:
        row = db.scalars(select(AuditEvent).where(AuditEvent.target == f"client:{told['client_id']}")).one()
    assert row.detail["after"]["jwks"] == [A_KEY.thumbprint()]
    written = json.dumps(row.detail)
    assert "duty@" not in written
    assert told["client_secret"] not in written


def test_a_secret_is_shown_once_only(idp: Command, world: World) -> None:
    told = idp.does(*ADD)
    for command in (("list",), ("show", told["client_id"])):
        answer = idp("client", *command, "--json")
        assert told["client_id"] in answer.out
        assert told["client_secret"] not in answer.out
        assert "client_secret" not in answer.json


def test_a_public_client_has_no_secret(idp: Command, world: World) -> None:
    told = idp.does(*ADD, "--auth-method", "none")
    assert "client_secret" not in told
    assert known(world, told["client_id"]).secret_hashes == ()


def test_a_rotated_secret_works_beside_the_old_one(idp: Command, world: World) -> None:
    first = idp.does(*ADD)
    known(world, first["client_id"])
    second = idp.does("client", "rotate-secret", first["client_id"])
    client = known(world, first["client_id"])
    assert client.knows_secret(first["client_secret"], now=world.now())
    assert client.knows_secret(second["client_secret"], now=world.now())


def test_a_removed_client_is_unknown_at_once(idp: Command, world: World) -> None:
    client_id = idp.does(*ADD)["client_id"]
    known(world, client_id)
    idp.does("client", "remove", client_id)
    assert world.platform.clients.find(client_id) is None
    assert "no client" in idp.refuses("client", "show", client_id)


def test_every_change_stands_in_the_trail(idp: Command, world: World) -> None:
    client_id = idp.does(*ADD)["client_id"]
    idp.does("client", "rotate-secret", client_id)
    idp.does("client", "remove", client_id)
    actions = ["client_added", "client_secret_rotated", "client_removed"]
    assert audited(world, f"client:{client_id}") == [(action, "cli") for action in actions]


def test_people_can_read_what_is_printed(idp: Command, world: World) -> None:
    client_id = idp.does(*ADD)["client_id"]
    for command in (("client", "list"), ("client", "show", client_id), ("key", "list")):
        answer = idp(*command)
        assert answer.code == 0
        assert "Traceback" not in answer.out + answer.err
    assert "示例网厅" in idp("client", "list").out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--redirect-uri", "http://portal.example/callback"), "must be https"),
        (("--redirect-uri", "https://portal.example/*"), "Not an acceptable address"),
        (("--redirect-uri", "https://portal.example/#here"), "Not an acceptable address"),
        (("--redirect-uri", "https://user@portal.example/"), "Not an acceptable address"),
        (("--redirect-uri", "callback"), "Not an acceptable address"),
        (("--redirect-uri", "https://other.example/"), "need a sector"),
        (("--redirect-uri", f"{OURS}/", "--sector", "joint"), "on the host of this provider"),
        (("--post-logout-redirect-uri", "javascript:alert(1)"), "Not an acceptable address"),
        (("--backchannel-logout-uri", "http://portal.example/"), "must be https"),
        (("--auth-method", "private_key_jwt"), "need jwks or jwks_uri"),
        (("--auth-method", "client_secret_jwt"), "Unknown auth method"),
        (("--id-token-alg", "none"), "choose from RS256, PS256, ES256, EdDSA"),
        (("--grant", "implicit"), "Unknown grant"),
        (("--scope", "openid telepathy"), "Unknown scope"),
        (("--scope", "profile"), "must contain openid"),
        (("--subject-type", "secret"), "Unknown subject type"),
        (("--sector", "a b"), "sector"),
        (("--client-id", "a b"), "client id"),
        (("--client-id", "c" * 65), "client id"),
        (("--name", " "), "needs a name"),
        (("--name", "a\nb"), "printable"),
        (("--name", "名" * 121), "120 characters"),
        (("--backchannel-logout-uri", "https://10.0.0.7/logout"), "on the public network"),
        (("--jwks-uri", "https://[::1]/jwks"), "on the public network"),
        (("--jwks-uri", "http://portal.example/jwks"), "must be https"),
        (("--jwks", "keys.json"), "does not exist"),
        (("--require-signed-requests",), "need jwks or jwks_uri"),
        (("--assertion-alg", "HS256"), "Unknown assertion algorithm"),
        (("--request-object-alg", "none"), "need jwks or jwks_uri"),
        (("--profile", "fapi1"), "Unknown profile"),
        (("--profile", "fapi2", "--auth-method", "none"), "takes only the auth method private_key_jwt"),
        (("--grant", "client_credentials", "--auth-method", "none"), "needs client authentication"),
        (("--grant", "refresh_token"), "needs authorization_code or the device grant"),
        (("--resource", "seal"), "Not an acceptable address"),
        (("--serves", "https://seal.example/#here"), "Not an acceptable address"),
        (("--client-uri", "javascript:alert(1)"), "Not an acceptable address"),
        (("--contact", "a\nb"), "Contacts"),
        (("--default-acr-value", "a b"), "default_acr_values"),
        (("--default-max-age", "-1"), "default-max-age"),
        (("--default-max-age", "999999999999"), "at most ten years"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else "",
)
def test_a_wrong_registration_is_refused(embedded: Command, options: tuple[str, ...], sentence: str) -> None:
    assert sentence in embedded.refuses(*ADD, *options)
    assert embedded.does("client", "list") == []


def test_a_registration_without_its_essentials_is_refused(embedded: Command) -> None:
    assert "Missing option" in embedded.refuses("client", "add", "--redirect-uri", CALLBACK)
    assert "at least one redirect URI" in embedded.refuses("client", "add", "--name", "示例网厅")


def test_a_client_nobody_is_redirected_to_needs_no_address(idp: Command, world: World) -> None:
    told = idp.does("client", "add", "--name", "批量核验", "--grant", "client_credentials")
    assert (told["redirect_uris"], told["response_types"]) == ([], [])
    assert known(world, told["client_id"]).sector == told["client_id"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("[]", "JSON Web Key Set"),
        ("{}", "JSON Web Key Set"),
        ("x", "not JSON"),
        ('{"keys": []}', "1 to 20 keys"),
        ('{"keys": [{"kty": "oct", "k": "AAAA"}]}', "a key that is not"),
        (json.dumps({"keys": [A_KEY.as_dict(private=True)]}), "a private key was sent"),
    ],
    ids=lambda value: value[:12],
)
def test_a_wrong_key_set_is_refused(embedded: Command, tmp_path: Path, content: str, sentence: str) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text(content, encoding="utf-8")
    assert sentence in embedded.refuses(*ADD, "--auth-method", "private_key_jwt", "--jwks", keys)
    assert embedded.does("client", "list") == []


def test_a_client_id_is_given_once(embedded: Command) -> None:
    embedded.does(*ADD, "--client-id", "portal")
    assert "already" in embedded.refuses(*ADD, "--client-id", "portal")


@pytest.mark.parametrize("command", ["show", "remove", "rotate-secret"])
@pytest.mark.parametrize("client_id", ["nobody", "", "\udcff", "x" * 500])
def test_an_unknown_client_is_said_to_be_unknown(embedded: Command, command: str, client_id: str) -> None:
    assert "no client" in embedded.refuses("client", command, client_id)


def test_a_public_client_has_no_secret_to_rotate(embedded: Command) -> None:
    client: dict[str, Any] = embedded.does(*ADD, "--auth-method", "none")
    assert "no secret" in embedded.refuses("client", "rotate-secret", client["client_id"])
