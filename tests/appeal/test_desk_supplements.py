"""What the desk shows of an appeal that was sent in anew, and of one that is decided (E14, section N)."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from idp.accounts.audit import Action, Event, Origin
from idp.appeal import filing
from idp.appeal.models import Appeal, State
from idp.web.render import minute
from tests.appeal.builders import ALL_PAPERS, AnAppeal, a_paper, an_appeal
from tests.appeal.reviewing import Agent, a_supervisor, an_agent
from tests.pages import error_sentences
from tests.world import Page, World

WORDS = "营业执照反光，请重新拍照"


def tools_of(world: World) -> filing.Tools:
    """What filing works with."""
    return filing.Tools(world.platform.vault, world.platform.trail, world.settings)


def sent_in(world: World) -> AnAppeal:
    """An appeal whose applicant uploaded seven papers and sent it in."""
    appeal = an_appeal(world, State.DRAFT, papers=ALL_PAPERS)
    then = world.now()
    with world.write() as db:
        for slot in ALL_PAPERS:
            event = Event(Action.FILE_STORED, target=appeal.key, detail={"slot": slot, "size": 1})
            world.platform.trail.record(db, event, Origin(), now=then)
        filing.submit(db, tools_of(world), db.get_one(Appeal, appeal.id), "备注", Origin(), now=then)
    return appeal


def sends_in_anew(world: World, appeal: AnAppeal) -> None:
    """What the applicant does who is asked for 营业执照."""
    a_paper(world, appeal, "licence")
    row, later = appeal.row(world), world.now() + timedelta(hours=2)
    with world.write() as db:
        event = Event(Action.FILE_STORED, target=appeal.key, detail={"slot": "licence", "size": 1})
        world.platform.trail.record(db, event, Origin(), now=later)
        filing.supplement(db, tools_of(world), db.get_one(Appeal, row.id), "已重拍", Origin(), now=later)


def facts(page: Page) -> dict[str, str]:
    """The rows of 申诉信息."""
    rows = re.findall(r"<dt[^>]*>(.*?)</dt>\s*<dd[^>]*>(.*?)</dd>", page.html, re.DOTALL)
    return {name.strip(): value.strip() for name, value in rows}


def new_papers(page: Page) -> list[str]:
    """The papers that are marked 补充."""
    listed = re.findall(r"<li>\s*<a .*?</li>", page.html, re.DOTALL)
    marked = [one for one in listed if re.search(r"tx-tag--info\">\s*补充<", one)]
    return [re.findall(r"<span>([^<]+)<small>", one)[0] for one in marked]


def asked_and_answered(world: World, agent: Agent) -> AnAppeal:
    """An appeal that was sent in, lacked its licence, and was sent in anew."""
    appeal = sent_in(world)
    agent.claims(appeal)
    in_order = ["请选择需要重新上传的材料", "请填写需要补充的内容"]
    assert error_sentences(agent.decides(appeal, "more"))[:2] == in_order
    page = agent.decides(appeal, "more", papers=["licence"], words=WORDS)
    assert "要求申请人补充" in page.text
    assert WORDS in page.text
    assert not new_papers(page)
    sends_in_anew(world, appeal)
    return appeal


def test_whoever_takes_up_what_was_sent_in_anew_reads_what_was_asked_for_and_what_came(world: World) -> None:
    appeal = asked_and_answered(world, an_agent(world))
    page = an_agent(world).claims(appeal)
    for shown in (
        "上次要求补充",
        WORDS,
        "材料：企业营业执照原件",
        "上传材料 7 份",
        "上传材料：企业营业执照原件",
    ):
        assert shown in page.text, shown
    assert new_papers(page) == ["企业营业执照原件"]
    first, last = appeal.row(world).first_submitted_at, appeal.row(world).submitted_at
    assert first
    assert last
    assert facts(page)["提交时间"] == minute(first)
    assert facts(page)["补充时间"] == minute(last)
    assert "补充时间" not in facts(an_agent(world).claims(sent_in(world)))


def test_a_decided_appeal_says_what_was_done_and_who_confirmed_and_no_longer_what_was_asked(
    world: World,
) -> None:
    agent, second = an_agent(world), a_supervisor(world)
    appeal = asked_and_answered(world, agent)
    agent.claims(appeal)
    agent.decides(appeal, "approve")
    assert WORDS in second.opens(appeal).text
    page = second.presses(appeal, "second", decision="confirm")
    assert appeal.row(world).state == State.APPROVED.value
    assert WORDS not in page.text
    told = facts(page)
    assert "登记这家企业" in told["办理结果"]
    assert agent.member.account in told["处理人"]
    assert second.member.account in told["复核人"]


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_a_refused_appeal_says_why_in_a_card_of_its_own(world: World) -> None:
    appeal, agent = sent_in(world), an_agent(world)
    agent.claims(appeal)
    page = agent.decides(appeal, "refuse", words=WORDS)
    assert "给申请人的话" in page.text
    assert WORDS in page.text
    assert "不予通过" in facts(page)["办理结果"]
    assert "复核人" not in facts(page)
    aside = page.html[page.html.index("<aside") :]
    assert WORDS not in aside
    assert "处理记录" not in aside
