"""Bringing companies and people in from a table: checked as a whole, written as a whole.

================  ==================================================================================
``imports``       this: what a check leaves behind, and the one transaction that writes it
``import_tables`` bytes to rows of cells, and the report of what was refused
``import_rows``   a row's cells to typed values
``import_companies``, ``import_people``   what there is already, and what a row changes of it
================  ==================================================================================

Checking reads, seals and holds no transaction: 20,000 rows take seconds, and writers of a live installation
must not wait for them. What was read is checked anew by the write: unique indexes refuse whoever appeared
meanwhile, and an account that its owner took over or somebody changed meanwhile is found under a lock. The
write itself has nothing left to compute: it sends values, many rows a statement, and loads no objects.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from sqlalchemy import Executable, insert, inspect, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.accounts.calendar import civil_day
from idp.accounts.identifiers import is_same_person_name
from idp.accounts.import_rows import DocumentKey, Fault, Parsed
from idp.accounts.import_tables import Table
from idp.accounts.models import Credential, Mandate, Person
from idp.crypto import Vault
from idp.db import Base

RowT = TypeVar("RowT")
CHUNK = 500
"""Rows looked up or written at once."""
Tick = Callable[[int], None]
"""Hears how many rows more are done."""


class OvertakenByOthers(Exception):
    """Somebody registered, activated, changed or imported a row since the check; nothing is written."""


class NewRow(NamedTuple):
    """A row to be added: its values are sealed before the transaction, and written without objects."""

    table: type[Base]
    values: dict[str, Any]


class ChangedRow(NamedTuple):
    """The same for a row that is there: its `id`, and the values that become others."""

    table: type[Base]
    values: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """What an import changes of an account that nobody has taken over; kinds of accounts say whose it is."""

    target: str
    """As the audit trail names it."""
    fields: tuple[str, ...]
    """What is new, as the audit trail names it."""
    rows: tuple[ChangedRow, ...]


ChangeT = TypeVar("ChangeT", bound=Change)


def new_row(row: Base) -> NewRow:
    """What is to be written of an object; columns left to their default are left out."""
    columns = inspect(type(row)).columns
    values = {column.key: getattr(row, column.key) for column in columns}
    return NewRow(
        type(row),
        {name: value for name, value in values.items() if value is not None or columns[name].default is None},
    )


def changed_row(row: Base, *columns: str) -> ChangedRow:
    """What is to be written of these columns of an object, which has an `id`."""
    return ChangedRow(type(row), {name: getattr(row, name) for name in ("id", *columns)})


@dataclass(slots=True)
class Plan(Generic[ChangeT]):
    """What became of the rows of a table, nothing of it written yet."""

    refused: dict[int, list[Fault]] = field(default_factory=dict)
    """By line of the file."""
    people: list[NewRow] = field(default_factory=list)
    """Representatives to be added, who may stand for several of the companies."""
    new: list[tuple[NewRow, ...]] = field(default_factory=list)
    """What is added for each row that is new."""
    changes: list[ChangeT] = field(default_factory=list)
    validities: dict[UUID, ChangedRow] = field(default_factory=dict)
    """The days of documents of people who are there and represent a company of the table."""
    already_there: int = 0
    without_phone: int = 0

    @property
    def counts(self) -> dict[str, int]:
        """How many rows became what."""
        return {
            "added": len(self.new),
            "updated": len(self.changes),
            "already_there": self.already_there,
            "refused": len(self.refused),
        }

    def refuse(self, line: int, column: str, sentence: str) -> None:
        """Refuse one row, for one reason more."""
        self.refused.setdefault(line, []).append(Fault(column, sentence))


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """A person who is there already."""

    row: Person
    name: str
    phone: str | None
    taken_over: bool
    """Whether he has a password of his own: then an import changes nothing of him."""

    def is_called(self, name: str) -> bool:
        """Whether this is his name, however it was typed."""
        return is_same_person_name(self.name, name)


def write(
    db: Session, plan: Plan[ChangeT], claim: Callable[[Session, Sequence[ChangeT]], None], *, tick: Tick
) -> None:
    """Write everything that was not refused; the caller commits.

    `claim` locks what a part of the changes is about, as long as it is nobody's yet.

    Raises OvertakenByOthers.
    """
    try:
        for people in chunks(plan.people):
            insert_rows(db, people)
        for added in chunks(plan.new):
            insert_rows(db, [row for together in added for row in together])
            tick(len(added))
        for changes in chunks(plan.changes):
            claim(db, changes)
            _update(db, [row for change in changes for row in change.rows])
            tick(len(changes))
        # People after accounts, the order in which an activation locks them.
        for days in chunks(list(plan.validities.values())):
            claim_people(db, [row.values["id"] for row in days])
            _update(db, days)
    except IntegrityError as taken:
        db.rollback()
        raise OvertakenByOthers from taken


def chunks(rows: Sequence[RowT]) -> Iterator[Sequence[RowT]]:
    """`rows` in parts of CHUNK."""
    for first in range(0, len(rows), CHUNK):
        yield rows[first : first + CHUNK]


def parsed_rows(table: Table, parse: Callable[[int, Mapping[str, str]], Parsed]) -> list[Parsed]:
    """Every row of a table, read by `parse` from its line number and its cells."""
    rows = []
    for line in table.lines:
        row = parse(line.number, table.named(line))
        if table.overflows(line):
            row.refuse("", "这一行的格数比表头多")
        rows.append(row)
    return rows


def plan_in_parts(
    parsed: Iterable[Parsed],
    plan: Plan[ChangeT],
    kind: Callable[[Parsed], RowT],
    take: Callable[[Sequence[RowT]], None],
    *,
    tick: Tick,
) -> None:
    """Refuse the rows in which something is wrong; `take` plans the others, as `kind`, a part at a time."""
    rows = [kind(row) for row in sound(parsed, plan)]
    tick(len(plan.refused))
    for part in chunks(rows):
        take(part)
        tick(len(part))


def sound(parsed: Iterable[Parsed], plan: Plan[ChangeT]) -> list[Parsed]:
    """The rows in which nothing is wrong; the others are refused in `plan`."""
    fit = []
    for row in parsed:
        for fault in row.faults:
            plan.refuse(row.line, *fault)
        if not row.faults:
            fit.append(row)
    return fit


def refuse_doubles(rows: Iterable[Parsed], value_of: str, column: str) -> None:
    """Refuse in `column` every row that shares its value of this name with another row."""
    lines: dict[Hashable, list[Parsed]] = defaultdict(list)
    for row in rows:
        if (value := row.values.get(value_of)) is not None:
            lines[value].append(row)
    for same in lines.values():
        for row in same:
            others = [str(other.line) for other in same if other is not row][:5]
            if others:
                row.refuse(column, f"与第 {'、'.join(others)} 行重复")


def known_people(
    db: Session, vault: Vault, documents: Iterable[DocumentKey]
) -> dict[DocumentKey, KnownPerson]:
    """Those of the people with these documents who are there."""
    wanted: dict[tuple[str, bytes | None], DocumentKey] = {
        (document.type.value, index): document
        for document in documents
        for index in vault.indexes("id_number", document.number)
    }
    found = {}
    query = select(Person, Credential.id).outerjoin(Credential, Credential.person_id == Person.id)
    rows = db.execute(query.where(Person.id_number_index.in_({index for _, index in wanted})))
    for row, credential in rows:
        if document := wanted.get((row.id_type, row.id_number_index)):
            found[document] = _known(vault, row, credential)
    return found


def holders_of_phones(db: Session, vault: Vault, phones: Iterable[str]) -> dict[str, UUID]:
    """Whose phone each of these is, of those that are somebody's."""
    wanted = {index: phone for phone in phones for index in vault.indexes("phone", phone)}
    query = select(Person.phone_index, Person.id).where(Person.phone_index.in_(wanted))
    return {wanted[index]: person_id for index, person_id in db.execute(query) if index}


def phones_of_mandates(
    db: Session, vault: Vault, people: Collection[UUID], *, now: datetime
) -> defaultdict[UUID, set[str]]:
    """The phones by which companies know these people as their operators, of mandates that are not over."""
    not_over = (Mandate.ended_at.is_(None), Mandate.last_day >= civil_day(now))
    phones = defaultdict[UUID, set[str]](set)
    for mandate in db.scalars(select(Mandate).where(Mandate.person_id.in_(people), *not_over)):
        if phone := mandate.phone(vault):
            phones[mandate.person_id].add(phone)
    return phones


def claim_people(db: Session, people: Collection[UUID]) -> None:
    """Lock these people, as long as none has a password of his own. Raises OvertakenByOthers."""
    locked = select(Person.id).where(Person.id.in_(people)).order_by(Person.id).with_for_update()
    found = db.scalars(locked).all()
    taken_over = select(Credential.id).where(Credential.person_id.in_(people)).limit(1)
    if len(found) < len(people) or db.scalar(taken_over):
        raise OvertakenByOthers


def digest_of(data: bytes) -> str:
    """What the audit trail keeps of an imported file: its SHA-256, as `sha256sum` prints it."""
    return hashlib.sha256(data).hexdigest()


def insert_rows(db: Session, rows: Iterable[NewRow]) -> None:
    """Insert the rows of each table together; a table stands behind those its rows rest on."""
    _send(db, insert, rows)


def _update(db: Session, rows: Iterable[ChangedRow]) -> None:
    _send(db, update, rows)


def _send(
    db: Session, statement: Callable[[type[Base]], Executable], rows: Iterable[NewRow | ChangedRow]
) -> None:
    values: dict[type[Base], list[dict[str, Any]]] = {}
    for row in rows:
        values.setdefault(row.table, []).append(row.values)
    for table, together in values.items():
        db.execute(statement(table), together)


def _known(vault: Vault, row: Person, credential: UUID | None) -> KnownPerson:
    return KnownPerson(row, row.name(vault), row.phone(vault), credential is not None)
