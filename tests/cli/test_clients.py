"""`idp client`: what is registered is used at once, and a secret is shown once."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from idp.access.clients import RegisteredClient
from idp.accounts.audit import AuditEvent
from tests.cli.conftest import Command
from tests.world import World

CALLBACK = "https://portal.example/callback"
ADD = ("client", "add", "--name", "示例网厅", "--redirect-uri", CALLBACK)


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
        (("--post-logout-redirect-uri", "javascript:alert(1)"), "Not an acceptable address"),
        (("--backchannel-logout-uri", "http://portal.example/"), "must be https"),
        (("--auth-method", "private_key_jwt"), "Unknown auth method"),
        (("--id-token-alg", "EdDSA"), "choose from RS256, ES256"),
        (("--id-token-alg", "none"), "choose from RS256, ES256"),
        (("--grant", "urn:ietf:params:oauth:grant-type:device_code"), "Unknown grant"),
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
        (("--jwks", "keys.json"), "No such option"),
        (("--jwks-uri", "https://portal.example/jwks"), "No such option"),
        (("--require-par",), "No such option"),
        (("--dpop",), "No such option"),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else "",
)
def test_a_wrong_registration_is_refused(embedded: Command, options: tuple[str, ...], sentence: str) -> None:
    assert sentence in embedded.refuses(*ADD, *options)
    assert embedded.does("client", "list") == []


@pytest.mark.parametrize("missing", [("--name", "示例网厅"), ("--redirect-uri", CALLBACK)], ids=str)
def test_a_registration_without_its_essentials_is_refused(
    embedded: Command, missing: tuple[str, str]
) -> None:
    assert "Missing option" in embedded.refuses("client", "add", *missing)


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
