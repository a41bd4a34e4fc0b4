"""The second step: a code of an authenticator app or sent to the phone, a recovery code, or a passkey.

A try is counted in the ephemeral store before it is looked at, beside and apart from the tries at the
password: whoever guesses here knows the password already. Six digits are few, so all browsers together
have :data:`AN_HOUR` tries beside those each has alone; a passkey is not waited for. A code is spent by
one statement, so of two browsers that send the same one only one comes in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.accounts.factors import TotpSecret, note_sms_used
from idp.adapters.ephemeral import EphemeralStore
from idp.config import Settings
from idp.crypto import Vault
from idp.proof import recovery_codes, sms_codes, throttle, totp
from idp.proof.sms_codes import Wanted

AN_HOUR = 20
"""Tries at the codes of one account in an hour, over all browsers; then one each longest wait."""


class CodeRefused(Exception):
    """The code proves nothing; the message is the sentence to show (Chinese)."""


@dataclass(frozen=True, slots=True)
class Proven:
    """What was proved by: the `amr` value, and how many recovery codes are left if one was used."""

    amr: str
    codes_left: int | None = None


def check_code(
    db: Session,
    store: EphemeralStore,
    settings: Settings,
    vault: Vault,
    attempt: throttle.Try,
    typed: str,
    *,
    now: datetime,
) -> Proven:
    """Return what `typed` proves for the account of `attempt` (:func:`attempt_at`), and spend it.

    Raises CodeRefused, idp.proof.throttle.Throttled.
    """
    account = attempt.account.removeprefix(_COUNTED_AS)
    return _counted(store, settings, attempt, lambda: _spend(db, vault, account, typed, now=now), now=now)


def check_sms(
    db: Session,
    store: EphemeralStore,
    settings: Settings,
    attempt: throttle.Try,
    wanted: Wanted,
    typed: str,
    *,
    now: datetime,
) -> Proven:
    """The same for a code that was sent to the phone for `wanted`; its tries count with the others.

    Raises idp.proof.sms_codes.CodeRefused, idp.proof.throttle.Throttled.
    """

    def spend() -> Proven:
        sms_codes.check(store, wanted, typed, now=now)
        note_sms_used(db, wanted.account, now=now)
        return Proven("sms")

    return _counted(store, settings, attempt, spend, now=now)


def _counted(
    store: EphemeralStore,
    settings: Settings,
    attempt: throttle.Try,
    spend: Callable[[], Proven],
    *,
    now: datetime,
) -> Proven:
    """What `spend` finds, the try counted before."""
    together = throttle.Ceiling(
        attempt.account, max(AN_HOUR, settings.throttle_failures), settings.throttle_wait_max
    )
    at_home = throttle.admit(store, settings, attempt, now=now)
    throttle.count_below(store, together, now=now)
    try:
        proven = spend()
    except (CodeRefused, sms_codes.CodeRefused):
        throttle.failed(store, attempt)
        raise
    throttle.succeeded(store, attempt, at_home=at_home)
    throttle.clear(store, together, now=now)
    return proven


def attempt_at(account: str, *, known_browser: str | None, address: str) -> throttle.Try:
    """A try at the second factor of `account`, counted apart from those at its password."""
    return throttle.Try(_COUNTED_AS + account, known_browser, address)


_COUNTED_AS = "second:"


def _spend(db: Session, vault: Vault, account: str, typed: str, *, now: datetime) -> Proven:
    """Spend a code of either kind. Raises CodeRefused."""
    if not recovery_codes.looks_like_one(typed):
        apps = db.scalars(select(TotpSecret).where(TotpSecret.account == account)).all()
        # What was asked for is what the answer is about: without an app there is no code of one.
        if not apps:
            raise CodeRefused("恢复码不正确。恢复码是 10 个字母和数字，不是 6 位的验证码")
        _spend_totp(db, vault, apps, typed, now=now)
        return Proven("otp")
    if not recovery_codes.spend(db, vault, account, typed, now=now):
        raise CodeRefused("恢复码不正确，或已经用过。每个恢复码只能用一次")
    return Proven("otp", codes_left=recovery_codes.left(db, account))


def _spend_totp(db: Session, vault: Vault, apps: Sequence[TotpSecret], typed: str, *, now: datetime) -> None:
    """Spend a code of one of these authenticator apps. Raises CodeRefused."""
    seen_before = False
    for row in apps:
        step = totp.matching_step(row.secret(vault), typed, now=now)
        if step is None:
            continue
        spent = db.execute(
            update(TotpSecret)
            .where(TotpSecret.id == row.id, TotpSecret.last_step < step)
            .values(last_step=step, last_used_at=now),
            execution_options={"synchronize_session": False},
        )
        if spent.rowcount:  # type: ignore[attr-defined]  # an UPDATE's result has it
            return
        seen_before = True
    if seen_before:
        raise CodeRefused("这个动态口令已经用过，请等下一个（最多 30 秒）再填")
    if not totp.normalise(typed):
        raise CodeRefused("填写的不是动态口令，也不是恢复码。动态口令是 6 位数字，恢复码是 10 个字母和数字")
    raise CodeRefused("动态口令不正确。请填写验证器 App 里现在显示的 6 位数字，并确认手机时间准确")
