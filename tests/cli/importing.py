"""Files of companies and people to import, and looking at what became of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event, func, select

from idp.accounts.audit import AuditEvent
from idp.accounts.directory import find_enterprise, find_person
from idp.accounts.models import Enterprise, LegalAccount, LoginName, Person
from tests.inhabitants import a_credit_code, a_resident_number
from tests.world import World

CODES = [a_credit_code(700_000 + number) for number in range(4)]
NUMBERS = [a_resident_number(700 + number) for number in range(4)]


def a_company(number: int = 0, **changes: str) -> dict[str, str]:
    """A row of a company, right in every cell unless changed."""
    row = {
        "统一社会信用代码": CODES[number],
        "企业名称": f"搬来{number}号有限公司",
        "法定代表人姓名": "林小满",
        "法定代表人证件号码": NUMBERS[number],
        "手机号码": f"1370000000{number}",
    }
    return row | changes


def a_person(number: int = 0, **changes: str) -> dict[str, str]:
    """A row of a person, right in every cell unless changed."""
    row = {"姓名": "林小满", "证件号码": NUMBERS[number], "手机号码": f"1370000000{number}", "账号": ""}
    return row | changes


def a_file(place: Path, *rows: dict[str, str], encoding: str = "utf-8") -> Path:
    """The rows as a file, all of them with the headings of the first."""
    written = io.StringIO()
    writer = csv.DictWriter(written, list(dict.fromkeys(head for row in rows for head in row)))
    writer.writeheader()
    writer.writerows(rows)
    path = place / "rows.csv"
    path.write_bytes(written.getvalue().encode(encoding))
    return path


def the_company(world: World, number: int = 0) -> dict[str, Any]:
    """What is stored of an imported company and its representative."""
    vault = world.backends.vault
    with world.reading() as db:
        row = find_enterprise(db, CODES[number])
        if row is None or row.account is None:
            return {}
        return {
            "name": row.name,
            "phone": row.account.phone(vault),
            "activated": row.account.activated_at is not None,
            "representative": row.representative.id,
            "representative_phone": row.representative.phone(vault),
        }


def the_person(world: World, number: int = 0) -> Person:
    """The person with the document of this number."""
    with world.reading() as db:
        found = find_person(db, world.backends.vault, NUMBERS[number])
    assert found
    return found


def stored(world: World) -> tuple[int, ...]:
    """How many companies, accounts, people, account names and events there are."""
    tables = (Enterprise, LegalAccount, Person, LoginName, AuditEvent)
    with world.reading() as db:
        return tuple(db.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


def events(world: World, action: str) -> list[AuditEvent]:
    """What the trail says of an import, in order."""
    with world.reading() as db:
        query = select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id)
        return list(db.scalars(query))


@contextmanager
def before_statement(part: str, act: Callable[[], object]) -> Iterator[None]:
    """Something happens once, just before a statement with `part` in it goes to the database."""
    happened: list[str] = []

    def listen(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if part in statement and not happened:
            happened.append(statement)
            act()

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", listen)
    assert happened, f"no statement held {part!r}"


@contextmanager
def statements() -> Iterator[list[str]]:
    """What goes to the database meanwhile, a line however many rows it writes at once."""
    sent: list[str] = []

    def listen(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", listen)


def counted(told: dict[str, Any]) -> tuple[int, ...]:
    """Added, updated, already there, refused."""
    return tuple(told[name] for name in ("added", "updated", "already_there", "refused"))
