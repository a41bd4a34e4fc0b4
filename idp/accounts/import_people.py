"""People from an older app (B23): they come without a password, and take the account over by their phone.

A row about somebody who is there is believed only while nobody has taken the account over, and never about
his name; a phone that was recorded here stays, his own or that of a mandate: it opens more than the older app
ever knew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from idp.accounts.import_rows import (
    PERSON_COLUMNS,
    PERSON_REQUIRED,
    PersonRow,
    parse_person,
)
from idp.accounts.import_tables import Table, read_table
from idp.accounts.imports import (
    Change,
    KnownPerson,
    OvertakenByOthers,
    Plan,
    Tick,
    changed_row,
    claim_people,
    holders_of_phones,
    insert_rows,
    known_people,
    new_row,
    parsed_rows,
    phones_of_mandates,
    plan_in_parts,
    refuse_doubles,
)
from idp.accounts.models import LoginName, Person
from idp.crypto import Vault
from idp.db import uuid7


@dataclass(frozen=True, slots=True)
class Arrival:
    """What holds for every person of a file: from where, when, and how long account names are (X1)."""

    brought_from: str
    shortest: int
    longest: int
    now: datetime


@dataclass(frozen=True, slots=True)
class PersonChange(Change):
    """What becomes of a person who is there and has no password yet."""

    row: PersonRow
    person_id: UUID


def read_people(data: bytes) -> Table:
    """The table of a file. Raises TableRefused."""
    return read_table(data, PERSON_COLUMNS, required=PERSON_REQUIRED)


def check_people(
    db: Session, vault: Vault, table: Table, arrival: Arrival, *, tick: Tick
) -> Plan[PersonChange]:
    """What the rows of a table would do; nothing is written."""
    parse = partial(parse_person, shortest=arrival.shortest, longest=arrival.longest)
    parsed = parsed_rows(table, parse)
    for value, column in (("document", "id_number"), ("phone", "phone"), ("account", "account")):
        refuse_doubles(parsed, value, column)
    plan = Plan[PersonChange]()
    plan_in_parts(parsed, plan, PersonRow.of, _Planner(db, vault, plan, arrival).take, tick=tick)
    return plan


def claim_people_changed(
    db: Session, vault: Vault, changes: Sequence[PersonChange], *, now: datetime
) -> None:
    """Lock the people of these changes, and give them their new account names. Raises OvertakenByOthers."""
    wanted = {change.person_id: change for change in changes}
    claim_people(db, wanted.keys())
    # Under the lock of the people, for which whoever gives one a mandate waits.
    given = phones_of_mandates(db, vault, wanted.keys(), now=now)
    if any(_takes_codes_away(change.row, change.fields, given[one]) for one, change in wanted.items()):
        raise OvertakenByOthers
    renamed = [person_id for person_id, change in wanted.items() if "account" in change.fields]
    db.execute(delete(LoginName).where(LoginName.person_id.in_(renamed)))
    insert_rows(db, [new_row(LoginName(name=wanted[one].row.account, person_id=one)) for one in renamed])


class _Planner:
    """Compares rows with what is there, a part at a time."""

    def __init__(self, db: Session, vault: Vault, plan: Plan[PersonChange], arrival: Arrival) -> None:
        self._db, self._vault, self._plan, self._arrival = db, vault, plan, arrival

    def take(self, rows: Sequence[PersonRow]) -> None:
        """Plan these rows."""
        people = known_people(self._db, self._vault, {row.document for row in rows})
        phones = holders_of_phones(self._db, self._vault, {row.phone for row in rows})
        ids = {known.row.id for known in people.values()}
        names = self._login_names(rows, ids)
        given = phones_of_mandates(self._db, self._vault, ids, now=self._arrival.now)
        account_of = {owner: name for name, owner in names.items() if owner}
        self._db.expunge_all()
        for row in rows:
            known = people.get(row.document)
            himself = known.row.id if known else None
            others = (
                ("name", known is not None and not known.is_called(row.name), _OTHER_NAME),
                ("phone", phones.get(row.phone, himself) != himself, _PHONE_TAKEN),
                ("account", bool(row.account) and names.get(row.account, himself) != himself, _ACCOUNT_TAKEN),
            )
            refused = [(column, sentence) for column, is_anothers, sentence in others if is_anothers]
            for column, sentence in refused:
                self._plan.refuse(row.line, column, sentence)
            if not refused and known:
                self._compare(row, known, account_of.get(known.row.id), given[known.row.id])
            elif not refused:
                self._add(row)

    def _login_names(self, rows: Sequence[PersonRow], people: set[UUID]) -> dict[str | None, UUID | None]:
        """Account names that these rows ask for or these people have, and whose they are."""
        asked = LoginName.name.in_([row.account for row in rows if row.account])
        owner = func.coalesce(LoginName.person_id, LoginName.legal_account_id)
        query = select(LoginName.name, owner).where(asked | LoginName.person_id.in_(people))
        return dict(self._db.execute(query).all())

    def _add(self, row: PersonRow) -> None:
        person = Person(
            id=uuid7(),
            created_at=self._arrival.now,
            id_type=row.document.type.value,
            brought_from=self._arrival.brought_from,
        )
        person.set_name(self._vault, row.name)
        person.set_id_number(self._vault, row.document.number)
        person.set_phone(self._vault, row.phone)
        row.validity.put_on(person)
        names = (LoginName(name=row.account, person_id=person.id),) if row.account else ()
        self._plan.new.append((new_row(person), *map(new_row, names)))

    def _compare(self, row: PersonRow, known: KnownPerson, account: str | None, given: set[str]) -> None:
        person = known.row
        told = {
            "phone": row.phone != known.phone,
            "account": row.account is not None and row.account != account,
            "id_validity": row.validity.is_news_of(person),
        }
        fields = tuple(name for name, differs in told.items() if differs)
        if not fields and (known.taken_over or person.brought_from):
            self._plan.already_there += 1
        elif known.taken_over:
            self._plan.refuse(row.line, "id_number", _TAKEN_OVER)
        elif known.phone and not person.brought_from and "phone" in fields:
            # His phone was recorded here, for a right he was given here; another platform's says less.
            self._plan.refuse(row.line, "phone", _OTHER_PHONE)
        elif _takes_codes_away(row, fields, given):
            self._plan.refuse(row.line, "phone", _OPERATORS_PHONE)
        else:
            self._change(row, person, fields)

    def _change(self, row: PersonRow, person: Person, fields: tuple[str, ...]) -> None:
        columns = ["brought_from"]
        person.brought_from = self._arrival.brought_from
        if "phone" in fields:
            person.set_phone(self._vault, row.phone)
            columns += ["phone_sealed", "phone_index"]
        if row.validity.first:
            row.validity.put_on(person)
            columns += row.validity.columns
        changed = (changed_row(person, *columns),)
        self._plan.changes.append(
            PersonChange(f"person:{person.id}", fields, changed, row=row, person_id=person.id)
        )


_OTHER_NAME = "平台上这个证件号码登记的是另一个姓名，请核对"
_PHONE_TAKEN = "这个手机号码已是别人的"
_ACCOUNT_TAKEN = "这个账号已被使用，可以留空"
_TAKEN_OVER = "本人已有平台账号，不能由导入修改"
_OTHER_PHONE = "平台上已登记本人的另一个手机号码，不能由导入修改"
_OPERATORS_PHONE = "手机号码与单位登记的经办人手机号码不一致，请与本人和单位核对"


def _takes_codes_away(row: PersonRow, fields: Sequence[str], given: set[str]) -> bool:
    """Whether an operator's codes would go elsewhere: his own phone comes before those companies gave."""
    return "phone" in fields and bool(given - {row.phone})
