"""Doing what an approval decided, all of it in the caller's transaction (E15, E17, X21, SECURITY 64, 73).

The account is locked first and the plan made anew under the lock: what is done is what the desk saw, or
nothing. Nobody of the staff ever knows a password: the account stays closed until the applicant has set his
own by the one-time link, which goes to the phone he proved.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.access import holders
from idp.access.holders import Held
from idp.accounts import companies, directory
from idp.accounts.audit import Action, Event, Origin, Trail
from idp.accounts.companies import AnotherName, MayNotAct, NewCompany
from idp.accounts.credentials import find as find_credential
from idp.accounts.directory import AlreadyTaken
from idp.accounts.documents import Document
from idp.accounts.models import EnterpriseType, LegalAccount, Person
from idp.accounts.notices import Kind, Notifier, Told
from idp.appeal import links, messages, outcome
from idp.appeal.messages import Message
from idp.appeal.models import Appeal, Statement
from idp.appeal.outcome import Change, Plan, Seen
from idp.config import Settings
from idp.crypto import Vault
from idp.db import begin_write, uuid7

_MOVED = "办理期间，平台上这家企业的登记有变动，没有做任何更改。请按现在的比对结果重新决定。"
_ONE_ALONE = "这项申诉要由另一位客服主管复核，没有做任何更改。请先提交复核。"


class Unapplicable(Exception):
    """The approval cannot be done now, and nothing of it was; `sentences` say why, for the desk (Chinese).

    The caller rolls back: his transaction may be undone already.
    """

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = tuple(sentences)


@dataclass(frozen=True, slots=True)
class Tools:
    """What an approval is done with."""

    vault: Vault
    trail: Trail
    notifier: Notifier
    settings: Settings


class Sender(messages.Tools, Protocol):
    """What a link is sent with; whoever decides has it, and so has whoever asks for a link again."""

    @property
    def trail(self) -> Trail:
        """Keeps that it was sent."""


def apply(
    db: Session,
    tools: Tools,
    appeal: Appeal,
    seen: Seen,
    origin: Origin,
    *,
    now: datetime,
) -> None:
    """Make the changes that were `seen`, tell the phones, issue the link; flushed when this returns.

    Raises Unapplicable where the plan is another by now, has obstacles, or was proposed by nobody though it
    needs a second approval.
    """
    # Nothing may change between the look and the change: on SQLite this alone says so.
    begin_write(db)
    held = holders.hold(db, appeal.uscc)
    told = appeal.statement(tools.vault)
    _hold_people(db, tools.vault, held, told)
    found = outcome.plan(db, tools.vault, appeal)
    _check(appeal, found, seen)
    old_phone = held.account.phone(tools.vault) if held else None
    by = holders.Tools(tools.vault, tools.trail, tools.notifier, origin)
    try:
        held = _registered(db, by, told, found, now=now) if held is None else held
        _changed(db, by, held, appeal, found, now=now)
    except (AlreadyTaken, AnotherName, MayNotAct):
        raise Unapplicable((_MOVED,)) from None
    appeal.enterprise_id, appeal.changes = held.company.id, [change.value for change in found.changes]
    appeal.decided_at = now
    db.flush()
    links.void_others(db, appeal)
    send_link(db, tools, appeal, told.phone, origin, now=now)
    others = {told.operator_phone, old_phone or ""} - {told.phone}
    messages.tell(db, tools, appeal, Message.APPROVED, *sorted(others), now=now)


def send_link(
    db: Session, tools: Sender, appeal: Appeal, phone: str, origin: Origin, *, now: datetime
) -> None:
    """Send a new link to `phone`; one sent before opens nothing any more."""
    token = links.issue(appeal, life=timedelta(hours=tools.settings.appeal_link_hours), now=now)
    db.flush()
    until = appeal.link_expires_at
    messages.tell(db, tools, appeal, Message.APPROVED_LINK, phone, now=now, what=until, link=token)
    tools.trail.record(db, Event(Action.APPEAL_LINK_SENT, target=appeal.key), origin, now=now)


def _check(appeal: Appeal, found: Plan, seen: Seen) -> None:
    """Return if `found` is what was decided, by as many as it takes. Raises Unapplicable."""
    if found.obstacles:
        raise Unapplicable(found.obstacles)
    if not found.is_as(seen):
        raise Unapplicable((_MOVED,))
    if found.needs_second and appeal.proposed_by is None:
        raise Unapplicable((_ONE_ALONE,))


def _hold_people(db: Session, vault: Vault, held: Held | None, told: Statement) -> None:
    """Lock who represents the company and who is to, as far as they are here."""
    named = companies.find_by_document(db, vault, told.claim.document)
    ids = {named.id} if named else set()
    if held:
        ids.add(held.company.representative_id)
    holders.hold_people(db, *ids)


def _registered(db: Session, by: holders.Tools, told: Statement, found: Plan, *, now: datetime) -> Held:
    """A company that was not here, 待激活, with its account name kept for it if that is free."""
    claim = told.claim
    if Change.NAME in found.changes:
        _correct_name(db, by, told, now=now)
    new = NewCompany(
        uuid7(),
        claim.uscc,
        claim.name,
        EnterpriseType(claim.type),
        claim.representative_name,
        claim.document,
        told.phone,
        "" if outcome.is_name_taken(db, told.account) else told.account,
        "",
    )
    made = companies.reserve_company(db, by.vault, new, now=now)
    held = holders.hold(db, claim.uscc)
    if held is None:
        raise AlreadyTaken
    target = f"legal:{made.account_id}"
    event = Event(Action.ENTERPRISE_REGISTERED, entity=str(new.id), target=target)
    by.trail.record(db, event, by.origin, now=now)
    representative = db.get_one(Person, made.representative_id)
    holders.tell_named(db, by, held, representative, now=now)
    return held


def _changed(
    db: Session, by: holders.Tools, held: Held, appeal: Appeal, found: Plan, *, now: datetime
) -> None:
    """Correct what is here, and close the account until its password is set."""
    told = appeal.statement(by.vault)
    changes, claim = set(found.changes), told.claim
    if Change.REGISTER in changes:
        return
    # In the order of their locks: second factors, the password, sign-ins.
    if changes & {Change.PHONE, Change.REPRESENTATIVE}:
        holders.remove_factors(db, by, held, now=now)
    # A reset takes no lock but the password's: what it set a moment ago is not taken away unseen.
    holders.hold_password(db, held)
    if outcome.plan(db, by.vault, appeal).basis != found.basis:
        raise Unapplicable((_MOVED,))
    holders.close(db, by, held, reason="appeal_approved", now=now)
    if Change.NAME in changes:
        _correct_name(db, by, told, now=now)
    if Change.COMPANY_NAME in changes:
        holders.rename_company(db, by, held, claim.name, now=now)
    person = companies.representative_of(db, by.vault, claim.representative_name, claim.document, now=now)
    _note_days(db, person, claim.document)
    _replaced(db, by, held, person, told, changes, now=now)
    if Change.ACTIVATE in changes and not _has_or_loses_name(db, held, told):
        directory.reserve(db, by.vault, held.account, name=told.account, phone=told.phone)


def _replaced(
    db: Session,
    by: holders.Tools,
    held: Held,
    person: Person,
    told: Statement,
    changes: set[Change],
    *,
    now: datetime,
) -> None:
    """Replace who holds the account and its phone; the phone before hears of it first."""
    if Change.REPRESENTATIVE in changes:
        holders.replace_representative(db, by, held, person, now=now)
    if Change.PHONE in changes:
        holders.replace_phone(db, by, held, told.phone, now=now)
    if Change.REPRESENTATIVE in changes:
        holders.tell_named(db, by, held, person, now=now)
    if changes.isdisjoint({Change.PHONE, Change.REPRESENTATIVE, Change.ACTIVATE}):
        by.notifier.tell(db, held.key, Told(Kind.APPEAL_RESET), now=now)


def _has_or_loses_name(db: Session, held: Held, told: Statement) -> bool:
    """Whether the account has its name already, or somebody else has the one that was told."""
    has = directory.name_of_company(db, held.account.id)
    return bool(has) or outcome.is_name_taken(db, told.account)


def _correct_name(db: Session, by: holders.Tools, told: Statement, *, now: datetime) -> None:
    person = companies.find_by_document(db, by.vault, told.claim.document)
    if person is None:
        return
    holders.correct_name(db, by, person, told.claim.representative_name, now=now)
    theirs = [one.id for one in outcome.others_of(db, person, told.claim.uscc)]
    for account_id in db.scalars(select(LegalAccount.id).where(LegalAccount.enterprise_id.in_(theirs))):
        by.notifier.tell(db, f"legal:{account_id}", Told(Kind.REPRESENTATIVE_RENAMED), now=now)


def _note_days(db: Session, person: Person, document: Document) -> None:
    """Keep the days of the document, unless its holder has an account, and tells them himself."""
    if not find_credential(db, f"person:{person.id}"):
        person.id_valid_from, person.id_valid_until = document.valid_from, document.valid_until
        db.flush()
