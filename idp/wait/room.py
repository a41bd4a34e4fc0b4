"""Who waits for which ticket, and when he is answered.

Each waiter is one object that the store's ear and the loop's clock call back; none has a task of his own.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from prometheus_client import Counter

from idp.adapters.ephemeral import StoreUnavailable
from idp.adapters.store_ear import Found, StoreEar
from idp.proof.ticket_record import State, Ticket, key_of, read

Told = dict[str, Any] | StoreUnavailable | None
"""What a waiter hears: the ticket's state, that nothing is known now, or None: no such ticket is his."""
INTERVAL = 2.0
"""Seconds until a page may ask again that was not held."""
FULL_INTERVAL = 5.0
A_TICKET = 4
"""Browsers that are held for one ticket; a reloaded page leaves its place at once."""
_SHORTEST_SHARE = 0.8  # of the seconds somebody may be held
_AGAIN_SECONDS = 1.0
_READ_SECONDS = 3.0
"""How long the last read may take for somebody whose seconds are over."""
_SHORTEST = 0.01  # the clocks of ticket and loop differ by less
_SPREAD_SECONDS = 3.0  # over which those come back who were sent away by the end of the process
_MOVING = {State.WAITING, State.SCANNED}

_ANSWERED = Counter("idp_wait_answered", "Answers to waiting browsers, by what brought them.", ["how"])


@dataclass(slots=True, eq=False)
class Waiter:
    """A browser that waits for `ticket` with `secret` and knows it to be `known`.

    `answer` is called once. `until` is the end of its patience by the loop's clock; with `at_once` it is
    answered whatever is read, and may ask again after so many seconds.
    """

    ticket: str
    secret: str
    known: State
    told_known: bool
    until: float
    answer: Callable[[Told], None]
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)
    held: bool = False
    reading: bool = False
    stirred: bool = False
    at_once: float | None = None
    done: bool = False


class Room:
    """The waiters of this process: at most `most`, further ones are told to come back."""

    def __init__(self, ear: StoreEar, *, most: int) -> None:
        self._ear = ear
        self._most = most
        self._waiters: dict[str, list[Waiter]] = {}
        self._loop = asyncio.get_running_loop()
        self._closing = False
        self.waiting = 0

    def wait(
        self,
        ticket: str,
        secret: str,
        known: State | None,
        seconds: float,
        answer: Callable[[Told], None],
    ) -> Waiter:
        """Answer once the ticket is no longer as `known`, or when up to `seconds` are over.

        Who does not say what he knows is taken to know that it waits.
        """
        # Many who came at once, after an outage or a lunch break, do not come back at once.
        until = self._loop.time() + seconds * random.uniform(_SHORTEST_SHARE, 1)  # noqa: S311 - spreads load
        waiter = Waiter(ticket, secret, known or State.WAITING, known is not None, until, answer)
        if not self._ear.listening:
            self._answer(waiter, StoreUnavailable("nobody listens"), "unavailable")
            return waiter
        others = self._waiters.setdefault(ticket, [])
        if self.waiting >= self._most or len(others) >= A_TICKET:
            waiter.at_once = FULL_INTERVAL
        if seconds <= 0:
            waiter.at_once = INTERVAL
        if self._closing:
            waiter.at_once = _spread()
        others.append(waiter)
        self.waiting += 1
        if waiter.at_once is None:
            self._look(waiter)
            self._set_timer(waiter, until - self._loop.time())
        else:
            self._hurry(waiter)
        return waiter

    def leave(self, waiter: Waiter) -> None:
        """Forget a waiter who is gone."""
        if not waiter.done:
            self._let_go(waiter)
            _ANSWERED.labels("left").inc()

    def heard(self, message: bytes) -> None:
        """A ticket moved."""
        for waiter in self._waiters.get(message.decode("ascii", "replace"), ()):
            self._look(waiter, urgent=True)

    def anew(self) -> None:
        """Something may have been missed: everybody's ticket is read again."""
        for waiter in self._all():
            self._look(waiter)

    def close(self) -> None:
        """Answer everybody with what is so now; whoever comes from now on is answered at once."""
        self._closing = True
        for waiter in self._all():
            waiter.at_once = _spread()
            self._hurry(waiter)

    def _all(self) -> list[Waiter]:
        return [waiter for waiters in self._waiters.values() for waiter in waiters]

    def _look(self, waiter: Waiter, *, urgent: bool = False) -> None:
        """Read the waiter's ticket; once more if it moves while it is read."""
        if waiter.done:
            return
        if waiter.reading:
            waiter.stirred = True
            return
        waiter.reading, waiter.stirred = True, False
        self._ear.read(key_of(waiter.ticket), partial(self._seen, waiter), urgent=urgent)

    def _hurry(self, waiter: Waiter) -> None:
        """Answer the waiter with what can be read in time, or that nothing can be."""
        if self._ear.listening:
            self._look(waiter)
            self._set_timer(waiter, _READ_SECONDS)
        else:
            self._answer(waiter, StoreUnavailable("nobody listens"), "unavailable")

    def _over(self, waiter: Waiter) -> None:
        """The waiter's seconds are over, or the ticket's, a read's, or it is time to try the store again."""
        left = waiter.until - self._loop.time()
        if waiter.at_once is not None:
            self._answer(waiter, StoreUnavailable("the read is late"), "unavailable")
        elif left <= 0:
            waiter.at_once = 0.0
            self._hurry(waiter)
        elif self._ear.listening:
            self._look(waiter)
        else:
            self._set_timer(waiter, left)

    def _seen(self, waiter: Waiter, found: Found) -> None:
        waiter.reading = False
        if waiter.done:
            return
        if isinstance(found, StoreUnavailable):
            self._unseen(waiter, found)
            return
        ticket = _readable(found)
        if ticket is None or not ticket.is_waited_for_with(waiter.secret):
            self._answer(waiter, None, "unknown")
            return
        now = datetime.now(UTC)
        state = ticket.state_at(now)
        if waiter.at_once is not None:
            self._answer(waiter, ticket.waiting_answer(now, interval=waiter.at_once), "over")
        elif state is not waiter.known or state not in _MOVING:
            self._answer(waiter, ticket.waiting_answer(now, interval=_interval(waiter, state)), "moved")
        else:
            self._hold(waiter, ticket, now)

    def _unseen(self, waiter: Waiter, outage: StoreUnavailable) -> None:
        """The store did not answer: whoever is held stays so while there is time, and it is tried again."""
        left = waiter.until - self._loop.time()
        if not waiter.held or waiter.at_once is not None or left <= 0:
            self._answer(waiter, outage, "unavailable")
        else:
            self._set_timer(waiter, min(left, _AGAIN_SECONDS))

    def _hold(self, waiter: Waiter, ticket: Ticket, now: datetime) -> None:
        waiter.held = True
        left = ticket.expires_at - now.timestamp()
        self._set_timer(waiter, max(_SHORTEST, min(left, waiter.until - self._loop.time())))
        if waiter.stirred:
            self._look(waiter)

    def _set_timer(self, waiter: Waiter, seconds: float) -> None:
        if waiter.timer is not None:
            waiter.timer.cancel()
        waiter.timer = self._loop.call_later(seconds, self._over, waiter)

    def _answer(self, waiter: Waiter, told: Told, how: str) -> None:
        self._let_go(waiter)
        _ANSWERED.labels(how).inc()
        waiter.answer(told)

    def _let_go(self, waiter: Waiter) -> None:
        waiter.done = True
        if waiter.timer is not None:
            waiter.timer.cancel()
        others = self._waiters.get(waiter.ticket, [])
        if waiter in others:
            self.waiting -= 1
            others.remove(waiter)
            if not others:
                del self._waiters[waiter.ticket]


def _interval(waiter: Waiter, state: State) -> float:
    """0 where the next question will be held: who was told nothing new would only ask again at once."""
    moved_on = {State.WAITING: state is not State.WAITING, State.SCANNED: state not in _MOVING}
    return 0.0 if waiter.held or (waiter.told_known and moved_on.get(waiter.known, False)) else INTERVAL


def _spread() -> float:
    return round(random.uniform(0, _SPREAD_SECONDS), 1)  # noqa: S311 - spreads load, guards nothing


def _readable(kept: bytes | None) -> Ticket | None:
    """The ticket; what another version of this program wrote and this one cannot read counts as unknown."""
    try:
        return read(kept)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
