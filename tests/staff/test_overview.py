"""The day at a glance: the figures are those of the civil day, and everybody at the console may see them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import event, select

from idp.accounts.audit import Action, Event, Origin
from idp.accounts.outbox import OutboxMessage, enqueue
from idp.accounts.staff import StaffRole
from idp.staff.overview.views import age_words
from idp.web.plots import HEIGHT, WIDTH, short, stacked
from tests.entering import enter
from tests.pages import Page
from tests.staff.trail import PERSON
from tests.world import World

BEGIN = datetime(2026, 3, 9, 16, tzinfo=UTC)
"""2026-03-10 in Shanghai."""
NOON = BEGIN + timedelta(hours=12, minutes=30)


def happen(world: World, action: Action, *hours: float, **given: Any) -> None:
    """The same event at these hours of the day."""
    with world.write() as db:
        for hour in hours:
            told = Event(action, **{"target": PERSON, **given})
            world.backends.trail.record(db, told, Origin(), now=BEGIN + timedelta(hours=hour))


def refuse(world: World, why: str, *hours: float) -> None:
    happen(world, Action.SIGN_IN_REFUSED, *hours, detail={"why": why})


def sign_in(world: World, amr: list[str], *hours: float) -> None:
    happen(world, Action.SIGNED_IN, *hours, detail={"role": "natural_person", "amr": amr})


def at_noon(world: World, role: StaffRole = StaffRole.AUDITOR) -> Page:
    """The overview at half past twelve."""
    with time_machine.travel(NOON, tick=False):
        return world.at_the_console(role).open("/staff")


def figures(page: Page) -> dict[str, str]:
    """The figures by their names."""
    found = re.findall(r"<dt>(.*?)</dt>\s*<dd>\s*(.*?)\s*(?:<|$)", page.html, re.MULTILINE)
    return dict(found)


def hours(page: Page, number: int) -> list[list[str]]:
    """The rows of a plot's table: the hour and its numbers."""
    tables = re.findall(r"<tbody.*?</tbody>", page.html, re.DOTALL)
    rows = re.findall(r"<tr.*?</tr>", tables[number], re.DOTALL)
    return [re.findall(r"<span>(.*?)</span>", row) for row in rows]


def test_sign_ins_are_counted_by_hour_and_way(world: World) -> None:
    sign_in(world, ["pwd"], 0, 9.1, 9.99, 12)
    sign_in(world, ["pwd", "otp"], 9.5)
    sign_in(world, ["hwk"], 10)
    sign_in(world, ["pwd", "hwk"], 10)
    sign_in(world, ["qr"], 12.4)
    page = at_noon(world)
    assert figures(page)["今日登录"] == "8"
    assert hours(page, 0) == [
        ["0 时", "1", "0", "0", "0", "1"],
        ["9 时", "2", "1", "0", "0", "3"],
        ["10 时", "0", "0", "2", "0", "2"],
        ["12 时", "1", "0", "0", "1", "2"],
    ]
    assert (
        "共 8 次：密码 4 次，密码+动态口令 1 次，通行密钥 2 次，扫码 1 次。最多的是 9 时，3 次。" in page.text
    )


def test_refusals_are_counted_by_hour_and_reason(world: World) -> None:
    refuse(world, "password", 1, 1, 2)
    refuse(world, "throttled", 2)
    refuse(world, "not allowed", 3)
    refuse(world, "code", 4)
    refuse(world, "passkey wrong", 4)
    happen(world, Action.PROOF_REFUSED, 4)
    happen(world, Action.PROOF_REFUSED, 4, detail={"why": "throttled"})
    page = at_noon(world)
    assert (figures(page)["今日被拒"], figures(page)["其中频率限制"]) == ("9", "2")
    assert hours(page, 0) == [
        ["1 时", "2", "0", "0", "0", "2"],
        ["2 时", "1", "1", "0", "0", "2"],
        ["3 时", "0", "0", "1", "0", "1"],
        ["4 时", "0", "1", "0", "3", "4"],
    ]
    assert "其他原因" not in page.text


def test_what_this_version_does_not_know_is_counted_as_other(world: World) -> None:
    sign_in(world, ["face"], 1)
    happen(world, Action.SIGNED_IN, 1)
    refuse(world, "another identity", 1)
    page = at_noon(world)
    assert [hours(page, number)[0][-2:] for number in (0, 1)] == [["2", "2"], ["1", "1"]]
    assert "其他方式" in page.text


def test_the_day_is_that_of_shanghai(world: World) -> None:
    """MISSION Y: days of the calendar in Asia/Shanghai."""
    sign_in(world, ["pwd"], -0.001, 0, 12, 24)
    assert figures(at_noon(world))["今日登录"] == "2"


def test_staff_are_a_figure_of_their_own(world: World) -> None:
    happen(world, Action.STAFF_SIGNED_IN, 9, target="staff:x")
    happen(world, Action.STAFF_SIGN_IN_REFUSED, 9, 9, target="nobody")
    happen(world, Action.PROOF_REFUSED, 9, target="staff:x")
    page = at_noon(world)
    assert (figures(page)["工作人员登录"], figures(page)["今日登录"], figures(page)["今日被拒"]) == (
        "1",
        "0",
        "0",
    )
    assert "被拒 3 次" in page.text


def test_a_live_sign_in_is_one_that_counts_now(world: World) -> None:
    browsers = [world.browser() for _ in range(3)]
    with time_machine.travel(NOON - timedelta(minutes=5), tick=False):
        for browser in browsers:
            enter(browser, world.a_person())
        browsers[0].open("/center/person")
        browsers[0].submit()
    assert figures(at_noon(world))["现在在线的登录"] == "2"
    with time_machine.travel(NOON + timedelta(minutes=40), tick=False):
        assert figures(world.at_the_console().open("/staff"))["现在在线的登录"] == "0"


def test_messages_that_wait_and_those_given_up_are_counted(world: World) -> None:
    with world.write() as db:
        for kind, minutes in (("sms", 3), ("logout", 75), ("logout", 1), ("sms", 9), ("sms", 9)):
            then = NOON - timedelta(minutes=minutes)
            with time_machine.travel(then, tick=False):
                enqueue(db, world.backends.vault, kind=kind, subject="", payload={}, now=then)
    with world.write() as db:
        nine = NOON - timedelta(minutes=9)
        one, other = db.scalars(select(OutboxMessage).where(OutboxMessage.created_at == nine))
        one.next_try_at, one.delivered_at = None, NOON
        other.next_try_at, other.failed_at = None, NOON - timedelta(hours=1)
    page = at_noon(world)
    assert figures(page)["等待送出的消息"] == "3"
    assert "退出通知 2，短信 1" in page.text
    assert figures(page)["等得最久的消息"] == "1 小时 15 分钟"
    assert figures(page)["今日没能送达的消息"] == "1"
    assert 'href="/staff/deliveries?state=given_up"' in page.html


def test_an_empty_day_has_sentences_instead_of_plots(world: World) -> None:
    page = at_noon(world)
    assert set(figures(page).values()) == {"0", "没有"}
    assert "今天还没有人登录" in page.text
    assert "今天还没有被拒的登录" in page.text


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize("role", StaffRole)
def test_everybody_sees_the_figures_and_the_ways_that_are_his(world: World, role: StaffRole) -> None:
    sign_in(world, ["pwd"], 1)
    page = at_noon(world, role)
    assert (page.status, figures(page)["今日登录"]) == (200, "1")
    to_audit = re.findall(r'href="(/staff/audit\?[^"]+)"', page.html)
    to_messages = re.findall(r'class="tx-stat__way"\s+href="(/staff/deliveries[^"]*)"', page.html)
    assert bool(to_audit) is (role is StaffRole.AUDITOR)
    assert bool(to_messages) is (role in {StaffRole.ADMIN, StaffRole.AUDITOR})
    if to_audit:
        assert to_audit[0] == "/staff/audit?from=2026-03-10&amp;to=2026-03-10&amp;action=signed_in"


def test_however_many_look_the_database_is_asked_every_twenty_seconds(world: World) -> None:
    asked = list[str]()

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "audit_events" in statement and "GROUP BY" in statement:
            asked.append(statement)

    event.listen(world.platform.database.engine, "before_cursor_execute", note)
    with time_machine.travel(NOON, tick=False) as clock:
        browser = world.at_the_console()
        for shown, seconds in (("0", 0), ("0", 19), ("1", 2)):
            clock.shift(seconds)
            assert figures(browser.open("/staff"))["今日登录"] == shown
            if not seconds:
                sign_in(world, ["pwd"], 1)
        assert len(asked) == 2
        clock.move_to(BEGIN + timedelta(days=1, seconds=-5))
        first = world.at_the_console().open("/staff")
        clock.shift(6)
        assert (figures(first)["今日登录"], figures(world.at_the_console().open("/staff"))["今日登录"]) == (
            "1",
            "0",
        )


def test_the_plots_need_no_script_and_no_inline_style(world: World) -> None:
    """SECURITY 38."""
    sign_in(world, ["pwd"], 1)
    page = at_noon(world)
    assert "script-src" not in page.response.headers["Content-Security-Policy"]
    assert "style=" not in page.html
    assert '<svg class="tx-plot__picture"' in page.html
    for part in (
        'role="img"',
        'aria-labelledby="ways-name ways-told"',
        '<title id="ways-name">',
        '<desc id="ways-told">',
    ):
        assert part in page.html, part


def test_bars_stand_on_one_another_and_within_the_picture() -> None:
    plot = stacked({"a": [1, 2] + [0] * 22, "b": [3, 0] + [0] * 21 + [7]})
    assert [(bar.number, bar.told) for bar in plot.bars] == [
        (1, "0 时，a 1 次"),
        (2, "0 时，b 3 次"),
        (1, "1 时，a 2 次"),
        (2, "23 时，b 7 次"),
    ]
    lower, upper = plot.bars[:2]
    assert lower.x == upper.x
    assert upper.y + upper.height == pytest.approx(lower.y, abs=0.02)
    assert lower.y + lower.height == pytest.approx(plot.base, abs=0.02)
    assert all(0 < bar.x < WIDTH - bar.width and 0 < bar.y < HEIGHT for bar in plot.bars)


@pytest.mark.parametrize("most", [0, 1, 2, 5, 6, 10, 11, 37, 99, 100, 1001, 54_321, 9_999_999])
def test_the_axis_ends_above_the_highest_bar_in_round_steps(most: int) -> None:
    plot = stacked({"a": [most] + [0] * 23})
    levels = [mark.text for mark in plot.levels]
    assert 2 <= len(levels) <= 6
    assert all(bar.y >= plot.levels[-1].at - 0.01 for bar in plot.bars)
    assert all(len(text) <= 5 for text in levels)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0"), (9999, "9999"), (10_000, "1万"), (12_000, "1.2万"), (2_000_000, "200万")]
)
def test_a_large_number_is_short_beside_the_axis(number: int, text: str) -> None:
    assert short(number) == text


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-1, "0 秒"), (59, "59 秒"), (60, "1 分钟"), (3600, "1 小时 0 分钟"), (90_000, "1 天 1 小时")],
)
def test_an_age_is_said_in_its_largest_units(seconds: int, words: str) -> None:
    assert age_words(seconds) == words
