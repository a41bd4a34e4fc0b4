"""What an activation's first step asks before it believes: how often one may try, and the people registry."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

from idp.accounts.documents import Term, end_of
from idp.accounts.models import Person
from tests.adapters.answering import answering
from tests.enterprise.pending import FIRST_DAY, NOBODY, a_waiting_company, rewired
from tests.oauth.asking import later
from tests.world import World, a_resident_number, error_sentences

PEOPLE = {"population_token": "a-token-of-the-registry"}


def test_guesses_at_one_company_are_slowed_wherever_they_come_from(world: World) -> None:
    company, other = a_waiting_company(world), a_waiting_company(world)
    for number in range(world.settings.throttle_failures):
        page = company.tells(world.browser(address=f"10.0.{number}.1"), representative_name="林大满")
        assert error_sentences(page) == [NOBODY]
    page = company.tells(world.browser(address="10.1.0.1"), representative_name="林大满")
    assert page.status == 429
    assert int(page.response.headers["Retry-After"]) > 0
    assert page.form()["fields"]["uscc"] == company.company.uscc
    # Right or wrong, it is not looked at.
    assert company.tells(world.browser(address="10.1.0.2")).status == 429
    assert other.tells(world.browser(address="10.1.0.3")).status == 200
    with later(minutes=2):
        assert company.tells(world.browser(address="10.1.0.4")).url.startswith("/activate/phone")


def test_who_knows_a_public_code_alone_does_not_keep_the_owner_out(world: World) -> None:
    company = a_waiting_company(world)
    wrong = {"name": "别的公司", "id_number": a_resident_number(777)}
    for number in range(world.settings.throttle_failures + 1):
        page = company.tells(world.browser(address=f"10.0.{number}.1"), **wrong)
    assert page.status == 429
    assert company.tells(world.browser(address="10.1.0.1")).url.startswith("/activate/phone")


def test_the_sixty_second_document_told_of_a_company_in_an_hour_waits(world: World) -> None:
    company = a_waiting_company(world)
    for number in range(61):
        browser = world.browser(address=f"10.0.{number}.1")
        page = company.tells(browser, id_number=a_resident_number(50_000 + number))
        assert page.status == 200
    page = company.tells(world.browser(address="10.1.0.1"))
    assert (page.status, int(page.response.headers["Retry-After"]) <= 60) == (429, True)
    with later(minutes=2):
        assert company.tells(world.browser(address="10.1.0.2")).url.startswith("/activate/phone")


def test_an_address_that_tells_many_documents_of_one_company_failed_on_one(world: World) -> None:
    with world.rewired(throttle_spray=2) as there:
        company = rewired(a_waiting_company(world), there)
        for number in range(3):
            company.tells(there.browser(), id_number=a_resident_number(50_000 + number))
        assert company.tells(there.browser()).url.startswith("/activate/phone")


def test_an_address_that_guesses_at_many_companies_is_slowed(world: World) -> None:
    with world.rewired(throttle_spray=2) as there:
        for _ in range(3):
            a_waiting_company(there).tells(there.browser(), representative_name="林大满")
        assert a_waiting_company(there).tells(there.browser()).status == 429
        assert a_waiting_company(there).tells(there.browser(address="10.0.0.9")).status == 200


def test_the_people_registry_is_asked_for_the_four_elements(world: World) -> None:
    company, heard = a_waiting_company(world), list[bytes]()
    with (
        answering(200, b'{"matches": true}', heard) as address,
        world.rewired(population_url=address, **PEOPLE) as there,
    ):
        asked = rewired(company, there)
        assert error_sentences(asked.tells(there.browser(), name="别的公司")) == [NOBODY]
        assert heard == []
        assert asked.tells(there.browser()).url.startswith("/activate/phone")
    [question] = [json.loads(each) for each in heard]
    person = company.company.representative
    assert question == {
        "name": person.name,
        "id_type": "resident_id",
        "id_number": person.id_number,
        "valid_from": "2021-03-04",
        "valid_until": "2041-03-04",
    }


def test_whom_the_people_registry_does_not_know_so_hears_no_reason_and_the_ways_out(world: World) -> None:
    company = a_waiting_company(world)
    with (
        answering(200, b'{"matches": false}') as address,
        world.rewired(population_url=address, **PEOPLE) as there,
    ):
        page = rewired(company, there).tells(there.browser())
    [said] = error_sentences(page)
    assert said.startswith("身份信息核验未通过")
    assert "查看帮助" in page.text


def test_a_renewed_card_is_believed_once_the_registry_confirms_it_and_its_days_are_kept(world: World) -> None:
    """The record came with the days of the card before."""
    company, browser = a_waiting_company(world), world.browser()
    company.knows_days(date(2001, 3, 4))
    assert error_sentences(company.tells(world.browser())) == [NOBODY]
    with (
        answering(200, b'{"matches": true}') as address,
        world.rewired(population_url=address, **PEOPLE) as there,
    ):
        asked, browser = rewired(company, there), there.browser()
        assert error_sentences(asked.tells(browser, name="别的公司")) == [NOBODY]
        asked.proves_the_phone(browser)
        assert asked.chooses(browser).url.startswith("/activate/done")
    with world.reading() as db:
        person = db.get_one(Person, company.company.representative.row.id)
    assert (person.id_valid_from, person.id_valid_until) == (FIRST_DAY, end_of(FIRST_DAY, Term.TWENTY))


def test_days_that_neither_the_record_nor_the_registry_knows_are_told_as_anything_else(world: World) -> None:
    company = a_waiting_company(world)
    company.knows_days(date(2001, 3, 4))
    with (
        answering(200, b'{"matches": false}') as address,
        world.rewired(population_url=address, **PEOPLE) as there,
    ):
        asked = rewired(company, there)
        assert error_sentences(asked.tells(there.browser())) == [NOBODY]


def test_of_a_renewed_card_nothing_is_told_before_the_registry_confirms_it(world: World) -> None:
    company = a_waiting_company(world)
    company.knows_days(date(2001, 3, 4))
    company.changes(suspended_at=world.now())
    for matches, status in ((b"false", 200), (b"true", 403)):
        with (
            answering(200, b'{"matches": %s}' % matches) as address,
            world.rewired(population_url=address, **PEOPLE) as there,
        ):
            assert rewired(company, there).tells(there.browser()).status == status


def test_a_people_registry_that_gives_no_answer_costs_nothing_of_what_was_typed(world: World) -> None:
    company = a_waiting_company(world)
    with (
        answering(503, b"") as address,
        world.rewired(population_url=address, **PEOPLE) as there,
    ):
        for _ in range(world.settings.throttle_failures + 1):
            page = rewired(company, there).tells(there.browser())
            [said] = error_sentences(page)
            assert said.startswith("现在无法核验身份信息")
            assert page.form()["fields"]["id_number"] == company.company.representative.id_number
    assert company.tells(world.browser()).url.startswith("/activate/phone")


def test_a_company_suspended_while_the_registry_is_asked_is_found_out(world: World) -> None:
    company = a_waiting_company(world)

    def suspends(_: Any) -> None:
        company.changes(suspended_at=world.now())

    with (
        answering(200, b'{"matches": true}', Listening(suspends)) as address,
        world.rewired(population_url=address, **PEOPLE) as there,
    ):
        assert rewired(company, there).tells(there.browser()).status == 403


class Listening(list[bytes]):
    """Does something whenever the registry is asked."""

    def __init__(self, act: Callable[[Any], None]) -> None:
        super().__init__()
        self._act = act

    def append(self, heard: bytes) -> None:
        self._act(heard)
