"""What the face service says: only a fresh, signed, fitting verdict moves a check (SECURITY 51 to 54)."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from idp.accounts.audit import Action, AuditEvent
from tests.adapters.arrange import at_once
from tests.inhabitants import APerson, a_resident_number
from tests.login.acting import is_in, later
from tests.neighbours import Neighbours
from tests.scan.faces import (
    APhoneOfNobody,
    FaceWorld,
    ask,
    check_of,
    deliver,
    face_world,
    finish,
    signed,
    stored,
    ticket_of,
    verdict,
)
from tests.world import Browser, World

Begun = tuple[Browser, str, APerson]


@pytest.fixture
def here(world: World, neighbours: Neighbours) -> FaceWorld:
    return face_world(world, neighbours)


def begun(here: FaceWorld) -> Begun:
    """A browser whose person stands before the camera."""
    person, browser = here.world.a_person(), here.world.browser()
    page = ask(browser, person)
    APhoneOfNobody(here.world).page_for(ticket_of(page))
    return browser, check_of(page), person


def test_a_signed_verdict_passes_the_check_and_answers_nothing(here: FaceWorld) -> None:
    browser, check, person = begun(here)
    answer = deliver(here.world, verdict(here.world, check, person))
    assert (answer.status_code, answer.data) == (204, b"")
    assert "Set-Cookie" not in answer.headers
    assert is_in(finish(browser, check))


FORGED: tuple[Callable[[dict[str, str]], dict[str, str]], ...] = (
    lambda _headers: {},
    lambda headers: {**headers, "X-Face-Signature": "0" * 64},
    lambda headers: {**headers, "X-Face-Nonce": secrets.token_urlsafe(18)},
    lambda headers: {**headers, "X-Face-Timestamp": str(int(headers["X-Face-Timestamp"]) + 1)},
)


def test_an_unsigned_verdict_moves_nothing(here: FaceWorld) -> None:
    browser, check, person = begun(here)
    body = verdict(here.world, check, person)
    for number, forge in enumerate(FORGED):
        answer = deliver(here.world, body, forge(signed(body, at=here.world.now())))
        assert answer.status_code == 401, number
        assert answer.get_json()["error"] == "verdict_ignored", number
        assert stored(here.world, check).state == "begun", number
    assert not is_in(finish(browser, check))


def test_a_verdict_signed_too_long_ago_moves_nothing(here: FaceWorld) -> None:
    _browser, check, person = begun(here)
    body = verdict(here.world, check, person)
    headers = signed(body, at=here.world.now() - timedelta(seconds=301))
    assert deliver(here.world, body, headers).status_code == 401
    assert stored(here.world, check).state == "begun"


def test_the_same_message_counts_once(here: FaceWorld) -> None:
    _browser, check, person = begun(here)
    body = verdict(here.world, check, person)
    headers = signed(body, at=here.world.now())
    assert [deliver(here.world, body, headers).status_code for _ in range(2)] == [204, 409]


def test_of_many_deliveries_of_one_message_one_counts(here: FaceWorld) -> None:
    _browser, check, person = begun(here)
    body = verdict(here.world, check, person)
    headers = signed(body, at=here.world.now())
    codes = at_once(6, lambda _number: deliver(here.world, body, headers).status_code)
    assert sorted(codes) == [204] + [409] * 5


def test_the_same_verdict_told_again_is_no_mistake_and_changes_nothing(here: FaceWorld) -> None:
    browser, check, person = begun(here)
    body = verdict(here.world, check, person)
    assert deliver(here.world, body).status_code == 204
    before = stored(here.world, check)
    assert deliver(here.world, body).status_code == 204
    assert stored(here.world, check) == before
    assert is_in(finish(browser, check))
    assert deliver(here.world, body).status_code == 204, "nor is it after the check was taken"
    assert not is_in(finish(browser, check))
    with here.world.reading() as db:
        told = db.scalars(select(AuditEvent).where(AuditEvent.action == Action.FACE_CHECKED.value)).all()
    assert len(told) == 1


def test_a_verdict_that_could_not_be_written_down_is_written_down_when_it_is_told_again(
    here: FaceWorld,
) -> None:
    browser, check, person = begun(here)
    body = verdict(here.world, check, person)
    with here.world.write() as db:
        db.execute(text("ALTER TABLE audit_events RENAME TO audit_away"))
    try:
        assert deliver(here.world, body).status_code >= 500
    finally:
        with here.world.write() as db:
            db.execute(text("ALTER TABLE audit_away RENAME TO audit_events"))
    assert is_in(finish(browser, check)), "the verdict counts all the same"
    assert [deliver(here.world, body).status_code for _ in range(2)] == [204, 204]
    with here.world.reading() as db:
        told = db.scalars(select(AuditEvent).where(AuditEvent.action == Action.FACE_CHECKED.value)).all()
    assert [one.detail["outcome"] for one in told] == ["passed"]


def test_another_verdict_than_the_first_changes_nothing(here: FaceWorld) -> None:
    browser, check, person = begun(here)
    failed = verdict(here.world, check, person, passed=False, score=12)
    assert deliver(here.world, failed).status_code == 204
    for changed in ({}, {"score": 80}, {"passed": False, "score": 13}):
        assert deliver(here.world, verdict(here.world, check, person, **changed)).status_code == 409
    assert stored(here.world, check).state == "failed"
    assert browser.open(f"/login/face/finish?check={check}").status == 403


def test_a_passed_check_is_not_undone_by_a_later_verdict(here: FaceWorld) -> None:
    browser, check, person = begun(here)
    deliver(here.world, verdict(here.world, check, person))
    late = verdict(here.world, check, person, passed=False, score=10)
    assert deliver(here.world, late).status_code == 409
    assert is_in(finish(browser, check))


def test_a_verdict_about_another_person_moves_nothing(here: FaceWorld) -> None:
    _browser, check, person = begun(here)
    for other in (
        replace(person, name="白云飞"),
        replace(person, id_number=a_resident_number(88_001)),
        here.world.a_person(),
    ):
        assert deliver(here.world, verdict(here.world, check, other)).status_code == 422
    assert stored(here.world, check).state == "begun"


def test_a_verdict_moves_its_own_check_and_no_other(here: FaceWorld) -> None:
    mine, theirs = begun(here), begun(here)
    assert deliver(here.world, verdict(here.world, theirs[1], mine[2])).status_code == 422
    assert deliver(here.world, verdict(here.world, "A" * 22, mine[2])).status_code == 404
    assert deliver(here.world, verdict(here.world, "../../etc", mine[2])).status_code == 404
    assert deliver(here.world, verdict(here.world, mine[1], mine[2])).status_code == 204
    assert stored(here.world, theirs[1]).state == "begun"


def test_a_pass_below_the_lowest_score_is_none(here: FaceWorld) -> None:
    browser, check, person = begun(here)
    for score in (0, 79):
        told = verdict(here.world, check, person, score=score)
        assert deliver(here.world, told).status_code == 422, score
        assert stored(here.world, check).state == "begun", score
    assert not is_in(finish(browser, check))


def test_the_lowest_score_passes(here: FaceWorld) -> None:
    browser, check, person = begun(here)
    assert deliver(here.world, verdict(here.world, check, person, score=80)).status_code == 204
    assert is_in(finish(browser, check))


def test_a_verdict_before_the_check_has_begun_moves_nothing(here: FaceWorld) -> None:
    person, browser = here.world.a_person(), here.world.browser()
    check = check_of(ask(browser, person))
    assert deliver(here.world, verdict(here.world, check, person)).status_code == 410
    assert stored(here.world, check).state == "waiting"


def test_a_verdict_after_the_time_of_the_check_moves_nothing(here: FaceWorld) -> None:
    browser, check, person = begun(here)
    with later(seconds=here.world.settings.face_lifetime + 1):
        assert deliver(here.world, verdict(here.world, check, person)).status_code == 410
        assert stored(here.world, check).state == "begun"
        assert "已失效" in browser.open(f"/login/face/finish?check={check}").text


def test_a_late_verdict_does_not_touch_the_try_that_came_after(here: FaceWorld) -> None:
    browser, first, person = begun(here)
    page = ask(browser, person)
    second = check_of(page)
    APhoneOfNobody(here.world).page_for(ticket_of(page))
    assert deliver(here.world, verdict(here.world, first, person, passed=False, score=1)).status_code == 204
    assert stored(here.world, second).state == "begun"
    assert deliver(here.world, verdict(here.world, second, person)).status_code == 204
    assert is_in(finish(browser, second))


def test_a_signed_text_that_is_no_verdict_is_refused_without_a_fault(here: FaceWorld) -> None:
    for body in (b"", b"[]", b"{}", b"\xff", b"[" * 2000, b'{"check": "a"}'):
        answer = deliver(here.world, body)
        assert (answer.status_code, answer.get_json()["error"]) == (400, "verdict_ignored"), body[:40]


def test_no_picture_fits_into_a_callback(here: FaceWorld) -> None:
    _browser, check, person = begun(here)
    body = verdict(here.world, check, person, picture="x" * 4000)
    assert deliver(here.world, body).status_code == 413
    assert deliver(here.world, b"x" * 200_000).status_code == 413
    assert stored(here.world, check).state == "begun"


def test_a_verdict_as_a_form_is_nothing(here: FaceWorld) -> None:
    _browser, check, person = begun(here)
    body = verdict(here.world, check, person)
    headers = {**signed(body, at=here.world.now()), "Content-Type": "application/x-www-form-urlencoded"}
    assert deliver(here.world, body, headers).status_code in {204, 401}


def test_without_a_face_service_there_is_no_such_address(world: World) -> None:
    answer = deliver(world, b"{}")
    assert (answer.status_code, answer.is_json) == (404, True)


def test_nothing_of_the_person_is_logged(here: FaceWorld, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        person, browser = here.world.a_person(), here.world.browser()
        page = ask(browser, person)
        here.simulators.press(APhoneOfNobody(here.world).page_for(ticket_of(page)), "passed")
        finish(browser, check_of(page))
    for word in (person.name, person.id_number, check_of(page)):
        assert word not in caplog.text
