"""Scan tickets in whatever order phones, browsers and the clock act: the state only moves forward."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from hypothesis.strategies import booleans, sampled_from

from idp.adapters.ephemeral.sql import SqlEphemeralStore
from idp.proof import tickets
from idp.proof.ticket_record import Phone, State, Ticket
from idp.proof.tickets import OutOfOrder, ScannedByAnother, TicketGone, WrongNumber
from tests.proof.test_tickets import ANSWER, MINE, NOW, OTHERS, SECRET, a_ticket, after, found

ORDER = [State.WAITING, State.SCANNED, State.CONFIRMED, State.TAKEN]


class AnyOrder(RuleBasedStateMachine):
    """Phones, browsers and the clock in whatever order: the state only moves forward."""

    def __init__(self) -> None:
        super().__init__()
        self.store = SqlEphemeralStore(Path(self.directory) / "ephemeral.db")
        self.ticket = a_ticket(self.store)
        self.now, self.before = NOW, State.WAITING
        self.confirmed_by: Phone | None = None

    directory = ""

    def _tried(self, act: Callable[[], Ticket]) -> Ticket | None:
        try:
            return act()
        except (TicketGone, OutOfOrder, ScannedByAnother, WrongNumber):
            return None

    @rule(phone=sampled_from([MINE, OTHERS]))
    def scan(self, phone: Phone) -> None:
        self._tried(lambda: tickets.scan(self.store, self.ticket.id, phone, now=self.now))

    @rule(phone=sampled_from([MINE, OTHERS]), right=booleans())
    def answer(self, phone: Phone, *, right: bool) -> None:
        kept = found(self.store, self.ticket)
        number = kept.number if right else "00"

        def act() -> Ticket:
            tickets.check_number(self.store, self.ticket.id, phone, number, now=self.now)
            return tickets.confirm(self.store, self.ticket.id, phone, ANSWER, now=self.now)

        if self._tried(act):
            assert right
            assert kept.phone == phone
            self.confirmed_by = phone

    @rule(phone=sampled_from([MINE, OTHERS]))
    def deny(self, phone: Phone) -> None:
        self._tried(lambda: tickets.deny(self.store, self.ticket.id, phone, now=self.now))

    @rule(secret=sampled_from([SECRET, "another's"]))
    def withdraw(self, secret: str) -> None:
        tickets.withdraw(self.store, self.ticket.id, secret, now=self.now)

    @rule(secret=sampled_from([SECRET, "another's"]))
    def take(self, secret: str) -> None:
        if self._tried(lambda: tickets.take(self.store, self.ticket.id, secret, now=self.now)):
            assert secret == SECRET
            assert self.before is State.CONFIRMED
            assert self.confirmed_by is not None

    @precondition(lambda self: self.now < after(200))
    @rule(seconds=sampled_from([1, 30, 70]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @invariant()
    def the_state_only_moves_forward(self) -> None:
        state = found(self.store, self.ticket).state
        if state is not self.before:
            forward = (
                state in ORDER and self.before in ORDER and ORDER.index(state) > ORDER.index(self.before)
            )
            assert forward or (state is State.DENIED and self.before in {State.WAITING, State.SCANNED})
            assert self.now.timestamp() < self.ticket.created_at + 180
        self.before = state

    def teardown(self) -> None:
        self.store.close()


def test_in_whatever_order_things_happen_the_state_only_moves_forward(tmp_path: Path) -> None:
    runs = iter(range(10_000))

    class Here(AnyOrder):
        def __init__(self) -> None:
            own = tmp_path / str(next(runs))
            own.mkdir()
            self.directory = str(own)
            super().__init__()

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=25,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
