"""The first use of a mandate's password: only he may know it afterwards (SECURITY 28, 30; X2, Y)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from idp.access import endings
from idp.accounts.audit import Action, AuditEvent, Origin
from idp.accounts.calendar import civil_day
from idp.accounts.models import Credential
from idp.accounts.sessions import SigninSession
from idp.proof import sms_codes
from tests.adapters.arrange import at_once
from tests.login.acting import VAGUE, a_code, choose_first_password, is_in, names_of, type_in
from tests.portals import Authorization
from tests.world import PASSWORD, AnOperator, Browser, Page, World, error_sentences

OWN = "Only-mine 2026"


@pytest.fixture
def operator(world: World) -> AnOperator:
    return world.an_operator(must_change=True)


@pytest.fixture
def browser(world: World, operator: AnOperator) -> Browser:
    """A browser that stands before the page for the new password."""
    return at_the_step(world, operator)


def at_the_step(world: World, operator: AnOperator) -> Browser:
    browser = world.browser()
    page = browser.sign_in_operator(operator)
    assert page.url.startswith("/login/first-password?")
    return browser


@pytest.fixture
def code(browser: Browser, operator: AnOperator) -> str:
    """The code on the operator's own phone."""
    return a_code(browser, operator.phone)


def choose(browser: Browser, code: str = "", password: str = OWN, again: str | None = None) -> Page:
    """Send the code, unless the phone was proved already, and a new password."""
    repeated = password if again is None else again
    typed = {"code": code} if code else {}
    return browser.submit({**typed, "new_password": password, "confirm_password": repeated}, follow=False)


def test_a_password_the_company_set_opens_nothing_but_the_change(
    world: World, operator: AnOperator, browser: Browser
) -> None:
    assert browser.cookie("idp_session") is None
    assert browser.open("/center/operator", follow=False).location.startswith("/login/operator")
    with world.reading() as db:
        assert db.scalars(select(SigninSession)).all() == []


def test_the_new_password_signs_in_and_the_old_one_is_gone(
    world: World, operator: AnOperator, browser: Browser, code: str
) -> None:
    assert is_in(choose(browser, code))
    assert browser.open("/center/operator").status == 200
    way, names = names_of(operator)
    assert error_sentences(type_in(world.browser(), way, PASSWORD, **names)) == [VAGUE]
    assert is_in(type_in(world.browser(), way, OWN, **names))
    with world.reading() as db:
        actions = list(db.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))
    assert actions[:2] == [Action.PASSWORD_CHANGED, Action.SIGNED_IN]


def test_the_browser_of_the_change_is_known(
    world: World, operator: AnOperator, browser: Browser, code: str
) -> None:
    choose(browser, code)
    way, names = names_of(operator)
    for _ in range(6):
        page = type_in(world.browser(), way, PASSWORD, **names)
    assert page.status == 429
    assert is_in(type_in(browser, way, OWN, **names))


def test_the_page_says_for_which_company(operator: AnOperator, browser: Browser) -> None:
    assert browser.page
    assert operator.company.name in browser.page.text
    assert operator.phone not in browser.page.html


def refused_passwords(operator: AnOperator) -> dict[str, str]:
    """Passwords that may not be set, with the beginning of what is said."""
    person, company = operator.person, operator.company
    return {
        "Ab 3456": "密码至少 8 个字符，目前是 7 个",
        "x1" * 65: "密码最多 128 个字符，目前是 130 个",
        "onlyletters": "密码要包含数字、字母、符号中的至少两种",
        "password1": "这个密码太常见",
        "tongxing1": "这个密码太常见",
        "吉林2026": "密码至少 8 个字符",
        "吉林202601": "这个密码太常见",
        f"x{operator.phone}": "密码里不能包含",
        f"a-{person.id_number.lower()}": "密码里不能包含",
        f"{person.account.upper()}!9": "密码里不能包含",
        f"a-{company.uscc.lower()}": "密码里不能包含",
        f"{company.account}!9": "密码里不能包含",
        PASSWORD: "新密码不能与单位设置的密码相同",
    }


def test_a_password_that_may_not_be_set_is_refused_with_its_reason(
    world: World, operator: AnOperator, browser: Browser, code: str
) -> None:
    said = {
        typed: error_sentences(choose(browser, "" if number else code, typed))
        for number, typed in enumerate(refused_passwords(operator))
    }
    unlike = {
        typed: said[typed]
        for typed, sentence in refused_passwords(operator).items()
        if len(said[typed]) != 1 or not said[typed][0].startswith(sentence)
    }
    assert not unlike
    assert is_in(choose(browser)), "a refusal spends neither the ticket nor what was proved by the code"


def test_the_phone_the_company_recorded_is_no_password_either(
    world: World, operator: AnOperator, browser: Browser, code: str
) -> None:
    with world.write() as db:
        db.merge(operator.mandate).set_phone(world.backends.vault, "13700000088")
    assert error_sentences(choose(browser, code, "x13700000088"))[0].startswith("密码里不能包含")


def test_a_slip_of_the_hand_is_asked_again(browser: Browser, code: str) -> None:
    nothing = ["请填写短信验证码", "请填写新密码", "请再次输入新密码"]
    assert error_sentences(choose(browser, "", "", "")) == nothing
    assert error_sentences(choose(browser, "12 34")) == ["短信验证码是 6 位数字"]
    page = choose(browser, code, OWN, OWN + "x")
    assert error_sentences(page) == ["两次填写的密码不一样"]
    assert OWN not in page.html
    assert "已确认，请设置新密码" in page.text, "nobody is sent a second message for another password"
    assert error_sentences(choose(browser, "", "", "")) == nothing[1:]
    assert is_in(choose(browser))


@pytest.mark.parametrize("proved_before", [True, False])
def test_the_ticket_is_spent_by_the_one_who_succeeds(
    world: World, browser: Browser, code: str, proved_before: bool
) -> None:
    if proved_before:
        choose(browser, code, "too short"[:3])
    assert browser.page
    step, fields = browser.page.url, browser.page.form()["fields"]
    filled = {**fields, "code": code, "new_password": OWN, "confirm_password": OWN}
    answers = at_once(4, lambda _number: twin(world, browser).post(step, filled, follow=False))
    assert [is_in(page) for page in answers].count(True) == 1
    assert all(page.status == 400 for page in answers if not is_in(page)), "nobody hears of a used code"
    assert "这一步已经失效" in browser.open(step).text


def test_a_twin_of_the_form_that_spent_the_code_leads_on(
    world: World, browser: Browser, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the spent code and the note of it the whole of a twin may happen."""
    assert browser.page
    step, fields = browser.page.url, browser.page.form()["fields"]
    filled = {**fields, "code": code, "new_password": OWN, "confirm_password": OWN}
    check, twins = sms_codes.check, list[Page]()

    def then_the_twin(*given: Any, **more: Any) -> None:
        check(*given, **more)
        twins.append(twin(world, browser).post(step, filled, follow=False))

    monkeypatch.setattr(sms_codes, "check", then_the_twin)
    first = browser.post(step, filled, follow=False)
    assert [is_in(page) for page in twins] == [True], twins[0].text
    assert "这一步已经失效" in first.text


def twin(world: World, browser: Browser) -> Browser:
    """Another window of the same browser."""
    same = world.browser()
    same.client.set_cookie("idp_browser", browser.cookie("idp_browser") or "")
    return same


def test_a_ticket_opens_nothing_in_another_browser(world: World, browser: Browser, code: str) -> None:
    assert browser.page
    thief = world.browser()
    assert "这一步已经失效" in thief.open(browser.page.url).text
    thief.open("/login/operator")
    assert thief.page
    token = thief.page.form()["fields"]["csrf_token"]
    stolen = {"csrf_token": token, "code": code, "new_password": OWN, "confirm_password": OWN}
    assert thief.post(browser.page.url, stolen).status == 400
    assert thief.post(browser.page.url, {"csrf_token": token, "send": "1"}).status == 400
    assert is_in(choose(browser, code))


def test_a_ticket_is_kept_for_ten_minutes(world: World, browser: Browser) -> None:
    assert browser.page
    store, key = world.backends.store, "first-use:" + browser.page.url.partition("ticket=")[2]
    assert 590 < store.remaining(key) <= 600
    store.delete(key)
    assert choose(browser).status == 400


@pytest.mark.parametrize("step", ["/login/first-password", "/login/first-password?ticket=x" + "y" * 900])
def test_an_invented_ticket_is_told_so(world: World, step: str) -> None:
    page = world.browser().open(step)
    assert page.status == 400
    assert "这一步已经失效" in page.text


def test_a_mandate_that_ended_meanwhile_gets_no_password(
    world: World, operator: AnOperator, browser: Browser
) -> None:
    with world.write() as db:
        backends, mandate = world.backends, db.merge(operator.mandate)
        endings.end_mandate(db, backends.vault, backends.trail, mandate, Origin(), now=world.now())
    page = choose(browser)
    assert page.status == 403
    assert "企业已结束对您的授权" in page.text
    with world.reading() as db:
        assert db.scalars(
            select(Credential.must_change).where(Credential.mandate_id == operator.mandate.id)
        ).one()


def test_a_mandate_that_expired_meanwhile_gets_no_password(world: World) -> None:
    operator = world.an_operator(must_change=True, last_day=civil_day(world.now()))
    browser = world.browser()
    browser.sign_in_operator(operator)
    with world.write() as db:
        mandate = db.merge(operator.mandate)
        mandate.first_day = mandate.last_day = civil_day(world.now()) - timedelta(days=1)
    assert "到期" in choose(browser).text


def test_a_password_the_company_sets_anew_ends_the_step_of_the_old_one(
    world: World, operator: AnOperator, browser: Browser
) -> None:
    with world.write() as db:
        anew = {"password_hash": world.hash("Set again 77"), "changed_at": world.now()}
        db.execute(update(Credential).where(Credential.mandate_id == operator.mandate.id).values(**anew))
    assert "这一步已经失效" in choose(browser).text
    way, names = names_of(operator)
    assert type_in(world.browser(), way, "Set again 77", **names).location.startswith("/login/first-password")


def test_the_journey_of_a_portal_goes_on_after_the_change(world: World, operator: AnOperator) -> None:
    browser, request = world.browser(), Authorization(world.a_client())
    browser.open(request.address())
    assert browser.page
    page = browser.sign_in_operator(operator, at=browser.page.url.replace("legal", "operator"))
    assert page.url.startswith("/login/first-password?")
    answer = choose_first_password(browser, operator.phone, OWN)
    assert answer.location.startswith(request.client.redirect_uri)
    assert "code" in answer.query
