"""材料上传 while something else happens to the appeal: nothing is lost without a word (E07, E12)."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import delete

from idp.accounts import files
from idp.appeal.models import Appeal, State
from tests.appeal.applicants import REMARK, Applicant, looks, photo, send
from tests.appeal.builders import ALL_PAPERS
from tests.appeal.test_applicant_papers import moved_to, other_address
from tests.login.acting import same_browser
from tests.world import World, error_sentences


def while_looked_at(world: World, monkeypatch: pytest.MonkeyPatch, happens: Callable[[], Any]) -> None:
    """Let something happen while the first file that comes is looked at."""
    inspector = type(world.platform.inspector)
    real, once = inspector.check, [happens]

    def slow(self: Any, kind: Any, data: bytes) -> Any:
        if once:
            once.pop()()
        return real(self, kind, data)

    monkeypatch.setattr(inspector, "check", slow)


def test_a_paper_is_not_removed_from_an_appeal_that_another_tab_sends_in_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """移除, with a file chosen beside it."""
    browser, other = world.browser(), world.browser()
    appeal = Applicant(world).brings_all_papers(browser)
    looks(world, appeal, browser=other)
    other.open(other_address(other, "continue"))
    real = files.forget_slot

    def waits(db: Any, owner: str, slot: str, **when: Any) -> Any:
        if appeal.row(world).state == "draft":
            db.commit()
            with ThreadPoolExecutor(1) as first:
                first.submit(browser.submit, {"remark": REMARK}).result()
        return real(db, owner, slot, **when)

    monkeypatch.setattr(files, "forget_slot", waits)
    answer = send(other, {"remove": "licence"}, operator_front=photo())
    assert (answer.status, "没有做任何更改" in answer.text) == (409, True)
    assert appeal.row(world).state == "waiting"
    assert set(appeal.papers(world)) == set(ALL_PAPERS)


def test_what_is_sent_in_while_the_page_sends_another_file_is_sent_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = world.browser()
    appeal = Applicant(world).brings_all_papers(browser)
    twin = same_browser(world, browser)
    twin.page = browser.page
    alone = {"remark": REMARK, "upload_alone": "1"}
    while_looked_at(world, monkeypatch, lambda: send(twin, alone, operator_back=photo("二.jpg")))
    assert send(browser, {"remark": "另一句"}, licence=photo("新.jpg")).url.startswith("/appeal/done")
    row = appeal.row(world)
    assert (row.state, row.remark(world.backends.vault)) == ("waiting", "另一句")
    kept = appeal.papers(world)
    assert {kept[slot].name(world.backends.vault) for slot in ("licence", "operator_back")} == {
        "新.jpg",
        "二.jpg",
    }


def test_a_draft_that_is_forgotten_meanwhile_is_said_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = world.browser()
    appeal = Applicant(world).begins(browser)

    def forgotten() -> None:
        with world.write() as db:
            db.execute(delete(Appeal).where(Appeal.id == appeal.id))

    while_looked_at(world, monkeypatch, forgotten)
    page = send(browser, {"remark": "x"}, licence=photo())
    assert (page.status, "没有找到这份草稿" in page.text) == (404, True)
    assert appeal.papers(world) == {}


def test_whose_draft_is_forgotten_while_it_is_withdrawn_finds_no_error(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = world.browser()
    appeal = Applicant(world).begins(browser)
    looks(world, appeal, browser=browser)
    browser.open(other_address(browser, "withdraw"))
    real = files.forget_all

    def slow(db: Any, owner: str, **when: Any) -> Any:
        db.execute(delete(Appeal).where(Appeal.id == appeal.id))
        return real(db, owner, **when)

    monkeypatch.setattr(files, "forget_all", slow)
    assert browser.submit().status < 500


def test_a_refused_body_of_a_journey_that_has_gone_on_leads_there(world: World) -> None:
    """Too long as a whole, and one too many at once: 提交 pressed again after it went through."""
    browser = world.browser()
    Applicant(world).brings_all_papers(browser)
    materials = browser.page
    assert materials
    assert browser.submit({"remark": REMARK}).url.startswith("/appeal/done")
    announced = {"CONTENT_LENGTH": str(60 << 20)}
    kind = "multipart/form-data; boundary=x"
    answer = browser.client.post(
        materials.url,
        base_url=world.settings.issuer,
        content_type=kind,
        environ_overrides={**announced, "wsgi.input": io.BytesIO(b"--x"), "REMOTE_ADDR": browser.address},
    )
    assert (answer.status_code, answer.location.startswith("/appeal/done")) == (303, True)
    doors = world.app.extensions["idp-upload-doors"]
    at_once, doors._at_once = doors._at_once, 0
    try:
        browser.page = materials
        assert browser.submit({"remark": REMARK}).url.startswith("/appeal/done")
    finally:
        doors._at_once = at_once


def test_a_decided_appeal_is_not_said_to_be_under_way(world: World) -> None:
    browser = world.browser()
    appeal = Applicant(world).brings_all_papers(browser)
    materials = browser.page
    for state in (State.REFUSED, State.APPROVED):
        moved_to(world, appeal, state, submitted_at=world.now(), decided_at=world.now())
        browser.page = materials
        page = send(browser, {"remark": "x"}, licence=photo())
        assert (page.status, "这件申诉已经办结" in page.text) == (409, True), state
        assert "工作人员会发短信" not in page.text, state
        assert f'href="/appeal/result?number={appeal.number}"' in page.html, state


def test_a_remark_of_nothing_to_see_is_none_and_what_is_not_kept_of_a_long_one_is_said(world: World) -> None:
    """E12."""
    browser = world.browser()
    appeal = Applicant(world).brings_all_papers(browser)
    for typed in ("\u200b", "\ufeff \u2060"):
        assert error_sentences(browser.submit({"remark": typed})) == ["请填写申诉备注"], typed
    told = error_sentences(browser.submit({"remark": "字" * 1200}))
    assert told == ["申诉备注最多 150 字，目前 1200 字，只保存前 1000 字，请缩短"]
    assert len(appeal.row(world).remark(world.backends.vault)) == 1000
