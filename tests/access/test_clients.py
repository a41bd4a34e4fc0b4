"""A running process sees every change of a registration at once; and what may be registered."""

from __future__ import annotations

import pytest

from idp.access.clients import Client, ClientRefused, announce_change
from idp.access.registration import NewClient, add_client, check_client, rotate_secret
from tests.oauth.asking import a_signed_in_person
from tests.portals import Authorization, post_as
from tests.world import CALLBACK, AClient, World


def changed(world: World, client: AClient, **values: object) -> None:
    with world.write() as db:
        row = db.get_one(Client, client.client_id)
        for name, value in values.items():
            setattr(row, name, value)
    announce_change(world.backends.store)


def test_a_change_is_seen_without_a_restart(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    moved = AClient(client.client_id, client.secret, "https://portal.example/moved")
    with world.rewired() as other:
        for app in (world, other):
            assert app.platform.clients.find(client.client_id) is not None
        assert browser.open(Authorization(moved).address("openid")).status == 400
        changed(world, client, redirect_uris=[moved.redirect_uri])
        assert "code" in browser.open(Authorization(moved).address("openid")).query
        assert browser.open(Authorization(client).address("openid")).status == 400
        found = other.platform.clients.find(client.client_id)
        assert found is not None
        assert found.redirect_uris == (moved.redirect_uri,)


def test_a_new_and_a_removed_client_are_seen_at_once(world: World) -> None:
    clients = world.platform.clients
    assert clients.find("not-yet") is None
    client = world.a_client(client_id="not-yet")
    assert clients.find("not-yet") is not None
    with world.write() as db:
        db.delete(db.get_one(Client, client.client_id))
    announce_change(world.backends.store)
    assert clients.find("not-yet") is None


def test_a_row_changed_by_hand_opens_nothing_its_profile_forbids(world: World) -> None:
    client = world.a_client()
    assert post_as(world, client, "/oauth/introspect", {"token": "x"}).status_code == 200
    changed(world, client, profile="fapi2")
    found = world.platform.clients.find(client.client_id)
    assert found is not None
    assert (found.auth_method, found.id_token_alg) == ("private_key_jwt", "PS256")
    assert (found.require_par, found.dpop) == (True, True)
    refused = post_as(world, client, "/oauth/introspect", {"token": "x"})
    assert (refused.status_code, refused.get_json()["error"]) == (401, "invalid_client")


def test_losing_the_version_only_means_reading_again(world: World) -> None:
    client = world.a_client()
    assert world.platform.clients.find(client.client_id) is not None
    world.backends.store.delete("version:clients")
    assert world.platform.clients.find(client.client_id) is not None


@pytest.mark.parametrize("guess", ["", "x" * 65, "é", "a\nb", "\ufffd", "a\x7fb", "' OR 1=1 --"])
def test_a_strange_name_is_nobodys(world: World, guess: str) -> None:
    assert world.platform.clients.find(guess) is None


def test_secrets_are_kept_as_hashes_and_told_once(world: World) -> None:
    client = world.a_client()
    with world.reading() as db:
        row = db.get_one(Client, client.client_id)
        assert row.secret_hash is not None
        assert len(row.secret_hash) == 32
        assert client.secret.encode() not in row.secret_hash


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"name": "长" * 121},
        {"redirect_uris": ()},
        {"auth_method": "client_secret_jwt"},
        {"auth_method": "private_key_jwt"},
        {"id_token_alg": "none"},
        {"id_token_alg": "HS256"},
        {"grant_types": ("implicit",)},
        {"grant_types": ("password",)},
        {"scopes": ("openid", "admin")},
        {"subject_type": "pairwise "},
        {"redirect_uris": (CALLBACK, "https://other.example/cb")},
    ],
)
def test_what_cannot_be_registered(wrong: dict[str, object]) -> None:
    fields: dict[str, object] = {"name": "示例", "redirect_uris": (CALLBACK,), **wrong}
    with pytest.raises(ClientRefused):
        check_client(NewClient(**fields), production=True)  # type: ignore[arg-type]


def test_two_hosts_need_a_sector_or_a_public_subject() -> None:
    uris = (CALLBACK, "https://other.example/cb")
    check_client(NewClient(name="示例", redirect_uris=uris, sector="joint.example"), production=True)
    check_client(NewClient(name="示例", redirect_uris=uris, subject_type="public"), production=True)


def test_a_name_is_taken_once(world: World) -> None:
    client = world.a_client()
    again = NewClient(name="示例", redirect_uris=(CALLBACK,), client_id=client.client_id)
    with world.write() as db, pytest.raises(ClientRefused):
        add_client(db, again, production=True, now=world.now())


def test_a_public_client_has_no_secret_to_rotate(world: World) -> None:
    client = world.a_client(auth_method="none")
    assert client.secret == ""
    with world.write() as db, pytest.raises(ClientRefused):
        rotate_secret(db.get_one(Client, client.client_id), now=world.now())
