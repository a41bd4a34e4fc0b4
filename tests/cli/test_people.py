"""`idp person`: adding people."""

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
