"""Who represents a company that registers: known here before or not, by what name, and signed in (B25, Y)."""

from __future__ import annotations

from idp.accounts import locks
from idp.accounts.models import Enterprise, Person
from tests.enterprise.applying import FIRST_DAY, START, Applicant, Office
from tests.messages import waiting


def test_who_is_known_already_is_linked_and_keeps_what_is_his(here: Office) -> None:
    """Y: a company's account and its person."""
    person, browser, applicant = here.world.a_person(name="田小禾"), here.world.browser(), Applicant(here)
    applicant.registers(browser, id_number=person.id_number)
    linked = here.representative_of(applicant.uscc)
    vault = here.world.backends.vault
    assert (linked.id, linked.subject_salt) == (person.row.id, person.row.subject_salt)
    assert linked.phone(vault) == person.phone
    assert str(linked.id_valid_from) == FIRST_DAY
    assert here.rows(Person) == 1
    assert here.world.browser().sign_in_person(person).url == "/center/person"


def test_who_is_known_by_another_phone_hears_of_it_there_and_may_stop_it(here: Office) -> None:
    """Y: somebody may have registered a company in his name."""
    world = here.world
    person, browser, applicant = world.a_person(name="田小禾"), world.browser(), Applicant(here)
    applicant.registers(browser, id_number=person.id_number)
    texts = {phone: waiting(world, phone)[-1]["text"] for phone in (applicant.phone, person.phone)}
    assert "您的企业账号已注册" in texts[applicant.phone]
    assert "您已登记为一家企业账号的法定代表人" in texts[person.phone]
    stopping = world.browser()
    stopping.open("/n/" + texts[person.phone].partition("/n/")[2].partition(" ")[0])
    stopping.submit()
    with world.reading() as db:
        account = here.account_of(applicant.uscc)
        locked = locks.locked_since(db, f"legal:{account.id}")
        assert locked is not None, "the company's account is what was done in his name"
        assert account.phone_sealed is None, "no reset goes by the phone of whoever registered it"
        assert locks.locked_since(db, f"person:{person.row.id}") is None


def test_who_registers_with_his_own_phone_hears_of_it_once(here: Office) -> None:
    person, browser, applicant = here.world.a_person(name="田小禾"), here.world.browser(), Applicant(here)
    applicant.registers(browser, id_number=person.id_number, phone=person.phone)
    told = [each["text"] for each in waiting(here.world, person.phone)]
    assert sum("您的企业账号已注册" in text for text in told) == 1


def test_who_is_known_by_another_name_registers_nothing(here: Office) -> None:
    person = here.world.a_person(name="林小满")
    page = Applicant(here).sends(here.world.browser(), id_number=person.id_number)
    assert (page.status, "法人信息不匹配" in page.text) == (403, True)


def test_who_is_suspended_registers_nothing_and_hears_it_at_the_end_too(here: Office) -> None:
    person, browser, applicant = here.world.a_person(name="田小禾"), here.world.browser(), Applicant(here)
    applicant.sends(browser, id_number=person.id_number)
    applicant.shows_face(browser)
    with here.world.write() as db:
        db.get_one(Person, person.row.id).suspended_at = here.world.now()
    for page in (
        applicant.goes_on(browser),
        Applicant(here).sends(here.world.browser(), id_number=person.id_number),
    ):
        assert page.status == 403
        assert "账号已停用" in page.text
    assert here.rows(Enterprise) == 0


def test_who_is_signed_in_as_himself_finds_his_name_there(here: Office) -> None:
    """B25."""
    person, browser = here.world.a_person(name="田小禾"), here.world.browser()
    page = browser.sign_in_person(person)
    assert f'href="{START}"' in page.html
    page = browser.open(START)
    assert page.form()["fields"]["representative_name"] == "田小禾"
    assert person.id_number not in page.html
    operator, other = here.world.an_operator(), here.world.browser()
    other.sign_in_operator(operator)
    assert other.open(START).form()["fields"]["representative_name"] == ""
