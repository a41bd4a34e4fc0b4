"""Companies from an older platform: they come as 待激活, with the phone that activation sends its code to.

A representative is found by his document or added, without a password and without a phone: the phone is the
company's (MISSION section Y, "a company's account and its person").

What was decided here of a company that is 待激活 stays (`_DECIDED`): the older platform knows of no appeal,
and whoever reads the phone of record activates the account.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from idp.accounts.audit import Action, AuditEvent
from idp.accounts.import_rows import (
    COMPANY_COLUMNS,
    COMPANY_REQUIRED,
    CompanyRow,
    DocumentKey,
    Parsed,
    Validity,
    parse_company,
)
from idp.accounts.import_tables import Table, read_table
from idp.accounts.imports import (
    Change,
    ChangedRow,
    KnownPerson,
    NewRow,
    OvertakenByOthers,
    Plan,
    Tick,
    changed_row,
    known_people,
    new_row,
    parsed_rows,
    plan_in_parts,
    refuse_doubles,
)
from idp.accounts.models import Enterprise, EnterpriseStatus, EnterpriseType, LegalAccount, Person
from idp.crypto import Vault
from idp.db import uuid7

ACTIVATED = "已激活，不能由导入修改"
_NEEDS_PHONE = "更换法定代表人时须同时提供手机号码"
_DECIDED = {
    Action.ENTERPRISE_REGISTERED: ("company_name", "representative", "phone"),
    Action.COMPANY_RENAMED: ("company_name",),
    Action.REPRESENTATIVE_CHANGED: ("representative",),
    Action.PHONE_CHANGED: ("phone",),
    Action.PHONE_GIVEN_UP: ("phone",),
}
"""What the trail tells of a company's account, and what no import changes of it afterwards."""
_STAYS = {
    "company_name": ("name", "这家企业的名称已在平台上登记或更正，不能由导入修改，请按平台登记的填写"),
    "representative": (
        "representative_id_number",
        "这家企业的法定代表人已在平台上登记或变更，不能由导入修改，请按平台登记的填写；再次变更由企业提出账号申诉",
    ),
    "phone": (
        "phone",
        "这家企业的手机号码已在平台上登记、更换或移除，不能由导入修改，可以留空；再次更换由企业提出账号申诉",
    ),
}
"""The column that is refused then, and why."""
_PHONE_STAYS = (
    "representative_id_number",
    "这家企业的手机号码已在平台上登记、更换或移除，不能由导入变更法定代表人，请由企业提出账号申诉",
)


class Seen(NamedTuple):
    """What the check read of a company; it stands there still when the change is written, or nothing is."""

    name: str
    type: str
    status: str
    representative_id: UUID
    phone_sealed: bytes | None


_OF_COMPANY = ("name", "type", "status", "representative_id")


@dataclass(frozen=True, slots=True)
class CompanyChange(Change):
    """What becomes of a company that is there and 待激活."""

    enterprise_id: UUID
    seen: Seen


def read_companies(data: bytes) -> Table:
    """The table of a file. Raises TableRefused."""
    return read_table(data, COMPANY_COLUMNS, required=COMPANY_REQUIRED)


def check_companies(
    db: Session, vault: Vault, table: Table, *, now: datetime, tick: Tick
) -> Plan[CompanyChange]:
    """What the rows of a table would do; nothing is written."""
    parsed = parsed_rows(table, parse_company)
    refuse_doubles(parsed, "uscc", "uscc")
    _refuse_second(parsed, "representative_name", lambda row: row.values.get("representative_name"), "姓名")
    _refuse_second(parsed, "id_valid_from", _days, "有效期")
    plan = Plan[CompanyChange]()
    plan_in_parts(parsed, plan, CompanyRow.of, _Planner(db, vault, plan, now).take, tick=tick)
    return plan


def claim_companies(db: Session, changes: Sequence[CompanyChange]) -> None:
    """Lock the companies of these changes, as long as all are 待激活 and as the check read them.

    Raises OvertakenByOthers.
    """
    wanted = {change.enterprise_id: change.seen for change in changes}
    # Whoever activates one of them waits for this, or has done it and is found out here.
    pending = (
        select(LegalAccount.enterprise_id, LegalAccount.phone_sealed)
        .where(LegalAccount.enterprise_id.in_(wanted), LegalAccount.activated_at.is_(None))
        .order_by(LegalAccount.id)
        .with_for_update()
    )
    phones = {row.enterprise_id: row.phone_sealed for row in db.execute(pending)}
    # After their accounts, as everywhere. Rows that rest on a company need not wait.
    companies = (
        select(Enterprise.id, *(getattr(Enterprise, name) for name in _OF_COMPANY))
        .where(Enterprise.id.in_(phones))
        .order_by(Enterprise.id)
        .with_for_update(key_share=True)
    )
    found = {row.id: Seen._make((*row[1:], phones[row.id])) for row in db.execute(companies)}
    if found != wanted:
        raise OvertakenByOthers


class _Planner:
    """Compares rows with what is there, a part at a time; representatives are the same over all parts."""

    def __init__(self, db: Session, vault: Vault, plan: Plan[CompanyChange], now: datetime) -> None:
        self._db, self._vault, self._plan, self._now = db, vault, plan, now
        self._added: dict[DocumentKey, NewRow] = {}

    def take(self, rows: Sequence[CompanyRow]) -> None:
        """Plan these rows."""
        query = (
            select(Enterprise)
            .options(joinedload(Enterprise.account))
            .where(Enterprise.uscc.in_([row.uscc for row in rows]))
        )
        companies = {company.uscc: company for company in self._db.scalars(query)}
        people = known_people(self._db, self._vault, {row.document for row in rows})
        decided = _decided_here(self._db, companies.values())
        self._db.expunge_all()
        for row in rows:
            known = people.get(row.document)
            if known and not known.is_called(row.representative_name):
                self._plan.refuse(
                    row.line, "representative_name", "平台上这个证件号码登记的是另一个姓名，请核对"
                )
            elif company := companies.get(row.uscc):
                self._compare(row, company, known, decided[company.id])
            else:
                self._add(row, known)

    def _add(self, row: CompanyRow, known: KnownPerson | None) -> None:
        company = Enterprise(
            id=uuid7(),
            uscc=row.uscc,
            name=row.name,
            type=(row.type or EnterpriseType.COMPANY).value,
            status=(row.status or EnterpriseStatus.NORMAL).value,
            representative_id=self._representative(row, known),
            created_at=self._now,
        )
        account = LegalAccount(id=uuid7(), enterprise_id=company.id, created_at=self._now)
        if row.phone:
            account.set_phone(self._vault, row.phone)
        else:
            self._plan.without_phone += 1
        self._plan.new.append((new_row(company), new_row(account)))

    def _compare(
        self, row: CompanyRow, company: Enterprise, known: KnownPerson | None, decided: set[str]
    ) -> None:
        account = company.account
        phone = account.phone(self._vault) if account else None
        if not (phone or row.phone):
            self._plan.without_phone += 1
        told = {
            "company_name": row.name != company.name,
            # An empty cell says nothing; it takes nothing away.
            "type": row.type is not None and row.type.value != company.type,
            "status": row.status is not None and row.status.value != company.status,
            "representative": known is None or known.row.id != company.representative_id,
            "phone": row.phone is not None and row.phone != phone,
            "id_validity": known is not None and self._has_new_days(row, known),
        }
        fields = tuple(name for name, differs in told.items() if differs)
        if not fields:
            self._plan.already_there += 1
        elif account is None or account.activated_at:
            self._plan.refuse(row.line, "uscc", ACTIVATED)
        elif stays := _staying(fields, decided):
            for column, why in stays:
                self._plan.refuse(row.line, column, why)
        elif told["representative"] and phone and not row.phone:
            # Whoever reads the phone of record activates the account: it must not stay the one before's.
            self._plan.refuse(row.line, "phone", _NEEDS_PHONE)
        else:
            self._change(row, company, account, known, fields)

    def _change(
        self,
        row: CompanyRow,
        company: Enterprise,
        account: LegalAccount,
        known: KnownPerson | None,
        fields: tuple[str, ...],
    ) -> None:
        seen = Seen._make((*(getattr(company, name) for name in _OF_COMPANY), account.phone_sealed))
        company.name = row.name
        company.type = row.type.value if row.type else company.type
        company.status = row.status.value if row.status else company.status
        company.representative_id = self._representative(row, known)
        # All of them, so that many rows are one statement: under the lock the others are what they were.
        changed = [changed_row(company, *_OF_COMPANY)]
        if row.phone and "phone" in fields:
            account.set_phone(self._vault, row.phone)
            changed.append(changed_row(account, "phone_sealed"))
        target = f"enterprise:{company.id}"
        self._plan.changes.append(
            CompanyChange(target, fields, tuple(changed), enterprise_id=company.id, seen=seen)
        )

    def _representative(self, row: CompanyRow, known: KnownPerson | None) -> UUID:
        """Whom the row's document names: somebody who is there, or somebody whom the import adds."""
        if known:
            if self._has_new_days(row, known):
                # Not put on him: to the other companies he represents the days are as new.
                days = {"id": known.row.id, **row.validity.columns}
                self._plan.validities[known.row.id] = ChangedRow(Person, days)
            return known.row.id
        added = self._added.get(row.document)
        if added is None:
            person = Person(id=uuid7(), created_at=self._now, id_type=row.document.type.value)
            person.set_name(self._vault, row.representative_name)
            person.set_id_number(self._vault, row.document.number)
            added = self._added[row.document] = new_row(person)
            self._plan.people.append(added)
        if row.validity.first:
            # Whichever of his rows tells the days.
            added.values.update(row.validity.columns)
        person_id: UUID = added.values["id"]
        return person_id

    @staticmethod
    def _has_new_days(row: CompanyRow, known: KnownPerson) -> bool:
        # Whoever has an account tells the days of his document himself.
        return not known.taken_over and row.validity.is_news_of(known.row)


def _decided_here(db: Session, companies: Iterable[Enterprise]) -> defaultdict[UUID, set[str]]:
    """What was decided here of these companies, as :class:`Change` names it."""
    targets = {}
    for company in companies:
        targets[f"enterprise:{company.id}"] = company.id
        if company.account:
            targets[f"legal:{company.account.id}"] = company.id
    told = select(AuditEvent.target, AuditEvent.action).where(
        AuditEvent.target.in_(targets), AuditEvent.action.in_([action.value for action in _DECIDED])
    )
    decided = defaultdict[UUID, set[str]](set)
    for target, action in db.execute(told):
        decided[targets[target]].update(_DECIDED[Action(action)])
    return decided


def _staying(fields: Iterable[str], decided: set[str]) -> list[tuple[str, str]]:
    """The columns that tell something else than what was decided here, each with its sentence."""
    stays = [_STAYS[name] for name in fields if name in decided]
    if "representative" in fields and "representative" not in decided and "phone" in decided:
        # It was decided for the one before: nobody else comes to activate the account by it.
        stays.append(_PHONE_STAYS)
    return stays


def _refuse_second(
    rows: Sequence[Parsed], column: str, told_by: Callable[[Parsed], object], what: str
) -> None:
    """Refuse every row that tells something else of a document than the first one that has it."""
    first: dict[DocumentKey, tuple[int, object]] = {}
    for row in rows:
        document, told = row.values.get("document"), told_by(row)
        if document is None or told is None:
            continue
        line, before = first.setdefault(document, (row.line, told))
        if told != before:
            row.refuse(column, f"第 {line} 行的同一证件号码是另一个{what}")


def _days(row: Parsed) -> Validity | None:
    # An empty cell says nothing.
    validity: Validity | None = row.values.get("validity")
    return validity if validity and validity.first else None
