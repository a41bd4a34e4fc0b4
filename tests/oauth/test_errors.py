"""Every error has a number, and the number leads to how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from idp.oauth.refusals import catalogue, numbered
from idp.oauth.refusals.document import chapters, errors_page
from tests.world import ISSUER, Authorization, World, get_with, post_as

ROOT = Path(__file__).resolve().parents[2]


def test_the_document_is_what_the_program_says() -> None:
    page = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    assert page == errors_page(), "run `idp errors > docs/errors.md`"


def test_every_refusal_stands_in_a_chapter() -> None:
    assert [refusal for chapter in chapters() for refusal in chapter.refusals] == catalogue()


def test_a_number_is_never_given_twice() -> None:
    taken = catalogue()[0].number
    with pytest.raises(ValueError, match=str(taken)):
        numbered(taken, "invalid_request", "Something.", fix="", source="")


def test_an_error_at_the_redirect_address_leads_to_its_number(world: World) -> None:
    client = world.a_client()
    answer = world.browser().open(Authorization(client).address(code_challenge_method="plain"))
    assert answer.query["error_uri"] == f"{ISSUER}/help/errors#1111"


def test_an_error_of_the_token_endpoint_leads_to_its_number(world: World) -> None:
    client = world.a_client()
    for values, number in (
        ({"grant_type": "password"}, 2104),
        ({"grant_type": "authorization_code"}, 2103),
        ({"grant_type": "authorization_code", "code": "x", "redirect_uri": "x"}, 2110),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, 2201),
    ):
        told = post_as(world, client, "/oauth/token", values).get_json()
        assert told["error_uri"] == f"{ISSUER}/help/errors#{number}", told


def test_a_dead_access_token_leads_to_its_number(world: World) -> None:
    refused = get_with(world, "nonsense")
    assert refused.get_json()["error_uri"] in refused.headers["WWW-Authenticate"]


def test_the_page_shows_every_number(world: World) -> None:
    shown = world.browser().open("/help/errors")
    assert shown.status == 200
    for refusal in catalogue():
        assert f'id="{refusal.number}"' in shown.html
