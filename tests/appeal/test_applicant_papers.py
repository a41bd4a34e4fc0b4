"""材料上传 and 完成: the papers and 申诉备注, sent in once, and added to when staff asks (E03, E07–E13)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.adapters.inspection import ENDINGS
from idp.appeal.filing import LONGEST_REMARK
from idp.appeal.models import Appeal, State
from idp.appeal.papers import PAPERS
from tests.appeal.applicants import REMARK, Applicant, acts, looks, photo, send
from tests.appeal.builders import ALL_PAPERS, AnAppeal, a_paper, an_appeal
from tests.login.acting import later, same_browser
from tests.messages import waiting
from tests.world import Browser, Page, World, error_sentences


def moved_to(world: World, appeal: AnAppeal, state: State, **fields: Any) -> None:
    """Let staff have done something with an appeal."""
    with world.write() as db:
        there = Appeal.id == appeal.id
        db.execute(
            update(Appeal).where(there).values(state=state.value, version=Appeal.version + 1, **fields)
        )


def asked_for_more(world: World, appeal: AnAppeal, *slots: str) -> None:
    """Let staff ask for these papers anew."""
    with world.write() as db:
        row = db.get_one(Appeal, appeal.id)
        row.set_answer(world.backends.vault, "营业执照的印章不清楚，请重新拍照<b>")
    moved_to(world, appeal, State.MORE, asked_for=list(slots), answer_until=world.now(), due_at=None)


def messages_of(world: World, phone: str) -> list[str]:
    """What this phone was told but for codes: the purposes."""
    return [each["purpose"] for each in waiting(world, phone) if not each["code"]]


def test_the_page_asks_for_the_seven_papers_each_with_its_kinds_its_sample_and_the_template(
    world: World,
) -> None:
    """E03, E07, E08, E09, E10, E11, E12."""
    browser = world.browser()
    Applicant(world).begins(browser)
    page = browser.page
    assert page
    names = re.findall(r'type="file"', page.html)
    places = [page.html.index(f'id="{paper.slot}"') for paper in PAPERS]
    assert (len(names), places) == (7, sorted(places))
    for paper in PAPERS:
        field = page.html.partition(f'data-upload="{paper.slot}"')[2].partition("</figure>")[0]
        endings = {ending for kind in paper.kinds for ending in ENDINGS[kind]}
        assert set(re.findall(r'data-endings="([^"]+)"', field)[0].split()) == endings, paper.slot
        assert paper.sample in field, paper.slot
    assert re.search(
        r"企业授权书要用模板填写.*?authorisation\.docx.*?authorisation\.pdf", page.html, re.DOTALL
    )
    assert 'placeholder="请输入申诉备注"' in page.html
    assert "0/150" in page.text


def test_a_refused_file_says_why_and_the_rest_of_the_form_stays(world: World) -> None:
    """E07: files and 申诉备注 stay, in another tab and with the draft too."""
    him, browser = Applicant(world), world.browser()
    appeal = him.begins(browser)
    page = send(
        browser,
        {"remark": REMARK},
        licence=photo(),
        representative_front=("证件.pdf", b"%PDF-1.4\nnot a picture"),
        operator_front=("运行.jpg", b"MZ\x90\x00 renamed"),
    )
    said = error_sentences(page)
    assert len([one for one in said if one.startswith("请上传")]) == 4
    assert any("JPG" in one for one in said)
    assert "照片.jpg" in page.text
    assert REMARK in page.text
    assert set(appeal.papers(world)) == {"licence"}
    assert appeal.row(world).remark(world.backends.vault) == REMARK
    assert appeal.row(world).state == "draft"
    for tab in (browser, same_browser(world, browser)):
        again = tab.open(page.url)
        assert "照片.jpg" in again.text
        assert REMARK in again.text
    browser.submit({"remove": "licence", "remark": REMARK})
    assert appeal.papers(world) == {}
    assert error_sentences(browser.page or page) == []


def test_whoever_sent_a_paper_looks_at_it_before_he_sends_all_of_it_in_and_nobody_else_does(
    world: World,
) -> None:
    """E07, SECURITY 68: kept, not shown as a page; who merely proves a phone of the appeal sees no papers."""
    him, browser = Applicant(world), world.browser()
    appeal = him.begins(browser)
    first = browser.page
    assert first
    assert "下一步，提交申诉" in first.text
    a_paper(world, appeal, "operator_front")
    page = send(browser, {"upload_alone": "1"}, licence=photo())
    [address] = [
        one.replace("&amp;", "&") for one in re.findall(r'href="([^"]+)"\s+data-upload-open', page.html)
    ]
    kept = browser.open(address)
    assert kept.status == 200
    assert kept.response.headers["Content-Disposition"].startswith("attachment")
    assert acts(world, appeal)[-1] == "appeal_paper_viewed"
    # A file that another browser sent, a field without one, one that is none.
    for slot in ("operator_front", "authorisation", "nonsense"):
        refused = browser.open(address.replace("licence", slot))
        assert (refused.status, "没有找到这份材料" in refused.text) == (404, True), slot
    assert world.browser().open(address).status == 400
    other = looks(world, appeal, phone=him.own_phone)
    page = other.open(other_address(other, "continue"))
    assert "照片.jpg" in page.text
    assert not re.findall(r'href="([^"]+)"\s+data-upload-open', page.html)
    assert other.open(f"/appeal/materials/licence?{page.url.partition('?')[2]}").status == 404
    browser.open(first.url)
    browser.submit({"remove": "licence"})
    assert browser.open(address).status == 404


def test_a_remark_is_counted_as_people_count_and_what_is_too_long_stays(world: World) -> None:
    """E12."""
    browser = world.browser()
    appeal = Applicant(world).brings_all_papers(browser)
    for typed, sentence in (
        ("", "请填写申诉备注"),
        (" \r\n　", "请填写申诉备注"),
        ("字" * 163, "申诉备注最多 150 字，目前 163 字"),
        ("a\r\n" * 75 + "bcd", "申诉备注最多 150 字，目前 153 字"),
        ("😀" * 151, "申诉备注最多 150 字，目前 151 字"),
    ):
        page = browser.submit({"remark": typed})
        assert error_sentences(page) == [sentence], typed
        assert appeal.row(world).state == "draft"
    assert "😀" * 151 in page.text
    assert f"151/{LONGEST_REMARK}" in page.text
    # Composed or not, an é is one.
    assert browser.submit({"remark": "e\u0301" * 75 + "\r\n" * 74 + "z"}).url.startswith("/appeal/done")
    assert len(appeal.row(world).remark(world.backends.vault)) == LONGEST_REMARK


def test_markup_in_a_remark_is_inert(world: World) -> None:
    browser = world.browser()
    Applicant(world).begins(browser)
    page = browser.submit({"remark": "</textarea><script>alert(1)</script>{{7*7}}"})
    assert "<script>alert" not in page.html
    assert "{{7*7}}" in page.text


def test_it_is_sent_in_once_and_its_number_told_on_the_page_and_to_both_phones(world: World) -> None:
    """E13, X21: the button pressed twice acts once."""
    him, browser = Applicant(world), world.browser()
    appeal = him.brings_all_papers(browser)
    form = browser.page
    page = browser.submit({"remark": REMARK})
    assert page.url.startswith("/appeal/done?j=")
    assert f">{appeal.number}</code>" in page.html
    row = appeal.row(world)
    assert (row.state, row.version) == ("waiting", 1)
    assert row.due_at
    assert row.due_at.date().isoformat() in page.text
    browser.page = form
    assert browser.submit({"remark": "另一个备注"}).url == page.url
    assert browser.open(f"/appeal/identity{page.url[12:]}").url == page.url
    assert appeal.row(world).remark(world.backends.vault) == REMARK
    for phone in (him.phone, him.own_phone):
        assert messages_of(world, phone) == ["appeal_received"], phone
    [told] = [each["text"] for each in waiting(world, him.phone) if not each["code"]]
    assert appeal.number in told
    assert acts(world, appeal) == ["appeal_begun", "appeal_submitted"]


def test_nothing_comes_to_an_appeal_that_another_tab_has_sent_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even what is being looked at while the other tab is faster."""
    him, browser, other = Applicant(world), world.browser(), world.browser()
    appeal = him.brings_all_papers(browser)
    looks(world, appeal, browser=other)
    page = other.open(other_address(other, "continue"))
    assert page.url.startswith("/appeal/materials")
    before = {slot: one.id for slot, one in appeal.papers(world).items()}
    session = world.platform.database.session.class_
    real = session.commit

    def faster(db: Session) -> None:
        real(db)
        if appeal.row(world).state == "draft":
            moved_to(world, appeal, State.WAITING, submitted_at=world.now())

    with monkeypatch.context() as racing:
        racing.setattr(session, "commit", faster)
        answer = send(other, {"remark": "后来的"}, licence=photo())
    assert (answer.status, "申诉已经不能修改" in answer.text) == (409, True)
    other.page = page
    assert other.submit({"remove": "licence"}).status == 409
    other.page = page
    assert other.submit({"remark": "后来的"}).status == 409
    assert {slot: one.id for slot, one in appeal.papers(world).items()} == before
    assert appeal.row(world).remark_sealed is None
    assert f'href="/appeal/result?number={appeal.number}"' in answer.html


def other_address(browser: Browser, what: str) -> str:
    """An address below the page of how it stands, with its journey."""
    assert browser.page
    return f"/appeal/result/{what}?{browser.page.url.partition('?')[2]}"


def test_a_submission_that_dies_before_it_is_kept_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = world.browser()
    appeal = Applicant(world).brings_all_papers(browser)
    address = browser.page.url if browser.page else ""
    session = world.platform.database.session.class_
    real = session.commit

    def dies(db: Any) -> None:
        if db.in_transaction() and db.scalar(select(Appeal.state)) == "waiting":
            raise OSError("the machine is gone")
        real(db)

    with monkeypatch.context() as dying:
        dying.setattr(session, "commit", dies)
        assert browser.submit({"remark": REMARK}).status == 500
    assert appeal.row(world).state == "draft"
    assert set(appeal.papers(world)) == set(ALL_PAPERS)
    assert [each["purpose"] for each in waiting(world, appeal.told.phone) if not each["code"]] == []
    # Its note of the end is there, and its rows are not: he is led on by the number.
    with later(minutes=1):
        page = browser.open(address)
        assert page.url.startswith("/appeal/done")
        assert "已经上传的材料和填写的备注都还在" in page.text


def test_only_what_staff_asks_for_is_sent_anew_and_the_clock_begins_again(world: World) -> None:
    browser = world.browser()
    appeal = Applicant(world).submits(browser)
    asked_for_more(world, appeal, "licence", "operator_holding")
    browser = looks(world, appeal)
    assert browser.page
    assert "请重新上传：企业营业执照原件、经办人手持身份证照片" in browser.page.text
    page = browser.open(other_address(browser, "continue"))
    assert len(re.findall(r'type="file"', page.html)) == 2
    assert "营业执照的印章不清楚，请重新拍照&lt;b&gt;" in page.html
    assert 'id="authorisation"' not in page.html
    # What was sent in before is no answer.
    page = browser.submit({"remark": "已重新拍照"})
    assert error_sentences(page) == ["请上传企业营业执照原件", "请上传经办人手持身份证照片"]
    page = send(browser, {"remark": "已重新拍照"}, licence=photo(), authorisation=photo())
    assert error_sentences(page) == ["请上传经办人手持身份证照片"]
    assert "已重新拍照" in page.text
    before = appeal.row(world)
    page = send(browser, {"remark": "已重新拍照"}, operator_holding=photo())
    assert page.url.startswith("/appeal/done")
    assert "补充的材料已提交" in page.text
    row = appeal.row(world)
    assert (row.state, row.claimed_by, row.answer_until) == ("waiting", None, None)
    assert row.due_at
    assert row.submitted_at
    assert before.submitted_at
    assert row.submitted_at > before.submitted_at
    assert re.fullmatch(rf"{REMARK}\n\d{{4}}-\d\d-\d\d 补充：已重新拍照", row.remark(world.backends.vault))
    assert acts(world, appeal)[-1] == "appeal_supplemented"
    assert messages_of(world, appeal.told.phone) == ["appeal_received", "appeal_supplement_received"]
    assert "补充的材料已收到" in waiting(world, appeal.told.phone)[-1]["text"]


def test_who_is_asked_for_words_alone_has_to_say_them(world: World) -> None:
    appeal = an_appeal(world, State.MORE, papers=("licence",))
    browser = looks(world, appeal)
    browser.open(other_address(browser, "continue"))
    assert error_sentences(browser.submit({"remark": ""})) == ["请填写补充说明"]
    assert browser.submit({"remark": "负责人已更正"}).url.startswith("/appeal/done")


def test_whoever_is_at_work_among_the_papers_is_not_sent_away(world: World) -> None:
    """Each file that is sent prolongs the journey; who is away too long is led to his draft."""
    him, browser = Applicant(world), world.browser()
    appeal = him.begins(browser)
    address = browser.page.url if browser.page else ""
    for slot, minutes in (("licence", 20), ("authorisation", 40)):
        with later(minutes=minutes):
            send(browser, {"remark": REMARK, "upload_alone": "1"}, **{slot: photo()})
    assert set(appeal.papers(world)) == {"licence", "authorisation"}
    with later(minutes=75):
        page = browser.open(address)
        assert page.status == 400
        assert "凭申诉编号和手机验证码就可以继续" in page.text
        assert "没有做任何更改" not in page.text
        assert 'href="/appeal/result"' in page.html


def test_the_papers_are_open_in_the_browser_that_proved_a_phone_alone(world: World) -> None:
    him, browser = Applicant(world), world.browser()
    appeal = him.begins(browser)
    page = browser.page
    assert page
    stranger = world.browser()
    stranger.open("/appeal/identity?kind=unregistered")
    answers: list[Page] = [
        stranger.open(page.url),
        stranger.post(page.url, {**page.form()["fields"], "remark": "他人"}),
    ]
    for answer in answers:
        assert answer.status == 400
        assert appeal.number not in answer.text
    a_paper(world, appeal, "licence")
    assert appeal.row(world).remark_sealed is None
