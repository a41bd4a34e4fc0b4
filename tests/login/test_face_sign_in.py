"""刷脸登录 (A17, A18): over HTTP, with the simulated face service on a port of its own."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import select, update

from idp.accounts.audit import Action, AuditEvent
from idp.accounts.calendar import civil_day
from idp.accounts.models import Credential, Person
from idp.accounts.sessions import SigninSession
from idp.proof import face as proof
from tests.inhabitants import APerson, a_resident_number
from tests.login.acting import is_in, later
from tests.neighbours import Neighbours
from tests.portals import Authorization
from tests.scan.faces import (
    APhoneOfNobody,
    FaceWorld,
    ask,
    begin_here,
    check_of,
    come_back,
    face_shown,
    face_world,
    finish,
    stored,
    ticket_of,
)
from tests.world import Page, World


@pytest.fixture
def here(world: World, neighbours: Neighbours) -> FaceWorld:
    return face_world(world, neighbours)


def sign_ins_of(world: World, person: APerson) -> list[SigninSession]:
    with world.reading() as db:
        return list(db.scalars(select(SigninSession).where(SigninSession.person_id == person.row.id)))


def shown_here(here: FaceWorld, person: APerson, verdict: str) -> tuple[Page, str, str]:
    """在本机刷脸 with that verdict: the page one comes back to, the check, and where the service led."""
    browser = here.world.browser()
    check = check_of(ask(browser, person))
    back = here.simulators.press(begin_here(browser), verdict).headers["Location"]
    return browser.open(back), check, back


def test_a_face_shown_on_the_phone_that_scanned_signs_the_desktop_in(here: FaceWorld) -> None:
    person, browser = here.world.a_person(), here.world.browser()
    page = ask(browser, person)
    check, ticket = check_of(page), ticket_of(page)
    assert "请完成人脸验证，确保本人操作" in page.text
    assert "扫描上方二维码，完成人脸认证" in page.text

    service_page = APhoneOfNobody(here.world).page_for(ticket)
    led_to = here.simulators.press(service_page, "passed")

    assert led_to.headers["Location"] == "http://localhost:8004/face-done"
    assert browser.open(f"/scan/wait/{ticket}").response.get_json()["state"] == "confirmed"
    assert is_in(finish(browser, check))
    (signed_in,) = sign_ins_of(here.world, person)
    assert (signed_in.amr.split(), signed_in.acr) == (["face", "qr"], "urn:idp:loa:3")
    assert signed_in.role == "natural_person"


def test_a_face_shown_in_the_same_browser_signs_it_in_without_a_code(here: FaceWorld) -> None:
    person, browser = here.world.a_person(), here.world.browser()
    page = ask(browser, person)
    check, ticket = check_of(page), ticket_of(page)
    back = here.simulators.press(begin_here(browser), "passed").headers["Location"]
    assert back.startswith(f"{here.world.settings.issuer}/login/face/finish?check={check}&back=")
    assert "人脸核验已通过" in browser.open(back).text
    assert is_in(browser.submit(follow=False))
    (signed_in,) = sign_ins_of(here.world, person)
    assert signed_in.amr == "face"
    assert APhoneOfNobody(here.world).scan(ticket).status_code == 410, (
        "the code ended when the face went here"
    )


def test_the_time_of_the_sign_in_is_that_of_the_face(here: FaceWorld) -> None:
    person, browser = here.world.a_person(), here.world.browser()
    check = check_of(ask(browser, person))
    back = face_shown(here, browser)
    passed_at = stored(here.world, check).passed_at
    with later(seconds=90):
        assert is_in(come_back(browser, back))
    (signed_in,) = sign_ins_of(here.world, person)
    assert signed_in.auth_time.timestamp() == pytest.approx(passed_at)


def test_what_the_address_of_the_way_back_says_proves_nothing(here: FaceWorld) -> None:
    person, browser = here.world.a_person(), here.world.browser()
    check = check_of(ask(browser, person))
    begin_here(browser)
    page = browser.open(f"/login/face/finish?check={check}&result=ok&passed=true&score=100")
    assert "正在等待人脸核验的结果" in page.text
    page = browser.submit({"result": "ok", "passed": "true"}, follow=False)
    assert page.status == 200
    assert "还没有收到人脸核验的结果" in page.text
    assert sign_ins_of(here.world, person) == []


@pytest.mark.parametrize("verdict", ["another", "low"])
def test_a_face_that_is_not_his_opens_nothing_and_he_may_try_again(here: FaceWorld, verdict: str) -> None:
    person = here.world.a_person()
    page, check, _back = shown_here(here, person, verdict)
    assert (page.status, "人脸核验没有通过" in page.text) == (403, True)
    assert "重新刷脸" in page.text
    assert "用其他方式登录" in page.text
    assert stored(here.world, check).state == "failed"
    again, _check, _back = shown_here(here, person, "passed")
    assert "人脸核验已通过" in again.text


def test_a_service_that_says_nothing_leaves_the_person_waiting_and_signs_nobody_in(here: FaceWorld) -> None:
    page, _check, _back = shown_here(here, here.world.a_person(), "timeout")
    assert "还没有收到核验结果" in page.text


def test_a_phone_hears_of_a_failed_face_and_so_does_the_desktop(here: FaceWorld) -> None:
    person, browser = here.world.a_person(), here.world.browser()
    page = ask(browser, person)
    ticket = ticket_of(page)
    here.simulators.press(APhoneOfNobody(here.world).page_for(ticket), "another")
    told = browser.open(f"/scan/wait/{ticket}").response.get_json()
    assert (told["state"], told["ended"]) == ("denied", "not_allowed")


def test_nobody_learns_whether_there_is_an_account_before_his_face_has_passed(here: FaceWorld) -> None:
    known = here.world.a_person()
    stranger = replace(known, id_number=a_resident_number(77_001))
    seen = []
    for person in (known, stranger):
        browser = here.world.browser()
        page = ask(browser, person)
        text = re.sub(r"\d\d:\d\d(:\d\d)?|TX-\S+", "", page.text)
        page, _check, _back = shown_here(here, person, "another")
        seen.append((text, page.status, re.sub(r"\d\d:\d\d(:\d\d)?|TX-\S+", "", page.text)))
    assert seen[0] == seen[1]


def test_whose_face_has_passed_hears_that_he_has_no_account(here: FaceWorld) -> None:
    stranger = replace(here.world.a_person(), name="白云飞", id_number=a_resident_number(77_002))
    browser = here.world.browser()
    ask(browser, stranger)
    back = face_shown(here, browser)
    page = come_back(browser, back)
    assert (page.status, "您还没有账号，请先注册" in page.text) == (403, True)


def test_somebody_known_for_his_company_alone_has_no_account_of_his_own(here: FaceWorld) -> None:
    person, browser = here.world.a_person(password=None), here.world.browser()
    ask(browser, person)
    back = face_shown(here, browser)
    assert "您还没有账号，请先注册" in come_back(browser, back).text


def test_another_name_than_that_of_the_account_is_nobodys(here: FaceWorld) -> None:
    person, browser = here.world.a_person(), here.world.browser()
    ask(browser, replace(person, name="林大满"))
    back = face_shown(here, browser)
    page = come_back(browser, back)
    assert page.status == 403
    assert sign_ins_of(here.world, person) == []


def test_a_name_is_understood_however_its_dot_and_spaces_were_typed(here: FaceWorld) -> None:
    person, browser = here.world.a_person(name="阿依·古丽"), here.world.browser()
    ask(browser, replace(person, name="阿依 • 古丽"))
    back = face_shown(here, browser)
    assert is_in(come_back(browser, back))


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("suspended_at", "now", "您的账号已停用"),
        ("id_valid_until", "yesterday", "身份证件已过有效期"),
    ],
)
def test_an_obstacle_is_said_once_the_face_has_passed(
    here: FaceWorld, field: str, value: str, sentence: str
) -> None:
    person, browser, moment = here.world.a_person(), here.world.browser(), here.world.now()
    stored_as = moment if value == "now" else civil_day(moment) - timedelta(days=1)
    with here.world.write() as db:
        db.execute(update(Person).where(Person.id == person.row.id).values({field: stored_as}))
    ask(browser, person)
    back = face_shown(here, browser)
    page = come_back(browser, back)
    assert (page.status, sentence in page.text) == (403, True)
    assert sign_ins_of(here.world, person) == []


def test_an_account_whose_owner_said_it_was_not_he_stays_locked(here: FaceWorld) -> None:
    person, browser = here.world.a_person(), here.world.browser()
    with here.world.write() as db:
        mine = Credential.person_id == person.row.id
        db.execute(update(Credential).where(mine).values(locked_at=here.world.now()))
    ask(browser, person)
    back = face_shown(here, browser)
    assert "账号已暂停" in come_back(browser, back).text


def test_a_face_that_passed_opens_one_sign_in(here: FaceWorld) -> None:
    person, browser = here.world.a_person(), here.world.browser()
    ask(browser, person)
    back = face_shown(here, browser)
    page = browser.open(back)
    token = page.form()["fields"]["csrf_token"]
    assert is_in(browser.submit(follow=False))
    second = browser.post(back, {"csrf_token": token}, follow=False)
    assert not is_in(second)
    assert len(sign_ins_of(here.world, person)) == 1


def test_whoever_sends_another_the_link_to_his_check_does_not_get_in_by_his_face(here: FaceWorld) -> None:
    victim, thief = here.world.a_person(), here.world.browser()
    check = check_of(ask(thief, victim))
    link = begin_here(thief)
    assert "back=" not in httpx2.get(link, trust_env=False).text, "the way back is shown to nobody before"
    back = here.simulators.press(link, "passed").headers["Location"]
    page = finish(thief, check)
    assert page.status == 200
    assert "请在刷脸页面点「返回」" in page.text
    assert "已失效" in here.world.browser().open(back).text, "where the victim ends"
    assert "已经取消" in thief.open(back).text, "and from then on the way back leads nowhere"
    assert sign_ins_of(here.world, victim) == []


def test_who_goes_back_without_showing_his_face_learns_the_way_and_has_no_face_to_show(
    here: FaceWorld,
) -> None:
    victim, thief = here.world.a_person(), here.world.browser()
    ask(thief, victim)
    link = begin_here(thief)
    back = here.simulators.press(link, "declined").headers["Location"]
    assert "还没有收到核验结果" in thief.open(back).text
    assert here.simulators.press(link, "passed").status_code == 404
    assert not is_in(come_back(thief, back))


@pytest.mark.parametrize("back", ["", "&back=", "&back=AAAAAAAAAAAAAAAAAAAAAA", "&back=%FF"])
def test_the_way_back_cannot_be_guessed(here: FaceWorld, back: str) -> None:
    person, browser = here.world.a_person(), here.world.browser()
    check = check_of(ask(browser, person))
    face_shown(here, browser)
    assert not is_in(come_back(browser, f"/login/face/finish?check={check}{back}"))
    assert stored(here.world, check).state == "passed"


def test_a_face_that_passed_is_worth_nothing_in_another_browser(here: FaceWorld) -> None:
    person, browser, thief = here.world.a_person(), here.world.browser(), here.world.browser()
    check = check_of(ask(browser, person))
    back = face_shown(here, browser)
    page = thief.open(f"/login/face/finish?check={check}")
    assert "已失效" in page.text
    page = ask(thief, here.world.a_person())
    token = page.form()["fields"]["csrf_token"]
    assert (
        "已失效" in thief.post(f"/login/face/finish?check={check}", {"csrf_token": token}, follow=False).text
    )
    assert is_in(come_back(browser, back)), "its own browser is not disturbed"


def test_a_face_that_passed_for_one_request_is_worth_nothing_for_another(here: FaceWorld) -> None:
    person, browser = here.world.a_person(), here.world.browser()
    check = check_of(ask(browser, person))
    face_shown(here, browser)
    client = here.world.a_client()
    asked = browser.open(Authorization(client).address("openid profile", acr_values="urn:idp:loa:3"))
    transaction = re.search(r"tx=([\w-]+)", asked.url)
    assert transaction
    page = browser.open(f"/login/face/finish?check={check}&tx={transaction.group(1)}")
    assert "已失效" in page.text


def test_a_face_that_passed_is_too_old_after_its_time(here: FaceWorld) -> None:
    person, browser = here.world.a_person(), here.world.browser()
    ask(browser, person)
    back = face_shown(here, browser)
    with later(seconds=here.world.settings.face_lifetime + 1):
        assert "已失效" in browser.open(back).text


def test_a_portal_that_wants_a_face_is_answered_with_one(here: FaceWorld) -> None:
    person, browser, client = here.world.a_person(), here.world.browser(), here.world.a_client()
    browser.sign_in_person(person)
    asked = Authorization(client)
    page = browser.open(asked.address("openid profile", acr_values="urn:idp:loa:3"))
    assert "/login/face" in page.url, "nothing weaker is offered"
    page = ask(browser, person, at=page.url)
    transaction = re.search(r"tx=([\w-]+)", page.url)
    assert transaction
    back = face_shown(here, browser)
    page = come_back(browser, back, follow=True)
    assert "code" in page.query, page.text


def test_while_one_is_asked_again_anothers_face_does_not_do(here: FaceWorld) -> None:
    person, other, client = here.world.a_person(), here.world.a_person(), here.world.a_client()
    browser = here.world.browser()
    browser.sign_in_person(person)
    page = browser.open(Authorization(client).address("openid profile", acr_values="urn:idp:loa:3"))
    page = ask(browser, other, at=page.url)
    transaction = re.search(r"tx=([\w-]+)", page.url)
    assert transaction
    back = face_shown(here, browser)
    page = come_back(browser, back)
    assert "/login/identity" in page.location
    assert sign_ins_of(here.world, other) == []


def test_a_yes_and_an_outcome_are_remembered_without_any_name(here: FaceWorld) -> None:
    person, browser = here.world.a_person(), here.world.browser()
    check = check_of(ask(browser, person))
    back = face_shown(here, browser)
    come_back(browser, back)
    with here.world.reading() as db:
        rows = {row.action: row for row in db.scalars(select(AuditEvent).order_by(AuditEvent.id))}
    consented, checked = rows[Action.FACE_CONSENTED.value], rows[Action.FACE_CHECKED.value]
    assert (consented.detail["agreement"], consented.detail["purpose"]) == (proof.CONSENT, "sign_in")
    assert checked.target == f"person:{person.row.id}"
    assert checked.detail == {"face_check": consented.detail["face_check"], "outcome": "passed"}
    assert rows[Action.SIGNED_IN.value].detail["amr"] == ["face"]
    for row in rows.values():
        assert person.name not in str(row.detail)
        assert person.id_number not in str(row.detail)
        assert check not in str(row.detail)
