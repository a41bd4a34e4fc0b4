"""`idp staff`: who works at the console; a first sign-in begins with a link printed once (MISSION Y)."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from idp.accounts.audit import AuditEvent
from idp.accounts.staff import StaffRole, find_staff
from tests.cli.conftest import Command
from tests.staff.acting import live, type_password
from tests.world import ISSUER, World

ADD = ("staff", "add", "--account", "fangxz", "--name", "方小舟", "--role", "customer_service")


def noted(world: World, target: str) -> list[tuple[str, str]]:
    """Action and the kind of actor of each line about `target`."""
    lines = select(AuditEvent).where(AuditEvent.target == target).order_by(AuditEvent.id)
    with world.reading() as db:
        return [(line.action, line.actor.partition(":")[0]) for line in db.scalars(lines)]


def test_adding_prints_a_link_this_once(idp: Command, world: World) -> None:
    told = idp.does(*ADD)
    assert told["link"].startswith(f"{ISSUER}/staff/invitation/")
    assert (told["account"], told["role"], told["state"]) == ("fangxz", "customer_service", "invited")
    life = datetime.fromisoformat(told["expires_at"]) - world.now()
    assert timedelta(hours=23, minutes=59) < life <= timedelta(days=1)
    token = told["link"].rpartition("/")[2]
    assert token not in idp("staff", "show", "fangxz", "--json").out
    assert token not in idp("staff", "list", "--json").out
    assert noted(world, f"staff:{told['id']}") == [("staff_added", "cli"), ("staff_invited", "cli")]


def test_the_link_that_was_printed_works(idp: Command, world: World) -> None:
    page = world.browser().open(urlsplit(idp.does(*ADD)["link"]).path)
    assert "开始设置" in page.text


def test_no_full_name_is_printed(idp: Command, world: World) -> None:
    told = idp.does(*ADD)
    assert told["name"] == "方*舟"
    assert "方小舟" not in idp("staff", "list").out + idp("staff", "show", "fangxz").out


def test_an_account_name_is_taken_once(idp: Command, world: World) -> None:
    idp.does(*ADD)
    assert "already" in idp.refuses(*ADD)
    assert "already" in idp.refuses(
        *("staff", "add", "--account", "FangXZ", "--name", "x", "--role", "auditor")
    )


@pytest.mark.parametrize(
    "arguments", [(*ADD[:-1], "admin"), ("staff", "role", "fangxz", "Value error")], ids=["add", "role"]
)
def test_a_role_nobody_has_is_answered_with_the_four_there_are(
    embedded: Command, arguments: tuple[str, ...]
) -> None:
    told = embedded.refuses(*arguments)
    assert "customer_service, supervisor, administrator and auditor" in told
    assert "Invalid value" not in told


def test_the_help_says_how_long_an_account_name_is(embedded: Command) -> None:
    assert "6 to 20 characters" in " ".join(embedded("staff", "add", "--help").out.split())


def test_a_new_link_ends_the_one_before(idp: Command, world: World) -> None:
    first, second = idp.does(*ADD)["link"], idp.does("staff", "invite", "fangxz")["link"]
    assert "链接已用过" in world.browser().open(urlsplit(first).path).text
    assert "开始设置" in world.browser().open(urlsplit(second).path).text


def test_who_has_begun_begins_anew_only_when_it_is_said(idp: Command, world: World) -> None:
    member = world.a_staff_member()
    world.at_the_console(member=member)
    assert "--reset" in idp.refuses("staff", "invite", member.account)
    assert idp.does("staff", "show", member.account)["factors"] == ["totp"]
    told = idp.does("staff", "invite", member.account, "--reset")
    assert told["state"] == "invited"
    shown = idp.does("staff", "show", member.account)
    assert (shown["factors"], shown["live_sign_ins"], shown["enrolled_at"]) == ([], 0, None)
    assert "/second" not in type_password(world.browser(), member.account, member.password).url


def test_another_role_ends_the_sign_ins(idp: Command, world: World) -> None:
    member = world.a_staff_member(StaffRole.ADMIN)
    browser = world.at_the_console(member=member)
    assert idp.does("staff", "role", member.account, "auditor")["role"] == "auditor"
    assert browser.open("/staff", follow=False).status == 302
    assert "already" in idp.refuses("staff", "role", member.account, "auditor")
    assert noted(world, member.row.key) == [("staff_changed", "cli")]


def test_suspending_ends_the_sign_ins_and_resuming_opens_again(idp: Command, world: World) -> None:
    member = world.a_staff_member()
    browser = world.at_the_console(member=member)
    assert idp.does("staff", "suspend", member.account, "--reason", "离岗")["state"] == "suspended"
    assert browser.open("/staff", follow=False).status == 302
    assert live(world, member.row) == []
    assert "suspended already" in idp.refuses("staff", "suspend", member.account)
    assert "suspended" in idp.refuses("staff", "invite", member.account)
    assert "/second" not in type_password(world.browser(), member.account, member.password).url
    assert idp.does("staff", "resume", member.account)["state"] == "active"
    assert "not suspended" in idp.refuses("staff", "resume", member.account)
    assert "/second" in type_password(world.browser(), member.account, member.password).url


def test_no_personal_data_come_into_the_trail_with_a_reason(idp: Command, world: World) -> None:
    """A reason that is typed is read as at the console (SECURITY 76, 81)."""
    idp.does(*ADD)
    for command in ("suspend", "resume"):
        for reason in ("13800138000 张三", "联系 方小舟", "离" * 201):
            assert "reason" in idp.refuses("staff", command, "fangxz", "--reason", reason)
    assert idp.does("staff", "show", "fangxz")["state"] == "invited"


def test_a_link_that_ran_out_is_said(idp: Command, world: World) -> None:
    idp.does(*ADD)
    with world.write() as db:
        member = find_staff(db, "fangxz")
        assert member is not None
        member.suspended_at = None
    idp.does("staff", "suspend", "fangxz")
    assert idp.does("staff", "resume", "fangxz")["state"] == "needs a link"


def test_people_can_read_the_list(idp: Command, world: World) -> None:
    idp.does(*ADD)
    assert "fangxz" in idp("staff", "list").out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((*ADD[:3], "1abc", *ADD[4:]), "--account"),
        ((*ADD[:3], "x", *ADD[4:]), "--account"),
        ((*ADD[:5], " ", *ADD[6:]), "--name"),
        ((*ADD[:5], "a\nb", *ADD[6:]), "--name"),
        ((*ADD[:5], "名" * 61, *ADD[6:]), "--name"),
        ((*ADD[:7], "root"), "No role 'root'"),
        (("staff", "show", "nobody"), "nobody"),
        (("staff", "invite", "x" * 5000), "No staff member"),
        (("staff", "show", "\udcff"), "No staff member"),
        (("staff", "invite", "\udcff"), "No staff member"),
        (("staff", "suspend", "nobody"), "nobody"),
        (("staff", "resume", "nobody"), "nobody"),
        (("staff", "role", "nobody", "auditor"), "nobody"),
        (("staff", "role", "nobody", "king"), "king"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_wrong_input_is_refused(embedded: Command, arguments: tuple[str, ...], sentence: str) -> None:
    assert sentence in embedded.refuses(*arguments)
    assert embedded.does("staff", "list") == []
