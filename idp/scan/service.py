"""The rules of scanning, confirming and refusing, in their order (RFC 10027, SECURITY 39 to 50).

What may be put right (the identity, the second question, the unlocking) is checked before the number, as a
wrong number ends the ticket. A ticket that another phone has scanned tells this one nothing but that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from idp.access import assurance
from idp.access.channels import Surface
from idp.accounts.audit import Action
from idp.accounts.sessions import BY_SCAN
from idp.accounts.standing import Standing
from idp.adapters.places import Place, far_apart
from idp.proof import throttle, tickets
from idp.proof.throttle import Ceiling, Throttled
from idp.proof.ticket_record import Answer, Ended, Purpose, State, Ticket
from idp.proof.tickets import OutOfOrder, ScannedByAnother, TicketGone, WrongNumber
from idp.scan import eligible, trail, unlocking
from idp.scan.caller import Caller, Tools
from idp.scan.unlocking import Given
from idp.web.refusals import Refusal
from idp.web.refusals import scan as refusals
from idp.web.refusals.to_phones import PhoneRefused, throttled

_BY_FACE = "这个二维码用于人脸核验，不能用来确认登录。请按手机上的提示完成核验。"
_WRONG_NUMBERS = 3
_WRONG_NUMBERS_WAIT = timedelta(minutes=10)
_ENDED = {
    Ended.BY_PHONE: "您已拒绝这次登录。需要登录时，请重新扫码。",
    Ended.WRONG_NUMBER: "选的数字与电脑上显示的不一致，登录已取消。需要登录时，请重新扫码。",
    Ended.BY_BROWSER: "电脑上已经取消了这次登录。需要登录时，请重新扫码。",
    Ended.REPLACED: "电脑上的二维码已经更新。请扫新的二维码。",
}


@dataclass(frozen=True, slots=True)
class Said:
    """What the person said at his phone; `is_far_confirmed` where he was asked about the distance."""

    identity: str
    number: str
    unlock: Given
    is_far_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Distance:
    """The places of browser and phone, where they are far apart."""

    browser: Place
    phone: Place


def scan(
    db: Session, tools: Tools, caller: Caller, ticket_id: str, surface: Surface, *, now: datetime
) -> tuple[Ticket, list[Standing]]:
    """Note that this phone scanned the ticket; what it asks, and who of its owner can answer.

    Until every rule was kept nothing has moved: another phone may scan it. Whatever is refused counts, as
    each refusal is written down. Raises PhoneRefused.
    """
    ticket = find(tools, ticket_id, now=now)
    with trail.refusals_noted(db, tools, caller, ticket, now=now):
        _count(tools, caller, now=now)
        _check_own(ticket, caller, now=now)
        eligible.check_channel(caller.channel, ticket.asked.purpose, surface)
        _check_numbers_left(tools, caller, ticket_id, now=now)
        found = eligible.can_answer(db, tools, caller, ticket.asked, now=now)
        with _told_apart(tools, caller, ticket_id, now=now):
            scanned = tickets.scan(tools.store, ticket_id, caller.phone, now=now)
    if ticket.state is State.WAITING:
        far = distance(tools, scanned) is not None
        trail.record(db, tools, caller, Action.SCAN_SEEN, scanned, far=far, now=now)
    return scanned, found


def confirm(db: Session, tools: Tools, caller: Caller, ticket_id: str, said: Said, *, now: datetime) -> None:
    """Confirm the ticket as the person said. Raises PhoneRefused, idp.accounts.passwords.TooBusy."""
    ticket = find(tools, ticket_id, now=now)
    with trail.refusals_noted(db, tools, caller, ticket, now=now):
        _count(tools, caller, now=now)
        _check_scanned(ticket, caller, now=now)
        if ticket.asked.purpose is not Purpose.LOGIN:
            raise PhoneRefused(refusals.WRONG_PURPOSE, _BY_FACE)
        eligible.check_channel(caller.channel, ticket.asked.purpose)
        _check_numbers_left(tools, caller, ticket_id, now=now)
        chosen = eligible.chosen(db, tools, caller, ticket.asked, said.identity, now=now)
        far = distance(tools, ticket)
        if far and not said.is_far_confirmed:
            raise PhoneRefused(refusals.FAR_UNCONFIRMED, browser=far.browser.name, phone=far.phone.name)
        unlocked = _unlocked(db, tools, caller, ticket, said.unlock, now=now)
        _check_number(tools, caller, ticket_id, said.number, now=now)
        answer = Answer(
            identity=chosen.key,
            amr=(BY_SCAN, *unlocked),
            acr=assurance.SECOND_PROOF if unlocked else assurance.PASSWORD,
            at=now.timestamp(),
        )
        with _told_apart(tools, caller, ticket_id, now=now):
            confirmed = tickets.confirm(tools.store, ticket_id, caller.phone, answer, now=now)
    trail.record(
        db,
        tools,
        caller,
        Action.SCAN_CONFIRMED,
        confirmed,
        entity=str(chosen.identity.enterprise_id or ""),
        role=chosen.identity.role.value,
        unlock=list(unlocked),
        far=far is not None,
        now=now,
    )


def deny(db: Session, tools: Tools, caller: Caller, ticket_id: str, *, now: datetime) -> None:
    """End the ticket that this phone scanned; the browser hears it. Raises PhoneRefused."""
    ticket = find(tools, ticket_id, now=now)
    _check_scanned(ticket, caller, now=now)
    with _told_apart(tools, caller, ticket_id, now=now):
        denied = tickets.deny(tools.store, ticket_id, caller.phone, now=now)
    trail.record(db, tools, caller, Action.SCAN_DENIED, denied, now=now)


def find(tools: Tools, ticket_id: str, *, now: datetime) -> Ticket:
    """The ticket, whoever scanned it, as long as it may be spoken of. Raises PhoneRefused."""
    ticket = tickets.find(tools.store, ticket_id)
    if ticket is None:
        raise PhoneRefused(refusals.TICKET_UNKNOWN)
    if ticket.phone is None:
        _check_open(ticket, now=now)
    return ticket


def distance(tools: Tools, ticket: Ticket) -> Distance | None:
    """The places of the browser and of the phone that scanned, if they are known and far apart."""
    if ticket.phone is None:
        return None
    browser, phone = (tools.places.of(seen.address) for seen in (ticket.browser, ticket.phone.seen))
    if browser is None or phone is None or not far_apart(browser, phone):
        return None
    return Distance(browser, phone)


def _check_own(ticket: Ticket, caller: Caller, *, now: datetime) -> None:
    """Return if nobody scanned it, or this phone did and it is still open. Raises PhoneRefused."""
    if ticket.phone is not None and not ticket.phone.is_same(caller.phone):
        raise PhoneRefused(refusals.SCANNED_BY_ANOTHER)
    _check_open(ticket, now=now)


def _check_scanned(ticket: Ticket, caller: Caller, *, now: datetime) -> None:
    _check_own(ticket, caller, now=now)
    if ticket.phone is None:
        raise PhoneRefused(refusals.NOT_SCANNED)


def _check_open(ticket: Ticket, *, now: datetime) -> None:
    state = ticket.state_at(now)
    if state not in {State.WAITING, State.SCANNED}:
        raise _gone(state, ticket.ended)


def _gone(state: State | None, ended: Ended | None) -> PhoneRefused:
    if state is State.EXPIRED:
        return PhoneRefused(refusals.TICKET_EXPIRED, state=State.EXPIRED)
    if state is State.DENIED:
        sentence = _ENDED.get(ended, "") if ended else ""
        return PhoneRefused(refusals.TICKET_ENDED, sentence, state=State.DENIED, ended=ended)
    if state in {State.CONFIRMED, State.TAKEN}:
        # Whether the browser has gone on since is its own affair.
        return PhoneRefused(refusals.TICKET_USED, state=State.CONFIRMED)
    return PhoneRefused(refusals.TICKET_UNKNOWN)


def _count(tools: Tools, caller: Caller, *, now: datetime) -> None:
    most, wait = tools.settings.scans_an_account, tools.settings.throttle_wait
    with _slowed(refusals.TOO_MANY_SCANS):
        throttle.count_below(tools.store, Ceiling(f"scans:{caller.person.id}", most, wait), now=now)


def _unlocked(
    db: Session, tools: Tools, caller: Caller, ticket: Ticket, given: Given, *, now: datetime
) -> tuple[str, ...]:
    if given.is_empty:
        if unlocking.is_required(ticket.asked):
            raise PhoneRefused(refusals.UNLOCK_REQUIRED)
        return ()
    return (unlocking.prove(db, tools, caller, ticket.id, given, now=now),)


def _check_number(tools: Tools, caller: Caller, ticket_id: str, number: str, *, now: datetime) -> None:
    try:
        with _told_apart(tools, caller, ticket_id, now=now):
            tickets.check_number(tools.store, ticket_id, caller.phone, number, now=now)
    except WrongNumber:
        ceiling = _wrong_numbers(caller)
        throttle.count_failure(tools.store, ceiling, now=now)
        # The failure that reaches the limit takes the next turn with it: the very next scan waits.
        with suppress(Throttled):
            throttle.check_below(tools.store, ceiling, now=now)
        raise PhoneRefused(refusals.WRONG_NUMBER, state=State.DENIED, ended=Ended.WRONG_NUMBER) from None


def _check_numbers_left(tools: Tools, caller: Caller, ticket_id: str, *, now: datetime) -> None:
    """Return while few wrong numbers were chosen; from then on one ticket a wait has its turn, to its end.

    Asked at the confirmation, too: tickets may have been scanned in store. Raises PhoneRefused.
    """
    turn = f"scan-turn:{caller.person.id}:{ticket_id}"
    if tools.store.get(turn) is not None:
        return
    with _slowed(refusals.TOO_MANY_WRONG_NUMBERS):
        is_a_turn = throttle.check_below(tools.store, _wrong_numbers(caller), now=now)
    if is_a_turn:
        tools.store.put(turn, b"1", ttl=tickets.LONGEST_LIFE.total_seconds())


def _wrong_numbers(caller: Caller) -> Ceiling:
    wait = int(_WRONG_NUMBERS_WAIT.total_seconds())
    return Ceiling(f"scan-numbers:{caller.person.id}", most=_WRONG_NUMBERS, wait=wait)


@contextmanager
def _slowed(refusal: Refusal) -> Iterator[None]:
    try:
        yield
    except Throttled as slowed:
        raise throttled(refusal, slowed.wait) from None


@contextmanager
def _told_apart(tools: Tools, caller: Caller, ticket_id: str, *, now: datetime) -> Iterator[None]:
    """What the engine refuses, because somebody was faster, as this phone may know it."""
    try:
        yield
    except ScannedByAnother:
        raise PhoneRefused(refusals.SCANNED_BY_ANOTHER) from None
    except TicketGone as gone:
        raise _gone(gone.state, gone.ended) from None
    except OutOfOrder:
        ticket = find(tools, ticket_id, now=now)
        _check_own(ticket, caller, now=now)
        raise PhoneRefused(refusals.NOT_SCANNED) from None
