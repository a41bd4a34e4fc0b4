"""A second factor proved by the account it belongs to: the same check for a sign-in, a step-up, a change.

What is refused is written down under the action its caller names; a recovery code that was used and a
passkey that may be a copy are told to the phone of record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from idp.accounts.audit import Action
from idp.accounts.factors import Passkey
from idp.accounts.notices import Kind as NoticeKind
from idp.accounts.notices import Told
from idp.login.candidates import Candidate
from idp.login.entry import Browser, Tools, refuse
from idp.proof import second_factor
from idp.proof.passkeys import Ceremony, PasskeyRefused, Why
from idp.proof.second_factor import CodeRefused
from idp.proof.throttle import Throttled

PASSKEY = "hwk"
"""The `amr` value of a passkey (RFC 8176 §2)."""


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody proves a factor by: a code, or what his authenticator answered to a challenge."""

    code: str = ""
    challenge_id: str = ""
    answer: str = ""


def ceremony(tools: Tools, browser: Browser) -> Ceremony:
    """Passkeys in this browser."""
    return Ceremony(tools.store, tools.settings, tools.vault, browser.id)


def prove(
    db: Session,
    tools: Tools,
    candidate: Candidate,
    given: Given,
    browser: Browser,
    *,
    refused_as: Action,
    now: datetime,
) -> str:
    """The `amr` value of the factor of `candidate` that `given` proves; it is spent.

    Raises CodeRefused, PasskeyRefused, Throttled.
    """
    try:
        if given.code:
            return _by_code(db, tools, candidate, given.code, browser, now=now)
        check_passkey(db, tools, given, browser, candidate.key, now=now)
        return PASSKEY
    except (CodeRefused, PasskeyRefused, Throttled) as refused:
        refuse(db, tools, candidate.key, browser, reason(refused), action=refused_as, now=now)
        raise


def check_passkey(
    db: Session, tools: Tools, given: Given, browser: Browser, account: str = "", *, now: datetime
) -> Passkey:
    """The passkey that answered; with `account` (a key) one of that account. Raises PasskeyRefused."""
    try:
        return ceremony(tools, browser).check_proof(db, given.challenge_id, given.answer, account, now=now)
    except PasskeyRefused as refused:
        if refused.why is Why.CLONED and refused.passkey:
            told = Told(NoticeKind.PASSKEY_REFUSED, device=browser.device)
            tools.notifier.tell(db, refused.passkey.account, told, now=now)
        raise


def reason(refused: Exception) -> str:
    """Why a proof was refused, as the audit trail names it."""
    if isinstance(refused, Throttled):
        return "throttled"
    if isinstance(refused, PasskeyRefused):
        return f"passkey {refused.why.name.lower()}"
    return "code" if isinstance(refused, CodeRefused) else "password"


def _by_code(
    db: Session, tools: Tools, candidate: Candidate, typed: str, browser: Browser, *, now: datetime
) -> str:
    attempt = second_factor.attempt_at(
        candidate.key, known_browser=browser.known_to(candidate), address=browser.origin.address
    )
    proven = second_factor.check_code(db, tools.store, tools.settings, tools.vault, attempt, typed, now=now)
    if proven.codes_left is not None:
        told = Told(NoticeKind.RECOVERY_CODE_USED, f"还剩 {proven.codes_left} 个恢复码", browser.device)
        tools.notifier.tell(db, candidate.key, told, now=now)
    return proven.amr
