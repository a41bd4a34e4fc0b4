"""`idp import companies`: they come as 待激活, all of a file or none of it (C01–C05)."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from idp.accounts.directory import activate, add_enterprise, find_enterprise
from idp.accounts.models import EnterpriseType
from tests.cli.conftest import Command
from tests.cli.importing import (
    CODES,
    NUMBERS,
    a_company,
    a_file,
    before_statement,
    counted,
    events,
    statements,
    stored,
    the_company,
    the_person,
)
from tests.pages import error_sentences
from tests.quick import variables_of
from tests.world import World

KILLED = """
import os, signal, sys
from sqlalchemy import Engine, event
from idp.cli import main
@event.listens_for(Engine, "after_cursor_execute")
def die(conn, cursor, statement, *rest):
    if "INTO enterprises" in statement:
        os.kill(os.getpid(), signal.SIGKILL)
main(sys.argv[1:])
"""


def activated(world: World, number: int = 0) -> None:
    """The company activates its account, with the phone it came with."""
    with world.write() as db:
        company = find_enterprise(db, CODES[number])
        assert company
        assert company.account
        vault = world.backends.vault
        phone = company.account.phone(vault) or ""
        hashed = world.hash("Kite-flying 42")
        name = f"moved_{number}"
        activate(db, vault, company.account, name=name, password_hash=hashed, phone=phone, now=world.now())


def test_a_company_comes_as_one_to_be_activated_by_the_phone_of_record(
    idp: Command, world: World, tmp_path: Path
) -> None:
    told = idp.does("import", "companies", a_file(tmp_path, a_company(), a_company(1, 手机号码="")))
    assert counted(told) == (2, 0, 0, 0)
    assert (told["imported"], told["without_phone"]) == (True, 1)
    company = the_company(world)
    assert (company["name"], company["phone"]) == ("搬来0号有限公司", "13700000000")
    assert not company["activated"]
    assert the_company(world, 1)["phone"] is None
    # The phone is the company's: it opens nothing of the person who represents it.
    assert company["representative"] == the_person(world).id
    assert company["representative_phone"] is None
    browser = world.browser()
    browser.open("/login/legal")
    page = browser.submit_with_captcha({"account": CODES[0], "password": "whatever"})
    assert ["待激活" in sentence for sentence in error_sentences(page)] == [True]


def test_the_trail_has_the_counts_and_the_file_and_nothing_personal(
    idp: Command, world: World, tmp_path: Path
) -> None:
    file = a_file(tmp_path, a_company(), a_company(1))
    idp.does("import", "companies", file)
    (event,) = events(world, "companies_imported")
    digest = subprocess.run(["sha256sum", file], capture_output=True, text=True, check=True).stdout[:64]
    counts = {"added": 2, "updated": 0, "already_there": 0, "refused": 0}
    assert event.detail == {**counts, "file_sha256": digest}
    assert event.actor.startswith("cli:")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
def test_a_file_may_come_in_utf8_or_gbk(embedded: Command, tmp_path: Path, encoding: str) -> None:
    told = embedded.does("import", "companies", a_file(tmp_path, a_company(), encoding=encoding))
    assert counted(told) == (1, 0, 0, 0)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xff", "Line 1 is neither UTF-8 nor GBK"),
        (b"uscc,name\n", "missing: representative_name"),
        (b"uscc,name,representative_name,representative_id_number\n\n", "no rows"),
    ],
)
def test_a_file_that_is_no_table_of_companies_is_refused(
    embedded: Command, tmp_path: Path, content: bytes, sentence: str
) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes(content)
    assert sentence in embedded.refuses("import", "companies", file)


def test_one_wrong_row_keeps_all_out(idp: Command, world: World, tmp_path: Path) -> None:
    before = stored(world)
    file = a_file(tmp_path, a_company(), a_company(1, 手机号码="1.37E+10"))
    error = idp.refuses("import", "companies", file)
    assert "line 3, 手机号码: 号码被表格软件改成了科学计数法" in error
    assert "Nothing was imported: 1 of 2 rows" in error
    answer = idp("import", "companies", file, "--json")
    assert (answer.code, answer.json["imported"], counted(answer.json)) == (2, False, (1, 0, 0, 1))
    assert [(one["line"], one["column"]) for one in answer.json["refusals"]] == [(3, "手机号码")]
    assert stored(world) == before


def test_on_wish_the_right_rows_go_in_and_the_report_brings_the_others_after(
    idp: Command, world: World, tmp_path: Path
) -> None:
    report = tmp_path / "refused.csv"
    wrong = a_company(1, 企业名称="=1+1号公司", 手机号码="137")
    file = a_file(tmp_path, a_company(), wrong)
    told = idp.does("import", "companies", file, "--skip-refused", "--report", report)
    assert counted(told) == (1, 0, 0, 1)
    assert the_company(world)
    assert not the_company(world, 1)
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    text = report.read_text("utf-8-sig")
    assert text.splitlines()[0] == ",".join([*wrong, "原因"])
    assert f"{CODES[1]},'=1+1号公司,林小满,'{NUMBERS[1]},137,手机号码：手机号码应为 11 位" in text
    report.write_text(text.replace(",137,", ",13700000001,"), "utf-8")
    assert counted(idp.does("import", "companies", report)) == (1, 0, 0, 0)
    assert the_company(world, 1)["name"] == "=1+1号公司"


def test_a_report_never_overwrites_a_file(embedded: Command, tmp_path: Path) -> None:
    file = a_file(tmp_path, a_company(手机号码="137"))
    before = file.read_bytes()
    assert "is there already" in embedded.refuses("import", "companies", file, "--report", file)
    assert file.read_bytes() == before


def test_a_report_that_cannot_be_written_keeps_all_out(idp: Command, world: World, tmp_path: Path) -> None:
    before = stored(world)
    file = a_file(tmp_path, a_company(), a_company(1, 手机号码="137"))
    nowhere = tmp_path / "nowhere" / "report.csv"
    error = idp.refuses("import", "companies", file, "--skip-refused", "--report", nowhere)
    assert "cannot be written" in error
    assert stored(world) == before


def test_a_dry_run_writes_nothing(idp: Command, world: World, tmp_path: Path) -> None:
    before = stored(world)
    told = idp.does("import", "companies", a_file(tmp_path, a_company()), "--dry-run")
    assert (told["imported"], counted(told)) == (False, (1, 0, 0, 0))
    assert stored(world) == before


def test_importing_again_changes_nothing(idp: Command, world: World, tmp_path: Path) -> None:
    days = {"身份证有效开始日期": "2020/1/31", "身份证有效结束日期": "长期"}
    file = a_file(tmp_path, a_company() | days, a_company(1) | days)
    idp.does("import", "companies", file)
    before = stored(world)
    assert counted(idp.does("import", "companies", file)) == (0, 0, 2, 0)
    # The trail has a line more, and no table else.
    assert stored(world) == (*before[:-1], before[-1] + 1)
    activated(world)
    assert counted(idp.does("import", "companies", file)) == (0, 0, 2, 0)


def test_a_company_still_to_be_activated_is_updated_and_the_trail_says_in_what(
    idp: Command, world: World, tmp_path: Path
) -> None:
    idp.does("import", "companies", a_file(tmp_path, a_company(), a_company(1)))
    other = a_company(0, 企业名称="改名有限公司", 法定代表人证件号码=NUMBERS[2], 手机号码="13700000009")
    silent = a_company(1, 手机号码="", 企业状态="吊销")
    assert counted(idp.does("import", "companies", a_file(tmp_path, other, silent))) == (0, 2, 0, 0)
    company = the_company(world)
    assert (company["name"], company["phone"]) == ("改名有限公司", "13700000009")
    assert company["representative"] == the_person(world, 2).id
    # An empty cell takes nothing away.
    assert the_company(world, 1)["phone"] == "13700000001"
    told = [
        (one.target.partition(":")[0], one.detail.get("fields"))
        for one in events(world, "companies_imported")
    ]
    assert told[1:3] == [
        ("enterprise", ["company_name", "representative", "phone"]),
        ("enterprise", ["status"]),
    ]


def test_many_changes_take_no_more_statements_than_few(idp: Command, tmp_path: Path) -> None:
    """Whoever writes waits for the import on SQLite: a statement a row would keep them out for a minute."""
    idp.does("import", "companies", a_file(tmp_path, *map(a_company, range(4))))
    took = []
    for rows in (range(1), range(1, 4)):
        days = {"身份证有效开始日期": "2020-01-31", "身份证有效结束日期": "长期"}
        changed = [a_company(row, 企业名称=f"改名{row}", 手机号码=f"1380000000{row}") | days for row in rows]
        with statements() as sent:
            told = idp.does("import", "companies", a_file(tmp_path, *changed))
        assert counted(told) == (0, len(rows), 0, 0)
        took.append([statement.split()[0] for statement in sent])
    assert took[0] == took[1]


def test_another_representative_comes_with_a_phone_or_not_at_all(
    idp: Command, world: World, tmp_path: Path
) -> None:
    """The phone of record activates the account: it must not stay that of the representative before."""
    idp.does("import", "companies", a_file(tmp_path, a_company(), a_company(1, 手机号码="")))
    other = {"法定代表人姓名": "周远", "手机号码": ""}
    changed = a_company(0, 法定代表人证件号码=NUMBERS[2], **other)
    error = idp.refuses("import", "companies", a_file(tmp_path, changed))
    assert "line 2, 手机号码: 更换法定代表人时须同时提供手机号码" in error
    assert the_company(world)["representative"] == the_person(world).id
    # Where there was none before, there is none to take away.
    without = a_company(1, 法定代表人证件号码=NUMBERS[3], **other)
    assert counted(idp.does("import", "companies", a_file(tmp_path, without))) == (0, 1, 0, 0)
    file = a_file(tmp_path, changed | {"手机号码": "13700000009"})
    assert counted(idp.does("import", "companies", file)) == (0, 1, 0, 0)
    assert the_company(world)["phone"] == "13700000009"


def test_a_company_that_was_activated_is_changed_by_no_import(
    idp: Command, world: World, tmp_path: Path
) -> None:
    idp.does("import", "companies", a_file(tmp_path, a_company()))
    activated(world)
    changed = a_file(tmp_path, a_company(手机号码="13700000009"))
    assert "已激活，不能由导入修改" in idp.refuses("import", "companies", changed)
    assert the_company(world)["phone"] == "13700000000"


def test_a_code_that_stands_there_twice_is_refused_in_both_lines(embedded: Command, tmp_path: Path) -> None:
    file = a_file(tmp_path, a_company(), a_company(1), a_company(0, 手机号码=""))
    error = embedded.refuses("import", "companies", file)
    assert "line 2, 统一社会信用代码: 与第 4 行重复" in error
    assert "line 4, 统一社会信用代码: 与第 2 行重复" in error


def test_companies_of_one_person_share_him_and_he_has_one_name(
    idp: Command, world: World, tmp_path: Path
) -> None:
    both = [a_company(), a_company(1, 法定代表人证件号码=NUMBERS[0])]
    idp.does("import", "companies", a_file(tmp_path, *both))
    assert the_company(world)["representative"] == the_company(world, 1)["representative"]
    renamed = a_file(
        tmp_path, a_company(2), a_company(3, 法定代表人证件号码=NUMBERS[2], 法定代表人姓名="周远")
    )
    assert "line 3, 法定代表人姓名: 第 2 行的同一证件号码是另一个姓名" in idp.refuses(
        "import", "companies", renamed
    )


def test_a_person_who_is_there_represents_the_company_under_his_name_alone(
    idp: Command, world: World, tmp_path: Path
) -> None:
    person = world.a_person(name="林小满")
    row = a_company(法定代表人证件号码=person.id_number)
    error = idp.refuses("import", "companies", a_file(tmp_path, row | {"法定代表人姓名": "周远"}))
    assert "登记的是另一个姓名" in error
    assert "林小满" not in error
    days = {"身份证有效开始日期": "2020-01-31", "身份证有效结束日期": "2030-01-31"}
    file = a_file(tmp_path, row | days)
    idp.does("import", "companies", file)
    assert counted(idp.does("import", "companies", file)) == (0, 0, 1, 0)
    company = the_company(world)
    assert (company["representative"], company["representative_phone"]) == (person.row.id, person.phone)
    # He has an account: the days of his document are his own to change.
    with world.reading() as db:
        found = find_enterprise(db, CODES[0])
        assert found
        assert found.representative.id_valid_from is None


@pytest.mark.parametrize("fault", [KeyboardInterrupt, OSError, MemoryError], ids=lambda fault: fault.__name__)
def test_what_stops_half_way_leaves_nothing(
    idp: Command, world: World, tmp_path: Path, fault: type[BaseException]
) -> None:
    before = stored(world)

    def stop() -> None:
        raise fault

    file = a_file(tmp_path, a_company(), a_company(1))
    with before_statement("INTO legal_accounts", stop), suppress(fault):
        assert idp("import", "companies", file).code != 0
    assert stored(world) == before
    assert counted(idp.does("import", "companies", file)) == (2, 0, 0, 0)


def test_an_import_that_is_killed_leaves_nothing(idp: Command, world: World, tmp_path: Path) -> None:
    before = stored(world)
    file = a_file(tmp_path, a_company(), a_company(1))
    environment = {**os.environ, **variables_of(idp.settings)}
    command = [sys.executable, "-c", KILLED, "import", "companies", str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert stored(world) == before
    assert counted(idp.does("import", "companies", file)) == (2, 0, 0, 0)


def test_a_company_that_registers_meanwhile_keeps_the_whole_file_out(
    idp: Command, world: World, tmp_path: Path
) -> None:
    person = world.a_person()

    def register() -> None:
        with world.write() as db:
            holder = db.merge(person.row)
            add_enterprise(
                db,
                uscc=CODES[1],
                name="自行注册有限公司",
                type_=EnterpriseType.COMPANY,
                representative=holder,
                now=world.now(),
            )

    file = a_file(tmp_path, a_company(), a_company(1))
    with before_statement("INTO people", register):
        answer = idp("import", "companies", file)
    assert (answer.code, answer.out) == (1, "")
    assert "Run it again" in answer.err
    assert not the_company(world)
    assert the_company(world, 1)["name"] == "自行注册有限公司"


def test_a_company_that_activates_meanwhile_keeps_what_it_has(
    idp: Command, world: World, tmp_path: Path
) -> None:
    """Its phone of record decides who activates; after that it is the company's own."""
    idp.does("import", "companies", a_file(tmp_path, a_company(), a_company(1)))
    changed = a_file(tmp_path, a_company(0, 手机号码="13700000008"), a_company(1, 手机号码="13700000009"))
    with before_statement("legal_accounts.activated_at IS NULL", lambda: activated(world)):
        answer = idp("import", "companies", changed)
    assert (answer.code, answer.out) == (1, "")
    assert [the_company(world, number)["phone"] for number in (0, 1)] == ["13700000000", "13700000001"]


def test_what_is_said_on_a_terminal_stays_out_of_json(
    embedded: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    file = a_file(tmp_path, a_company() | {"序号": "1"})
    answer = embedded("import", "companies", file, "--dry-run")
    assert "1 added, 0 updated, 0 already there, 0 refused" in answer.out
    assert "Columns passed over: 序号" in answer.out
    answer = embedded("import", "companies", file, "--json")
    assert json.loads(answer.out)["passed_over"] == ["序号"]
    assert answer.err == ""
