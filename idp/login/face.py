"""刷脸登录: whoever the face service knows as the person with a name and an ID number comes in as himself.

Until his face has passed, name and number are the face service's matter alone, and nobody learns from a check
whether somebody has an account; only a browser that his account knows is counted apart from all others.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from idp.access import assurance
from idp.accounts.calendar import civil_day
from idp.accounts.models import Person
from idp.accounts.sessions import BY_FACE, BY_SCAN
from idp.login.candidates import of_account
from idp.login.entry import Browser, NotAllowedIn, Tools, Welcome, check_may_enter, refuse, welcome
from idp.proof.face_record import Check, Whom, person_of

_NOBODY = "人脸核验已通过，但是您还没有账号，请先注册。核验结果没有保存。"
_ID_EXPIRED = "您登记的身份证件已过有效期，不能刷脸登录。请用密码登录，并尽快更新证件信息。"


def known_browser(db: Session, tools: Tools, whom: Whom, browser: Browser, *, now: datetime) -> str | None:
    """The id of `browser`, if the account of whom somebody claims to be knows it."""
    candidate = of_account(_account(person_of(db, tools.vault, whom)))(db, tools.vault, now)
    return browser.known_to(candidate)


def sign_in(db: Session, tools: Tools, check: Check, browser: Browser, *, now: datetime) -> Welcome:
    """Welcome whose face has passed in `check`, which is spent.

    Raises idp.login.entry.NotAllowedIn and AnotherIdentity.
    """
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
