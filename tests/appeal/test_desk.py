"""The review desk: who sees what of an appeal, and whose hand it is in (E14, E17, SECURITY 69, 70, 76)."""

from __future__ import annotations

import io

from PIL import Image

from idp.accounts.audit import Action, Event, Origin
from idp.accounts.staff import StaffRole
from idp.adapters.inspection import Kind
from idp.appeal.models import State
from tests.appeal.builders import a_paper, an_appeal
from tests.appeal.builders import told_of as statement_of
from tests.appeal.reviewing import a_supervisor, an_agent, told_of
from tests.staff.deciding import REASON
from tests.world import World, a_resident_number


def test_before_an_appeal_is_claimed_only_its_summary_is_shown(world: World) -> None:
    appeal, agent = an_appeal(world, company=world.a_company(), papers=["licence"]), an_agent(world)
    page = agent.opens(appeal)
    told = appeal.told
    assert page.status == 200
    for shown in (appeal.number, told.claim.name, told.claim.uscc, "领取这件申诉", "林*满"):
        assert shown in page.text
    for hidden in (told.phone, told.operator_phone, told.claim.document.id_number, "林小满", "信息比对"):
        assert hidden not in page.html
    assert "/papers/" not in page.html


def test_whoever_claims_sees_comparison_papers_and_remark_with_numbers_masked(world: World) -> None:
    company, agent = world.a_company(), an_agent(world)
    other = next(digit for digit in "0123456789" if digit not in company.representative.phone) * 4
    told = statement_of(company, phone=f"1370000{other}")
    appeal = an_appeal(world, told=told, company=company, papers=["licence"])
    page = agent.claims(appeal)
    assert "已领取这件申诉" in page.text
    for shown in (
        "信息比对",
        "申请材料",
        "企业营业执照原件",
        f"137****{other}",
        "原手机号码已停用",
        "没有接通登记库",
    ):
        assert shown in page.text, shown
    for hidden in (appeal.told.phone, company.representative.phone, appeal.told.claim.document.id_number):
        assert hidden not in page.html
    assert f"<mark>{other}</mark>" in page.html
    assert "更换预留手机号码" in page.text
    assert "由另一位客服主管复核后生效" in page.text
    assert "checked" not in page.html
    assert appeal.row(world).claimed_by == agent.member.row.id


def test_the_page_and_its_papers_are_others_business_and_a_try_is_written_down(world: World) -> None:
    appeal, agent, other = an_appeal(world, papers=["licence"]), an_agent(world), an_agent(world)
    agent.claims(appeal)
    [paper] = appeal.papers(world).values()
    here = f"{appeal.address}/papers/{paper.id}"
    elsewhere = an_appeal(world, papers=["licence"], claimed_by=other.member, state=State.IN_HAND)
    addresses = [here, f"{here}/picture", f"{here}/file", f"{appeal.address}/numbers"]
    for tried in addresses:
        assert other.browser.open(tried).status == 404, tried
    # His own appeal opens no file of another's.
    assert other.browser.open(f"{elsewhere.address}/papers/{paper.id}/file").status == 404
    denied = told_of(world, appeal, Action.ACCESS_DENIED)
    assert [line.actor for line in denied] == [other.member.row.key] * len(addresses)
    assert len(told_of(world, elsewhere, Action.ACCESS_DENIED)) == 1
    assert "信息比对" not in other.opens(appeal).text
    for tried in addresses[:3]:
        assert agent.browser.open(tried).status == 200, tried


def test_auditors_and_administrators_have_no_desk(world: World) -> None:
    appeal = an_appeal(world)
    for role in (StaffRole.ADMIN, StaffRole.AUDITOR):
        browser = world.at_the_console(role)
        assert "账号申诉" not in browser.open("/staff").text
        for address in ("/staff/appeals", appeal.address, "/staff/appeals/figures"):
            assert browser.open(address).status == 403, (role, address)
    assert an_agent(world).browser.open("/staff/appeals/figures").status == 403


def test_a_paper_is_a_picture_with_a_mark_and_a_download_never_a_page_of_ours(world: World) -> None:
    """SECURITY 68; each look is a line of the trail."""
    appeal, agent = an_appeal(world), an_agent(world)
    a_paper(world, appeal, "licence", kind=Kind.PDF, pages=2)
    a_paper(world, appeal, "authorisation", kind=Kind.DOCX, data=b"PK\x03\x04 a document")
    agent.claims(appeal)
    licence, written = (appeal.papers(world)[slot] for slot in ("licence", "authorisation"))
    page = agent.opens(appeal, f"?paper={licence.id}&page=2&turn=90")
    assert "第 2 页，共 2 页" in page.text
    assert "turn=180" in page.html
    here = f"{appeal.address}/papers/{licence.id}"
    assert f'src="{here}/picture?page=2&amp;turn=90"' in page.html
    sizes = []
    for turn in ("0", "90", "180", "45", "x"):
        drawn = agent.browser.open(f"{here}/picture?page=2&turn={turn}").response.data
        sizes.append(Image.open(io.BytesIO(drawn), formats=("JPEG",)).size)
    upright = sizes[0]
    assert sizes == [upright, upright[::-1], upright, upright, upright]
    for address, disposition in (
        (f"{here}/picture", "inline"),
        (f"{here}/file", "attachment"),
        (f"{appeal.address}/papers/{written.id}/file", "attachment"),
    ):
        headers = agent.browser.open(address).response.headers
        assert headers["Content-Disposition"].startswith(disposition)
        assert "sandbox" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
    assert "请下载" in agent.opens(appeal, f"?paper={written.id}").text
    assert agent.browser.open(f"{appeal.address}/papers/{written.id}/picture").status == 404
    for nothing in ("?page=3", "?page=0", "?page=x&turn=7", "?paper=x&page=-1", "?turn=45"):
        assert agent.opens(appeal, nothing).status == 200
    looks = told_of(world, appeal, Action.APPEAL_PAPER_VIEWED)
    assert {line.detail["paper"] for line in looks} == {"licence", "authorisation"}
    assert sum("kept" in line.detail for line in looks) == 2
    assert len(told_of(world, appeal, Action.APPEAL_VIEWED)) == 2  # before it was claimed, and since


def test_whole_numbers_are_shown_for_a_reason_on_record(world: World) -> None:
    company, agent = world.a_company(), an_agent(world)
    appeal = an_appeal(world, company=company)
    agent.claims(appeal)
    number = appeal.told.claim.document.id_number
    page = agent.browser.open(f"{appeal.address}/numbers")
    assert number not in page.html
    for refused in ("", f"核对 {number}", "核对林小满"):
        answer = agent.browser.submit({"reason": refused}, number=page.form_count - 1)
        assert appeal.told.phone not in answer.html, refused
    assert not told_of(world, appeal, Action.DATA_VIEWED)
    answer = agent.browser.submit({"reason": REASON}, number=page.form_count - 1)
    for shown in (number, appeal.told.phone, appeal.told.operator_phone):
        assert shown in answer.text
    [line] = told_of(world, appeal, Action.DATA_VIEWED)
    assert line.detail["reason"] == REASON


def test_what_people_wrote_is_inert_at_the_desk(world: World) -> None:
    """SECURITY 70."""
    nasty = '<script>alert(1)</script>"><img src=x>'
    agent, supervisor = an_agent(world), a_supervisor(world)
    told = statement_of(None, name=nasty, representative_name="<b>林</b>")
    appeal = an_appeal(world, told=told, papers=["licence"])
    row = appeal.row(world)
    row.set_remark(world.backends.vault, nasty)
    with world.write() as db:
        db.merge(row)
    pages = [agent.browser.open("/staff/appeals"), agent.claims(appeal)]
    pages.append(agent.decides(appeal, "more", papers=["licence"], words=nasty))
    pages += [agent.opens(appeal), supervisor.browser.open(f"/staff/appeals?typed={nasty}")]
    for page in pages:
        assert page.status == 200
        assert "<script>" not in page.html
        assert "<b>" not in page.html
        assert "<img src=x>" not in page.html


def test_an_appeal_is_released_assigned_and_taken_over(world: World) -> None:
    appeal, agent, colleague, supervisor = (
        an_appeal(world, papers=["licence"]),
        an_agent(world),
        an_agent(world),
        a_supervisor(world),
    )
    agent.claims(appeal)
    assert "请填写原因" in agent.presses(appeal, "release", reason="").text
    assert "已退回待处理" in agent.presses(appeal, "release", reason="临时外出").text
    assert appeal.row(world).state == State.WAITING.value
    supervisor.opens(appeal)
    assert "请选择交给谁处理" in supervisor.presses(appeal, "assign", again=True, to="").text
    for stranger in ("x", str(world.a_staff_member(StaffRole.ADMIN).row.id), str(appeal.id)):
        assert "请选择交给谁处理" in supervisor.presses(appeal, "assign", to=stranger).text
    page = supervisor.presses(appeal, "assign", to=str(colleague.member.row.id))
    assert f"已交给 {colleague.member.account}" in page.text
    assert "信息比对" in colleague.opens(appeal).text
    page = supervisor.presses(appeal, "assign", to=str(supervisor.member.row.id))
    assert "信息比对" in page.text
    assert "信息比对" not in colleague.opens(appeal).text
    trail = supervisor.opens(appeal).text
    for shown in ("领取申诉", "退回待处理", "临时外出", "分派申诉", agent.member.account):
        assert shown in trail
    assert "/assign" not in agent.opens(appeal).html


def test_a_draft_is_nobodys_at_the_desk(world: World) -> None:
    draft, agent = an_appeal(world, State.DRAFT, papers=["licence"]), an_agent(world)
    assert agent.opens(draft).status == 404
    assert draft.number not in agent.browser.open("/staff/appeals").text
    assert draft.number not in agent.browser.open(f"/staff/appeals?typed={draft.number}").text


def test_after_the_decision_its_hands_may_read_until_the_papers_are_erased(world: World) -> None:
    agent, other = an_agent(world), an_agent(world)
    decided = an_appeal(
        world,
        State.REFUSED,
        papers=["licence"],
        claimed_by=agent.member,
        decided_by=agent.member.row.id,
    )
    assert "信息比对" in agent.opens(decided).text
    assert "/decide" not in agent.opens(decided).html
    assert "信息比对" not in other.opens(decided).text
    erased = decided.row(world)
    erased.papers_erased_at = world.now()
    with world.write() as db:
        db.merge(erased)
    page = agent.opens(decided)
    assert "已按规定删除" in page.text
    assert "信息比对" not in page.text


def test_many_looks_push_nothing_out_of_the_history(world: World) -> None:
    appeal, agent = an_appeal(world), an_agent(world)
    agent.claims(appeal)
    looked = Event(Action.APPEAL_PAPER_VIEWED, target=appeal.key, detail={"paper": "licence", "kept": True})
    with world.write() as db:
        for _ in range(201):
            world.backends.trail.record(db, looked, Origin(agent.member.row.key), now=world.now())
    assert "领取申诉" in agent.opens(appeal).text


def test_many_papers_push_nothing_out_of_the_history(world: World) -> None:
    """Who files an appeal writes lines about papers as often as he uploads one."""
    appeal, agent = an_appeal(world), an_agent(world)
    agent.claims(appeal)
    stored = Event(Action.FILE_STORED, target=appeal.key, detail={"slot": "licence", "size": 3})
    with world.write() as db:
        for _ in range(201):
            world.backends.trail.record(db, stored, Origin(""), now=world.now())
    page = agent.opens(appeal)
    assert page.text.index("领取申诉") < page.text.index("上传材料：企业营业执照原件")


def test_a_reason_holds_nobodys_name_of_our_record_either(world: World) -> None:
    company = world.a_company()
    told = statement_of(company, id_number=a_resident_number(90_013), representative_name="周新")
    appeal, agent = an_appeal(world, company=company, told=told), an_agent(world)
    agent.claims(appeal)
    for name in (company.representative.name, "周新"):
        page = agent.presses(appeal, "release", reason=f"原法定代表人{name}来电反对")
        assert "里面不要写姓名" in page.text, name
        assert appeal.row(world).state == State.IN_HAND.value
