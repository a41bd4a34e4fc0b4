"""How the desk's work stands, for supervisors alone; an export holds nobody's data (SECURITY 70)."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any

from idp.accounts.audit import Action, Origin
from idp.appeal import filing
from idp.appeal.desk import counting
from idp.appeal.models import Appeal, State
from tests.appeal.builders import an_appeal
from tests.appeal.builders import told_of as statement_of
from tests.appeal.reviewing import a_supervisor, an_agent
from tests.staff.deciding import trail
from tests.staff.trail import form_to
from tests.world import World


def test_the_figures_are_those_of_the_last_thirty_days(world: World) -> None:
    now, agent, supervisor = world.now(), an_agent(world), a_supervisor(world)
    who: dict[str, Any] = {"claimed_by": agent.member, "decided_by": agent.member.row.id}
    for hours, state in ((2, State.APPROVED), (4, State.APPROVED), (60, State.REFUSED)):
        begun = now - timedelta(days=1)
        an_appeal(world, state, submitted_at=begun - timedelta(hours=hours), decided_at=begun, **who)
    long_ago = now - timedelta(days=40)
    an_appeal(world, State.APPROVED, submitted_at=long_ago, decided_at=long_ago + timedelta(hours=1), **who)
    # Nobody answered, which the desk did not decide: it counts as done, and has no hours of the desk's.
    asked = now - timedelta(days=20)
    an_appeal(world, State.REFUSED, submitted_at=asked, decided_at=now - timedelta(days=8))
    an_appeal(world, State.IN_HAND, claimed_by=agent.member, due_at=now - timedelta(hours=1))
    an_appeal(world, State.SECOND, claimed_by=agent.member)
    an_appeal(world)
    page = supervisor.browser.open("/staff/appeals/figures")
    assert page.status == 200
    values = re.findall(r"<dt>([^<]+)</dt>\s*<dd>\s*([0-9.,]+)<small>", page.html)
    assert dict(values) == {
        "待处理": "1",
        "处理中": "1",
        "待复核": "1",
        "待补充材料": "0",
        "已逾期": "1",
        "今日已办结": "0",
        "办理时间中位数": "4.0",
        "九成在此时间内办结": dict(values)["九成在此时间内办结"],
    }
    row = re.search(rf"{agent.member.account}.*?</tr>", page.html, re.DOTALL)
    assert row
    assert re.findall(r"<span>([0-9]+)</span>", row[0]) == ["1", "2", "1", "1"]
    assert "最近 7 天 3 件" in page.text


def test_what_took_minutes_is_said_to_have_taken_less_than_an_hour(world: World) -> None:
    now, supervisor = world.now(), a_supervisor(world)
    who: dict[str, Any] = {"decided_by": supervisor.member.row.id}
    an_appeal(world, State.REFUSED, submitted_at=now - timedelta(minutes=1), decided_at=now, **who)
    page = supervisor.browser.open("/staff/appeals/figures")
    assert re.findall(r"<dd>\s*不到 1<small>小时", page.html)
    assert "0.0" not in page.text


def test_a_desk_without_appeals_has_figures_too(world: World) -> None:
    page = a_supervisor(world).browser.open("/staff/appeals/figures")
    assert page.status == 200
    assert "最近 30 天还没有申诉" in page.text


def test_an_export_is_numbers_states_and_times_and_leaves_a_line(world: World) -> None:
    supervisor = a_supervisor(world)
    told = statement_of(name="=HYPERLINK(1)", representative_name="@林")
    appeal = an_appeal(world, told=told)
    an_appeal(world, State.DRAFT)
    an_appeal(world, submitted_at=world.now() - timedelta(days=40))
    page = supervisor.browser.open("/staff/appeals/figures")
    sent = supervisor.browser.submit({"days": "30"}, number=form_to(page, "/export"))
    assert "attachment" in sent.response.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(sent.html.removeprefix("\ufeff"))))
    assert [row[0] for row in rows[1:]] == [appeal.number]
    assert rows[1][1:3] == ["辅助企业注册申诉", "待处理"]
    assert len(rows[1]) == len(rows[0])
    for secret in (told.claim.name, told.claim.uscc, told.phone, told.claim.document.id_number, "林"):
        assert secret not in sent.html
    for days in ("90", "x", ""):
        supervisor.browser.open("/staff/appeals/figures")
        assert supervisor.browser.submit({"days": days}, number=form_to(page, "/export")).status == 200
    lines = trail(world, Action.APPEAL_EXPORTED)
    assert [line.detail["days"] for line in lines] == [30, 90, 30, 30]


def test_what_is_added_does_not_move_the_day_of_the_submission(world: World) -> None:
    now, here, begun = world.now(), world.platform, world.now() - timedelta(days=5)
    appeal = an_appeal(world, State.MORE, submitted_at=begun, answer_until=now + timedelta(days=1))
    with world.write() as db:
        tools = filing.Tools(here.vault, here.trail, here.settings)
        filing.supplement(db, tools, db.get_one(Appeal, appeal.id), "", Origin(), now=now)
    with world.reading() as db:
        submitted = counting.figures_of(db, now=now).submitted
    assert (submitted[-6], sum(submitted)) == (1, 1)
    [[row]] = list(counting.rows_since(here.database.session, begun))
    assert (row.first_submitted_at, row.submitted_at) == (begun, now)
