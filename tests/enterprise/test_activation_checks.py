"""What an activation's first step asks before it believes: how often one may try, and the people registry."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.adapters.answering import answering
from tests.enterprise.pending import NOBODY, a_waiting_company, rewired
from tests.oauth.asking import later
from tests.world import World, error_sentences

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
