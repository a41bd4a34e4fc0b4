"""What a scan ticket is made of, and how it lies in the ephemeral store; :mod:`idp.proof.tickets` moves it.

Whoever only waits for a ticket needs nothing but this file: the record, its state, what the browser is told.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from idp.crypto import hash_token, same

CHANNEL = "tickets"
"""Where every move is told, as the ticket's id: a hint to read the ticket again."""
_ID = re.compile(r"[A-Za-z0-9_-]{22}\Z")


class Purpose(StrEnum):
    """What a ticket is for."""

    LOGIN = "login"
    FACE = "face"


class State(StrEnum):
    """How far a ticket has come; TAKEN is seen by nobody who waits."""

    WAITING = "waiting"
    SCANNED = "scanned"
    CONFIRMED = "confirmed"
    DENIED = "denied"
    EXPIRED = "expired"
    TAKEN = "taken"


class Ended(StrEnum):
    """Why a ticket was denied."""

    BY_PHONE = "by_phone"
    WRONG_NUMBER = "wrong_number"
    BY_BROWSER = "by_browser"
    REPLACED = "replaced"
    NOT_ALLOWED = "not_allowed"


@dataclass(frozen=True, slots=True)
class Seen:
    """A device as it showed itself: user agent and address."""

    agent: str
    address: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the waiting page asks the phone for.

    `transaction` is the pending request it belongs to, empty for a sign-in of its own; `portal` the name of
    whoever asks, `reason` his sentence. `wants_entity` and `entity` say whose sign-in answers, `acr_values`
    the levels wanted. `check` names the face check of a FACE ticket, `subject` whom it is about, masked.
    `browser` is the hash of the waiting browser's own id, where no transaction binds the ticket to it.
    """

    purpose: Purpose
    portal: str
    reason: str
    transaction: str = ""
    client_id: str = ""
    wants_entity: bool = False
    wants_person: bool = False
    entity: str | None = None
    acr_values: tuple[str, ...] = ()
    check: str = ""
    subject: str = ""
    browser: str = ""

    @classmethod
    def unpacked(cls, kept: dict[str, Any]) -> Self:
        """What was packed as JSON."""
        return cls(**{**kept, "purpose": Purpose(kept["purpose"]), "acr_values": tuple(kept["acr_values"])})

    def is_of(self, browser: str) -> bool:
        """Whether the browser with this id asked; one that waits for a transaction is bound by that."""
        return bool(self.transaction) or same(self.browser, hash_token(browser).hex())


@dataclass(frozen=True, slots=True)
class Phone:
    """Who scanned: the app's sign-in, and the key its token is bound to; both empty where nobody signed in.

    `session` and `person` are ids as text, `client_id` the app.
    """

    seen: Seen
    session: str = ""
    person: str = ""
    client_id: str = ""
    jkt: str = ""

    def is_same(self, other: Phone) -> bool:
        """Whether the two are one phone with one person at it."""
        mine, others = (self.session, self.person, self.jkt), (other.session, other.person, other.jkt)
        return mine == others


@dataclass(frozen=True, slots=True)
class Answer:
    """What the phone confirmed: as whom (a key of :mod:`idp.accounts.standing`), how surely, and when."""

    identity: str
    amr: tuple[str, ...]
    acr: str
    at: float  # epoch seconds


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as it stands; times are epoch seconds, `waiter` the hash of the waiting browser's secret."""

    id: str
    state: State
    waiter: str
    asked: Asked
    browser: Seen
    created_at: float
    expires_at: float
    number: str = ""
    numbers: tuple[str, ...] = ()
    phone: Phone | None = None
    answer: Answer | None = None
    ended: Ended | None = None
    packed: bytes = field(default=b"", repr=False, compare=False)

    def is_waited_for_with(self, secret: str) -> bool:
        """Whether `secret` is the waiting browser's. Constant time."""
        return bool(secret) and same(self.waiter, hash_token(secret).hex())

    def state_at(self, now: datetime) -> State:
        """The state with the clock looked at: what was not answered in time is EXPIRED."""
        open_still = self.state in {State.WAITING, State.SCANNED, State.CONFIRMED}
        return State.EXPIRED if open_still and now.timestamp() >= self.expires_at else self.state

    def waiting_answer(self, now: datetime, *, interval: float) -> dict[str, Any]:
        """What the waiting browser is told; nothing of who scanned (SECURITY 47).

        `interval`: seconds until it may ask again.
        """
        state = self.state_at(now)
        told: dict[str, Any] = {"state": "expired" if state is State.TAKEN else state.value}
        if state is State.SCANNED:
            told["number"] = self.number
        if state in {State.WAITING, State.SCANNED}:
            told["expires_in"] = max(0, round(self.expires_at - now.timestamp()))
        if state is State.DENIED and self.ended:
            told["ended"] = self.ended.value
        return {**told, "interval": interval}


def key_of(ticket_id: str) -> str:
    """Where a ticket lies in the store."""
    return f"ticket:{ticket_id}"


def is_id(supplied: str) -> bool:
    """Whether `supplied` could be a ticket's id."""
    return _ID.match(supplied) is not None


def read(kept: bytes | None) -> Ticket | None:
    """The ticket that lies in the store as `kept`."""
    if kept is None:
        return None
    told = json.loads(kept)
    phone, answer = told["phone"], told["answer"]
    return Ticket(
        **{
            **told,
            "state": State(told["state"]),
            "asked": Asked.unpacked(told["asked"]),
            "browser": Seen(**told["browser"]),
            "numbers": tuple(told["numbers"]),
            "phone": Phone(**{**phone, "seen": Seen(**phone["seen"])}) if phone else None,
            "answer": Answer(**{**answer, "amr": tuple(answer["amr"])}) if answer else None,
            "ended": Ended(told["ended"]) if told["ended"] else None,
            "packed": kept,
        }
    )


def pack(ticket: Ticket) -> bytes:
    """The ticket as it lies in the store."""
    kept = asdict(ticket)
    del kept["packed"]
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":")).encode()
