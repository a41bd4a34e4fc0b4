"""Adding, naming and removing second factors: the same for people's centres and for staff.

Each change is a line of the audit trail and a notice to the phone of record, in its own transaction.
The first factor brings ten recovery codes, which are shown once. Callers have seen a fresh proof of the
account.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.accounts import factors
from idp.accounts.audit import Action, Event, Origin, Trail
from idp.accounts.calendar import civil_day
from idp.accounts.factors import Factor, Kind
from idp.accounts.notices import Kind as NoticeKind
from idp.accounts.notices import Notifier, Told
from idp.accounts.sessions import Device
from idp.adapters.ephemeral import EphemeralStore
from idp.config import Settings
from idp.crypto import Vault, keyed_digest, new_token, plain, same
from idp.proof import recovery_codes, totp
from idp.proof.passkeys import Ceremony, PasskeyRefused, Why

SETUP_LIFE = 900
"""Seconds somebody has to scan the secret and type its first code."""
LONGEST_NAME = 40
KINDS = {Kind.TOTP: "验证器 App", Kind.PASSKEY: "通行密钥", Kind.SMS: "短信验证"}
_TRIES = 10


class EnrolmentRefused(Exception):
    """A factor cannot be added, named or removed like this; the message is the sentence to show (Chinese)."""


class SetupGone(Exception):
    """The secret waited too long, was used already, or belongs to another browser."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What enrolment works with."""

    settings: Settings
    store: EphemeralStore
    vault: Vault
    trail: Trail
    notifier: Notifier


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose factors are changed, by whom, in which browser. `account` is a key such as `person:…`."""

    account: str
    origin: Origin
    device: Device
    browser: str


@dataclass(frozen=True, slots=True)
class Added:
    """A factor was added. `recovery_codes` come with the first one, and are shown once."""

    name: str
    recovery_codes: tuple[str, ...] = ()


def begin_totp(tools: Tools, owner: Owner) -> str:
    """Keep a new secret for this browser and return the ticket of the step."""
    ticket = new_token(16)
    kept = {"secret": totp.new_secret(), "for": _bound(owner)}
    # Until its first code was seen it belongs to nobody, and is nowhere but here.
    sealed = tools.vault.seal("totp_setup.secret", UUID(int=0), json.dumps(kept))
    tools.store.put(_place(ticket), sealed, ttl=SETUP_LIFE)
    return ticket


def totp_secret(tools: Tools, owner: Owner, ticket: str) -> str:
    """The secret of a step that waits. Raises SetupGone."""
    sealed = tools.store.get(_place(ticket))
    kept = json.loads(tools.vault.open("totp_setup.secret", UUID(int=0), sealed)) if sealed else None
    if kept is None or not same(kept["for"], _bound(owner)):
        raise SetupGone
    secret: str = kept["secret"]
    return secret


def finish_totp(
    db: Session, tools: Tools, owner: Owner, *, ticket: str, code: str, name: str, now: datetime
) -> Added:
    """Add the authenticator app that shows `code` now. Raises SetupGone, EnrolmentRefused."""
    secret, chosen = totp_secret(tools, owner, ticket), _name(name, Kind.TOTP, now=now)
    if tools.store.increment(_tries(ticket), ttl=SETUP_LIFE) > _TRIES:
        tools.store.delete(_place(ticket))
        raise SetupGone
    step = totp.matching_step(secret, code, now=now)
    if step is None:
        raise EnrolmentRefused("动态口令不正确。请填写验证器 App 里现在显示的 6 位数字，并确认手机时间准确")
    if tools.store.take(_place(ticket)) is None:
        raise SetupGone
    try:
        row = factors.add_totp(
            db, tools.vault, account=owner.account, name=chosen, secret=secret, step=step, now=now
        )
    except factors.FactorsFull:
        raise EnrolmentRefused(_FULL) from None
    return _added(db, tools, owner, Kind.TOTP, row.id, row.name, now=now)


def finish_passkey(
    db: Session,
    tools: Tools,
    owner: Owner,
    *,
    challenge_id: str,
    answer: str,
    name: str,
    made_in: str = "",
    now: datetime,
) -> Added:
    """Add the passkey that a browser made; without a name it is called by what it was `made_in`.

    Raises EnrolmentRefused, idp.proof.passkeys.PasskeyRefused.
    """
    chosen = _name(name, Kind.PASSKEY, made_in=made_in, now=now)
    verified = ceremony(tools, owner.browser).check_added(challenge_id, answer, owner.account)
    if factors.find_passkey(db, verified["credential_id"]):
        raise PasskeyRefused(Why.TAKEN)
    # A savepoint stands in a transaction: without one it would be committed by itself.
    factors.lock_account(db, owner.account)
    try:
        with db.begin_nested():
            row = factors.add_passkey(db, account=owner.account, name=chosen, now=now, **verified)
    except factors.FactorsFull:
        raise EnrolmentRefused(_FULL) from None
    except IntegrityError:
        raise PasskeyRefused(Why.TAKEN) from None
    return _added(db, tools, owner, Kind.PASSKEY, row.id, row.name, now=now)


def finish_sms(db: Session, tools: Tools, owner: Owner, *, now: datetime) -> Added:
    """Ask for codes sent to the phone from now on; the caller has seen one. Raises EnrolmentRefused."""
    try:
        row = factors.add_sms(db, account=owner.account, now=now)
    except factors.FactorsFull:
        raise EnrolmentRefused("短信验证已经开通") from None
    return _added(db, tools, owner, Kind.SMS, row.id, KINDS[Kind.SMS], now=now)


def rename(
    db: Session, tools: Tools, owner: Owner, kind: Kind, factor_id: UUID, name: str, *, now: datetime
) -> None:
    """Give a factor another name. Raises EnrolmentRefused.

    The trail keeps both names of a staff member's factor. Citizens choose theirs freely, and what they write
    is personal data: of those it keeps the id.
    """
    held = _find(db, owner, kind, factor_id)
    chosen = _name(name, kind, now=held.created_at if held else now)
    if held is None or not factors.rename(db, owner.account, kind, factor_id, chosen):
        raise EnrolmentRefused(_NOT_THERE)
    detail: dict[str, Any] = _names(kind, factor_id)
    if owner.account.startswith("staff:"):
        detail |= {"before": {"name": held.name}, "after": {"name": chosen}}
    _record(db, tools, owner, Action.FACTOR_RENAMED, detail, now=now)


def remove(
    db: Session,
    tools: Tools,
    owner: Owner,
    kind: Kind,
    factor_id: UUID,
    *,
    keep_one: bool = False,
    now: datetime,
) -> str:
    """Remove a factor, with `keep_one` never the last, and return its name. Raises EnrolmentRefused."""
    factors.lock_account(db, owner.account)
    found = _find(db, owner, kind, factor_id)
    if found is None:
        raise EnrolmentRefused(_NOT_THERE)
    if keep_one and len(factors.list_factors(db, owner.account)) == 1:
        raise EnrolmentRefused("工作人员至少要保留一种第二步验证。请先添加另一种，再移除这一种")
    factors.remove(db, owner.account, kind, factor_id)
    _record(db, tools, owner, Action.FACTOR_REMOVED, _names(kind, factor_id), now=now)
    _tell(db, tools, owner, NoticeKind.FACTOR_REMOVED, KINDS[kind], now=now)
    return found.name


def renew_recovery_codes(db: Session, tools: Tools, owner: Owner, *, now: datetime) -> tuple[str, ...]:
    """Ten new codes in place of the old ones. Raises EnrolmentRefused where there is no factor."""
    factors.lock_account(db, owner.account)
    if not factors.kinds_of(db, owner.account):
        raise EnrolmentRefused("添加一种第二步验证之后，才会有恢复码")
    made = tuple(recovery_codes.renew(db, tools.vault, owner.account, now=now))
    _record(db, tools, owner, Action.RECOVERY_CODES_MADE, {}, now=now)
    _tell(db, tools, owner, NoticeKind.RECOVERY_CODES_MADE, "", now=now)
    return made


def ceremony(tools: Tools, browser: str) -> Ceremony:
    """Passkeys in this browser."""
    return Ceremony(tools.store, tools.settings, tools.vault, browser)


def clean_name(name: str, kind: Kind) -> str:
    """What a factor is called: as typed, or by its kind. Raises EnrolmentRefused."""
    chosen = plain(name) or KINDS[kind]
    if len(chosen) > LONGEST_NAME:
        raise EnrolmentRefused(f"名称最多 {LONGEST_NAME} 个字符，目前是 {len(chosen)} 个")
    if not chosen.isprintable():
        raise EnrolmentRefused("名称里有不能显示的字符，请重新填写")
    return chosen


def default_name(kind: Kind, *, now: datetime, made_in: str = "") -> str:
    """What a factor is called that was given no name: in what it was made, else its kind, and the day."""
    return f"{made_in or KINDS[kind]} · {civil_day(now).isoformat()}"


_FULL = f"每种方式最多添加 {factors.MOST_OF_A_KIND} 个。请先移除不用的，再添加"
_NOT_THERE = "没有找到这种验证方式，它可能已经被移除。请刷新页面查看"


def _find(db: Session, owner: Owner, kind: Kind, factor_id: UUID) -> Factor | None:
    held = factors.list_factors(db, owner.account)
    return next((one for one in held if (one.kind, one.id) == (kind, factor_id)), None)


def _name(typed: str, kind: Kind, *, made_in: str = "", now: datetime) -> str:
    """What it is called from now on. Raises EnrolmentRefused."""
    return clean_name(typed, kind) if plain(typed) else default_name(kind, made_in=made_in, now=now)


def _names(kind: Kind, factor_id: UUID) -> dict[str, Any]:
    """Which factor, for the trail."""
    return {"kind": kind.value, "factor": str(factor_id)}


def _added(
    db: Session, tools: Tools, owner: Owner, kind: Kind, factor_id: UUID, name: str, *, now: datetime
) -> Added:
    _record(db, tools, owner, Action.FACTOR_ADDED, _names(kind, factor_id), now=now)
    _tell(db, tools, owner, NoticeKind.FACTOR_ADDED, KINDS[kind], now=now)
    is_first = len(factors.list_factors(db, owner.account)) == 1
    made = recovery_codes.renew(db, tools.vault, owner.account, now=now) if is_first else []
    return Added(name, tuple(made))


def _record(
    db: Session, tools: Tools, owner: Owner, action: Action, detail: dict[str, Any], *, now: datetime
) -> None:
    tools.trail.record(db, Event(action, target=owner.account, detail=detail), owner.origin, now=now)


def _tell(db: Session, tools: Tools, owner: Owner, kind: NoticeKind, what: str, *, now: datetime) -> None:
    """Tell the phone of record. Never a name somebody chose: our message would carry a stranger's words."""
    tools.notifier.tell(db, owner.account, Told(kind, what, owner.device), now=now)


def _bound(owner: Owner) -> str:
    return keyed_digest(b"totp-setup", owner.account, owner.browser)


def _place(ticket: str) -> str:
    return f"totp-setup:{ticket[:64]}"


def _tries(ticket: str) -> str:
    """Where the tries are counted: a name that no ticket can spell."""
    return f"totp-tries:{ticket[:64]}"
