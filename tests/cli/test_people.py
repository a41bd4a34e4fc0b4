"""`idp person` and `idp account`: adding people, suspending and resuming accounts."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Command
from tests.cli.test_clients import audited
from tests.world import APerson, World

PASSWORD = "Kite-flying 42"
ADA = {"--account": "linxiaoman", "--name": "林小满", "--phone": "13912345678"}


def adding(**changes: str) -> list[str]:
    """The arguments of `person add`, some of them changed."""
    options = {**ADA, "--password": "-", **{f"--{name.replace('_', '-')}": v for name, v in changes.items()}}
    return ["person", "add", *(part for pair in options.items() for part in pair)]


def test_a_person_added_can_sign_in(idp: Command, world: World) -> None:
    number = "990100199912010283"
    told = idp.does(*adding(id_number=number), stdin=PASSWORD + "\n")
    for account in ("linxiaoman", "13912345678", number):
        person = APerson(None, "林小满", "", "", account, PASSWORD)  # type: ignore[arg-type]
        assert world.browser().sign_in_person(person).status == 200
    assert audited(world, f"person:{told['id']}")[0] == ("person_added", "cli")


def test_what_is_printed_of_a_person_is_masked(idp: Command, world: World) -> None:
    idp.does(*adding(id_number="990100199912010283"), stdin=PASSWORD)
    for answer in (idp("account", "show", "linxiaoman", "--json"), idp("account", "show", "13912345678")):
        assert "139****5678" in answer.out
        for private in ("林小满", "13912345678", "990100199912010283", PASSWORD):
            assert private not in answer.out


@pytest.mark.parametrize(
    "changes",
    [{"account": "LinXiaoman"}, {"phone": "+86 139 1234 5678"}, {"id_number": "990100199912010283"}],
    ids=str,
)
def test_an_account_name_a_phone_and_an_id_number_belong_to_one(
    idp: Command, changes: dict[str, str]
) -> None:
    idp.does(*adding(id_number="990100199912010283"), stdin=PASSWORD)
    other = {"account": "somebody", "phone": "13900000000", "id_number": "990100198609230174"}
    assert "already" in idp.refuses(*adding(**{**other, **changes}), stdin=PASSWORD)


@pytest.mark.parametrize(
    ("changes", "password", "sentence"),
    [
        ({"account": "abc"}, PASSWORD, "--account"),
        ({"account": "1abcdef"}, PASSWORD, "--account"),
        ({"account": "a" * 21}, PASSWORD, "--account"),
        ({"account": "林小满林小满"}, PASSWORD, "--account"),
        ({"name": " "}, PASSWORD, "--name"),
        ({"name": "林\x07小满"}, PASSWORD, "--name"),
        ({"name": "林" * 101}, PASSWORD, "--name"),
        ({"phone": "12345"}, PASSWORD, "--phone"),
        ({"phone": "+1 212 555 0100"}, PASSWORD, "--phone"),
        ({"id_number": "990100199912010281"}, PASSWORD, "--id-number"),
        ({"id_number": ""}, PASSWORD, "--id-number"),
        ({}, "", "密码至少"),
        ({}, "short-1", "密码至少"),
        ({}, "12345678", "至少两种"),
        ({}, "linxiaoman-1", "不能包含账号"),
        ({}, "13912345678-ab", "不能包含账号"),
        ({}, "a1" * 100, "密码最多"),
        ({"password": PASSWORD}, "", "--password -"),
    ],
    ids=str,
)
def test_a_wrong_person_is_refused(
    embedded: Command, changes: dict[str, str], password: str, sentence: str
) -> None:
    assert sentence in embedded.refuses(*adding(**changes), stdin=password)
    embedded.refuses("account", "show", "linxiaoman")


def test_a_suspended_person_is_out_and_comes_back_when_resumed(idp: Command, world: World) -> None:
    person = world.a_person()
    browser = world.browser()
    browser.sign_in_person(person)
    assert idp.does("account", "show", person.account)["live_sign_ins"] == 1
    told = idp.does("account", "suspend", person.phone, "--reason", "报失")
    assert (told["live_sign_ins"], bool(told["suspended_at"])) == (0, True)
    assert "/login" in browser.open("/center/person").url
    assert "already" in idp.refuses("account", "suspend", person.account)
    assert idp.does("account", "resume", person.account)["suspended_at"] is None
    assert "not suspended" in idp.refuses("account", "resume", person.account)
    assert "/center/person" in world.browser().sign_in_person(person).url
    actions = [action for action, actor in audited(world, f"person:{person.row.id}") if actor == "cli"]
    assert actions == ["account_suspended", "account_resumed"]


@pytest.mark.parametrize("by", ["uscc", "account"])
def test_a_company_is_found_by_credit_code_and_by_account(idp: Command, world: World, by: str) -> None:
    company = world.a_company()
    told = idp.does("account", "show", getattr(company, by))
    assert (told["uscc"], told["name"], told["state"]) == (company.uscc, company.name, "active")
    assert company.representative.name not in str(told)


def test_a_suspended_company_ends_the_sign_ins_of_its_operators(idp: Command, world: World) -> None:
    operator = world.an_operator()
    browser = world.browser()
    browser.sign_in_operator(operator)
    idp.does("account", "suspend", operator.company.uscc)
    assert "/login" in browser.open("/center/operator").url


def test_a_company_not_yet_activated_is_shown_as_pending(idp: Command, world: World) -> None:
    company = world.a_company(active=False)
    told = idp.does("account", "show", company.uscc)
    assert (told["state"], told["account"]) == ("pending", None)


@pytest.mark.parametrize("command", ["show", "suspend", "resume"])
@pytest.mark.parametrize("name", ["nobody", "", "\udcff", "9" * 5000, "91990100MA0TX00115", "13800000001"])
def test_a_name_nobody_has_is_refused(embedded: Command, command: str, name: str) -> None:
    assert "No account" in embedded.refuses("account", command, name)


def test_a_reason_that_cannot_be_shown_is_refused(embedded: Command) -> None:
    assert "printable" in embedded.refuses("account", "suspend", "somebody", "--reason", "a\x07b")
