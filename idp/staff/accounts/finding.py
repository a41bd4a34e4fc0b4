"""Finding one account by what somebody says of himself, through the blind indexes; nobody can be listed.

That a look-up was made is a line of the audit trail: by what kind of name and whether it found anybody,
never what was typed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from idp.accounts.audit import Action, Event, Origin, Trail
from idp.accounts.directory import find_enterprise, find_person, id_number_typed
from idp.accounts.identifiers import parse_account, parse_phone, parse_resident_id, parse_uscc
from idp.accounts.models import Enterprise, Person
from idp.crypto import Vault, plain

LONGEST = 64


class Kind(StrEnum):
    """What somebody typed, as far as its form tells."""

    CREDIT_CODE = "credit_code"
    PHONE = "phone"
    RESIDENT_ID = "resident_id"
    ACCOUNT_OR_DOCUMENT = "account_or_document"


class SearchRefused(Exception):
    """Nothing was looked up; the message is the sentence to show (Chinese)."""


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a look-up found: seldom both, where a passport number is also a company's account name."""

    person: Person | None = None
    company: Enterprise | None = None


def find(db: Session, vault: Vault, trail: Trail, supplied: str, origin: Origin, *, now: datetime) -> Found:
    """The account of this name, credit code, phone or ID number, as people type them (A06, A08, A09).

    Raises SearchRefused where the text can be none of these.
    """
    kind = _kind(supplied)
    person = None if kind is Kind.CREDIT_CODE else find_person(db, vault, supplied)
    may_be_company = kind is Kind.ACCOUNT_OR_DOCUMENT or parse_uscc(supplied) is not None
    company = find_enterprise(db, supplied) if may_be_company else None
    targets = [f"person:{person.id}"] if person else []
    targets += [f"enterprise:{company.id}"] if company else []
    detail = {"by": kind.value, "found": bool(targets)}
    target = targets[0] if len(targets) == 1 else ""
    trail.record(db, Event(Action.ACCOUNT_SEARCHED, target=target, detail=detail), origin, now=now)
    return Found(person, company)


def _kind(supplied: str) -> Kind:
    """Raises SearchRefused."""
    if len(supplied) > LONGEST:
        raise SearchRefused(f"查找内容最多 {LONGEST} 个字符，请核对后重新填写")
    if not plain(supplied):
        raise SearchRefused("请填写账号名、统一社会信用代码、手机号码或证件号码")
    # One resident number in 31 has the check character of a credit code too.
    if parse_resident_id(supplied):
        return Kind.RESIDENT_ID
    if parse_uscc(supplied):
        return Kind.CREDIT_CODE
    if parse_phone(supplied):
        return Kind.PHONE
    if parse_account(supplied, shortest=1, longest=LONGEST) or id_number_typed(supplied):
        return Kind.ACCOUNT_OR_DOCUMENT
    raise SearchRefused("这不是账号名、统一社会信用代码、手机号码或证件号码的写法，请核对后重新填写")
