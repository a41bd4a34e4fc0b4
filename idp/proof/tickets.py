"""Scan tickets: a browser waits, a phone sees what it is about to open, confirms, and the browser goes on.

One engine for QR login, face checks and whatever a phone confirms later (RFC 10027, A04, A11, A18). A ticket
is a record in the ephemeral store whose state only moves forward::

    waiting → scanned → confirmed → taken
        └────────┴─────────→ denied            (expired: its time is up in any state before taken)

Each move is one compare-and-set of the whole record, so of several callers one makes it. The id is all that
a QR code shows; it opens nothing by itself: the browser that waits is known by a secret of its own, the
phone by whoever calls for it. What becomes of a confirmed ticket is the caller's to decide.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from idp.adapters.ephemeral import EphemeralStore
from idp.crypto import hash_token, new_token, same
from idp.proof.ticket_record import (
    CHANNEL,
    Answer,
    Asked,
    Ended,
    Phone,
    Seen,
    State,
    Ticket,
    is_id,
    key_of,
    pack,
    read,
)

LONGEST_LIFE = timedelta(seconds=180)
"""Whatever is asked for: no ticket lives longer (SECURITY 43)."""
_AFTER_SCAN = timedelta(seconds=60)
"""What a person has at least, once he has scanned."""
_GRACE = 10.0  # seconds a scan may come after the page's clock has run out
_KEEP = 300  # seconds a ticket is remembered beyond its life, so that its end can be told


class TicketGone(Exception):
    """No such ticket counts any more: unknown, expired, ended or taken; `state` says which, if known."""

    def __init__(self, state: State | None = None, ended: Ended | None = None) -> None:
        super().__init__(state or "unknown")
        self.state = state
        self.ended = ended


class ScannedByAnother(Exception):
    """Another phone was faster."""


class OutOfOrder(Exception):
    """The ticket is not as far as this step needs it."""


class WrongNumber(Exception):
    """Another number than the browser shows was chosen; the ticket has ended."""


def open_ticket(
    store: EphemeralStore, asked: Asked, browser: Seen, *, secret: str, lifetime: timedelta, now: datetime
) -> Ticket:
    """A new ticket for the browser that holds `secret`; it can be scanned for `lifetime`."""
    moment = now.timestamp()
    ticket = Ticket(
        id=new_token(16),
        state=State.WAITING,
        waiter=hash_token(secret).hex(),
        asked=asked,
        browser=browser,
        created_at=moment,
        expires_at=moment + min(lifetime, LONGEST_LIFE).total_seconds() + _GRACE,
    )
    store.put(key_of(ticket.id), pack(ticket), ttl=_ttl(ticket, now))
    return ticket


def find(store: EphemeralStore, ticket_id: str) -> Ticket | None:
    """The ticket with this id in whatever state, None if none is remembered."""
    return read(store.get(key_of(ticket_id))) if is_id(ticket_id) else None


def scan(store: EphemeralStore, ticket_id: str, phone: Phone, *, now: datetime) -> Ticket:
    """Note that `phone` scanned it, and give it its numbers; the same phone may ask again.

    Raises TicketGone, ScannedByAnother.
    """

    def scanned(ticket: Ticket) -> Ticket:
        if ticket.state is not State.WAITING:
            raise OutOfOrder
        numbers = _three_numbers()
        until = min(
            max(ticket.expires_at, (now + _AFTER_SCAN).timestamp()),
            ticket.created_at + LONGEST_LIFE.total_seconds(),
        )
        return replace(
            ticket,
            state=State.SCANNED,
            phone=phone,
            number=secrets.choice(numbers),
            numbers=numbers,
            expires_at=until,
        )

    try:
        return _move(store, ticket_id, scanned, now=now)
    except OutOfOrder:
        ticket = of_phone(store, ticket_id, phone, now=now)
        if ticket.state is not State.SCANNED:
            raise TicketGone(ticket.state) from None
        return ticket


def of_phone(store: EphemeralStore, ticket_id: str, phone: Phone, *, now: datetime) -> Ticket:
    """The ticket as this phone scanned it. Raises TicketGone, ScannedByAnother, OutOfOrder."""
    ticket = _alive(find(store, ticket_id), now=now)
    if ticket.phone is None:
        raise OutOfOrder
    if not ticket.phone.is_same(phone):
        raise ScannedByAnother
    return ticket


def check_number(
    store: EphemeralStore, ticket_id: str, phone: Phone, supplied: str, *, now: datetime
) -> Ticket:
    """Return the ticket if `supplied` is the number the browser shows; any other number ends it.

    Raises TicketGone, ScannedByAnother, OutOfOrder, WrongNumber.
    """
    ticket = of_phone(store, ticket_id, phone, now=now)
    if ticket.state is not State.SCANNED:
        raise OutOfOrder
    if not same(ticket.number, supplied):
        deny(store, ticket_id, phone, ended=Ended.WRONG_NUMBER, now=now)
        raise WrongNumber
    return ticket


def confirm(store: EphemeralStore, ticket_id: str, phone: Phone, answer: Answer, *, now: datetime) -> Ticket:
    """Confirm it, once. Raises TicketGone, ScannedByAnother, and OutOfOrder where it is not just scanned."""

    def confirmed(ticket: Ticket) -> Ticket:
        _check_phone(ticket, phone)
        return replace(ticket, state=State.CONFIRMED, answer=answer)

    return _move(store, ticket_id, confirmed, now=now)


def deny(
    store: EphemeralStore, ticket_id: str, phone: Phone, *, ended: Ended = Ended.BY_PHONE, now: datetime
) -> Ticket:
    """End it from the phone. Raises TicketGone, ScannedByAnother, OutOfOrder."""

    def denied(ticket: Ticket) -> Ticket:
        _check_phone(ticket, phone)
        return replace(ticket, state=State.DENIED, ended=ended)

    return _move(store, ticket_id, denied, now=now)


def withdraw(
    store: EphemeralStore,
    ticket_id: str,
    secret: str,
    *,
    ended: Ended = Ended.BY_BROWSER,
    only_unscanned: bool = False,
    now: datetime,
) -> bool:
    """End it from the browser that waits; False if that is not possible any more.

    `only_unscanned`: a ticket somebody has scanned meanwhile goes on.
    """
    allowed = {State.WAITING} if only_unscanned else {State.WAITING, State.SCANNED}

    def withdrawn(ticket: Ticket) -> Ticket:
        if not ticket.is_waited_for_with(secret) or ticket.state not in allowed:
            raise OutOfOrder
        return replace(ticket, state=State.DENIED, ended=ended)

    try:
        _move(store, ticket_id, withdrawn, now=now)
    except (OutOfOrder, TicketGone):
        return False
    return True


def take(store: EphemeralStore, ticket_id: str, secret: str, *, now: datetime) -> Ticket:
    """The confirmed ticket of the browser that holds `secret`, once; nobody else gets it afterwards.

    Raises OutOfOrder before it is confirmed, and TicketGone, also for a browser that is not the one that
    waits.
    """

    def taken(ticket: Ticket) -> Ticket:
        if not ticket.is_waited_for_with(secret):
            raise TicketGone
        if ticket.state is not State.CONFIRMED:
            raise OutOfOrder
        return replace(ticket, state=State.TAKEN)

    return _move(store, ticket_id, taken, now=now)


def _check_phone(ticket: Ticket, phone: Phone) -> None:
    if ticket.state is not State.SCANNED:
        raise OutOfOrder
    if ticket.phone is None or not ticket.phone.is_same(phone):
        raise ScannedByAnother


def _move(
    store: EphemeralStore, ticket_id: str, change: Callable[[Ticket], Ticket], *, now: datetime
) -> Ticket:
    """Put what `change` makes of the ticket in its place, unless somebody else moved it meanwhile."""
    ticket = _alive(find(store, ticket_id), now=now)
    moved = change(ticket)
    if not store.compare_and_set(key_of(ticket_id), ticket.packed, pack(moved), ttl=_ttl(moved, now)):
        # Whoever was faster has moved it on: judge anew by what it is now.
        ticket = _alive(find(store, ticket_id), now=now)
        change(ticket)
        raise OutOfOrder
    store.publish(CHANNEL, ticket_id.encode())
    return moved


def _alive(ticket: Ticket | None, *, now: datetime) -> Ticket:
    if ticket is None:
        raise TicketGone
    state = ticket.state_at(now)
    if state in {State.EXPIRED, State.DENIED, State.TAKEN}:
        raise TicketGone(state, ticket.ended)
    return ticket


def _three_numbers() -> tuple[str, ...]:
    """Three different numbers of two digits, in the order in which the phone shows them."""
    return tuple(str(number) for number in secrets.SystemRandom().sample(range(10, 100), 3))


def _ttl(ticket: Ticket, now: datetime) -> float:
    return max(ticket.expires_at - now.timestamp(), 0) + _KEEP
