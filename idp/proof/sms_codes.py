"""Codes sent to a phone: six digits that prove once that somebody reads what is sent there (section Y).

A code is bound to a purpose, an account, a phone and a browser with its journey: it is kept under the digest
of them all, so that any other combination finds nothing, and a new one takes the place of the one before.
Guesses are counted before they are compared; the right one is spent by one caller.

How many are sent is bounded (:mod:`idp.proof.sms_bounds`). What was counted there is given back when the
message surely never left (:func:`mourner`), or was never queued: neither a gateway nor a database that is
down costs anybody a try.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from idp.accounts.notices import SMS
from idp.accounts.outbox import TOO_LATE, GivenUp, OutboxMessage, enqueue
from idp.adapters.ephemeral import EphemeralStore
from idp.config import Settings
from idp.crypto import hash_token, keyed_digest, new_token, plain, same
from idp.db import pause
from idp.proof import sms_bounds
from idp.proof.sms_bounds import Tools, give_back

TRIES: Final = 5
LENGTH: Final = 6
_HOUR: Final = 3600
_KEEP: Final = 600  # seconds a code is remembered beyond its life, so that it can be called expired
_TWIN: Final = 60  # seconds after it was spent in which a form that was sent twice may bring it again


class Purpose(StrEnum):
    """What a code is for; one sent for another opens nothing."""

    REGISTER_PERSON = "register_person"
    REGISTER_ENTERPRISE = "register_enterprise"
    BRING_OVER = "bring_over"
    ACTIVATE = "activate"
    RESET = "reset"
    FIRST_USE = "first_use"
    SECOND_STEP = "second_step"
    ADD_FACTOR = "add_factor"
    REPRESENTATIVE = "representative"
    APPEAL = "appeal"
    APPEAL_OPERATOR = "appeal_operator"
    APPEAL_RESULT = "appeal_result"


ASKED_BY_ANYBODY: Final = frozenset(
    {
        Purpose.REGISTER_PERSON,
        Purpose.REGISTER_ENTERPRISE,
        Purpose.BRING_OVER,
        Purpose.APPEAL,
        Purpose.APPEAL_OPERATOR,
        Purpose.APPEAL_RESULT,
    }
)
"""What a stranger may have sent to any phone he types, or may pretend to; all else is sent to a phone that an
account has."""

WORDS: Final = {
    Purpose.REGISTER_PERSON: "个人注册",
    Purpose.REGISTER_ENTERPRISE: "法人注册",
    Purpose.BRING_OVER: "迁移原有账号",
    Purpose.ACTIVATE: "激活企业账号",
    Purpose.RESET: "重置密码",
    Purpose.FIRST_USE: "首次使用经办人账号",
    Purpose.SECOND_STEP: "登录验证",
    Purpose.ADD_FACTOR: "开通短信验证",
    Purpose.REPRESENTATIVE: "核验法定代表人身份",
    Purpose.APPEAL: "账号申诉",
    Purpose.APPEAL_OPERATOR: "账号申诉经办人验证",
    Purpose.APPEAL_RESULT: "查询账号申诉",
}
"""What the text says a code is for."""


class Why(StrEnum):
    """Why a code was refused."""

    WRONG = "wrong"
    EXPIRED = "expired"
    SPENT = "spent"
    TOO_MANY_TRIES = "too_many_tries"


class CodeRefused(Exception):
    """The code opens nothing: `why`, and how many tries it has `left`."""

    def __init__(self, why: Why, *, left: int = 0) -> None:
        super().__init__(why.value)
        self.why = why
        self.left = left


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a code is bound to.

    `account` is a key, or empty where there is none yet; `journey` the id of the journey in that browser it
    belongs to, or of the ticket.
    """

    purpose: Purpose
    phone: str
    account: str
    browser: str
    journey: str


@dataclass(frozen=True, slots=True)
class _Kept:
    """A code as it lies in the store; `expires_at` in epoch seconds, `ref` by which its page asks for it.

    One that was spent keeps its digest, and `expires_at` is minus the second in which it was.
    """

    ref: str
    digest: str
    expires_at: float


def send(
    db: Session, tools: Tools, wanted: Wanted, *, address: str, now: datetime, heard: bool = True
) -> str:
    """Send a new code to `wanted.phone`, by the outbox, and commit; the code before is void.

    Not `heard`: no message leaves and no code is right, while all else is counted and written as if, so that
    a stranger cannot tell whether the phone was the right one (SECURITY 4).

    The reference by which :func:`fate` knows the message. Raises SmsLimited. A message that the database
    does not keep counts for nothing, and leaves the code before as it was.
    """
    ref = new_token(16)
    counted = sms_bounds.count(
        tools,
        wanted.phone,
        address,
        ref,
        asked_by_anybody=wanted.purpose in ASKED_BY_ANYBODY,
        now=now,
    )
    code = "".join(secrets.choice("0123456789") for _ in range(LENGTH))
    try:
        message = _queued(db, tools, wanted, code, {"ref": ref, "counted": counted}, now=now)
        if not heard:
            db.execute(delete(OutboxMessage).where(OutboxMessage.id == message))
        # Kept before the code before is void.
        pause(db)
    except Exception:
        give_back(tools.store, counted, ref, *counted)
        raise
    life = tools.settings.seconds("sms_code_lifetime")
    kept = _Kept(ref, _digest(wanted, ref, code) if heard else "", (now + life).timestamp())
    tools.store.put(_slot(wanted), _packed(kept), ttl=life.total_seconds() + _KEEP)
    told = json.dumps({"message": str(message), "browser": hash_token(wanted.browser).hex()})
    tools.store.put(f"sms-message:{ref}", told.encode(), ttl=life.total_seconds() + _KEEP)
    return ref


def _queued(
    db: Session, tools: Tools, wanted: Wanted, code: str, known_by: dict[str, Any], *, now: datetime
) -> UUID:
    """The id of the message, in the outbox; `known_by` is what its mourner finds its counters with."""
    settings = tools.settings
    return enqueue(
        db,
        tools.vault,
        kind=SMS,
        # Nobody without an account is grouped with anybody.
        subject=wanted.account,
        payload={
            "phone": wanted.phone,
            "text": _text(settings, wanted.purpose, code),
            "code": code,
            "purpose": wanted.purpose.value,
            "params": [code, WORDS[wanted.purpose], str(settings.sms_code_lifetime // 60)],
            "slot": _slot(wanted),
            **known_by,
        },
        now=now,
        expires_at=now + settings.seconds("sms_send_within"),
    )


def check(store: EphemeralStore, wanted: Wanted, supplied: str, *, now: datetime) -> None:
    """Return if `supplied` is the code sent for `wanted`; it is then spent.

    The try is counted before the comparison, so that parallel guesses cannot exceed TRIES.

    Raises CodeRefused; with Why.SPENT where it is the right one, that opened a moment ago and opens no more.
    """
    slot = _slot(wanted)
    packed = store.get(slot)
    if packed is None:
        raise CodeRefused(Why.EXPIRED)
    kept = _Kept(**json.loads(packed))
    tries = store.increment(f"sms-tries:{kept.ref}", ttl=_HOUR)
    if tries > TRIES:
        raise CodeRefused(Why.TOO_MANY_TRIES)
    typed = "".join(plain(supplied[:40]).split())
    is_right = typed.isascii() and same(_digest(wanted, kept.ref, typed), kept.digest)
    if now.timestamp() >= kept.expires_at:
        is_twin = is_right and now.timestamp() < _TWIN - kept.expires_at
        raise CodeRefused(Why.SPENT if is_twin else Why.EXPIRED)
    if not is_right:
        left = TRIES - tries
        raise CodeRefused(Why.WRONG if left else Why.TOO_MANY_TRIES, left=left)
    # Whoever puts the spent one in its place has it; a code that was sent anew meanwhile is left alone.
    spent = _packed(_Kept(kept.ref, kept.digest, -now.timestamp()))
    if not store.compare_and_set(slot, packed, spent, ttl=_KEEP):
        faster = store.get(slot)
        is_twin = faster is not None and json.loads(faster)["digest"] == kept.digest
        raise CodeRefused(Why.SPENT if is_twin else Why.EXPIRED)


def last_sent(store: EphemeralStore, wanted: Wanted) -> str:
    """The reference of the last message sent for `wanted`; empty where there is none any more."""
    packed = store.get(_slot(wanted))
    return str(json.loads(packed)["ref"]) if packed else ""


class Fate(StrEnum):
    """What has become of a message: it failed if it never left, and is lost if it left in vain.

    Unsure: the gateway was asked, never clearly answered, and is asked no more.
    """

    QUEUED = "queued"
    SENT = "sent"
    ARRIVED = "arrived"
    FAILED = "failed"
    LOST = "lost"
    UNSURE = "unsure"


def fate(db: Session, store: EphemeralStore, ref: str, *, browser: str, now: datetime) -> Fate | None:
    """What became of the message :func:`send` calls `ref`; None for a browser that did not ask for it."""
    raw = store.get(f"sms-message:{ref[:64]}")
    told = json.loads(raw) if raw else None
    if told is None or not same(told["browser"], hash_token(browser).hex()):
        return None
    message = db.get(OutboxMessage, UUID(told["message"]))
    if message is None or (message.failed_at and not message.perhaps_taken):
        return Fate.FAILED
    if message.reported_at:
        return Fate.LOST if message.report else Fate.ARRIVED
    if message.delivered_at:
        return Fate.SENT
    is_over = message.expires_at is not None and message.expires_at <= now
    if not (message.failed_at or is_over):
        return Fate.QUEUED
    return Fate.UNSURE if message.perhaps_taken else Fate.FAILED


def mourner(store: EphemeralStore) -> Callable[[dict[str, Any], GivenUp], None]:
    """What the worker tells of messages that were given up: the code is dead, and it counts against no limit.

    One that the gateway refused for good counts on for its address: numbers nobody has are not free to try.
    One that it may have taken counts in full, and its code lives on: the phone may show it.
    """

    def mourn(payload: dict[str, Any], end: GivenUp) -> None:
        slot, ref, counted = payload.get("slot"), payload.get("ref"), payload.get("counted")
        if not slot or not ref or not counted or end.perhaps_taken:
            return
        packed = store.get(slot)
        if packed and json.loads(packed)["ref"] == ref:
            store.compare_and_set(slot, packed, _packed(_Kept(ref, "", 0.0)), ttl=_KEEP)
        kept = () if end.why == TOO_LATE else sms_bounds.OF_SENDERS
        give_back(store, counted, ref, *(bound for bound in counted if bound not in kept))

    return mourn


def _text(settings: Settings, purpose: Purpose, code: str) -> str:
    minutes = settings.sms_code_lifetime // 60
    return (
        f"【{settings.site_name}】验证码 {code}，用于{WORDS[purpose]}，{minutes} 分钟内有效。"
        "请勿告诉任何人，工作人员也不会向您索要。"
    )


def _slot(wanted: Wanted) -> str:
    bound = (wanted.purpose, wanted.account, wanted.phone, wanted.browser, wanted.journey)
    return f"sms-code:{keyed_digest(b'sms-code', *bound)}"


def _digest(wanted: Wanted, ref: str, code: str) -> str:
    # The browser's id lies in its cookie alone: whoever reads the store cannot try a million codes there.
    return keyed_digest(wanted.browser.encode(), ref, code)


def _packed(kept: _Kept) -> bytes:
    return json.dumps(asdict(kept)).encode()
