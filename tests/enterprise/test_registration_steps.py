"""The steps of a registration hold: nobody skips one, of many one wins, a form sent twice acts once."""

from __future__ import annotations

from itertools import product

from sqlalchemy import delete, select

from idp.accounts.agreements import Acceptance
from idp.accounts.models import Credential, Enterprise, LegalAccount, LoginName, Person
from tests.enterprise.applying import NEW_PASSWORD, START, Applicant, Office, journey_of
from tests.messages import last_code, waiting
from tests.oauth.asking import at_once, later
from tests.world import Browser, Page, error_sentences

TAKEN = "这个账号已被使用，请换一个"


def faces_shown(here: Office, count: int, **changed: str) -> list[tuple[Applicant, Browser]]:
    """So many representatives, each in a browser at an address of his own, whose faces have passed."""
    ready = []
    for number in range(count):
        applicant, browser = Applicant(here), here.world.browser(address=f"10.0.{number}.1")
        assert applicant.sends(browser, **changed).url.startswith(f"{START}/face")
        applicant.shows_face(browser)
        ready.append((applicant, browser))
    return ready


def go_on_at_once(ready: list[tuple[Applicant, Browser]]) -> list[Page]:
    """The last button, pressed by all of them together."""
    return at_once(len(ready), lambda number: ready[number][0].goes_on(ready[number][1]))


def test_of_twenty_who_register_one_credit_code_at_once_one_does(here: Office) -> None:
    """SECURITY 57: the others hear it, and nothing of theirs is left."""
    uscc = Applicant(here).uscc
    pages = go_on_at_once(faces_shown(here, 20, uscc=uscc))
    assert sorted(page.status for page in pages) == [200] + [409] * 19
    [won] = [page for page in pages if page.status == 200]
    assert won.url.startswith(f"{START}/done")
    assert all("该企业已注册" in page.text for page in pages if page is not won)
    tables = (Enterprise, LegalAccount, LoginName, Credential, Person)
    assert [here.rows(table) for table in tables] == [1] * len(tables)
    assert here.rows(Acceptance) == 2


def test_of_many_who_want_one_account_name_one_has_it_and_the_others_choose_another(here: Office) -> None:
    """Their phones and faces stay proved."""
    ready = faces_shown(here, 5, account="xianghai_farm")
    pages = go_on_at_once(ready)
    lost = [(pair, page) for pair, page in zip(ready, pages, strict=True) if "/done" not in page.url]
    assert len(lost) == 4
    assert here.rows(Enterprise) == here.rows(Person) == 1
    for (applicant, browser), page in lost:
        assert error_sentences(page) == [TAKEN]
        assert page.form()["fields"]["uscc"] == applicant.uscc
        assert applicant.sends_again(browser).url.startswith(f"{START}/done")
    assert here.rows(Enterprise) == here.rows(LoginName) == 5


def test_one_who_represents_many_registers_them_at_once(here: Office) -> None:
    """Y: one Person of one document."""
    number = Applicant(here).id_number
    pages = go_on_at_once(faces_shown(here, 4, id_number=number))
    assert [page.url.partition("?")[0] for page in pages] == [f"{START}/done"] * 4
    assert (here.rows(Enterprise), here.rows(Person)) == (4, 1)


def pressed_at_once(here: Office, browser: Browser, times: int, **typed: str) -> list[Page]:
    """The form that is open in `browser`, with what is typed now, sent by it so many times together."""
    assert browser.page
    form, address = browser.page.form(), browser.page.url
    cookies = {cookie.key: cookie.value for cookie in (browser.client._cookies or {}).values()}

    def press(_: int) -> Page:
        twin = here.world.browser()
        for name, value in cookies.items():
            twin.client.set_cookie(name, value, domain="127.0.0.1")
        return twin.post(form["action"] or address, {**form["fields"], **typed})

    return at_once(times, press)


def stopped_at_the_end(here: Office) -> tuple[Applicant, Browser]:
    """A face was shown, and the representative was suspended just then, by mistake."""
    person = here.world.a_person(name="田小禾")
    applicant, browser = Applicant(here), here.world.browser()
    applicant.sends(browser, id_number=person.id_number)
    applicant.shows_face(browser)
    for at in (here.world.now(), None):
        with here.world.write() as db:
            db.get_one(Person, person.row.id).suspended_at = at
        if at:
            assert applicant.goes_on(browser).status == 403
    assert here.rows(Enterprise) == 0
    return applicant, browser


def test_the_button_of_a_check_pressed_several_times_at_once_registers_once(here: Office) -> None:
    [(applicant, browser)] = faces_shown(here, 1)
    assert browser.page
    address = browser.page.url
    pressed_at_once(here, browser, 4)
    assert here.rows(Enterprise) == 1
    assert browser.open(address).url.startswith(f"{START}/done")
    assert len([one for one in waiting(here.world, applicant.phone) if "已注册" in one["text"]]) == 1


def test_what_was_proved_is_kept_and_the_end_pressed_several_times_at_once_acts_once(here: Office) -> None:
    applicant, browser = stopped_at_the_end(here)
    page = browser.open(f"{START}/face?j={journey_of(browser)}")
    assert "实名核验已完成" in page.text
    pages = pressed_at_once(here, browser, 4)
    assert {page.url.partition("?")[0] for page in pages} == {f"{START}/done"}
    assert here.rows(Enterprise) == 1
    assert len([one for one in waiting(here.world, applicant.phone) if "已注册" in one["text"]]) == 1


def test_who_comes_to_be_known_by_another_name_meanwhile_registers_nothing(here: Office) -> None:
    [(applicant, browser)] = faces_shown(here, 1)
    here.world.a_person(name="林小满", id_number=applicant.id_number)
    page = applicant.goes_on(browser)
    assert (page.status, "法人信息不匹配" in page.text) == (403, True)
    assert here.rows(Enterprise) == 0


def test_what_was_proved_for_one_company_is_no_proof_for_another(here: Office) -> None:
    """SECURITY 55."""
    applicant, browser = stopped_at_the_end(here)
    page = browser.open(f"{START}?j={journey_of(browser)}")
    number = page.form()["fields"]["id_number"]
    page = applicant.sends_again(browser, id_number=number, uscc=Applicant(here).uscc)
    assert page.url.startswith(f"{START}/face")
    assert "去刷脸" in page.text
    assert {"返回修改", "账号申诉"} <= set(page.text.split())
    assert here.rows(Enterprise) == 0


def test_the_first_form_sent_twice_goes_on_twice(here: Office) -> None:
    applicant, browser = Applicant(here), here.world.browser()
    page = applicant.asks_for_a_code(browser)
    form, address = page.form()["fields"], page.url
    sent = {**form, **applicant.told(), "code": last_code(here.world, applicant.phone)}
    first = browser.post(address, sent).url
    assert first.startswith(f"{START}/face")
    assert browser.post(address, sent).url == first


def test_a_step_without_its_journey_leads_to_the_beginning(here: Office) -> None:
    steps = ("/face", "/face/finish", "/representative", "/representative/code", "/done")
    queries = ("", "?j=", "?j=AAAAAAAAAAAAAAAAAAAAAA", "?j=%3Cb%3E")
    for step, query in product(steps, queries):
        page = here.world.browser().open(f"{START}{step}{query}")
        assert page.status == 400, (step, query)
        assert "法人注册没有完成" in page.text
        assert f'href="{START}"' in page.html


def test_another_browser_has_nothing_of_a_journey(here: Office) -> None:
    applicant, browser = Applicant(here), here.world.browser()
    applicant.sends(browser)
    for step in ("", "/face", "/done"):
        page = here.world.browser().open(f"{START}{step}?j={journey_of(browser)}")
        assert applicant.id_number not in page.html
        assert applicant.told()["name"] not in page.html


def test_nobody_is_on_a_step_before_the_form_is_right(here: Office) -> None:
    applicant, browser = Applicant(here), here.world.browser()
    applicant.asks_for_a_code(browser)
    journey = journey_of(browser)
    for step in ("/face", "/face/finish?check=x", "/representative", "/representative/code", "/done"):
        page = browser.open(f"{START}{step}{'&' if '?' in step else '?'}j={journey}")
        assert page.url == f"{START}?j={journey}"
    assert here.rows(Enterprise) == 0


def test_after_the_end_every_step_leads_there(here: Office) -> None:
    applicant, browser = Applicant(here), here.world.browser()
    end = applicant.registers(browser).url
    for step in ("", "/face", "/face/finish", "/representative", "/representative/code"):
        assert browser.open(f"{START}{step}?j={journey_of(browser)}").url == end


def test_who_comes_back_finds_what_he_typed_and_may_go_on_again(here: Office) -> None:
    """The back button: the passwords are typed anew, code and phone stay."""
    applicant, browser = Applicant(here), here.world.browser()
    applicant.sends(browser)
    page = browser.open(f"{START}?j={journey_of(browser)}")
    fields = page.form()["fields"]
    typed = {**applicant.told(), "valid_until": "2041-03-04", "new_password": "", "confirm_password": ""}
    kept = typed.keys() - {"type", "id_type", "agreed"}
    assert {name: fields[name] for name in kept} == {name: typed[name] for name in kept}
    page = applicant.sends_again(browser, name="向海改名示例有限公司")
    assert page.url.startswith(f"{START}/face")
    assert "向海改名示例有限公司" in page.text


def test_a_form_that_was_refused_shows_what_was_typed_when_it_is_loaded_anew(here: Office) -> None:
    applicant, browser = Applicant(here), here.world.browser()
    page = applicant.sends(browser, account="1", agreed="")
    assert "form_answer.js" in page.html
    page = browser.open(page.url)
    fields, told = page.form()["fields"], applicant.told(account="1")
    for name in ("account", "name", "uscc", "representative_name", "id_number", "valid_from", "phone"):
        assert fields[name] == told[name], name
    assert "手机号码已验证" in page.text
    assert "agreed" not in fields
    assert applicant.sends_again(browser).url.startswith(f"{START}/face")


def test_two_tabs_are_two_journeys(here: Office) -> None:
    first, second, browser = Applicant(here), Applicant(here), here.world.browser()
    first.sends(browser)
    left = journey_of(browser)
    second.registers(browser)
    browser.open(f"{START}/face?j={left}")
    first.shows_face(browser)
    assert first.goes_on(browser).url.startswith(f"{START}/done")
    assert here.rows(Enterprise) == 2


def test_a_journey_that_took_too_long_begins_anew_with_what_was_typed(here: Office) -> None:
    applicant, browser = Applicant(here), here.world.browser()
    page = applicant.asks_for_a_code(browser)
    old = journey_of(browser)
    with later(seconds=here.world.settings.journey_lifetime + 1):
        page = applicant.sends_again(browser)
        assert "这个页面打开太久" in error_sentences(page)[0]
        assert f"j={old}" not in page.url
        page = browser.open(page.url)
        assert page.form()["fields"]["uscc"] == applicant.uscc, "loaded again, it is still there"
        # Where a clock of its own counts, the first phone has to wait for another message.
        other = "13600000009"
        browser.submit_with_captcha({**applicant.told(phone=other), "send": "1"})
        code = last_code(here.world, other)
        assert applicant.sends_again(browser, phone=other, code=code).url.startswith(f"{START}/face")


def test_a_browser_without_cookies_is_not_led_in_a_circle(here: Office) -> None:
    client = here.world.app.test_client(use_cookies=False)
    first = client.get(START, base_url=here.world.settings.issuer)
    assert first.status_code == 303
    again = client.get(first.headers["Location"], base_url=here.world.settings.issuer)
    assert again.status_code == 200


def test_where_the_rows_were_not_kept_the_end_says_so(here: Office) -> None:
    """The process died between the note and the commit."""
    applicant, browser = Applicant(here), here.world.browser()
    end = applicant.registers(browser).url
    with here.world.write() as db:
        for table in (Acceptance, Credential, LoginName, LegalAccount, Enterprise):
            db.execute(delete(table))
    page = browser.open(end)
    assert (page.status, page.response.headers["Refresh"]) == (200, "1"), "its rows may be on their way"
    with later(seconds=20):
        page = browser.open(end)
        assert (page.status, "法人注册没有完成" in page.text) == (400, True)


def test_what_the_browser_came_for_is_carried_to_the_sign_in(here: Office) -> None:
    applicant, browser = Applicant(here), here.world.browser()
    applicant.sends(browser, at=f"{START}?next=/center/enterprise/sessions")
    applicant.shows_face(browser)
    page = applicant.goes_on(browser)
    assert "/login/legal?next=/center/enterprise/sessions" in page.html


def test_neither_the_store_nor_the_address_has_what_was_typed_in_the_clear(here: Office) -> None:
    """What people tell of themselves lies sealed; of the password there is a hash alone."""
    applicant, browser = Applicant(here), here.world.browser()
    page = applicant.sends(browser)
    kept = here.world.platform.store.get(f"journey:{journey_of(browser)}")
    assert kept
    for secret in (applicant.id_number, applicant.phone, NEW_PASSWORD, applicant.uscc):
        assert secret.encode() not in kept
        assert secret not in page.url


def test_nothing_that_is_sent_breaks_the_pages(here: Office) -> None:
    applicant, browser = Applicant(here), here.world.browser()
    rubbish = ["\x00", "<script>", "𠮷" * 500, "٣" * 18, "9" * 5000, "\u202e", "%00", "../.."]
    browser.open(START)
    for word in rubbish:
        page = browser.submit(dict.fromkeys(applicant.told(), word) | {"code": word, "captcha": word})
        assert page.status < 500
        page = browser.submit(dict.fromkeys(applicant.told(), word) | {"send": "1", "captcha": word})
        assert page.status < 500
    with here.world.reading() as db:
        assert db.scalars(select(Enterprise)).all() == []
