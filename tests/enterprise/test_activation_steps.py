"""The steps of an activation hold: nobody skips one, acts twice, or goes on with a changed record."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, event, func, select

from idp.accounts.models import Credential, LegalAccount, LoginName, Person
from idp.proof.sms_codes import TRIES
from tests.enterprise.pending import (
    NEW_PASSWORD,
    PHONE,
    Waiting,
    a_waiting_company,
    another_message_may_go,
)
from tests.login.acting import same_browser, trail_of
from tests.messages import last_code, waiting
from tests.oauth.asking import at_once
from tests.world import Browser, Page, World, error_sentences

MOVED_ON = "登记信息在您填写之后有变动"


def journey_of(browser: Browser) -> str:
    """The journey whose page is open in `browser`."""
    assert browser.page
    return browser.page.url.partition("?j=")[2]


def count(world: World, table: type[Any]) -> int:
    """How many rows there are."""
    with world.reading() as db:
        return db.scalar(select(func.count()).select_from(table)) or 0


def names_of(company: Waiting) -> list[str]:
    """The account names of the company."""
    mine = select(LoginName.name).where(LoginName.legal_account_id == company.account_id)
    with company.world.reading() as db:
        return list(db.scalars(mine))


@pytest.mark.parametrize("step", ["phone", "password", "done"])
def test_a_step_without_its_journey_leads_to_the_beginning(world: World, step: str) -> None:
    for query in ("", "?j=", "?j=AAAAAAAAAAAAAAAAAAAAAA", "?j=%3Cb%3E"):
        page = world.browser().open(f"/activate/{step}{query}")
        assert page.status == 400
        assert "账号激活没有完成" in page.text
        assert 'href="/activate"' in page.html


@pytest.mark.parametrize("step", ["phone", "password", "done"])
def test_another_browser_has_nothing_of_a_journey(world: World, step: str) -> None:
    company, browser = a_waiting_company(world), world.browser()
    company.proves_the_phone(browser)
    page = world.browser().open(f"/activate/{step}?j={journey_of(browser)}")
    assert page.status == 400
    assert company.company.name not in page.text
    page = world.browser().open(f"/activate?j={journey_of(browser)}")
    assert company.company.representative.id_number not in page.html


@pytest.mark.parametrize("step", ["password", "done"])
def test_nobody_is_on_a_step_before_the_phone_is_proved(world: World, step: str) -> None:
    company, browser = a_waiting_company(world), world.browser()
    company.asks_for_a_code(browser)
    journey = journey_of(browser)
    assert browser.open(f"/activate/{step}?j={journey}").url == f"/activate/phone?j={journey}"
    chosen = {"account": "yunshan_build", "new_password": NEW_PASSWORD, "confirm_password": NEW_PASSWORD}
    token = browser.page.form()["fields"]["csrf_token"] if browser.page else ""
    browser.post(f"/activate/password?j={journey}", {**chosen, "agreed": "y", "csrf_token": token})
    assert not company.is_active


def test_the_code_goes_to_the_phone_of_the_record_and_to_no_other(world: World) -> None:
    """Y, "activation"."""
    company, browser = a_waiting_company(world), world.browser()
    company.tells(browser, phone="13811111111")
    page = browser.submit({"send": "1", "phone": "13811111111"})
    assert waiting(world, "13811111111") == []
    assert len(waiting(world, PHONE)) == 1
    assert PHONE not in page.html


def test_the_second_message_wants_a_captcha(world: World) -> None:
    company, browser = a_waiting_company(world), world.browser()
    company.asks_for_a_code(browser)
    another_message_may_go(world)
    page = browser.submit({"send": "1"})
    assert error_sentences(page) == ["请填写图形验证码"]
    browser.submit_with_captcha({"send": "1"})
    assert len(waiting(world, PHONE)) == 2


def test_a_wrong_code_can_be_typed_so_often_and_no_more(world: World) -> None:
    company, browser = a_waiting_company(world), world.browser()
    company.asks_for_a_code(browser)
    code = last_code(world, PHONE)
    wrong = "000000" if code != "000000" else "111111"
    said = [error_sentences(browser.submit({"code": wrong}))[0] for _ in range(TRIES)]
    assert said[0] == "短信验证码不正确，还可以再试 4 次"
    assert said[-1] == "短信验证码错误次数过多，请重新获取"
    assert error_sentences(browser.submit({"code": code})) == ["短信验证码错误次数过多，请重新获取"]
    assert error_sentences(browser.submit({"code": ""})) == ["请填写短信验证码"]


def test_the_trail_knows_of_wrong_codes_and_of_nothing_that_was_no_guess(world: World) -> None:
    company, browser = a_waiting_company(world), world.browser()
    company.tells(browser)
    browser.submit({"code": "000000"})
    assert trail_of(world, company.key) == []
    browser.submit({"send": "1"})
    wrong = "000000" if last_code(world, PHONE) != "000000" else "111111"
    for _ in range(2):
        browser.submit({"code": wrong})
    assert trail_of(world, company.key) == [("proof_refused", {"why": "sms_code"})] * 2


def test_the_code_of_one_journey_opens_no_other(world: World) -> None:
    """SECURITY 19: another browser, another company with the same phone."""
    first, second = a_waiting_company(world), a_waiting_company(world)
    browser, other = world.browser(), world.browser()
    first.asks_for_a_code(browser)
    code = last_code(world, PHONE)
    for company, where in ((first, other), (second, other), (second, browser), (first, browser)):
        company.tells(where)
        page = where.submit({"code": code})
        assert error_sentences(page) == ["短信验证码已过期或已使用，请重新获取"]


def test_a_code_that_was_typed_twice_leads_to_the_same_page(world: World) -> None:
    company, browser = a_waiting_company(world), world.browser()
    page = company.asks_for_a_code(browser)
    form, address = page.form()["fields"], page.url
    sent = {**form, "code": last_code(world, PHONE)}
    first = browser.post(address, sent).url
    assert first.startswith("/activate/password")
    assert browser.post(address, sent).url == first


def test_the_last_form_sent_twice_acts_once_and_both_see_the_end(world: World) -> None:
    company, browser = a_waiting_company(world), world.browser()
    page = company.proves_the_phone(browser)
    form, address = page.form()["fields"], page.url
    end = company.chooses(browser).url
    told = len(waiting(world, PHONE))
    again = browser.post(
        address,
        {**form, "account": "another_name", "new_password": NEW_PASSWORD, "confirm_password": NEW_PASSWORD},
    )
    assert again.url == end
    assert names_of(company) == ["yunshan_build"]
    assert len(waiting(world, PHONE)) == told
    for step in ("", "/phone", "/password"):
        assert browser.open(f"/activate{step}?j={journey_of(browser)}").url == end


def test_the_last_button_pressed_twice_at_once_acts_once_and_both_see_the_end(world: World) -> None:
    company, browser = a_waiting_company(world), world.browser()
    page = company.proves_the_phone(browser)
    windows = [same_browser(world, browser) for _ in range(2)]
    for window in windows:
        window.page = page
    pages = at_once(2, lambda which: company.chooses(windows[which]))
    assert [(each.status, each.url.partition("?")[0]) for each in pages] == [(200, "/activate/done")] * 2
    assert all("yunshan_build" in each.text for each in pages)
    assert names_of(company) == ["yunshan_build"]


def test_the_end_waits_for_rows_that_are_about_to_be_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second of two clicks sees the end that was noted before the first one's rows are committed."""
    company, browser = a_waiting_company(world), world.browser()
    company.proves_the_phone(browser)
    second, seen, has_looked = same_browser(world, browser), list[Page](), threading.Event()
    address = f"/activate/done?j={journey_of(browser)}"
    looking = threading.Thread(target=lambda: seen.append(second.open(address)))

    def looked(_conn: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if threading.current_thread() is looking and "login_names" in statement:
            has_looked.set()

    session = world.platform.database.session.class_
    real = session.commit

    def commit(db: Any) -> None:
        if threading.current_thread() is not looking and db.in_transaction() and is_written(db):
            looking.start()
            assert has_looked.wait(10)
        real(db)

    def is_written(db: Any) -> bool:
        return not looking.is_alive() and not seen and db.scalar(activated) is not None

    activated = select(LegalAccount.activated_at).where(LegalAccount.id == company.account_id)
    event.listen(world.platform.database.engine, "after_cursor_execute", looked)
    try:
        with monkeypatch.context() as late:
            late.setattr(session, "commit", commit)
            company.chooses(browser)
    finally:
        event.remove(world.platform.database.engine, "after_cursor_execute", looked)
    looking.join(20)
    [page] = seen
    assert (page.status, page.url) == (200, address), page.text


def test_whoever_goes_back_finds_what_he_typed_and_may_begin_anew(world: World) -> None:
    """The back button at each step."""
    company, browser = a_waiting_company(world), world.browser()
    company.proves_the_phone(browser)
    journey = journey_of(browser)
    page = browser.open(f"/activate/phone?j={journey}")
    assert page.url == f"/activate/password?j={journey}"
    page = browser.open(f"/activate?j={journey}")
    kept = page.form()["fields"]
    right = company.told(valid_until="2041-03-04")
    assert {name: kept[name] for name in right if name not in {"type", "id_type"}} == {
        name: right[name] for name in right if name not in {"type", "id_type"}
    }
    page = browser.submit_with_captcha(company.told())
    assert page.url.startswith("/activate/phone?j=")
    assert journey_of(browser) != journey
    page = browser.open(f"/activate/password?j={journey}")
    assert company.chooses(browser).url.startswith("/activate/done")


@pytest.mark.parametrize("step", ["phone", "password"])
def test_of_two_tabs_one_activates_and_the_other_is_told(world: World, step: str) -> None:
    company, browser, other = a_waiting_company(world), world.browser(), world.browser()
    company.tells(other)
    if step == "password":
        other.submit({"send": "1"})
        page = other.submit({"code": last_code(world, PHONE)})
        assert page.url.startswith("/activate/password")
    left_behind = other.page
    assert left_behind
    another_message_may_go(world)
    company.proves_the_phone(browser)
    company.chooses(browser)
    for page in (
        other.open(left_behind.url),
        other.post(left_behind.url, {**left_behind.form()["fields"], **choice("second_name")}),
    ):
        assert page.status == 409
        assert "这个企业账号已经激活" in page.text
    assert names_of(company) == ["yunshan_build"]


def choice(account: str) -> dict[str, str]:
    """What the third step is sent."""
    return {
        "account": account,
        "new_password": NEW_PASSWORD,
        "confirm_password": NEW_PASSWORD,
        "agreed": "y",
    }


def test_of_twenty_at_once_one_activates(world: World) -> None:
    """SECURITY 57: each in a browser of its own, each with the phone proved, each with another name."""
    # One phone is not sent so many codes in a day.
    with world.rewired(sms_a_day=20) as there:
        company, browsers = a_waiting_company(there), [there.browser() for _ in range(20)]
        for browser in browsers:
            another_message_may_go(there)
            company.proves_the_phone(browser)
        pages = at_once(20, lambda which: company.chooses(browsers[which], account=f"company_no{which:02d}"))
    ends = [page.url.partition("?")[0] for page in pages]
    assert ends.count("/activate/done") == 1
    # 503: more passwords at once than one process hashes.
    assert {page.status for page in pages if not page.url.startswith("/activate/done")} <= {409, 503}
    assert all("这个企业账号已经激活" in page.text for page in pages if page.status == 409)
    assert 409 in {page.status for page in pages}
    [name] = names_of(company)
    assert name == f"company_no{ends.index('/activate/done'):02d}"
    assert count(world, Credential) == 1 + 1  # the representative's own


def another_name(company: Waiting) -> None:
    company.changes(name="云杉示例建筑集团有限公司")


def another_phone(company: Waiting) -> None:
    company.has_phone("13700000002")


def no_phone(company: Waiting) -> None:
    company.has_phone(None)


def another_representative(company: Waiting) -> None:
    company.changes(representative_id=company.world.a_person().row.id)


def other_days(company: Waiting) -> None:
    company.knows_days(company.world.now().date())


@pytest.mark.parametrize("step", ["phone", "password"])
@pytest.mark.parametrize(
    "change", [another_name, another_phone, no_phone, another_representative, other_days]
)
def test_a_record_that_changes_between_steps_ends_the_journey(
    world: World, step: str, change: Callable[[Waiting], None]
) -> None:
    company, browser = a_waiting_company(world), world.browser()
    page = company.asks_for_a_code(browser)
    code, sent = last_code(world, PHONE), {**page.form()["fields"]}
    if step == "password":
        page = browser.submit({"code": code})
        sent = {**page.form()["fields"], **choice("yunshan_build")}
    change(company)
    for answer in (browser.open(page.url), browser.post(page.url, {**sent, "code": code})):
        assert answer.status == 409
        assert MOVED_ON in answer.text
    assert not company.is_active


def test_a_company_that_is_suspended_between_steps_is_told_so(world: World) -> None:
    company, browser = a_waiting_company(world), world.browser()
    company.proves_the_phone(browser)
    company.changes(suspended_at=world.now())
    page = company.chooses(browser)
    assert page.status == 403
    assert "该企业的账号已停用" in page.text
    assert not company.is_active


def test_an_end_whose_rows_were_never_kept_is_none(world: World) -> None:
    """The process died between the note and the commit: the person is not told that it is done."""
    company, browser = a_waiting_company(world), world.browser()
    company.proves_the_phone(browser)
    page = company.chooses(browser)
    with world.write() as db:
        mine = LoginName.legal_account_id == company.account_id
        db.execute(delete(LoginName).where(mine))
        db.execute(delete(Credential).where(Credential.legal_account_id == company.account_id))
        db.get_one(LegalAccount, company.account_id).activated_at = None
    page = browser.open(page.url)
    assert page.status == 400
    assert "账号激活没有完成" in page.text
    another_message_may_go(world)
    company.proves_the_phone(browser)
    assert company.chooses(browser).url.startswith("/activate/done")


def test_nothing_that_is_sent_breaks_the_pages(world: World) -> None:
    company, browser = a_waiting_company(world), world.browser()
    page = company.proves_the_phone(browser)
    odd = [
        "",
        "\x00",
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
        "9" * 5000,
        "<b>",
        "'\"--",
    ]
    token = page.form()["fields"]["csrf_token"]
    for value in odd:
        fields = [*company.told(), "captcha", "captcha_id", "code", *choice("")]
        everything = dict.fromkeys(fields, value.encode("utf-8", "surrogateescape"))
        for address in ("/activate", f"/activate/phone?j={journey_of(browser)}", page.url):
            answer = browser.client.post(
                address, data={**everything, "csrf_token": token}, base_url=world.settings.issuer
            )
            assert answer.status_code < 500, (address, value)
    assert not company.is_active


def test_the_store_has_nothing_of_it_in_clear(world: World) -> None:
    """What people tell of themselves is sealed, and the password is never in a journey."""
    company, browser = a_waiting_company(world), world.browser()
    company.proves_the_phone(browser)
    kept = world.backends.store.get(f"journey:{journey_of(browser)}")
    assert kept
    assert company.company.representative.id_number.encode() not in kept
    with world.reading() as db:
        assert db.get_one(Person, company.company.representative.row.id).id_valid_from is None
