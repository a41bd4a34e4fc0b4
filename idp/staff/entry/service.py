"""Deciding whether somebody is the staff member he claims to be: password first, then the second step.

The order is that of everybody's sign-in: the try is counted, then the password is looked at with no
database connection in hand. An unknown account, a suspended one and one that has not begun yet cost the
same work and get the same answer. A browser that came in whole before is known, and strangers' tries do not
slow it (SECURITY 10). There is no sign-in at the console before the second step.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.accounts.audit import Action, Event, Origin, Trail
from idp.accounts.passwords import PasswordHasher, PasswordRefused, Verdict, check_new_password
from idp.accounts.staff import StaffMember, find_staff
from idp.adapters.ephemeral import EphemeralStore
from idp.config import Settings
from idp.crypto import Vault, keyed_digest, new_token, plain, same
from idp.proof import password as password_proof
from idp.proof import second_factor, throttle
from idp.proof.passkeys import Ceremony, PasskeyRefused, Why
from idp.proof.second_factor import CodeRefused, Proven

MOST_TRIES = 5
"""At the second step of one password; the account's own count goes on beside it."""


class WrongPassword(Exception):
    """No such account, another password, or nothing to come in with: they are never told apart."""


class StepGone(Exception):
    """The second step waited too long, was tried too often or done already, or is another browser's."""


class SecondRefused(Exception):
    """The code or passkey proves nothing; the message is the sentence to show (Chinese).

    `why` is the word for the trail.
    """

    def __init__(self, sentence: str, why: str = "second") -> None:
        super().__init__(sentence)
        self.why = why


@dataclass(frozen=True, slots=True)
class Tools:
    """What signing in at the console works with."""

    settings: Settings
    store: EphemeralStore
    vault: Vault
    hasher: PasswordHasher
    trail: Trail


@dataclass(frozen=True, slots=True)
class Browser:
    """The browser that asks: its id, where from, as nobody yet, and the accounts that came in with it."""

    id: str
    origin: Origin
    known_id: str
    known_tags: tuple[str, ...]

    def try_at(self, key: str, tag: str) -> throttle.Try:
        """A try at the account of `key`, whose known browsers remember `tag`."""
        return throttle.Try(key, self.known_id if tag in self.known_tags else None, self.origin.address)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was sent to prove oneself: a code, or else a passkey's answer to a challenge."""

    code: str = ""
    challenge_id: str = ""
    passkey: str = ""


@dataclass(frozen=True, slots=True)
class _Candidate:
    key: str
    member_id: UUID | None = None
    password_hash: str | None = None
    browser_tag: str = ""


def check_password(
    db: Session, tools: Tools, typed: str, password: str, browser: Browser, *, now: datetime
) -> str:
    """Return the ticket of the second step if `password` is that of the account `typed`.

    Raises WrongPassword, idp.proof.throttle.Throttled, idp.accounts.passwords.TooBusy.
    """
    candidate = _find(db, typed)
    attempt = browser.try_at(candidate.key, candidate.browser_tag)
    try:
        verdict = _verdict(db, tools, attempt, password, stored=candidate.password_hash, now=now)
    except throttle.Throttled:
        refuse(db, tools, candidate.key, browser.origin, "throttled", now=now)
        raise
    if not verdict.right or candidate.member_id is None:
        refuse(db, tools, candidate.key, browser.origin, "password", now=now)
        raise WrongPassword
    # The hash took its time: what was read before it may have changed.
    db.expire_all()
    member = db.get_one(StaffMember, candidate.member_id)
    if not _may_begin(member) or member.password_hash != candidate.password_hash:
        refuse(db, tools, candidate.key, browser.origin, "not allowed", now=now)
        raise WrongPassword
    if verdict.rehashed:
        _replace_hash(db, member.id, member.password_hash, verdict.rehashed)
    proved = Event(Action.STAFF_PASSWORD_PROVED, target=member.key)
    tools.trail.record(db, proved, browser.origin, now=now)
    return _ticket(tools, member, verdict.rehashed or candidate.password_hash or "", browser, now=now)


def find_waiting(db: Session, tools: Tools, ticket: str, browser: Browser, *, now: datetime) -> StaffMember:
    """Whose second step this ticket is. Raises StepGone."""
    return _holder(db, tools.store.get(_place(ticket)), browser, now=now)


def second_step(
    db: Session, tools: Tools, ticket: str, answer: Answer, browser: Browser, *, now: datetime
) -> tuple[StaffMember, Proven]:
    """Whom to sign in at the console, and by what. The ticket is spent by the one who succeeds.

    Raises StepGone, SecondRefused, idp.proof.throttle.Throttled.
    """
    member = find_waiting(db, tools, ticket, browser, now=now)
    # Counted before it is looked at, so that parallel tries cannot be more.
    if tools.store.increment(_place(ticket) + ":tries", ttl=_life(tools)) > MOST_TRIES:
        tools.store.delete(_place(ticket))
        raise StepGone
    try:
        proven = prove(db, tools, member, answer, browser, now=now)
    except (SecondRefused, throttle.Throttled) as refused:
        why = refused.why if isinstance(refused, SecondRefused) else "throttled"
        refuse(db, tools, member.key, browser.origin, why, now=now)
        raise
    member = _holder(db, tools.store.take(_place(ticket)), browser, now=now)
    return member, proven


def prove(
    db: Session, tools: Tools, member: StaffMember, answer: Answer, browser: Browser, *, now: datetime
) -> Proven:
    """What `answer` proves for `member`. Raises SecondRefused, idp.proof.throttle.Throttled."""
    try:
        if answer.passkey:
            ceremony = Ceremony(tools.store, tools.settings, tools.vault, browser.id)
            ceremony.check_proof(db, answer.challenge_id, answer.passkey, member.key, now=now)
            return Proven("hwk")
        mine = browser.try_at(member.key, member.browser_tag)
        attempt = second_factor.attempt_at(
            mine.account, known_browser=mine.known_browser, address=mine.address
        )
        return second_factor.check_code(
            db, tools.store, tools.settings, tools.vault, attempt, answer.code, now=now
        )
    except CodeRefused as refused:
        raise SecondRefused(str(refused)) from None
    except PasskeyRefused as refused:
        raise SecondRefused(str(refused), "cloned" if refused.why is Why.CLONED else "second") from None


def change_password(
    db: Session, tools: Tools, member: StaffMember, old: str, new: str, browser: Browser, *, now: datetime
) -> None:
    """Set a new password for `member`, who types his old one; a wrong one is a line of the trail too.

    Raises WrongPassword, idp.accounts.passwords.PasswordRefused, TooBusy, idp.proof.throttle.Throttled.
    """
    attempt, stored = browser.try_at(member.key, member.browser_tag), member.password_hash
    try:
        verdict = _verdict(db, tools, attempt, old, stored=stored, now=now)
    except throttle.Throttled:
        _note_refused(db, tools, member, browser, "throttled", now=now)
        raise
    if not verdict.right:
        _note_refused(db, tools, member, browser, "password", now=now)
        raise WrongPassword
    if same(old, new):
        raise PasswordRefused("新密码不能与旧密码相同")
    hashed = hash_new_password(tools, member, new)
    if not _replace_hash(db, member.id, stored, hashed, changed_at=now):
        raise WrongPassword
    db.refresh(member)
    changed = Event(Action.PASSWORD_CHANGED, target=member.key)
    tools.trail.record(db, changed, browser.origin, now=now)


def hash_new_password(tools: Tools, member: StaffMember, new: str) -> str:
    """The hash of a password that `member` may have. Raises PasswordRefused, TooBusy."""
    about = (member.account, member.name(tools.vault))
    check_new_password(new, settings=tools.settings, about=about)
    return tools.hasher.hash(new)


def refuse(db: Session, tools: Tools, key: str, origin: Origin, why: str, *, now: datetime) -> None:
    """Remember a refused sign-in; a name that nobody has is not repeated."""
    target = key if key.startswith("staff:") else "nobody"
    event = Event(Action.STAFF_SIGN_IN_REFUSED, target=target, detail={"why": why})
    tools.trail.record(db, event, origin, now=now)


def _verdict(
    db: Session, tools: Tools, attempt: throttle.Try, password: str, *, stored: str | None, now: datetime
) -> Verdict:
    return password_proof.check(
        db, tools.store, tools.settings, tools.hasher, attempt, password, stored=stored, now=now
    )


def _note_refused(
    db: Session, tools: Tools, member: StaffMember, browser: Browser, why: str, *, now: datetime
) -> None:
    refused = Event(Action.PROOF_REFUSED, target=member.key, detail={"why": why})
    tools.trail.record(db, refused, browser.origin, now=now)


def _find(db: Session, typed: str) -> _Candidate:
    name = plain(typed[:128]).lower()
    member = find_staff(db, name)
    if member is None:
        return _Candidate("staff-nobody:" + keyed_digest(b"staff-nobody", name[:64]))
    if not _may_begin(member):
        return _Candidate(member.key)
    return _Candidate(member.key, member.id, member.password_hash, member.browser_tag)


def _may_begin(member: StaffMember) -> bool:
    return member.suspended_at is None and member.enrolled_at is not None


def _replace_hash(
    db: Session, member_id: UUID, stored: str | None, fresh: str, *, changed_at: datetime | None = None
) -> bool:
    """Put `fresh` in the place of exactly `stored`; False if it was changed meanwhile."""
    values: dict[str, object] = {"password_hash": fresh}
    if changed_at is not None:
        values["password_changed_at"] = changed_at
    replaced = db.execute(
        update(StaffMember)
        .where(StaffMember.id == member_id, StaffMember.password_hash == stored)
        .values(**values),
        execution_options={"synchronize_session": False},
    )
    return bool(replaced.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result has it


def _ticket(tools: Tools, member: StaffMember, password_hash: str, browser: Browser, *, now: datetime) -> str:
    ticket = new_token(16)
    # A password that is changed meanwhile ends the step of the old one, and so does a suspension, even one
    # that is over.
    kept = {
        "member": str(member.id),
        "browser": browser.id,
        "password": _digest(password_hash),
        "generation": member.generation,
        "until": now.timestamp() + _life(tools),
    }
    tools.store.put(_place(ticket), json.dumps(kept).encode(), ttl=_life(tools))
    return ticket


def _holder(db: Session, kept: bytes | None, browser: Browser, *, now: datetime) -> StaffMember:
    record = json.loads(kept) if kept else None
    if record is None or not same(record["browser"], browser.id) or now.timestamp() > record["until"]:
        raise StepGone
    found = select(StaffMember).where(StaffMember.id == UUID(record["member"]))
    member = db.scalars(found.execution_options(populate_existing=True)).first()
    if member is None or not _may_begin(member) or member.generation != record.get("generation"):
        raise StepGone
    if not same(_digest(member.password_hash or ""), record["password"]):
        raise StepGone
    return member


def _digest(password_hash: str) -> str:
    return keyed_digest(b"staff-password", password_hash)


def _life(tools: Tools) -> int:
    return tools.settings.second_step_lifetime


def _place(ticket: str) -> str:
    return f"staff-second:{ticket[:64]}"
