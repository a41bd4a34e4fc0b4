"""`idp import people`: accounts of an older app come without a password, to be taken over (B23)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from idp.accounts.calendar import civil_day
from idp.accounts.models import Credential, LoginName, Person
from idp.db import uuid7
from tests.cli.conftest import Command
from tests.cli.importing import (
    NUMBERS,
    a_company,
    a_file,
    a_person,
    before_statement,
    counted,
    events,
    stored,
    the_company,
    the_person,
)
from tests.world import APerson, World


def phone_of(world: World, person: Person) -> str | None:
    return person.phone(world.backends.vault)


def account_of(world: World, person: Person) -> str | None:
    with world.reading() as db:
        found = db.query(LoginName).filter_by(person_id=person.id).first()
        return found.name if found else None


def taken_over(world: World, number: int = 0) -> None:
    """The person sets a password of his own."""
    with world.write() as db:
        owner = the_person(world, number).id
        db.add(Credential(id=uuid7(), person_id=owner, password_hash="x", changed_at=world.now()))


def test_a_person_comes_without_a_password_and_with_where_from(
    idp: Command, world: World, tmp_path: Path
) -> None:
    days = {"身份证有效开始日期": "2020-01-31", "身份证有效结束日期": "2030-01-31"}
    rows = [a_person(0, 账号="Lin_Xiaoman", **days), a_person(1)]
    assert counted(idp.does("import", "people", a_file(tmp_path, *rows))) == (2, 0, 0, 0)
    person = the_person(world)
    assert (person.brought_from, phone_of(world, person)) == ("e-zhangtong", "13700000000")
    assert (account_of(world, person), account_of(world, the_person(world, 1))) == ("lin_xiaoman", None)
    assert str(person.id_valid_until) == "2030-01-31"
    page = world.browser()
    page.open("/login/person")
    told = page.submit_with_captcha({"account": "lin_xiaoman", "password": ""})
    assert told.url.startswith("/login")
    (event,) = events(world, "people_imported")
    assert (event.detail["brought_from"], event.detail["added"]) == ("e-zhangtong", 2)


@pytest.mark.parametrize("source", ["", "x" * 41, "a\nb"])
def test_where_they_come_from_is_a_short_name(embedded: Command, tmp_path: Path, source: str) -> None:
    file = a_file(tmp_path, a_person())
    assert "--from" in embedded.refuses("import", "people", file, "--from", source)


def test_importing_again_changes_nothing_also_after_the_account_was_taken_over(
    idp: Command, world: World, tmp_path: Path
) -> None:
    file = a_file(tmp_path, a_person(0, 账号="linxiaoman"), a_person(1))
    idp.does("import", "people", file, "--from", "older")
    salt = the_person(world).subject_salt
    assert counted(idp.does("import", "people", file)) == (0, 0, 2, 0)
    taken_over(world)
    assert counted(idp.does("import", "people", file)) == (0, 0, 2, 0)
    person = the_person(world)
    assert (person.brought_from, person.subject_salt) == ("older", salt)


def test_who_has_not_come_yet_is_updated_and_who_has_is_not(
    idp: Command, world: World, tmp_path: Path
) -> None:
    idp.does("import", "people", a_file(tmp_path, a_person(0, 账号="linxiaoman")))
    file = a_file(tmp_path, a_person(0, 账号="lin_xiaoman", 手机号码="13700000009"))
    assert counted(idp.does("import", "people", file)) == (0, 1, 0, 0)
    person = the_person(world)
    assert (phone_of(world, person), account_of(world, person)) == ("13700000009", "lin_xiaoman")
    assert events(world, "people_imported")[1].detail == {"fields": ["phone", "account"]}
    taken_over(world)
    again = a_file(tmp_path, a_person(手机号码="13700000008"))
    assert "本人已有平台账号" in idp.refuses("import", "people", again)
    assert phone_of(world, the_person(world)) == "13700000009"


def test_who_takes_his_account_over_meanwhile_keeps_what_he_has(
    idp: Command, world: World, tmp_path: Path
) -> None:
    idp.does("import", "people", a_file(tmp_path, a_person()))
    file = a_file(tmp_path, a_person(手机号码="13700000009"))
    with before_statement("people.id IN", lambda: taken_over(world)):
        answer = idp("import", "people", file)
    assert (answer.code, answer.out) == (1, "")
    assert phone_of(world, the_person(world)) == "13700000000"


def test_a_phone_or_an_account_name_of_somebody_else_is_refused(
    idp: Command, world: World, tmp_path: Path
) -> None:
    before = world.a_person()
    company = world.a_company()
    rows = [
        a_person(0, 手机号码=before.phone),
        a_person(1, 账号=before.account),
        a_person(2, 账号=company.account),
    ]
    error = idp.refuses("import", "people", a_file(tmp_path, *rows))
    assert "line 2, 手机号码: 这个手机号码已是别人的" in error
    assert "line 3, 账号: 这个账号已被使用，可以留空" in error
    assert "line 4, 账号: 这个账号已被使用，可以留空" in error


def an_operator_by_a_phone_of_the_company(world: World, last_day: date | None = None) -> APerson:
    """A person without a password or a phone of his own, whom a company named with a phone."""
    person = replace(world.a_person(password=None, phone=None), phone="13900009901")
    world.an_operator(person=person, first_day=last_day, last_day=last_day)
    return person


def row_of(person: APerson, phone: str) -> dict[str, str]:
    return {"姓名": person.name, "证件号码": person.id_number, "手机号码": phone, "账号": ""}


def test_an_operator_whose_company_knows_another_phone_is_refused(
    idp: Command, world: World, tmp_path: Path
) -> None:
    """Codes go to his own phone first: another platform does not lead away what his company wrote down."""
    person = an_operator_by_a_phone_of_the_company(world)
    error = idp.refuses("import", "people", a_file(tmp_path, row_of(person, "13700000666")))
    assert "line 2, 手机号码: 手机号码与单位登记的经办人手机号码不一致" in error
    assert person.phone not in error
    told = idp.does("import", "people", a_file(tmp_path, row_of(person, person.phone)))
    assert counted(told) == (0, 1, 0, 0)
    # What leads nothing elsewhere is as good as ever.
    assert counted(idp.does("import", "people", a_file(tmp_path, row_of(person, person.phone)))) == (
        0,
        0,
        1,
        0,
    )


def test_a_mandate_that_is_over_holds_no_import_up(idp: Command, world: World, tmp_path: Path) -> None:
    past = civil_day(world.now()) - timedelta(days=1)
    person = an_operator_by_a_phone_of_the_company(world, past)
    file = a_file(tmp_path, row_of(person, "13700000666"))
    assert counted(idp.does("import", "people", file)) == (0, 1, 0, 0)


def test_who_is_made_an_operator_meanwhile_keeps_the_phone_of_the_company(
    idp: Command, world: World, tmp_path: Path
) -> None:
    company = world.a_company()
    person = replace(world.a_person(password=None, phone=None), phone="13900009901")
    file = a_file(tmp_path, row_of(person, "13700000666"))
    with before_statement("people.id IN", lambda: world.an_operator(company, person)):
        answer = idp("import", "people", file)
    assert (answer.code, answer.out) == (1, "")
    with world.reading() as db:
        assert db.get_one(Person, person.row.id).phone_sealed is None


@pytest.mark.parametrize(
    "same", [{"证件号码": NUMBERS[0]}, {"手机号码": "13700000000"}, {"账号": "linxiaoman"}], ids=str
)
def test_two_rows_never_share_a_document_a_phone_or_an_account_name(
    embedded: Command, tmp_path: Path, same: dict[str, str]
) -> None:
    file = a_file(tmp_path, a_person(0, 账号="linxiaoman"), a_person(1, **same))
    error = embedded.refuses("import", "people", file)
    (column,) = same
    assert f"line 2, {column}: 与第 3 行重复" in error
    assert f"line 3, {column}: 与第 2 行重复" in error


def test_a_representative_who_came_with_his_company_gets_his_phone(
    idp: Command, world: World, tmp_path: Path
) -> None:
    idp.does("import", "companies", a_file(tmp_path, a_company()))
    person = the_person(world)
    refused = a_file(tmp_path, a_person(姓名="周远", 手机号码="13700000009"))
    assert "登记的是另一个姓名" in idp.refuses("import", "people", refused)
    file = a_file(tmp_path, a_person(手机号码="13700000009"))
    assert counted(idp.does("import", "people", file)) == (0, 1, 0, 0)
    after = the_person(world)
    assert (after.id, after.subject_salt) == (person.id, person.subject_salt)
    assert (phone_of(world, after), after.brought_from) == ("13700000009", "e-zhangtong")
    assert the_company(world)["phone"] == "13700000000"
    # What the company's list says of his document is news as long as he has no password.
    days = {"身份证有效开始日期": "2020-01-31", "身份证有效结束日期": "2030-01-31"}
    file = a_file(tmp_path, a_company() | days, a_company(1, 法定代表人证件号码=NUMBERS[0]) | days)
    assert counted(idp.does("import", "companies", file)) == (1, 1, 0, 0)
    assert str(the_person(world).id_valid_until) == "2030-01-31"
    assert counted(idp.does("import", "companies", file)) == (0, 0, 2, 0)


def test_a_phone_that_was_recorded_here_is_replaced_by_no_import(
    idp: Command, world: World, tmp_path: Path
) -> None:
    """An operator without a password of his own would else be given away by a line of an older list."""
    operator = world.an_operator(person=world.a_person(password=None))
    file = a_file(tmp_path, a_person(证件号码=operator.person.id_number, 手机号码="13700000009"))
    assert "另一个手机号码" in idp.refuses("import", "people", file)


def test_a_phone_that_is_taken_meanwhile_keeps_the_whole_file_out(
    idp: Command, world: World, tmp_path: Path
) -> None:
    before = stored(world)[2]
    file = a_file(tmp_path, a_person(0), a_person(1))
    with before_statement("INTO people", lambda: world.a_person(phone="13700000001")):
        answer = idp("import", "people", file)
    assert (answer.code, answer.out) == (1, "")
    assert "Run it again" in answer.err
    assert stored(world)[2] == before + 1
