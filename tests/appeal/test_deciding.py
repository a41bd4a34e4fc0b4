"""Deciding an appeal: by one, by two, by the faster of two at once; all or nothing (SECURITY 72, 73)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select

from idp.accounts.audit import Action
from idp.accounts.models import Credential, Enterprise, LegalAccount
from idp.accounts.outbox import OutboxMessage
from idp.appeal import messages
from idp.appeal.models import Appeal, State
from tests.appeal.approving import confirm, link_of, propose_again, proposed, sets, told_anew, tools_of
from tests.appeal.builders import AnAppeal, an_appeal
from tests.appeal.builders import told_of as statement_of
from tests.appeal.reviewing import Agent, a_supervisor, an_agent, told_of
from tests.messages import waiting
from tests.staff.deciding import REASON
from tests.staff.trail import form_to
from tests.world import ACompany, World, a_resident_number

STALE = "您提交的没有生效"
A_PHONE = "13700001234"


def in_hand(world: World, company: ACompany, **changed: str) -> tuple[AnAppeal, Agent]:
    """An appeal about the company with what is told otherwise, and whoever has it in hand."""
    agent = an_agent(world)
    told = statement_of(company, **changed)
    appeal = an_appeal(world, State.IN_HAND, company=company, told=told, claimed_by=agent.member)
    return appeal, agent


def purposes(world: World, phone: str) -> list[str]:
    """What an SMS to this phone is about, the oldest first."""
    return [message["purpose"] for message in waiting(world, phone)]


def test_an_approval_that_changes_no_right_takes_one_hand(world: World) -> None:
    company = world.a_company()
    appeal, agent = in_hand(world, company)
    page = agent.opens(appeal)
    assert "不需要复核" in page.text
    page = agent.decides(appeal, "approve")
    assert "申诉已通过" in page.text
    assert "领取下一件" in page.text
    row = appeal.row(world)
    assert (row.state, row.decided_by) == (State.APPROVED.value, agent.member.row.id)
    assert world.browser().open(link_of(world, appeal)).status == 200
    assert [line.actor for line in told_of(world, appeal, Action.APPEAL_APPROVED)] == [agent.member.row.key]


def test_a_new_phone_takes_two_hands_and_never_twice_the_same(world: World) -> None:
    """Section Y, "appeals": a second staff member, a 客服主管, other than the first."""
    company, supervisor, other = world.a_company(), a_supervisor(world), a_supervisor(world)
    told = statement_of(company, phone=A_PHONE)
    appeal = an_appeal(world, State.IN_HAND, company=company, told=told, claimed_by=supervisor.member)
    assert "已提交复核" in supervisor.decides(appeal, "approve").text
    assert appeal.row(world).state == State.SECOND.value
    assert not waiting(world, A_PHONE)
    own = supervisor.opens(appeal)
    assert "由另一位客服主管复核" in own.text
    assert "/second" not in own.html
    version = str(appeal.row(world).version)
    for hand in (supervisor, an_agent(world)):
        token = hand.browser.open("/staff").form()["fields"]["csrf_token"]
        sent = {"csrf_token": token, "version": version, "decision": "confirm"}
        assert hand.browser.post(f"{appeal.address}/second", sent).status == 403
        assert hand.browser.post(f"{appeal.address}/decide", {**sent, "decision": "approve"}).status == 409
    assert appeal.row(world).state == State.SECOND.value
    page = other.opens(appeal)
    for shown in (supervisor.member.account, "更换预留手机号码", "复核通过", "信息比对"):
        assert shown in page.text
    assert "申诉已通过" in other.presses(appeal, "second", decision="confirm").text
    assert world.browser().open(link_of(world, appeal)).status == 200
    assert purposes(world, company.representative.phone)[-1] == "appeal_approved"


def test_the_second_hand_returns_an_appeal_to_the_first(world: World) -> None:
    appeal, agent = in_hand(world, world.a_company(), phone=A_PHONE)
    supervisor = a_supervisor(world)
    agent.decides(appeal, "approve")
    for decision, sentence in (("", "请选择复核结论"), ("return", "请填写原因")):
        assert sentence in supervisor.presses(appeal, "second", decision=decision).text
    assert (
        "已退回初审" in supervisor.presses(appeal, "second", decision="return", reason="授权书没有盖章").text
    )
    row = appeal.row(world)
    assert (row.state, row.proposed_by, row.changes) == (State.IN_HAND.value, None, [])
    page = agent.opens(appeal)
    assert "授权书没有盖章" in page.text
    assert "提交审核结论" in page.text


def test_more_papers_are_asked_for_and_the_clock_stops(world: World) -> None:
    appeal, agent = in_hand(world, world.a_company())
    for values, sentence in (
        ({"words": "请重拍"}, "请选择需要重新上传的材料"),
        ({"papers": ["licence"]}, "请填写需要补充的内容"),
        ({"papers": ["licence"], "words": "字" * 501}, "最多 500 个字，目前 501 个字"),
        ({"papers": ["licence"], "words": "甲\u202e乙"}, "有不能显示的字符"),
        ({"papers": ["no-such-paper"], "words": "请重拍"}, "请选择需要重新上传的材料"),
    ):
        page = agent.decides(appeal, "more", **values)
        assert sentence in page.text, sentence
        assert str(values.get("words", ""))[:500] in page.html
    assert (
        "已通知申请人"
        in agent.decides(
            appeal, "more", papers=["operator_holding", "licence"], words="请重拍\r\n四角完整"
        ).text
    )
    row = appeal.row(world)
    assert (row.state, row.asked_for, row.due_at) == (State.MORE.value, ["licence", "operator_holding"], None)
    assert row.answer(world.backends.vault) == "请重拍\n四角完整"
    assert row.answer_until is not None
    assert row.answer_until > world.now() + timedelta(days=4)
    for phone in (appeal.told.phone, appeal.told.operator_phone):
        assert purposes(world, phone) == ["appeal_more_wanted"]
    [line] = told_of(world, appeal, Action.APPEAL_MORE_WANTED)
    assert line.detail == {"papers": ["licence", "operator_holding"]}


def test_a_refusal_is_said_with_its_reason_and_changes_no_account(world: World) -> None:
    company = world.a_company()
    appeal, agent = in_hand(world, company, phone=A_PHONE)
    assert "请填写不予通过的原因" in agent.decides(appeal, "refuse").text
    assert "请选择审核结论" in agent.presses(appeal, "decide").text
    assert "不能显示的字符" in agent.decides(appeal, "refuse", words="营业执照\u202e看不清").text
    # Blanks as people type and paste them are blanks.
    typed = "营业执照看不清，\u3000请\u00a0重新\t拍照。\r\n谢谢"
    assert "不予通过" in agent.decides(appeal, "refuse", words=typed).text
    row, said = appeal.row(world), "营业执照看不清， 请 重新 拍照。\n谢谢"
    assert (row.state, row.answer(world.backends.vault)) == (State.REFUSED.value, said)
    # The phones that were proved, and the reserved one (X21).
    for phone in (A_PHONE, appeal.told.operator_phone, company.representative.phone):
        assert purposes(world, phone) == ["appeal_refused"]
    with world.reading() as db:
        account = db.scalars(select(LegalAccount)).one()
    assert account.phone(world.backends.vault) == company.representative.phone
    assert "营业执照看不清" not in str(told_of(world, appeal, Action.APPEAL_REFUSED)[0].detail)


def test_what_is_in_the_way_is_shown_in_place_of_an_approval(world: World) -> None:
    appeal, agent = in_hand(world, world.a_company())
    row = appeal.row(world)
    row.kind = "unregistered"
    with world.write() as db:
        db.merge(row)
    page = agent.opens(appeal)
    assert "现在不能通过" in page.text
    assert 'value="approve"' not in page.html
    sent = agent.presses(appeal, "decide", decision="approve", expected="register")
    assert sent.status == 409
    assert appeal.row(world).state == State.IN_HAND.value


def test_an_account_that_changed_since_the_page_was_read_is_not_changed_by_it(world: World) -> None:
    """The approval is of what was shown: another plan is another decision."""
    company = world.a_company()
    appeal, agent = in_hand(world, company, phone=A_PHONE)
    page = agent.opens(appeal)
    with world.write() as db:
        account = db.scalars(select(LegalAccount)).one()
        account.set_phone(world.backends.vault, A_PHONE)
    for forged in ({}, {"expected": ""}, {"expected": "password,phone"}, {"expected": "x,<b>"}):
        agent.browser.page = page
        answer = agent.presses(appeal, "decide", again=True, decision="approve", **forged)
        assert answer.status == 409, forged
        assert appeal.row(world).state == State.IN_HAND.value, forged
    assert not told_of(world, appeal, Action.APPEAL_APPROVED)


def test_one_approval_rests_on_what_its_page_showed(world: World) -> None:
    """The same changes of a password that was set after the look are another decision."""
    company = world.a_company()
    appeal, agent = in_hand(world, company)
    page = agent.opens(appeal)
    reset_meanwhile(world)
    for forged in ({}, {"basis": ""}, {"basis": "x" * 44}):
        agent.browser.page = page
        assert agent.presses(appeal, "decide", again=True, decision="approve", **forged).status == 409, forged
    assert appeal.row(world).state == State.IN_HAND.value
    # Named twice it is kept once.
    page = agent.decides(appeal, "approve", expected="password,password")
    assert "申诉已通过" in page.text
    assert appeal.row(world).changes == ["password"]
    assert told_of(world, appeal, Action.APPEAL_APPROVED)[0].detail == {"changes": ["password"]}


def reset_meanwhile(world: World) -> None:
    with world.write() as db:
        of_company = Credential.legal_account_id.is_not(None)
        db.scalars(select(Credential).where(of_company)).one().changed_at = world.now()


def test_the_second_approval_is_of_what_the_first_one_saw(world: World) -> None:
    """An account that changed in between, though the same would be done to it, is decided on anew."""
    company, third = world.a_company(), world.a_person(name="周三")
    told = told_anew(company, id_number=a_resident_number(90_031), representative_name="周新")
    appeal, supervisor = proposed(world, told, company), a_supervisor(world)

    def another_phone() -> None:
        rival = proposed(world, told_anew(company), company)
        confirm(world, rival)
        assert "密码已设置" in sets(world.browser(), link_of(world, rival)).text

    def another_representative() -> None:
        with world.write() as db:
            db.get_one(Enterprise, company.row.id).representative_id = third.row.id

    def a_reset() -> None:
        reset_meanwhile(world)

    for meanwhile in (a_reset, another_phone, another_representative):
        page = supervisor.opens(appeal)
        assert 'value="confirm"' in page.html
        meanwhile()
        supervisor.browser.page = page
        answer = supervisor.presses(appeal, "second", again=True, decision="confirm")
        assert (answer.status, appeal.row(world).state) == (409, State.SECOND.value)
        assert "初审以后，平台上这家企业的登记有变动" in answer.text
        assert 'value="confirm"' not in answer.html
        assert purposes(world, told.phone) == []
        # Whoever approved first decides again, and it can be done.
        supervisor.presses(appeal, "second", decision="return", reason="登记有变动")
        assert appeal.row(world).basis is None
        propose_again(world, appeal)


def test_a_plan_that_takes_two_is_never_done_by_one(world: World) -> None:
    """A form that names fewer changes than there are gets nothing."""
    appeal, agent = in_hand(world, world.a_company(), phone=A_PHONE)
    answer = agent.presses(appeal, "decide", decision="approve", expected="password")
    assert answer.status == 409
    assert appeal.row(world).state == State.IN_HAND.value
    assert not waiting(world, A_PHONE)


def test_a_stale_page_decides_nothing_and_shows_how_it_stands(world: World) -> None:
    appeal, agent = in_hand(world, world.a_company())
    page = agent.opens(appeal)
    agent.decides(appeal, "refuse", words="材料不全")
    for ending in ("decide", "release"):
        agent.browser.page = page
        answer = agent.presses(appeal, ending, again=True, decision="approve", reason=REASON)
        assert answer.status == 409
        assert STALE in answer.text
        assert "不通过" in answer.text
    assert appeal.row(world).state == State.REFUSED.value
    version = {"version": str(appeal.row(world).version)}
    token = page.form()["fields"]["csrf_token"]
    for sent in ({}, {"version": "x"}, version):
        for ending in ("decide", "claim", "release", "compare"):
            values = {"csrf_token": token, "decision": "approve", "reason": REASON, **sent}
            answer = agent.browser.post(f"{appeal.address}/{ending}", values)
            assert answer.status in {403, 409}, (ending, sent)
    assert appeal.row(world).state == State.REFUSED.value


def test_what_another_has_in_hand_is_not_ones_own_to_decide(world: World) -> None:
    appeal, agent = in_hand(world, world.a_company())
    other = an_agent(world)
    token = other.browser.open("/staff").form()["fields"]["csrf_token"]
    version = str(appeal.row(world).version)
    for ending, values in (
        ("decide", {"decision": "approve", "expected": "password"}),
        ("decide", {"decision": "refuse", "words": "不"}),
        ("decide", {"decision": "more", "words": "补", "papers": "licence"}),
        ("release", {"reason": REASON}),
        ("compare", {}),
    ):
        sent = {"csrf_token": token, "version": version, **values}
        answer = other.browser.post(f"{appeal.address}/{ending}", sent)
        assert answer.status == 403, ending
        assert "不在您手里" in answer.text
    assert len(told_of(world, appeal, Action.ACCESS_DENIED)) == 5
    assert appeal.row(world).version == int(version)
    assert agent.opens(appeal).status == 200


def test_of_two_who_claim_at_once_one_has_it_and_the_other_is_told(world: World) -> None:
    appeal, agents = an_appeal(world), [an_agent(world), an_agent(world)]
    for agent in agents:
        agent.opens(appeal)
    barrier = Barrier(2)

    def claim(agent: Agent) -> int:
        page = agent.browser.page
        assert page is not None
        barrier.wait(10)
        return agent.browser.submit(number=form_to(page, "/claim")).status

    with ThreadPoolExecutor(2) as pool:
        statuses = list(pool.map(claim, agents))
    assert sorted(statuses) == [200, 409]
    [winner] = [agent for agent, status in zip(agents, statuses, strict=True) if status == 200]
    [loser] = [agent for agent in agents if agent is not winner]
    assert appeal.row(world).claimed_by == winner.member.row.id
    assert loser.browser.page is not None
    assert STALE in loser.browser.page.text
    assert winner.member.account in loser.browser.page.text


def test_whoever_take_the_next_one_at_once_get_one_each_and_the_most_urgent_first(world: World) -> None:
    now = world.now()
    late = [an_appeal(world, due_at=now + timedelta(hours=hours)) for hours in (5, -3, 1)]
    agents = [an_agent(world) for _ in range(4)]
    for agent in agents:
        agent.browser.open("/staff/appeals")
    barrier = Barrier(4)

    def take(agent: Agent) -> str:
        page = agent.browser.page
        assert page is not None
        barrier.wait(10)
        return agent.browser.submit(number=form_to(page, "/next")).url

    with ThreadPoolExecutor(4) as pool:
        led_to = list(pool.map(take, agents))
    assert sorted(led_to) == sorted([appeal.address for appeal in late] + ["/staff/appeals"])
    [without] = [agent for agent, url in zip(agents, led_to, strict=True) if url == "/staff/appeals"]
    assert without.browser.page is not None
    assert "现在没有待处理的申诉" in without.browser.page.text
    first = an_appeal(world, due_at=now - timedelta(days=1))
    an_appeal(world, due_at=now)
    without.browser.open("/staff/appeals")
    page = without.browser.submit(number=form_to(without.browser.page, "/next"))
    assert page.url == first.address


def test_two_who_confirm_at_once_confirm_once(world: World) -> None:
    appeal, agent = in_hand(world, world.a_company(), phone=A_PHONE)
    agent.decides(appeal, "approve")
    supervisors = [a_supervisor(world), a_supervisor(world)]
    for supervisor in supervisors:
        supervisor.opens(appeal)
    barrier = Barrier(2)

    def confirm(supervisor: Agent) -> int:
        barrier.wait(10)
        return supervisor.presses(appeal, "second", again=True, decision="confirm").status

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(confirm, supervisors)) == [200, 409]
    assert len(told_of(world, appeal, Action.APPEAL_APPROVED)) == 1
    assert purposes(world, A_PHONE) == ["appeal_approved_link"]


def test_what_fails_before_the_commit_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between the decision and the commit: the appeal, the account and every message are as before."""
    company = world.a_company()
    appeal, agent = in_hand(world, company, phone=A_PHONE)
    agent.decides(appeal, "approve")
    supervisor = a_supervisor(world)
    supervisor.opens(appeal)
    before = appeal.row(world)

    def killed(*_: object, **__: object) -> None:
        raise RuntimeError("killed")

    # The last thing an approval does is to tell the old phone.
    told = messages.tell

    def fails_at_last(*given: object, **named: object) -> None:
        told(*given, **named)  # type: ignore[arg-type]  # handed on as it came
        if messages.Message.APPROVED in given:
            killed()

    with monkeypatch.context() as patched:
        patched.setattr(messages, "tell", fails_at_last)
        assert supervisor.presses(appeal, "second", decision="confirm").status == 500
    after = appeal.row(world)
    assert (after.state, after.version, after.decided_by) == (before.state, before.version, None)
    assert not told_of(world, appeal, Action.APPEAL_APPROVED)
    with world.reading() as db:
        account = db.scalars(select(LegalAccount)).one()
        sent = db.scalar(select(func.count()).select_from(OutboxMessage))
    assert account.phone(world.backends.vault) == company.representative.phone
    assert sent == 0
    assert "申诉已通过" in supervisor.presses(appeal, "second", decision="confirm").text


def test_staff_who_lost_their_role_or_were_suspended_hold_nothing(world: World) -> None:
    appeal, agent = in_hand(world, world.a_company())
    supervisor = a_supervisor(world)
    with world.write() as db:
        db.merge(agent.member.row).suspended_at = world.now()
    assert agent.browser.open(appeal.address, follow=False).status == 302
    page = supervisor.presses(appeal, "assign", to=str(supervisor.member.row.id))
    assert "信息比对" in page.text
    with world.reading() as db:
        assert db.get_one(Appeal, appeal.id).claimed_by == supervisor.member.row.id
    assert tools_of(world).settings is world.settings
