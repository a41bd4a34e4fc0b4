"""What an import does not know of a company it leaves alone: empty cells, and what was decided here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from idp.access import holders
from idp.accounts.audit import Action, Event, Origin
from idp.accounts.companies import NewCompany, reserve_company
from idp.accounts.directory import find_enterprise
from idp.accounts.documents import Document
from idp.accounts.models import Enterprise, EnterpriseType, IdType
from idp.db import uuid7
from tests.cli.conftest import Command
from tests.cli.importing import (
    CODES,
    NUMBERS,
    a_company,
    a_file,
    before_statement,
    counted,
    events,
    the_company,
    the_person,
)
from tests.world import World

FIRST = {"身份证有效开始日期": "2020-01-31", "身份证有效结束日期": "2030-01-31"}
RENEWED = {"身份证有效开始日期": "2024-01-31", "身份证有效结束日期": "2044-01-31"}
STAFF = Origin("staff:1", "", "")


def company(world: World) -> Enterprise:
    """The row of the imported company, with its account."""
    with world.reading() as db:
        found = find_enterprise(db, CODES[0])
    assert found
    return found


def tools(world: World) -> holders.Tools:
    """What an approved appeal is written with."""
    here = world.app.extensions["idp-platform"]
    return holders.Tools(here.vault, here.trail, here.notifier, STAFF)


def approve(world: World, phone: str) -> None:
    """An appeal gives the company another phone, another name, another representative."""
    another = world.a_person(name="周远")
    with world.write() as db:
        held = holders.hold(db, CODES[0])
        assert held
        holders.replace_phone(db, tools(world), held, phone, now=world.now())
        holders.rename_company(db, tools(world), held, "申诉更名有限公司", now=world.now())
        holders.replace_representative(db, tools(world), held, db.merge(another.row), now=world.now())


def give_phone_up(world: World) -> None:
    """Whoever reads another phone than the account has says 不是我."""
    account = company(world).account
    assert account
    with world.write() as db:
        holders.dispute(db, world.backends.trail, account.id, STAFF, is_elsewhere=True, now=world.now())


def revoke(world: World) -> None:
    """The company loses its licence."""
    with world.write() as db:
        db.scalars(select(Enterprise).where(Enterprise.uscc == CODES[0])).one().status = "revoked"


def register_by_appeal(world: World) -> None:
    """An approved appeal lets a company come into being, 待激活, with the phone that was proved."""
    document = Document(IdType.RESIDENT, NUMBERS[0], date(2020, 1, 31), None)
    new = NewCompany(
        uuid7(),
        CODES[0],
        "申诉登记有限公司",
        EnterpriseType.COMPANY,
        "林小满",
        document,
        "13800000001",
        "",
        "",
    )
    with world.write() as db:
        made = reserve_company(db, world.backends.vault, new, now=world.now())
        event = Event(Action.ENTERPRISE_REGISTERED, entity=str(new.id), target=f"legal:{made.account_id}")
        world.backends.trail.record(db, event, STAFF, now=world.now())


def test_cells_that_say_nothing_take_nothing_away(idp: Command, world: World, tmp_path: Path) -> None:
    """A company 吊销 stays so, whether the column is empty or not there."""
    silent = {"企业状态": "", "法人类型": ""}
    idp.does("import", "companies", a_file(tmp_path, a_company(0, **silent)))
    assert (company(world).status, company(world).type) == ("normal", "企业法人")
    told = {"企业状态": "吊销", "法人类型": "个体工商户"}
    idp.does("import", "companies", a_file(tmp_path, a_company(0, **told)))
    for number, cells in enumerate(({}, silent)):
        changed = a_company(0, 手机号码=f"1370000001{number}", **cells)
        assert counted(idp.does("import", "companies", a_file(tmp_path, changed))) == (0, 1, 0, 0)
        assert (company(world).status, company(world).type) == ("revoked", "个体工商户"), cells


def test_what_an_appeal_decided_stays(idp: Command, world: World, tmp_path: Path) -> None:
    """Whoever reads the phone of record activates the account; the older platform knows of no appeal."""
    file = a_file(tmp_path, a_company())
    idp.does("import", "companies", file)
    approve(world, "13800000001")
    error = idp.refuses("import", "companies", file)
    for sentence in (
        "line 2, 企业名称: 这家企业的名称已在平台上登记或更正",
        "line 2, 法定代表人证件号码: 这家企业的法定代表人已在平台上登记或变更",
        "line 2, 手机号码: 这家企业的手机号码已在平台上登记、更换或移除，不能由导入修改，可以留空",
    ):
        assert sentence in error
    found = the_company(world)
    assert (found["phone"], found["name"]) == ("13800000001", "申诉更名有限公司")
    assert found["representative"] != the_person(world).id


def test_nobody_else_comes_to_the_phone_that_an_appeal_decided(
    idp: Command, world: World, tmp_path: Path
) -> None:
    """Neither an empty cell nor that phone itself makes it another representative's."""
    idp.does("import", "companies", a_file(tmp_path, a_company()))
    with world.write() as db:
        held = holders.hold(db, CODES[0])
        assert held
        holders.replace_phone(db, tools(world), held, "13800000001", now=world.now())
    other = {"法定代表人姓名": "周远", "法定代表人证件号码": NUMBERS[2]}
    for phone in ("", "13800000001"):
        file = a_file(tmp_path, a_company(0, 手机号码=phone, **other))
        error = idp.refuses("import", "companies", file)
        assert "不能由导入变更法定代表人，请由企业提出账号申诉" in error, phone
        assert "line 2, 手机号码" not in error, phone
    assert the_company(world)["representative"] == the_person(world).id


def test_a_phone_that_was_given_up_is_not_given_back(idp: Command, world: World, tmp_path: Path) -> None:
    file = a_file(tmp_path, a_company())
    idp.does("import", "companies", file)
    give_phone_up(world)
    assert "手机号码: 这家企业的手机号码已" in idp.refuses("import", "companies", file)
    assert the_company(world)["phone"] is None


def test_a_company_that_an_appeal_registered_keeps_its_phone(
    idp: Command, world: World, tmp_path: Path
) -> None:
    register_by_appeal(world)
    row = a_company(0, 企业名称="申诉登记有限公司", 企业状态="吊销")
    assert "手机号码: 这家企业的手机号码已" in idp.refuses("import", "companies", a_file(tmp_path, row))
    assert the_company(world)["phone"] == "13800000001"
    # What nobody decided here is the file's to tell.
    for told in ("", "13800000001"):
        idp.does("import", "companies", a_file(tmp_path, row | {"手机号码": told}))
        assert (the_company(world)["phone"], company(world).status) == ("13800000001", "revoked")


@pytest.mark.parametrize(
    ("meanwhile", "left"),
    [(give_phone_up, (None, "normal")), (revoke, ("13700000000", "revoked"))],
    ids=["phone", "status"],
)
def test_a_company_that_changes_while_the_file_is_written_keeps_that(
    idp: Command,
    world: World,
    tmp_path: Path,
    meanwhile: Callable[[World], None],
    left: tuple[str | None, str],
) -> None:
    idp.does("import", "companies", a_file(tmp_path, a_company()))
    changed = a_file(tmp_path, a_company(0, 企业名称="改名有限公司", 手机号码="13700000009"))
    with before_statement("legal_accounts.activated_at IS NULL", lambda: meanwhile(world)):
        answer = idp("import", "companies", changed)
    assert (answer.code, answer.out) == (1, "")
    assert "Run it again" in answer.err
    found = (the_company(world)["phone"], company(world).status, company(world).name)
    assert found == (*left, "搬来0号有限公司")


def test_the_days_of_one_document_are_the_same_in_all_rows(
    idp: Command, world: World, tmp_path: Path
) -> None:
    """Else each run would write the days of the other row, and the file never come to rest."""
    same = {"法定代表人证件号码": NUMBERS[0]}
    silent = dict.fromkeys(FIRST, "")
    rows = [a_company(0, **silent), a_company(1, **same, **FIRST), a_company(2, **same, **RENEWED)]
    error = idp.refuses("import", "companies", a_file(tmp_path, *rows))
    assert "line 4, 身份证有效开始日期: 第 3 行的同一证件号码是另一个有效期" in error
    file = a_file(tmp_path, *rows[:2])
    idp.does("import", "companies", file)
    assert str(the_person(world).id_valid_from) == "2020-01-31"
    assert counted(idp.does("import", "companies", file)) == (0, 0, 2, 0)


def test_new_days_of_somebody_who_is_there_stand_in_the_trail(
    idp: Command, world: World, tmp_path: Path
) -> None:
    idp.does("import", "companies", a_file(tmp_path, a_company(0, **FIRST)))
    idp.does("import", "companies", a_file(tmp_path, a_company(1, 法定代表人证件号码=NUMBERS[0], **RENEWED)))
    person = the_person(world)
    assert str(person.id_valid_from) == "2024-01-31"
    told = [(one.target, one.detail.get("fields")) for one in events(world, "companies_imported")]
    assert (f"person:{person.id}", ["id_validity"]) in told
