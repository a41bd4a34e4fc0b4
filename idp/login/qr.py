"""扫码登录: what a phone confirmed opens a sign-in in the browser that waited, once.

The ticket is spent first. Between the confirmation and this moment a right may have ended, so everything it
rests on is looked at anew: the sign-in of the phone, the identity that was chosen, the person's account. The
sign-in that opens rests on the person's own credential, and its proof is as old as the confirmation.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.accounts import sessions
from idp.accounts.identity import Identity
from idp.accounts.sessions import SigninSession
from idp.accounts.standing import NoSuchStanding, find_standing
from idp.login.candidates import of_account
from idp.login.entry import (
    Browser,
    NotAllowedIn,
    Tools,
    Welcome,
    check_may_enter,
    refuse,
    welcome,
)
from idp.proof import tickets
from idp.proof.ticket_record import Answer, Phone, Purpose
from idp.proof.tickets import TicketGone

_SIGNED_OUT = "phone signed out"
_PHONE_ENDED = "手机上的登录已经结束，刚才的确认不再有效。请在手机上重新登录 App，再扫码登录。"


class PhoneSignedOut(NotAllowedIn):
    """The sign-in of the phone that confirmed is over: a refusal like any other, with its sentence."""

    def __init__(self) -> None:
        super().__init__(_PHONE_ENDED)


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Who comes in, and the id of the phone's sign-in that said so."""

    welcome: Welcome
    phone: UUID


def finish(
    db: Session,
    tools: Tools,
    ticket_id: str,
    browser: Browser,
    *,
    secret: str,
    transaction: str,
    now: datetime,
) -> Confirmed:
    """Welcome the identity that a phone confirmed for this browser (`secret`) and this `transaction`.

    Once its sign-in is written, :func:`check_phone` has the last word. Raises
    idp.proof.tickets.TicketGone and OutOfOrder, idp.login.entry.NotAllowedIn and AnotherIdentity.
    """
    phone, answer = _taken(tools, ticket_id, browser, secret=secret, transaction=transaction, now=now)
    account = f"person:{phone.person}"
    candidate = of_account(account)(db, tools.vault, now)
    if not candidate.obstacle:
        try:
            candidate = replace(candidate, identity=_chosen(db, phone, answer, now=now))
        except NotAllowedIn as refused:
            why = _SIGNED_OUT if isinstance(refused, PhoneSignedOut) else "not allowed"
            refuse(db, tools, account, browser, why, now=now)
            raise
    check_may_enter(db, tools, candidate, browser, now=now)
    let_in = welcome(db, tools, candidate, browser, amr=answer.amr, acr=answer.acr, now=now)
    opened_by = UUID(phone.session)
    proof = replace(let_in.proof, at=datetime.fromtimestamp(answer.at, UTC), opened_by=opened_by)
    return Confirmed(replace(let_in, proof=proof), opened_by)


def check_phone(db: Session, confirmed: Confirmed) -> None:
    """Return if the phone's sign-in lives; nobody ends it before this transaction is committed.

    Asked last, so that the account's lock always comes before the sign-in's. Raises PhoneSignedOut.
    """
    if not sessions.hold(db, confirmed.phone):
        raise PhoneSignedOut


def note_phone_ended(
    db: Session, tools: Tools, confirmed: Confirmed, browser: Browser, *, now: datetime
) -> None:
    """Write down what :func:`check_phone` refused, once everything else was undone."""
    refuse(db, tools, confirmed.welcome.proof.account, browser, _SIGNED_OUT, now=now)


def _taken(
    tools: Tools, ticket_id: str, browser: Browser, *, secret: str, transaction: str, now: datetime
) -> tuple[Phone, Answer]:
    """Who confirmed, and what; the ticket is spent. Raises tickets.TicketGone, OutOfOrder."""
    found = tickets.find(tools.store, ticket_id)
    # A ticket for something else is not spent here: whoever waits for it may still take it.
    if found is None or not found.is_waited_for_with(secret):
        raise TicketGone
    if found.asked.purpose is not Purpose.LOGIN or found.asked.transaction != transaction:
        raise TicketGone
    # The secret alone could have been copied off this computer before.
    if not found.asked.is_of(browser.id):
        raise TicketGone
    taken = tickets.take(tools.store, ticket_id, secret, now=now)
    if taken.phone is None or taken.answer is None:
        raise TicketGone
    return taken.phone, taken.answer


def _chosen(db: Session, phone: Phone, answer: Answer, *, now: datetime) -> Identity:
    """The identity that was chosen on a phone whose sign-in lives, if it may still be taken.

    Raises NotAllowedIn.
    """
    which = (SigninSession.id == UUID(phone.session), SigninSession.person_id == UUID(phone.person))
    row = db.execute(sessions.live(now).where(*which)).first()
    if row is None:
        raise PhoneSignedOut
    try:
        return find_standing(db, row[1], answer.identity, now=now).identity
    except NoSuchStanding as ended:
        raise NotAllowedIn(str(ended)) from None
