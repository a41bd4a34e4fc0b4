"""The queue: what is due first stands first, found by number, name or code, counted for who looks (E14)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from idp.appeal.models import State
from tests.appeal.builders import AnAppeal, an_appeal
from tests.appeal.builders import told_of as statement_of
from tests.appeal.reviewing import Agent, a_supervisor, an_agent
from tests.pages import error_sentences
from tests.world import World


def listed(agent: Agent, **asked: str) -> list[str]:
    """The numbers of the appeals on the page, in their order."""
    page = agent.browser.open("/staff/appeals", query_string=asked)
    assert page.status == 200
    return re.findall(r"tx-num\">(SS-[0-9-]+)<", page.html)


def numbers(*appeals: AnAppeal) -> list[str]:
    return [appeal.number for appeal in appeals]


def test_what_is_due_first_stands_first_and_what_is_overdue_is_said(world: World) -> None:
    now, agent = world.now(), an_agent(world)
    waiting = an_appeal(world, due_at=now + timedelta(hours=50))
    late = an_appeal(world, due_at=now - timedelta(hours=3, minutes=1))
    soon = an_appeal(world, State.IN_HAND, claimed_by=agent.member, due_at=now + timedelta(minutes=90))
    asked = an_appeal(world, State.MORE, claimed_by=agent.member)
    over = [an_appeal(world, State.APPROVED), an_appeal(world, State.WITHDRAWN, decided_at=None)]
    assert listed(agent) == numbers(late, soon, waiting, asked)
    assert set(listed(agent, state="over")) == set(numbers(*over))
    assert listed(agent, state="waiting") == numbers(late, waiting)
    assert set(listed(agent, state="due")) >= set(numbers(late))
    assert not {waiting.number, asked.number} & set(listed(agent, state="due"))
    assert listed(agent, hand="mine") == numbers(soon, asked)
    [mine] = re.findall(r'href="([^"]+hand=mine[^"]*)"', agent.browser.open("/staff/appeals").html)
    assert "共 1 件" in agent.browser.open(mine.replace("&amp;", "&")).text
    assert listed(agent, hand="mine", state="in_hand") == numbers(soon)
    assert listed(agent, kind="registered") == []
    assert listed(agent, state="no-such", kind="<b>", page="x") == numbers(late, soon, waiting, asked)
    page = agent.browser.open("/staff/appeals")
    for shown in ("已逾期 3 小时 1 分钟", "剩余 1 小时 29 分钟", "等待申请人", "未查询", "我正在审"):
        assert shown in page.text
    assert page.html.count("tx-due") == 2
    assert "state=due" in page.html
    acts = re.findall(r"tx-ops.*?>([^<]+)<span", page.html)
    assert acts == ["查看", "继续审核", "查看", "查看"], "a link takes nothing in hand"
    counts = re.findall(r"<dd>\s*([0-9,]+)<small>件", page.html)
    assert counts[0] == "2"
    assert counts[2] == "1"
    assert int(counts[1]) >= 1


def test_an_appeal_is_found_by_number_name_or_code(world: World) -> None:
    agent = an_agent(world)
    found = an_appeal(world, told=statement_of(name="吉林（集团）ABC 有限公司"))
    other = an_appeal(world)
    for typed in (
        found.number,
        found.number.lower(),
        found.number[:-2],
        "吉林(集团)",
        "abc",
        found.told.claim.uscc.lower(),
    ):
        assert found.number in listed(agent, typed=typed), typed
    assert listed(agent, typed="集团") == [found.number]
    assert listed(agent, typed=other.told.claim.uscc) == [other.number]
    for nobodys in ("没有这个名称", "%", "_", "'", "SS-%"):
        assert listed(agent, typed=nobodys) == [], nobodys
    for refused in ("甲" * 101, "甲\u202e乙"):
        page = agent.browser.open("/staff/appeals", query_string={"typed": refused})
        assert error_sentences(page)


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_the_list_has_twenty_a_page(world: World) -> None:
    agent = an_agent(world)
    for _ in range(21):
        an_appeal(world)
    assert len(listed(agent)) == 20
    assert len(listed(agent, page="2")) == 1
    assert len(listed(agent, page="9" * 50)) == 1
    assert "共 21 件" in agent.browser.open("/staff/appeals").text


def test_other_appeals_of_the_same_company_are_named(world: World) -> None:
    company, agent = world.a_company(), an_agent(world)
    first = an_appeal(world, State.REFUSED, company=company)
    draft = an_appeal(world, State.DRAFT, company=company)
    second = an_appeal(world, company=company)
    page = agent.opens(second)
    assert first.number in page.text
    assert draft.number not in page.text


def test_supervisors_find_the_way_to_the_figures(world: World) -> None:
    assert "办理统计" in a_supervisor(world).browser.open("/staff/appeals").text
    assert "办理统计" not in an_agent(world).browser.open("/staff/appeals").text
