"""A second factor proved by the account it belongs to: the same check for a sign-in, a step-up, a change.

What is refused is written down under the action its caller names; a recovery code that was used, a
passkey that may be a copy and tries without end are told to the phone of record. A browser is at home
here once the account proved a factor in it: whoever knew the password before there was one is a stranger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from idp.access import assurance
from idp.accounts import factors
from idp.accounts.audit import Action
from idp.accounts.factors import Kind, Passkey
from idp.accounts.notices import Kind as NoticeKind
from idp.accounts.notices import Told
from idp.accounts.phones import own_phone, phone_of_record
from idp.accounts.sessions import SigninSession
from idp.login.candidates import Candidate
from idp.login.entry import Browser, Tools, refuse
from idp.proof import second_factor, sms_codes, throttle
from idp.proof.passkeys import Ceremony, PasskeyRefused, Why
from idp.proof.second_factor import CodeRefused
from idp.proof.sms_codes import Purpose
from idp.proof.throttle import Throttled

PASSKEY = "hwk"
"""The `amr` value of a passkey (RFC 8176 §2)."""
SMS = "sms"
"""The `amr` value of a code sent to a phone (RFC 8176 §2)."""


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody proves a factor by: a code, or what his authenticator answered to a challenge.

    `sms` is a code that was sent to his phone for `step`: a ticket, or the id of a sign-in.
    """

    code: str = ""
    sms: str = ""
    step: str = ""
    challenge_id: str = ""
    answer: str = ""


def ceremony(tools: Tools, browser: Browser) -> Ceremony:
    """Passkeys in this browser."""
    return Ceremony(tools.store, tools.settings, tools.vault, browser.id)


def phone_for_codes(
    db: Session, tools: Tools, account: str, kinds: frozenset[Kind], *, raising: bool
) -> str | None:
    """The phone whose codes prove the account with this key, which has factors of these `kinds`; else None.

    Where its owner switched them on; and where a sign-in is raised for a portal (`raising`) and the account
    has no factor at all: a stronger one that is there is never gone round. A phone that nobody chose for
    codes must be the person's own for that.
    """
    if Kind.SMS in kinds:
        return phone_of_record(db, tools.vault, account)
    return own_phone(db, tools.vault, account) if raising and not kinds else None


def prove(
    db: Session,
    tools: Tools,
    candidate: Candidate,
    given: Given,
    browser: Browser,
    *,
    refused_as: Action,
    after: str = "",
    raising: bool = False,
    now: datetime,
) -> str:
    """The `amr` value of the factor of `candidate` that `given` proves; it is spent.

    `after` is what was proved before it, `raising` as for :func:`phone_for_codes`. Raises CodeRefused,
    PasskeyRefused, Throttled, idp.proof.sms_codes.CodeRefused.
    """
    try:
        if given.sms:
            return _by_sms(db, tools, candidate, given, browser, raising=raising, now=now)
        if given.code:
            return _by_code(db, tools, candidate, given.code, browser, now=now)
        check_passkey(db, tools, given, browser, candidate.key, now=now)
        return PASSKEY
    except (CodeRefused, sms_codes.CodeRefused, PasskeyRefused, Throttled) as refused:
        if isinstance(refused, Throttled):
            # Known is here who proved a factor, which the words for passwords do not say.
            refused.spares_known = False
            told = Told(NoticeKind.SECOND_STEP_REFUSED, device=browser.device)
            tools.notifier.tell(db, candidate.key, told, now=now)
        if is_told(refused):
            why = reason(refused)
            refuse(db, tools, candidate.key, browser, why, action=refused_as, after=after, now=now)
        raise


def check_passkey(
    db: Session, tools: Tools, given: Given, browser: Browser, account: str = "", *, now: datetime
) -> Passkey:
    """The passkey that answered; with `account` (a key) one of that account.

    Answers that prove nothing are counted by browser, those of browsers that nobody signed in with by
    neighbourhood. Raises PasskeyRefused, Throttled.
    """
    ceiling = _ceiling(tools, browser)
    throttle.check_below(tools.store, ceiling, now=now)
    try:
        return ceremony(tools, browser).check_proof(db, given.challenge_id, given.answer, account, now=now)
    except PasskeyRefused as refused:
        if is_told(refused):
            throttle.count_failure(tools.store, ceiling, now=now)
        if refused.why is Why.CLONED and refused.passkey:
            told = Told(NoticeKind.PASSKEY_REFUSED, device=browser.device)
            tools.notifier.tell(db, refused.passkey.account, told, now=now)
        raise


def is_told(refused: Exception) -> bool:
    """Whether a refusal is written down: an answer to no challenge, or no answer, says nothing of anybody."""
    return not (isinstance(refused, PasskeyRefused) and refused.why in {Why.EXPIRED, Why.UNREADABLE})


def reason(refused: Exception) -> str:
    """Why a proof was refused, as the audit trail names it."""
    if isinstance(refused, Throttled):
        return "throttled"
    if isinstance(refused, PasskeyRefused):
        return f"passkey {refused.why.name.lower()}"
    if isinstance(refused, sms_codes.CodeRefused):
        return "sms_code"
    return "code" if isinstance(refused, CodeRefused) else "password"


def _by_code(
    db: Session, tools: Tools, candidate: Candidate, typed: str, browser: Browser, *, now: datetime
) -> str:
    attempt = _attempt(db, candidate, browser)
    proven = second_factor.check_code(db, tools.store, tools.settings, tools.vault, attempt, typed, now=now)
    if proven.codes_left is not None:
        told = Told(NoticeKind.RECOVERY_CODE_USED, f"还剩 {proven.codes_left} 个恢复码", browser.device)
        tools.notifier.tell(db, candidate.key, told, now=now)
    return proven.amr


def _by_sms(
    db: Session,
    tools: Tools,
    candidate: Candidate,
    given: Given,
    browser: Browser,
    *,
    raising: bool,
    now: datetime,
) -> str:
    account = candidate.key
    phone = phone_for_codes(db, tools, account, factors.kinds_of(db, account), raising=raising)
    if phone is None:
        raise sms_codes.CodeRefused(sms_codes.Why.EXPIRED)
    wanted = sms_codes.Wanted(Purpose.SECOND_STEP, phone, account, browser.id, given.step)
    attempt = _attempt(db, candidate, browser)
    return second_factor.check_sms(db, tools.store, tools.settings, attempt, wanted, given.sms, now=now).amr


def _attempt(db: Session, candidate: Candidate, browser: Browser) -> throttle.Try:
    known = browser.known_to(candidate)
    at_home = known if known and _has_proved(db, candidate.key, known) else None
    return second_factor.attempt_at(candidate.key, known_browser=at_home, address=browser.origin.address)


def _has_proved(db: Session, account: str, browser: str) -> bool:
    """Whether a factor of the account was proved in this browser, as far as its sign-ins are kept."""
    there = exists().where(
        SigninSession.account == account,
        SigninSession.browser_key == browser,
        SigninSession.acr != assurance.PASSWORD,
    )
    return bool(db.scalar(select(there)))


def _ceiling(tools: Tools, browser: Browser) -> throttle.Ceiling:
    who = browser.known_id if browser.known_tags else throttle.neighbourhood(browser.origin.address)
    return throttle.Ceiling(
        f"passkey:{who}", most=tools.settings.throttle_spray, wait=tools.settings.throttle_wait
    )
