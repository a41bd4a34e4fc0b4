"""Codes sent to a phone: six digits that prove once that somebody reads what is sent there (section Y).

A code is bound to a purpose, an account, a phone and a browser with its journey: it is kept under the digest
of them all, so that any other combination finds nothing, and a new one takes the place of the one before.
Guesses are counted before they are compared; the right one is spent by one caller.

Sending is bounded for a phone, an address and all together, whatever the codes are for. What is counted here
is given back when the message never left (:func:`mourner`): a gateway that is down costs nobody a try. A
counter is named by its day or its hour, so that what is given back is what was counted.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from idp.accounts.calendar import civil_day, day_begins
from idp.accounts.notices import SMS
from idp.accounts.outbox import TOO_LATE, OutboxMessage, enqueue
from idp.adapters.ephemeral import EphemeralStore
from idp.config import Settings
from idp.crypto import Vault, hash_token, keyed_digest, new_token, plain, same
from idp.proof.throttle import neighbourhood

TRIES: Final = 5
LENGTH: Final = 6
_DAY: Final = 86400
_HOUR: Final = 3600
_KEEP: Final = 600  # seconds a code is remembered beyond its life, so that it can be called expired


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
}
"""What the text says a code is for."""


class Limit(StrEnum):
    """Which bound a further message would pass."""

    GAP = "gap"
    PHONE = "phone"
    ADDRESS = "address"
    ALL = "all"


class SmsLimited(Exception):
    """No further message now: which bound, and how long until the next one may be asked for."""

    def __init__(self, limit: Limit, wait: timedelta) -> None:
        super().__init__(f"{limit}: wait {wait.total_seconds():.0f} s")
        self.limit = limit
        self.wait = wait


class Why(StrEnum):
    """Why a code was refused."""

    WRONG = "wrong"
    EXPIRED = "expired"
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
class Tools:
    """What codes are sent with."""

    store: EphemeralStore
    vault: Vault
    settings: Settings


@dataclass(frozen=True, slots=True)
class _Kept:
    """A code as it lies in the store; `expires_at` in epoch seconds, `ref` by which its page asks for it."""

    ref: str
    digest: str
    expires_at: float


def send(db: Session, tools: Tools, wanted: Wanted, *, address: str, now: datetime) -> str:
    """Send a new code to `wanted.phone`, by the outbox, in the caller's transaction; the code before is void.

    The reference by which :func:`fate` knows the message. Raises SmsLimited.
    """
    settings, ref = tools.settings, new_token(16)
    counted = _count(tools, wanted.phone, address, ref, now=now)
    code = "".join(secrets.choice("0123456789") for _ in range(LENGTH))
    life = settings.seconds("sms_code_lifetime")
    kept = _Kept(ref, _digest(wanted, ref, code), (now + life).timestamp())
    slot = _slot(wanted)
    tools.store.put(slot, _packed(kept), ttl=life.total_seconds() + _KEEP)
    message = enqueue(
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
            "slot": slot,
            "ref": ref,
            "counted": counted,
        },
        now=now,
        expires_at=now + settings.seconds("sms_send_within"),
    )
    told = json.dumps({"message": str(message), "browser": hash_token(wanted.browser).hex()})
    tools.store.put(f"sms-message:{ref}", told.encode(), ttl=life.total_seconds() + _KEEP)
    return ref


def check(store: EphemeralStore, wanted: Wanted, supplied: str, *, now: datetime) -> None:
    """Return if `supplied` is the code sent for `wanted`; it is then spent.

    The try is counted before the comparison, so that parallel guesses cannot exceed TRIES.

    Raises CodeRefused.
    """
    slot = _slot(wanted)
    packed = store.get(slot)
    if packed is None:
        raise CodeRefused(Why.EXPIRED)
    kept = _Kept(**json.loads(packed))
    tries = store.increment(f"sms-tries:{kept.ref}", ttl=_HOUR)
    if tries > TRIES:
        raise CodeRefused(Why.TOO_MANY_TRIES)
    if now.timestamp() >= kept.expires_at:
        raise CodeRefused(Why.EXPIRED)
    typed = "".join(plain(supplied[:40]).split())
    if not typed.isascii() or not same(_digest(wanted, kept.ref, typed), kept.digest):
        left = TRIES - tries
        raise CodeRefused(Why.WRONG if left else Why.TOO_MANY_TRIES, left=left)
    # Whoever puts the spent one in its place has it; a code that was sent anew meanwhile is left alone.
    spent = _packed(_Kept(kept.ref, "", 0.0))
    if not store.compare_and_set(slot, packed, spent, ttl=_KEEP):
        raise CodeRefused(Why.EXPIRED)


def seconds_until_next(store: EphemeralStore, vault: Vault, phone: str) -> int:
    """How long until another code may be sent to `phone`; 0 where one may be now."""
    return -int(-store.remaining(_gap(vault, phone)) // 1)


class Fate(StrEnum):
    """What has become of a message: it failed if it never left, and is lost if it left in vain."""

    QUEUED = "queued"
    SENT = "sent"
    ARRIVED = "arrived"
    FAILED = "failed"
    LOST = "lost"


def fate(db: Session, store: EphemeralStore, ref: str, *, browser: str, now: datetime) -> Fate | None:
    """What became of the message :func:`send` calls `ref`; None for a browser that did not ask for it."""
    raw = store.get(f"sms-message:{ref[:64]}")
    told = json.loads(raw) if raw else None
    if told is None or not same(told["browser"], hash_token(browser).hex()):
        return None
    message = db.get(OutboxMessage, UUID(told["message"]))
    if message is None or message.failed_at:
        return Fate.FAILED
    if message.reported_at:
        return Fate.LOST if message.report else Fate.ARRIVED
    if message.delivered_at:
        return Fate.SENT
    is_over = message.expires_at is not None and message.expires_at <= now
    return Fate.FAILED if is_over else Fate.QUEUED


def mourner(store: EphemeralStore) -> Callable[[dict[str, Any], str], None]:
    """What the worker tells of messages that were given up: the code is dead, and it counts against no limit.

    One that the gateway refused for good counts on for its address: numbers nobody has are not free to try.
    """

    def mourn(payload: dict[str, Any], why: str) -> None:
        slot, ref, counted = payload.get("slot"), payload.get("ref"), payload.get("counted")
        if not slot or not ref or not counted:
            return
        packed = store.get(slot)
        if packed and json.loads(packed)["ref"] == ref:
            store.compare_and_set(slot, packed, _packed(_Kept(ref, "", 0.0)), ttl=_KEEP)
        if store.get(counted["gap"]) == ref.encode():
            store.delete(counted["gap"])
        store.give_back(counted["phone"])
        if why == TOO_LATE:
            store.give_back(counted["address"])
            store.give_back(counted["all"])

    return mourn


def _count(tools: Tools, phone: str, address: str, ref: str, *, now: datetime) -> dict[str, str]:
    """Count a message under every bound; the keys it counts under. Raises SmsLimited, having counted none."""
    store, settings = tools.store, tools.settings
    number, today, hour = _numbered(tools.vault, phone), civil_day(now), int(now.timestamp()) // _HOUR
    tomorrow = day_begins(today + timedelta(days=1)) - now
    next_hour = timedelta(seconds=(hour + 1) * _HOUR - now.timestamp())
    gap = _gap(tools.vault, phone)
    if not store.put_if_absent(gap, ref.encode(), ttl=settings.sms_resend):
        raise SmsLimited(Limit.GAP, timedelta(seconds=max(1.0, store.remaining(gap))))
    counted = {"gap": gap}
    for limit, key, most, wait in (
        (Limit.PHONE, f"sms-day:{number}:{today}", settings.sms_a_day, tomorrow),
        (Limit.ADDRESS, f"sms-from:{neighbourhood(address)}:{hour}", settings.sms_an_address, next_hour),
        (Limit.ALL, f"sms-all:{hour}", settings.sms_an_hour, next_hour),
    ):
        counted[limit.value] = key
        if store.increment(key, ttl=_DAY if limit is Limit.PHONE else _HOUR) > most:
            for other in [*counted.values()][1:]:
                store.give_back(other)
            store.delete(gap)
            raise SmsLimited(limit, wait)
    return counted


def _text(settings: Settings, purpose: Purpose, code: str) -> str:
    minutes = settings.sms_code_lifetime // 60
    return (
        f"【{settings.site_name}】验证码 {code}，用于{WORDS[purpose]}，{minutes} 分钟内有效。"
        "请勿告诉任何人，工作人员也不会向您索要。"
    )


def _gap(vault: Vault, phone: str) -> str:
    return f"sms-gap:{_numbered(vault, phone)}"


def _numbered(vault: Vault, phone: str) -> str:
    """The phone as the store knows it: nobody who reads there learns a number."""
    return vault.index("sms_phone", phone).hex()


def _slot(wanted: Wanted) -> str:
    bound = (wanted.purpose, wanted.account, wanted.phone, wanted.browser, wanted.journey)
    return f"sms-code:{keyed_digest(b'sms-code', *bound)}"


def _digest(wanted: Wanted, ref: str, code: str) -> str:
    # The browser's id lies in its cookie alone: whoever reads the store cannot try a million codes there.
    return keyed_digest(wanted.browser.encode(), ref, code)


def _packed(kept: _Kept) -> bytes:
    return json.dumps(asdict(kept)).encode()
