"""`idp mandate`: who may act for a company, and the end of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from idp.accounts.calendar import civil_day
from tests.cli.conftest import Command
from tests.cli.test_clients import audited
from tests.world import World


@pytest.mark.parametrize("by", ["uscc", "account"])
def test_mandates_are_listed_with_their_state(idp: Command, world: World, by: str) -> None:
    company, today = world.a_company(), civil_day(world.now())
    past, future = today - timedelta(days=9), today + timedelta(days=9)
    made = {
        "live": world.an_operator(company, manage_seals=True),
        "expired": world.an_operator(company, first_day=past, last_day=past),
        "future": world.an_operator(company, first_day=future, last_day=future),
    }
    listed = {found["id"]: found for found in idp.does("mandate", "list", getattr(company, by))}
    assert {str(operator.mandate.id): state for state, operator in made.items()} == {
        key: found["state"] for key, found in listed.items()
    }
    assert listed[str(made["live"].mandate.id)]["manage_seals"] is True


def test_a_list_of_mandates_names_nobody(idp: Command, world: World) -> None:
    operator = world.an_operator()
    for answer in (
        idp("mandate", "list", operator.company.uscc),
        idp("mandate", "list", operator.company.uscc, "--json"),
    ):
        assert str(operator.mandate.id) in answer.out
        assert operator.phone not in answer.out
        assert operator.person.name not in answer.out


def test_an_ended_mandate_ends_its_sign_in_at_once(idp: Command, world: World) -> None:
    operator = world.an_operator()
    browser = world.browser()
    browser.sign_in_operator(operator)
    mandate_id = str(operator.mandate.id)
    idp.does("mandate", "end", mandate_id)
    assert "/login" in browser.open("/center/operator").url
    [listed] = idp.does("mandate", "list", operator.company.uscc)
    assert listed["state"] == "ended"
    assert audited(world, f"mandate:{mandate_id}")[-1] == ("mandate_ended", "cli")
    assert "already" in idp.refuses("mandate", "end", mandate_id)


@pytest.mark.parametrize("typed", ["", "7", "x" * 500, "01890a5d-ac96-774b-bcce-b302099a8057"])
def test_a_mandate_that_is_not_there_is_refused(embedded: Command, typed: str) -> None:
    assert "mandate" in embedded.refuses("mandate", "end", typed)


@pytest.mark.parametrize("typed", ["", "nobody", "91990100MA0TX00115"])
def test_a_company_that_is_not_there_is_refused(embedded: Command, typed: str) -> None:
    assert "No company" in embedded.refuses("mandate", "list", typed)
