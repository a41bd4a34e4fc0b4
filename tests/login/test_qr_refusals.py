"""What a confirmed code does not open, though a phone said yes (SECURITY 40, 43, 46, 49, 62)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.access import endings
from idp.accounts.audit import Origin
from idp.accounts.identity import Identity, Role
from idp.accounts.models import Enterprise, Mandate, Person
from idp.accounts.sessions import Proof, SigninSession
from idp.login import qr
from idp.login.entry import Welcome
from idp.proof import tickets
from idp.proof.ticket_record import Answer, Asked, Purpose, Seen, State
from tests.adapters.arrange import at_once
from tests.login.acting import CENTRES, change_password, key_of, later, trail_of
from tests.portals import Authorization
from tests.scan.phones import PIN, legal_key, mandate_key
from tests.scan.waiting_pages import (
    a_page,
    a_phone,
    a_stranger,
    confirmed,
    kept,
    ticket_on,
    with_an_app,
)
from tests.world import AnOperator, Browser, Page, World

PROOF = Proof(("qr",), "urn:idp:loa:1", datetime(2026, 11, 21, tzinfo=UTC), "")


@pytest.fixture
def offering(world: World) -> Iterator[World]:
    with with_an_app(world) as there:
        yield there


def finish(browser: Browser, ticket: str, *, at: str = "/login/qr/finish") -> Page:
    """Send the form of the open page with this ticket."""
    token = browser.page.form()["fields"]["csrf_token"] if browser.page else ""
    return browser.post(at, {"csrf_token": token, "ticket": ticket}, follow=False)


def opened(browser: Browser, page: Page) -> bool:
    """Whether the answer signed this browser in."""
    return page.location in CENTRES or browser.cookie("idp_session") is not None


def a_confirmed_page(world: World) -> tuple[Browser, str]:
    """A browser whose ticket somebody has confirmed."""
    browser, ticket = a_page(world)
    confirmed(a_phone(world, world.a_person()), ticket, pin=PIN)
    return browser, ticket


def test_another_browser_gets_nothing_and_takes_nothing(offering: World) -> None:
    browser, ticket = a_confirmed_page(offering)
    thief, _ = a_page(offering)
    page = finish(thief, ticket)
    assert not opened(thief, page)
    assert "二维码已失效" in page.text
    assert kept(offering, ticket).state is State.CONFIRMED
    assert finish(browser, ticket).location == "/center/person"


def carries(thief: Browser, name: str, value: str | None) -> None:
    """Give a browser a cookie of another one."""
    host = urlsplit(thief.world.settings.issuer).hostname or ""
    thief.client.set_cookie(name, value or "", domain=host)


def test_the_secret_is_another_one_after_each_sign_in_and_sign_out(offering: World) -> None:
    browser, ticket = a_confirmed_page(offering)
    seen = [browser.cookie("idp_wait")]
    assert finish(browser, ticket).location == "/center/person"
    seen.append(browser.cookie("idp_wait"))
    browser.open("/center/person")
    browser.submit()
    seen.append(browser.cookie("idp_wait"))
    browser.sign_in_person(offering.a_person())
    seen.append(browser.cookie("idp_wait"))
    assert None not in seen
    assert len(set(seen)) == 4


def test_a_browser_that_never_waited_gets_no_secret(offering: World) -> None:
    browser = offering.browser()
    browser.sign_in_person(offering.a_person())
    assert browser.cookie("idp_wait") is None


def test_a_ticket_that_was_taken_and_opened_nothing_costs_its_secret_too(offering: World) -> None:
    operator = offering.an_operator()
    browser, ticket = a_page(offering)
    confirmed(a_phone(offering, operator.person), ticket, pin=PIN)
    with offering.write() as db:
        _person_suspended(db, offering, operator)
    before = browser.cookie("idp_wait")
    assert finish(browser, ticket).status == 403
    assert browser.cookie("idp_wait") not in {before, None}


def test_the_secret_alone_is_no_browser(offering: World) -> None:
    browser, ticket = a_confirmed_page(offering)
    thief, _ = a_page(offering)
    carries(thief, "idp_wait", browser.cookie("idp_wait"))
    page = finish(thief, ticket)
    assert not opened(thief, page)
    assert "二维码已失效" in page.text
    assert kept(offering, ticket).state is State.CONFIRMED
    assert finish(browser, ticket).location == "/center/person"


def test_a_scan_alone_opens_nothing(offering: World) -> None:
    browser, ticket = a_page(offering)
    tickets.scan(offering.platform.store, ticket, a_stranger(), now=offering.now())
    assert not opened(browser, finish(browser, ticket))


def test_a_confirmation_opens_one_sign_in(offering: World) -> None:
    browser, _ = a_confirmed_page(offering)
    assert browser.page
    fields = browser.page.form()["fields"]
    assert browser.post("/login/qr/finish", fields, follow=False).location == "/center/person"
    again = browser.post("/login/qr/finish", fields, follow=False)
    assert again.location == ""
    assert "这个二维码已经用过" in again.text


def test_of_ten_that_finish_at_once_one_comes_in(offering: World) -> None:
    browser, ticket = a_confirmed_page(offering)
    fields = {**(browser.page.form()["fields"] if browser.page else {}), "ticket": ticket}
    host = urlsplit(offering.settings.issuer).hostname or ""

    def finished(_number: int) -> str:
        twin = offering.browser()
        for name in ("idp_browser", "idp_wait"):
            twin.client.set_cookie(name, browser.cookie(name) or "", domain=host)
        return twin.post("/login/qr/finish", fields, follow=False).location

    assert sorted(at_once(10, finished)) == [""] * 9 + ["/center/person"]


def test_a_confirmation_that_comes_too_late_opens_nothing(offering: World) -> None:
    browser, ticket = a_confirmed_page(offering)
    with later(minutes=4):
        page = finish(browser, ticket)
    assert not opened(browser, page)
    assert "二维码已失效" in page.text


def test_a_ticket_answers_the_request_it_was_opened_for_and_no_other(offering: World) -> None:
    browser = offering.browser()
    first = browser.open(Authorization(offering.a_client()).address("openid"))
    ticket = ticket_on(first)
    confirmed(a_phone(offering, offering.a_person()), ticket, pin=PIN)
    second = browser.open(Authorization(offering.a_client()).address("openid"))
    for other in (f"/login/qr/finish?tx={second.url.partition('tx=')[2]}", "/login/qr/finish"):
        browser.open(second.url)
        assert not opened(browser, finish(browser, ticket, at=other))
    assert kept(offering, ticket).state is State.CONFIRMED, "the page that waits for it still may have it"


def test_without_the_pages_token_nothing_is_finished(offering: World) -> None:
    browser, ticket = a_confirmed_page(offering)
    page = browser.post("/login/qr/finish", {"ticket": ticket}, follow=False)
    assert page.status == 400
    assert kept(offering, ticket).state is State.CONFIRMED


@pytest.mark.parametrize("odd", ["", "x", "A" * 22, "A" * 4000, "二维码", "../../etc/passwd"])
def test_what_is_no_ticket_opens_nothing(offering: World, odd: str) -> None:
    browser, _ = a_page(offering)
    page = finish(browser, odd)
    assert page.status == 200
    assert not opened(browser, page)


def test_a_ticket_for_a_face_check_is_no_sign_in(offering: World) -> None:
    browser, _ = a_page(offering)
    store, phone, moment = offering.platform.store, a_stranger(), offering.now()
    asked = Asked(Purpose.FACE, portal="示例网厅", reason="请求核验", check="check")
    made = tickets.open_ticket(
        store,
        asked,
        Seen("", ""),
        secret=browser.cookie("idp_wait") or "",
        lifetime=timedelta(seconds=120),
        now=moment,
    )
    tickets.scan(store, made.id, phone, now=moment)
    answer = Answer("person", ("qr",), "urn:idp:loa:2", moment.timestamp())
    tickets.confirm(store, made.id, phone, answer, now=moment)
    assert not opened(browser, finish(browser, made.id))
    assert kept(offering, made.id).state is State.CONFIRMED


def _phone_signed_out(db: Session, world: World, operator: AnOperator) -> None:
    mine = update(SigninSession).where(
        SigninSession.person_id == operator.person.row.id, SigninSession.app.is_not(None)
    )
    db.execute(mine.values(ended_at=world.now()))


def _mandate_ended(db: Session, world: World, operator: AnOperator) -> None:
    mine = update(Mandate).where(Mandate.id == operator.mandate.id)
    db.execute(mine.values(ended_at=world.now()))


def _company_suspended(db: Session, world: World, operator: AnOperator) -> None:
    mine = update(Enterprise).where(Enterprise.id == operator.company.row.id)
    db.execute(mine.values(suspended_at=world.now()))


def _person_suspended(db: Session, world: World, operator: AnOperator) -> None:
    mine = update(Person).where(Person.id == operator.person.row.id)
    db.execute(mine.values(suspended_at=world.now()))


def _locked(db: Session, world: World, operator: AnOperator) -> None:
    here, account = world.platform, key_of(world, operator.person)
    endings.lock(db, here.vault, here.trail, here.notifier, account, Origin(), now=world.now())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_phone_signed_out, "手机上的登录已经结束"),
        (_mandate_ended, "企业已结束对您的授权"),
        (_company_suspended, "该企业的账号已停用"),
        (_person_suspended, "您的账号已停用"),
        (_locked, "账号已暂停"),
    ],
)
def test_what_ended_after_the_confirmation_opens_nothing_and_says_so(
    offering: World, change: Callable[[Session, World, AnOperator], None], sentence: str
) -> None:
    operator = offering.an_operator()
    browser, ticket = a_page(offering)
    confirmed(a_phone(offering, operator.person), ticket, identity=mandate_key(operator), pin=PIN)
    with offering.write() as db:
        change(db, offering, operator)
    page = finish(browser, ticket)
    assert page.status == 403
    assert not opened(browser, page)
    assert sentence in page.text
    assert "重新扫码" in page.text
    last = [action for action, _ in trail_of(offering, key_of(offering, operator.person))]
    assert "sign_in_refused" in last
    assert kept(offering, ticket).state is State.TAKEN, "what was refused is not tried again"


def test_a_phone_that_signs_out_while_its_browser_comes_in_keeps_it_out(offering: World) -> None:
    operator = offering.an_operator()
    a_phone(offering, operator.person)
    with offering.write() as db:
        on_phone = select(SigninSession.id).where(SigninSession.app.is_not(None))
        welcome = Welcome(Identity(operator.person.row.id, Role.NATURAL_PERSON), PROOF, "")
        confirmation = qr.Confirmed(welcome, db.scalars(on_phone).one())
        qr.check_phone(db, confirmation)
        _phone_signed_out(db, offering, operator)
        with pytest.raises(qr.PhoneSignedOut):
            qr.check_phone(db, confirmation)


def test_a_phone_that_signed_out_may_have_had_any_of_the_apps() -> None:
    assert "吉事办" not in str(qr.PhoneSignedOut())


def test_who_is_no_longer_the_representative_does_not_come_in_as_one(offering: World) -> None:
    company, successor = offering.a_company(), offering.a_person()
    browser, ticket = a_page(offering)
    phone = a_phone(offering, company.representative)
    confirmed(phone, ticket, identity=legal_key(company), pin=PIN)
    with offering.write() as db:
        mine = update(Enterprise).where(Enterprise.id == company.row.id)
        db.execute(mine.values(representative_id=successor.row.id))
    page = finish(browser, ticket)
    assert not opened(browser, page)
    assert "您已不是这家企业的法定代表人" in page.text


def test_a_password_that_was_changed_meanwhile_ends_the_way_in(offering: World) -> None:
    person = offering.a_person()
    browser, ticket = a_page(offering)
    confirmed(a_phone(offering, person), ticket, pin=PIN)
    change_password(offering, person, "Another-secret 7")
    with offering.write() as db:
        endings.end_sign_ins_by(
            db, offering.backends.vault, key_of(offering, person), reason="password", now=offering.now()
        )
    page = finish(browser, ticket)
    assert not opened(browser, page)
    assert "手机上的登录已经结束" in page.text


def test_somebody_else_does_not_come_into_the_middle_of_ones_business(offering: World) -> None:
    owner, other = offering.a_person(), offering.a_person()
    mine, theirs = a_phone(offering, owner), a_phone(offering, other)
    browser = offering.browser()
    confirmed(mine, ticket_on(browser.open("/login/qr")), pin=PIN)
    browser.submit()
    cookie = browser.cookie("idp_session")
    with later(minutes=5):
        mine.refresh()
        theirs.refresh()
        page = browser.open(Authorization(offering.a_client()).address("openid", max_age="60"))
        assert "请本人登录" in page.text
        confirmed(theirs, ticket_on(page), pin=PIN)
        assert "要换一个账号登录吗" in browser.submit().text
        assert browser.cookie("idp_session") == cookie
        confirmed(mine, ticket_on(browser.open(page.url)), pin=PIN)
        assert "code" in browser.submit().query


def test_an_identity_that_cannot_answer_gets_no_code(offering: World) -> None:
    """Checked on the phone, and once more by the dispatcher."""
    operator = offering.an_operator()
    phone, browser = a_phone(offering, operator.person), offering.browser()
    page = browser.open(Authorization(offering.a_client()).address("openid"))
    ticket, identity = ticket_on(page), mandate_key(operator)
    phone.scanned(ticket)
    assert phone.confirm(ticket, identity=identity, pin=PIN).status_code != 200
    store, moment = offering.platform.store, offering.now()
    scanned = kept(offering, ticket).phone
    assert scanned
    answer = Answer(identity, ("qr",), "urn:idp:loa:2", moment.timestamp())
    tickets.confirm(store, ticket, scanned, answer, now=moment)
    assert "这里需要以个人身份登录" in browser.submit().text


def test_a_ticket_is_nothing_but_a_ticket(offering: World) -> None:
    """Neither a session, a code, a second step nor a user code, and none of these is a ticket."""
    browser, ticket = a_confirmed_page(offering)
    host = urlsplit(offering.settings.issuer).hostname or ""
    stranger = offering.browser()
    stranger.client.set_cookie("idp_session", ticket, domain=host)
    assert stranger.open("/center/person").url.startswith("/login")
    client = offering.a_client()
    assert Authorization(client).redeem(stranger, ticket).status_code == 400
    assert stranger.open(f"/login/second?ticket={ticket}").status == 400
    assert finish(browser, browser.cookie("idp_wait") or "").location == ""
