"""Companies from an older platform: they come as 待激活, with the phone that activation sends its code to.

A representative is found by his document or added, without a password and without a phone: the phone is the
company's (MISSION section Y, "a company's account and its person").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from idp.accounts.import_rows import (
    COMPANY_COLUMNS,
    COMPANY_REQUIRED,
    CompanyRow,
    DocumentKey,
    Parsed,
    parse_company,
)
from idp.accounts.import_tables import Table, read_table
from idp.accounts.imports import (
    Change,
    ChangedRow,
    KnownPerson,
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
from idp.accounts.models import Enterprise, LegalAccount, Person
from idp.crypto import Vault
from idp.db import uuid7

ACTIVATED = "已激活，不能由导入修改"
_NEEDS_PHONE = "更换法定代表人时须同时提供手机号码"


@dataclass(frozen=True, slots=True)
class CompanyChange(Change):
    """What becomes of a company that is there and 待激活."""

    enterprise_id: UUID


def read_companies(data: bytes) -> Table:
    """The table of a file. Raises TableRefused."""
    return read_table(data, COMPANY_COLUMNS, required=COMPANY_REQUIRED)


def check_companies(
    db: Session, vault: Vault, table: Table, *, now: datetime, tick: Tick
) -> Plan[CompanyChange]:
    """What the rows of a table would do; nothing is written."""
    parsed = parsed_rows(table, parse_company)
    refuse_doubles(parsed, "uscc", "uscc")
    _refuse_second_names(parsed)
    plan = Plan[CompanyChange]()
    plan_in_parts(parsed, plan, CompanyRow.of, _Planner(db, vault, plan, now).take, tick=tick)
    return plan


def claim_companies(db: Session, changes: Sequence[CompanyChange]) -> None:
    """Lock the companies of these changes, as long as all are 待激活. Raises OvertakenByOthers."""
    wanted = [change.enterprise_id for change in changes]
    # Whoever activates one of them waits for this, or has done it and is found out here.
    pending = (
        select(LegalAccount.id)
        .where(LegalAccount.enterprise_id.in_(wanted), LegalAccount.activated_at.is_(None))
        .order_by(LegalAccount.id)
        .with_for_update()
    )
    if len(db.scalars(pending).all()) < len(wanted):
        raise OvertakenByOthers


class _Planner:
    """Compares rows with what is there, a part at a time; representatives are the same over all parts."""

    def __init__(self, db: Session, vault: Vault, plan: Plan[CompanyChange], now: datetime) -> None:
        self._db, self._vault, self._plan, self._now = db, vault, plan, now
        self._added: dict[DocumentKey, UUID] = {}

    def take(self, rows: Sequence[CompanyRow]) -> None:
        """Plan these rows."""
        query = (
            select(Enterprise)
            .options(joinedload(Enterprise.account))
            .where(Enterprise.uscc.in_([row.uscc for row in rows]))
        )
        companies = {company.uscc: company for company in self._db.scalars(query)}
        people = known_people(self._db, self._vault, {row.document for row in rows})
        self._db.expunge_all()
        for row in rows:
            known = people.get(row.document)
            if known and not known.is_called(row.representative_name):
                self._plan.refuse(
                    row.line, "representative_name", "平台上这个证件号码登记的是另一个姓名，请核对"
                )
            elif company := companies.get(row.uscc):
                self._compare(row, company, known)
            else:
                self._add(row, known)

    def _add(self, row: CompanyRow, known: KnownPerson | None) -> None:
        company = Enterprise(
            id=uuid7(),
            uscc=row.uscc,
            name=row.name,
            type=row.type.value,
            status=row.status.value,
            representative_id=self._representative(row, known),
            created_at=self._now,
        )
        account = LegalAccount(id=uuid7(), enterprise_id=company.id, created_at=self._now)
        if row.phone:
            account.set_phone(self._vault, row.phone)
        else:
            self._plan.without_phone += 1
        self._plan.new.append((new_row(company), new_row(account)))

    def _compare(self, row: CompanyRow, company: Enterprise, known: KnownPerson | None) -> None:
        account = company.account
        phone = account.phone(self._vault) if account else None
        if not (phone or row.phone):
            self._plan.without_phone += 1
        told = {
            "company_name": row.name != company.name,
            "type": row.type.value != company.type,
            "status": row.status.value != company.status,
            "representative": known is None or known.row.id != company.representative_id,
            # An empty cell says nothing; it takes no phone away.
            "phone": row.phone is not None and row.phone != phone,
            "id_validity": known is not None and self._has_new_days(row, known),
        }
        fields = tuple(name for name, differs in told.items() if differs)
        if not fields:
            self._plan.already_there += 1
        elif account is None or account.activated_at:
            self._plan.refuse(row.line, "uscc", ACTIVATED)
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
        company.name, company.type, company.status = row.name, row.type.value, row.status.value
        company.representative_id = self._representative(row, known)
        changed = [changed_row(company, "name", "type", "status", "representative_id")]
        if row.phone:
            account.set_phone(self._vault, row.phone)
            changed.append(changed_row(account, "phone_sealed"))
        target = f"enterprise:{company.id}"
        self._plan.changes.append(CompanyChange(target, fields, tuple(changed), enterprise_id=company.id))

    def _representative(self, row: CompanyRow, known: KnownPerson | None) -> UUID:
        """Whom the row's document names: somebody who is there, or somebody whom the import adds."""
        if known:
            if self._has_new_days(row, known):
                # Not put on him: to the other companies he represents the days are as new.
                days = {"id": known.row.id, **row.validity.columns}
                self._plan.validities[known.row.id] = ChangedRow(Person, days)
            return known.row.id
        if row.document not in self._added:
            person = Person(id=uuid7(), created_at=self._now, id_type=row.document.type.value)
            person.set_name(self._vault, row.representative_name)
            person.set_id_number(self._vault, row.document.number)
            row.validity.put_on(person)
            self._plan.people.append(new_row(person))
            self._added[row.document] = person.id
        return self._added[row.document]

    @staticmethod
    def _has_new_days(row: CompanyRow, known: KnownPerson) -> bool:
        # Whoever has an account tells the days of his document himself.
        return not known.taken_over and row.validity.is_news_of(known.row)


def _refuse_second_names(rows: Sequence[Parsed]) -> None:
    """Refuse every row whose representative has another name where his document stands first."""
    first: dict[DocumentKey, Parsed] = {}
    for row in rows:
        document, name = row.values.get("document"), row.values.get("representative_name")
        if document is None or name is None:
            continue
        before = first.setdefault(document, row)
        if before.values["representative_name"] != name:
            row.refuse("representative_name", f"第 {before.line} 行的同一证件号码是另一个姓名")
