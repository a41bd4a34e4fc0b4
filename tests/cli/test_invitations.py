"""`idp client invite`: an initial access token is shown once, counts for a while, and can be ended."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.cli.conftest import Command
from tests.cli.test_clients import audited
from tests.oauth.asking import later
from tests.oauth.test_registration import registered
from tests.world import ISSUER, World

INVITE = ("client", "invite", "--label", "某局信息中心")


def test_an_invitation_says_what_it_allows_and_is_shown_once(idp: Command, world: World) -> None:
    told = idp.does(*INVITE, "--uses", "3", "--days", "2", "--scope", "openid entity seal:verify")
    assert told["registration_endpoint"] == f"{ISSUER}/oauth/register"
    assert (told["uses_left"], told["profile"], told["state"]) == (3, "basic", "open")
    assert told["scope"] == "openid entity seal:verify"
    life = datetime.fromisoformat(told["expires_at"]) - world.now()
    assert timedelta(days=2, minutes=-1) < life <= timedelta(days=2)
    listed = idp("client", "invitations", "--json")
    assert told["token"] not in listed.out
    assert [each["id"] for each in listed.json] == [told["id"]]


def test_what_is_printed_registers_a_client(idp: Command, world: World) -> None:
    invited = idp.does(*INVITE)
    told = registered(world, invited["token"])
    shown = idp.does("client", "show", told["client_id"])
    assert (shown["client_name"], shown["first_party"]) == (told["client_name"], False)
    assert idp.does("client", "invitations")[0]["state"] == "used up"
    assert audited(world, f"client:{told['client_id']}") == [("client_added", "invitation")]


def test_identity_numbers_are_not_invited_unless_it_is_said(idp: Command, world: World) -> None:
    assert "identity" not in idp.does(*INVITE)["scope"].split()


def test_an_ended_invitation_is_said_to_be_ended(idp: Command, world: World) -> None:
    told = idp.does(*INVITE)
    assert idp.does("client", "uninvite", told["id"]) == {"id": told["id"], "ended": True}
    assert idp.does("client", "invitations")[0]["state"] == "ended"
    assert "ended before" in idp.refuses("client", "uninvite", told["id"])


def test_an_old_invitation_is_said_to_be_expired(idp: Command, world: World) -> None:
    idp.does(*INVITE, "--days", "1")
    with later(days=1, seconds=1):
        assert idp.does("client", "invitations")[0]["state"] == "expired"


def test_inviting_and_ending_stand_in_the_trail(idp: Command, world: World) -> None:
    told = idp.does(*INVITE)
    idp.does("client", "uninvite", told["id"])
    expected = [("client_invited", "cli"), ("invitation_ended", "cli")]
    assert audited(world, f"invitation:{told['id']}") == expected


def test_people_can_read_the_list(idp: Command, world: World) -> None:
    idp.does(*INVITE)
    assert "某局信息中心" in idp("client", "invitations").out


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--uses", "0"), "--uses"),
        (("--uses", "1001"), "--uses"),
        (("--days", "0"), "--days"),
        (("--days", "9999999999"), "--days"),
        (("--profile", "fapi1"), "Unknown profile"),
        (("--scope", "telepathy"), "Unknown scope"),
        (("--label", " "), "label"),
        (("--label", "a\nb"), "label"),
        (("--label", "名" * 121), "label"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_a_wrong_invitation_is_refused(embedded: Command, options: tuple[str, ...], sentence: str) -> None:
    assert sentence in embedded.refuses(*INVITE, *options)
    assert embedded.does("client", "invitations") == []


@pytest.mark.parametrize("name", ["nobody", "", "00000000-0000-7000-8000-000000000000"])
def test_an_unknown_invitation_is_said_to_be_unknown(embedded: Command, name: str) -> None:
    assert "invitation" in embedded.refuses("client", "uninvite", name)
