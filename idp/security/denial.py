"""不是我: what the link of a notice shows, and the lock that its button sets (MISSION Y)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.access import endings, holders
from idp.accounts import notices
from idp.accounts.audit import Action, Event, Origin, Trail
from idp.accounts.identifiers import mask_name
from idp.accounts.models import Enterprise, LegalAccount, Mandate, Person
from idp.accounts.notices import Kind, Notice, Notifier, Told
from idp.accounts.phones import phone_of_record
from idp.accounts.sessions import Device
from idp.accounts.staff import StaffMember
from idp.crypto import Vault

_RESETS = {"person": "login.reset_person", "legal": "login.reset_legal", "mandate": "login.reset_operator"}


class NoSuchNotice(Exception):
    """The link is nobody's, or has expired: the two are never told apart."""


def find(db: Session, token: str, *, now: datetime) -> Notice:
    """The notice whose link this is. Raises NoSuchNotice."""
    found = notices.find_notice(db, token, now=now)
    if found is None:
        raise NoSuchNotice
    return found


def deny(
    db: Session, vault: Vault, trail: Trail, notifier: Notifier, token: str, origin: Origin, *, now: datetime
) -> None:
    """Lock the account that the notice is about, once: a link pressed again does nothing.

    So an account that was opened again stays open, whoever finds the old message. Raises NoSuchNotice.
    """
    notice = find(db, token, now=now)
    if not notices.deny(db, notice, now=now):
        return
    by = Origin(f"notice:{notice.id}", origin.address, origin.device, origin.request_id)
    kind = notice.account.partition(":")[0]
    if kind == "legal":
        _dispute(db, trail, notifier, notice, by, now=now)
    locked = endings.lock(db, vault, trail, notifier, notice.account, by, now=now)
    if kind == "legal" and not locked:
        # An approved appeal had closed it, or it never was open: that somebody objects is to be seen.
        trail.record(db, Event(Action.ACCOUNT_LOCKED, target=notice.account), by, now=now)


def _dispute(
    db: Session, trail: Trail, notifier: Notifier, notice: Notice, by: Origin, *, now: datetime
) -> None:
    """Note it of a company's account. The phone that it has until then hears why it is closed."""
    account_id = UUID(notice.account.partition(":")[2])
    db.get_one(LegalAccount, account_id, with_for_update=True, populate_existing=True)
    elsewhere = notices.is_read_elsewhere(db, notice)
    if elsewhere:
        told = Told(Kind.LOCKED_ELSEWHERE, device=Device(by.device, by.address))
        notifier.tell(db, notice.account, told, now=now)
    holders.dispute(db, trail, account_id, by, is_elsewhere=elsewhere, now=now)


def reset_of(db: Session, vault: Vault, account: str) -> str:
    """The endpoint of the reset that opens the account again.

    Empty for staff, whom a colleague lets in, and where there is no phone to reset it by.
    """
    reset = _RESETS.get(account.partition(":")[0], "")
    return reset if reset and phone_of_record(db, vault, account) else ""


def has_appeal(db: Session, vault: Vault, account: str) -> bool:
    """Whether what opens the account again is an appeal: a company's, without a phone to reset it by."""
    return account.startswith("legal:") and not reset_of(db, vault, account)


def whose(db: Session, vault: Vault, account: str) -> str:
    """Which account it is, for whoever holds the phone: the kind, the name masked, the company."""
    kind, _, account_id = account.partition(":")
    row_id = UUID(account_id)
    if kind == "person":
        return f"个人账号，{mask_name(db.get_one(Person, row_id).name(vault))}"
    if kind == "legal":
        company = db.get_one(Enterprise, db.get_one(LegalAccount, row_id).enterprise_id)
        return f"法人账号，{company.name}"
    if kind == "mandate":
        mandate = db.get_one(Mandate, row_id)
        name = mask_name(db.get_one(Person, mandate.person_id).name(vault))
        return f"经办人账号，{name}，{db.get_one(Enterprise, mandate.enterprise_id).name}"
    return f"工作人员账号，{mask_name(db.get_one(StaffMember, row_id).name(vault))}"
