"""Which clients may be phone apps, and what a phone app may ask for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from idp.access.channels import CHANNELS
from idp.access.client_metadata import Decided, metadata, read_metadata
from idp.access.client_rules import DEFAULT_SCOPES, NewClient, check_client
from idp.access.clients import Client, ClientRefused
from idp.access.registration import registration_of
from idp.access.registration_tokens import Invitation, invite
from tests.oauth.asking import a_signed_in_operator, a_signed_in_person, refused_with
from tests.portals import Authorization
from tests.scan.phones import an_app
from tests.world import CALLBACK, World

SCOPES = ("openid", "profile", "offline_access", "app")


def an_app_says(**given: Any) -> NewClient:
    """A registration that may stand."""
    fields: dict[str, Any] = {
        "name": "吉事办",
        "redirect_uris": (CALLBACK,),
        "auth_method": "none",
        "grant_types": ("authorization_code", "refresh_token"),
        "scopes": SCOPES,
        "first_party": True,
        "dpop": True,
        "channel": "jishiban",
    }
    return NewClient(**{**fields, **given})


def test_every_known_channel_can_be_registered() -> None:
    for channel in CHANNELS:
        check_client(an_app_says(channel=channel), production=True)


def test_nobody_gets_the_scope_app_without_asking() -> None:
    assert "app" not in DEFAULT_SCOPES


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"channel": None}, "scopes"),
        ({"channel": "wechat"}, "channel"),
        ({"scopes": ("openid", "offline_access")}, "scopes"),
        ({"first_party": False}, "first_party"),
        ({"auth_method": "client_secret_basic"}, "auth_method"),
        ({"dpop": False}, "dpop"),
        (
            {"grant_types": ("authorization_code", "urn:ietf:params:oauth:grant-type:device_code")},
            "grant_types",
        ),
        ({"redirect_uris": ()}, "redirect_uris"),
        ({"registered_with": UUID(int=1)}, "scopes"),
        ({"registered_with": UUID(int=1), "scopes": ("openid",)}, "scopes"),
    ],
)
def test_an_app_keeps_every_rule_of_apps(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(ClientRefused) as refused:
        check_client(an_app_says(**wrong), production=True)
    assert refused.value.field == field
    # For the console as for commands.
    assert refused.value.zh != str(refused.value)
    assert str(refused.value).isascii()


def test_an_app_written_as_metadata_is_read_back_as_the_same_app(world: World) -> None:
    with world.reading() as db:
        client = db.get_one(Client, an_app(world).client_id)
    told = {name: value for name, value in metadata(client).items() if value is not None}
    again = read_metadata(told).as_new(Decided())
    assert again.channel == "jishiban"
    assert registration_of(client).channel == again.channel
    # What a file does not name stays; an empty name takes the channel away.
    del told["channel"]
    assert read_metadata(told).as_new(Decided.before(client)).channel == "jishiban"
    assert read_metadata({**told, "channel": ""}).as_new(Decided.before(client)).channel is None


def test_no_invitation_opens_the_scope_app(world: World) -> None:
    with world.write() as db, pytest.raises(ClientRefused, match="cannot be invited"):
        invite(db, Invitation("某厂商", scopes=("openid", "app")), now=world.now())


def test_a_program_cannot_register_an_app(world: World) -> None:
    with world.write() as db:
        token = invite(db, Invitation("某厂商"), now=world.now())[1]
    for asked, refusal in (({"channel": "jishiban"}, "5008"), ({"scope": "openid app"}, "5009")):
        answer = world.app.test_client(use_cookies=False).post(
            "/oauth/register",
            base_url=world.settings.issuer,
            json={"client_name": "假吉事办", "redirect_uris": [CALLBACK], **asked},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 400, answer.get_json()
        assert answer.get_json()["error_uri"].endswith(f"#{refusal}")


def test_app_and_entity_are_never_asked_for_together(world: World) -> None:
    client = an_app(world, scopes=(*SCOPES, "entity"))
    page = a_signed_in_person(world).open(Authorization(client).address("openid app entity"))
    assert refused_with(page) == ("invalid_scope", True)
    assert page.query["error_uri"].endswith("#1122")


def test_a_client_that_is_no_app_is_refused_the_scope(world: World) -> None:
    page = a_signed_in_person(world).open(Authorization(world.a_client()).address("openid app"))
    assert refused_with(page) == ("invalid_scope", True)


def test_a_sign_in_of_a_company_is_no_sign_in_to_the_app(world: World) -> None:
    operator = a_signed_in_operator(world)
    page = operator.open(Authorization(an_app(world)).address("openid app", prompt="none"))
    assert refused_with(page) == ("login_required", True)
