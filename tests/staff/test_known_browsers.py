"""Strangers slow strangers at the console, never its owner where he came in before (SECURITY 10)."""

from __future__ import annotations

import pytest

from tests.staff.acting import a_code, at_second, is_in, later, live, signed_in, type_password
from tests.staff.test_me import change
from tests.world import PASSWORD, AStaffMember, Browser, World

pytestmark = pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
OWN = "Another-mine 2027"


@pytest.fixture
def member(world: World) -> AStaffMember:
    return world.a_staff_member()


def strangers_try(world: World, member: AStaffMember) -> None:
    """Wrong passwords from elsewhere, until no stranger is looked at."""
    for number in range(6):
        page = type_password(world.browser(address=f"192.0.2.{number}"), member.account, "Not-this-one 7")
    assert page.status == 429


def out_again(browser: Browser) -> Browser:
    browser.open("/staff")
    assert browser.submit().url == "/staff/sign-in"
    return browser


def test_the_owner_gets_in_where_he_was_before_whatever_strangers_try(
    world: World, member: AStaffMember
) -> None:
    known = out_again(signed_in(world, member))
    strangers_try(world, member)
    assert type_password(world.browser(), member.account, PASSWORD).status == 429
    assert "/second" in type_password(known, member.account, PASSWORD).url
    assert is_in(known.submit({"code": a_code(member.totp_secret, ahead=30)}, follow=False))


def test_strangers_at_the_second_step_do_not_keep_him_out_either(world: World, member: AStaffMember) -> None:
    known = out_again(signed_in(world, member))
    for _ in range(6):
        page = at_second(world, member).submit({"code": "000000"})
    assert page.status == 429
    type_password(known, member.account, PASSWORD)
    assert is_in(known.submit({"code": a_code(member.totp_secret, ahead=30)}, follow=False))


def test_a_browser_is_known_after_a_whole_sign_in_only(world: World, member: AStaffMember) -> None:
    half_way = at_second(world, member)
    assert half_way.cookie("idp_known") is None
    strangers_try(world, member)
    assert type_password(half_way, member.account, PASSWORD).status == 429


def test_a_known_browser_has_its_own_tries_and_no_more(world: World, member: AStaffMember) -> None:
    known = out_again(signed_in(world, member))
    pages = [type_password(known, member.account, "Not-this-one 7") for _ in range(6)]
    assert [page.status for page in pages] == [200] * 5 + [429]
    assert "/second" in type_password(world.browser(), member.account, PASSWORD).url


def test_a_browser_known_to_a_colleague_is_a_strangers(world: World, member: AStaffMember) -> None:
    theirs = out_again(signed_in(world, world.a_staff_member()))
    strangers_try(world, member)
    assert type_password(theirs, member.account, PASSWORD).status == 429


def test_with_another_password_the_browser_it_was_set_in_is_known_and_no_other(
    world: World, member: AStaffMember
) -> None:
    other, here = signed_in(world, member), at_second(world, member)
    assert is_in(here.submit({"code": a_code(member.totp_secret, ahead=30)}, follow=False))
    assert change(here, new=OWN).url == "/staff/me/security"
    assert len(live(world, member.row)) == 1
    out_again(here)
    strangers_try(world, member)
    assert type_password(other, member.account, OWN).status == 429
    assert "/second" in type_password(here, member.account, OWN).url
    with later(days=181):
        strangers_try(world, member)
        assert type_password(here, member.account, OWN).status == 429
