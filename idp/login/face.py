"""刷脸登录: whoever the face service knows as the person with a name and an ID number comes in as himself.

Until his face has passed, name and number are the face service's matter alone, and nobody learns from a check
whether somebody has an account; only a browser that his account knows is counted apart from all others.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from idp.access import assurance
from idp.accounts.audit import Action, Event
from idp.accounts.calendar import civil_day
from idp.accounts.models import Person
from idp.accounts.sessions import BY_FACE, BY_SCAN
from idp.login.candidates import of_account
from idp.login.entry import Browser, NotAllowedIn, Tools, Welcome, check_may_enter, refuse, welcome
from idp.proof import face
from idp.proof.face_record import Check, Purpose, Whom, person_of

_NOBODY = "人脸核验已通过，但是您还没有账号，请先注册。核验结果没有保存。"
_ID_EXPIRED = "您登记的身份证件已过有效期，不能刷脸登录。请用密码登录，并尽快更新证件信息。"


def ask(
    db: Session,
    tools: Tools,
    checks: face.Tools,
    whom: Whom,
    browser: Browser,
    binding: str,
    *,
    now: datetime,
) -> Check:
    """A check of `whom`, who agreed that his face is looked at. Raises idp.proof.throttle.Throttled."""
    candidate = of_account(_account(person_of(db, tools.vault, whom)))(db, tools.vault, now)
    check = face.open_check(
        checks,
        whom,
        Purpose.SIGN_IN,
        binding=binding,
        address=browser.origin.address,
        known_browser=browser.known_to(candidate),
        now=now,
    )
    detail = {"face_check": check.reference, "agreement": face.CONSENT}
    tools.trail.record(db, Event(Action.FACE_CONSENTED, detail=detail), browser.origin, now=now)
    return check


def sign_in(
    db: Session, tools: Tools, check_id: str, browser: Browser, binding: str, *, way_back: str, now: datetime
) -> Welcome:
    """Welcome whose face has passed; the check is spent first.

    Raises idp.proof.face.CheckGone, NotPassed and NotLedBack, idp.login.entry.NotAllowedIn and
    AnotherIdentity.
    """
    purpose = Purpose.SIGN_IN
    check = face.take(tools.store, check_id, purpose, binding=binding, way_back=way_back, now=now)
    person = person_of(db, tools.vault, check.whom(tools.vault))
    candidate = of_account(_account(person))(db, tools.vault, now)
    if person is None or candidate.credential is None:
        # Somebody known only as a company's representative or operator has no account of his own yet.
        refuse(db, tools, candidate.key, browser, "no account", now=now)
        raise NotAllowedIn(_NOBODY)
    check_may_enter(db, tools, candidate, browser, now=now)
    if person.id_valid_until and person.id_valid_until < civil_day(now):
        refuse(db, tools, candidate.key, browser, "not allowed", now=now)
        raise NotAllowedIn(_ID_EXPIRED)
    amr = (BY_FACE, BY_SCAN) if check.ticket else (BY_FACE,)
    let_in = welcome(db, tools, candidate, browser, amr=amr, acr=assurance.FACE, now=now)
    return replace(let_in, proof=replace(let_in.proof, at=datetime.fromtimestamp(check.passed_at, UTC)))


def _account(person: Person | None) -> str:
    return f"person:{person.id}" if person else "nobody:"
