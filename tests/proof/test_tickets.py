"""Scan tickets: a state that only moves forward, one winner a move, nothing for the id alone."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from idp.adapters.ephemeral import EphemeralStore
from idp.adapters.ephemeral.redis import RedisEphemeralStore
from idp.adapters.ephemeral.sql import SqlEphemeralStore
from idp.proof import tickets
from idp.proof.ticket_record import CHANNEL, Answer, Asked, Ended, Phone, Purpose, Seen, State, Ticket
from idp.proof.tickets import OutOfOrder, ScannedByAnother, TicketGone, WrongNumber

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
SECRET = "the waiting browser's own secret"
ASKED = Asked(
    Purpose.LOGIN, portal="示例网厅", reason="请求您登录，用于办理业务", transaction="t", acr_values=("a",)
)
BROWSER = Seen("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0", "192.0.2.7")
MINE = Phone(Seen("Phone/1", "192.0.2.8"), session="s1", person="p1", client_id="app", jkt="k1")
OTHERS = Phone(Seen("Phone/2", "192.0.2.9"), session="s2", person="p2", client_id="app", jkt="k2")
ANSWER = Answer("person", ("qr", "pin"), "urn:idp:loa:2", NOW.timestamp())


def after(seconds: float) -> datetime:
    """So many seconds after the ticket was opened."""
    return NOW + timedelta(seconds=seconds)


@pytest.fixture(params=["sql", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EphemeralStore]:
    store: EphemeralStore
    if request.param == "sql":
        store = SqlEphemeralStore(tmp_path / "ephemeral.db")
    else:
        store = RedisEphemeralStore(
            request.getfixturevalue("redis_url"), prefix=request.getfixturevalue("redis_prefix")
        )
    yield store
    store.close()


def a_ticket(store: EphemeralStore) -> Ticket:
    """A ticket nobody has scanned yet."""
    return tickets.open_ticket(store, ASKED, BROWSER, secret=SECRET, lifetime=timedelta(seconds=120), now=NOW)


def a_scanned_ticket(store: EphemeralStore) -> Ticket:
    """One that my phone has scanned."""
    return tickets.scan(store, a_ticket(store).id, MINE, now=NOW)


def a_confirmed_ticket(store: EphemeralStore) -> Ticket:
    """One that my phone has confirmed."""
    return tickets.confirm(store, a_scanned_ticket(store).id, MINE, ANSWER, now=NOW)


def found(store: EphemeralStore, ticket: Ticket) -> Ticket:
    """The ticket as it lies in the store."""
    kept = tickets.find(store, ticket.id)
    assert kept is not None
    return kept


def test_it_comes_back_from_the_store_as_it_was_put_there(store: EphemeralStore) -> None:
    confirmed = a_confirmed_ticket(store)
    assert found(store, confirmed) == confirmed
    assert (confirmed.asked, confirmed.browser, confirmed.phone, confirmed.answer) == (
        ASKED,
        BROWSER,
        MINE,
        ANSWER,
    )


def test_its_id_has_128_bits_and_says_nothing(store: EphemeralStore) -> None:
    ids = {a_ticket(store).id for _ in range(50)}
    assert len(ids) == 50
    assert all(len(each) == 22 for each in ids)


def test_the_whole_way_ends_with_the_browser_that_waits(store: EphemeralStore) -> None:
    taken = tickets.take(store, a_confirmed_ticket(store).id, SECRET, now=after(5))
    assert taken.answer == ANSWER
    assert found(store, taken).state is State.TAKEN


def test_a_scan_alone_opens_nothing(store: EphemeralStore) -> None:
    scanned = a_scanned_ticket(store)
    with pytest.raises(OutOfOrder):
        tickets.take(store, scanned.id, SECRET, now=NOW)


def test_the_id_without_the_browsers_secret_takes_nothing(store: EphemeralStore) -> None:
    confirmed = a_confirmed_ticket(store)
    for secret in ("", "another browser's secret", confirmed.id, confirmed.waiter):
        with pytest.raises(TicketGone):
            tickets.take(store, confirmed.id, secret, now=NOW)
    assert tickets.take(store, confirmed.id, SECRET, now=NOW).answer == ANSWER


def test_a_ticket_is_taken_once(store: EphemeralStore) -> None:
    confirmed = a_confirmed_ticket(store)
    tickets.take(store, confirmed.id, SECRET, now=NOW)
    with pytest.raises(TicketGone):
        tickets.take(store, confirmed.id, SECRET, now=NOW)


def test_a_second_phone_cannot_scan_it(store: EphemeralStore) -> None:
    scanned = a_scanned_ticket(store)
    with pytest.raises(ScannedByAnother):
        tickets.scan(store, scanned.id, OTHERS, now=NOW)
    with pytest.raises(ScannedByAnother):
        tickets.confirm(store, scanned.id, OTHERS, ANSWER, now=NOW)
    with pytest.raises(ScannedByAnother):
        tickets.deny(store, scanned.id, OTHERS, now=NOW)
    assert found(store, scanned).state is State.SCANNED


@pytest.mark.parametrize(
    "other", [replace(MINE, session="s9"), replace(MINE, person="p9"), replace(MINE, jkt="k9")]
)
def test_a_phone_is_its_sign_in_its_person_and_its_key(store: EphemeralStore, other: Phone) -> None:
    scanned = a_scanned_ticket(store)
    with pytest.raises(ScannedByAnother):
        tickets.confirm(store, scanned.id, other, ANSWER, now=NOW)


def test_the_same_phone_scans_again_and_sees_the_same_numbers(store: EphemeralStore) -> None:
    first = a_scanned_ticket(store)
    again = tickets.scan(store, first.id, replace(MINE, seen=Seen("Phone/1", "198.51.100.1")), now=after(3))
    assert (again.number, again.numbers) == (first.number, first.numbers)


def test_of_three_different_numbers_of_two_digits_one_is_right(store: EphemeralStore) -> None:
    places = set()
    for _ in range(40):
        scanned = a_scanned_ticket(store)
        assert len(set(scanned.numbers)) == 3
        assert all(len(number) == 2 and number.isdigit() for number in scanned.numbers)
        places.add(scanned.numbers.index(scanned.number))
    assert places == {0, 1, 2}, "the right one must not stand at one place"


def test_a_wrong_number_ends_the_ticket(store: EphemeralStore) -> None:
    scanned = a_scanned_ticket(store)
    wrong = next(number for number in scanned.numbers if number != scanned.number)
    with pytest.raises(WrongNumber):
        tickets.check_number(store, scanned.id, MINE, wrong, now=NOW)
    ended = found(store, scanned)
    assert (ended.state, ended.ended) == (State.DENIED, Ended.WRONG_NUMBER)
    with pytest.raises(TicketGone):
        tickets.check_number(store, scanned.id, MINE, scanned.number, now=NOW)
    with pytest.raises(TicketGone):
        tickets.confirm(store, scanned.id, MINE, ANSWER, now=NOW)


def test_a_confirmation_is_given_once(store: EphemeralStore) -> None:
    confirmed = a_confirmed_ticket(store)
    other = replace(ANSWER, identity="legal:somebody")
    with pytest.raises(OutOfOrder):
        tickets.confirm(store, confirmed.id, MINE, other, now=NOW)
    with pytest.raises(OutOfOrder):
        tickets.deny(store, confirmed.id, MINE, now=NOW)
    assert found(store, confirmed).answer == ANSWER


def test_what_was_denied_stays_denied(store: EphemeralStore) -> None:
    denied = tickets.deny(store, a_scanned_ticket(store).id, MINE, now=NOW)
    acts: list[Callable[[], Ticket]] = [
        lambda: tickets.scan(store, denied.id, MINE, now=NOW),
        lambda: tickets.confirm(store, denied.id, MINE, ANSWER, now=NOW),
        lambda: tickets.take(store, denied.id, SECRET, now=NOW),
    ]
    for act in acts:
        with pytest.raises(TicketGone):
            act()
    assert found(store, denied).ended is Ended.BY_PHONE


def test_nobody_confirms_what_nobody_scanned(store: EphemeralStore) -> None:
    ticket = a_ticket(store)
    acts: list[Callable[[], Ticket]] = [
        lambda: tickets.confirm(store, ticket.id, MINE, ANSWER, now=NOW),
        lambda: tickets.deny(store, ticket.id, MINE, now=NOW),
        lambda: tickets.of_phone(store, ticket.id, MINE, now=NOW),
    ]
    for act in acts:
        with pytest.raises(OutOfOrder):
            act()


def test_it_can_be_scanned_for_its_two_minutes_and_a_little(store: EphemeralStore) -> None:
    tickets.scan(store, a_ticket(store).id, MINE, now=after(125))
    with pytest.raises(TicketGone) as gone:
        tickets.scan(store, a_ticket(store).id, MINE, now=after(131))
    assert gone.value.state is State.EXPIRED


def test_who_scanned_late_has_a_minute_left_and_no_ticket_lives_three(store: EphemeralStore) -> None:
    late = tickets.scan(store, a_ticket(store).id, MINE, now=after(100))
    assert late.expires_at == after(160).timestamp()
    latest = tickets.scan(store, a_ticket(store).id, MINE, now=after(129))
    assert latest.expires_at == after(180).timestamp()


@pytest.mark.parametrize("make", [a_ticket, a_scanned_ticket, a_confirmed_ticket])
def test_what_was_not_done_in_time_is_expired(
    store: EphemeralStore, make: Callable[[EphemeralStore], Ticket]
) -> None:
    ticket = make(store)
    assert ticket.state_at(after(129)) is ticket.state
    assert ticket.state_at(after(130)) is State.EXPIRED
    with pytest.raises(TicketGone):
        tickets.take(store, ticket.id, SECRET, now=after(130))
    with pytest.raises(TicketGone):
        tickets.confirm(store, ticket.id, MINE, ANSWER, now=after(130))


def test_an_unknown_or_malformed_id_is_no_ticket(store: EphemeralStore) -> None:
    for unknown in ("", "x" * 22, "../../etc/passwd", "\0" * 22, "é" * 22, "a" * 23, "a" * 22 + "\n"):
        assert tickets.find(store, unknown) is None
        with pytest.raises(TicketGone) as gone:
            tickets.scan(store, unknown, MINE, now=NOW)
        assert gone.value.state is None


def test_the_browser_gives_its_own_ticket_up(store: EphemeralStore) -> None:
    ticket = a_scanned_ticket(store)
    assert not tickets.withdraw(store, ticket.id, "another's secret", now=NOW)
    assert tickets.withdraw(store, ticket.id, SECRET, now=NOW)
    assert found(store, ticket).ended is Ended.BY_BROWSER
    assert not tickets.withdraw(store, ticket.id, SECRET, now=NOW)


def test_a_ticket_scanned_meanwhile_is_not_replaced(store: EphemeralStore) -> None:
    waiting, scanned = a_ticket(store), a_scanned_ticket(store)

    def replaced(ticket: Ticket) -> bool:
        return tickets.withdraw(store, ticket.id, SECRET, ended=Ended.REPLACED, only_unscanned=True, now=NOW)

    assert replaced(waiting)
    assert not replaced(scanned)


def test_the_waiting_browser_hears_the_number_and_nothing_of_who_scanned(store: EphemeralStore) -> None:
    waiting = a_ticket(store).waiting_answer(after(20), interval=2)
    assert waiting == {"state": "waiting", "expires_in": 110, "interval": 2}
    ticket = a_scanned_ticket(store)
    assert ticket.waiting_answer(NOW, interval=0) == {
        "state": "scanned",
        "number": ticket.number,
        "expires_in": 130,
        "interval": 0,
    }
    confirmed = a_confirmed_ticket(store)
    assert confirmed.waiting_answer(NOW, interval=0) == {"state": "confirmed", "interval": 0}
    denied = tickets.deny(store, a_scanned_ticket(store).id, MINE, now=NOW)
    assert denied.waiting_answer(NOW, interval=0) == {"state": "denied", "ended": "by_phone", "interval": 0}
    taken = tickets.take(store, confirmed.id, SECRET, now=NOW)
    assert taken.waiting_answer(NOW, interval=0) == {"state": "expired", "interval": 0}
    assert ticket.waiting_answer(after(200), interval=0) == {"state": "expired", "interval": 0}


def test_every_move_is_told_to_whoever_listens(store: EphemeralStore) -> None:
    ticket = a_ticket(store)
    with store.subscribe(CHANNEL) as ear:
        tickets.scan(store, ticket.id, MINE, now=NOW)
        assert ear.next(5) == ticket.id.encode()
        tickets.confirm(store, ticket.id, MINE, ANSWER, now=NOW)
        assert ear.next(5) == ticket.id.encode()


def race(*acts: Callable[[], object]) -> list[object]:
    """What became of several acts at once: a value, or the exception."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        gate.wait()
        try:
            return act()
        except (TicketGone, OutOfOrder, ScannedByAnother) as refused:
            return refused

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_of_many_phones_at_once_one_scans(store: EphemeralStore) -> None:
    ticket = a_ticket(store)
    phones = [replace(MINE, session=f"s{number}") for number in range(8)]
    outcomes = race(*(lambda phone=phone: tickets.scan(store, ticket.id, phone, now=NOW) for phone in phones))
    winners = [phone for phone, outcome in zip(phones, outcomes, strict=True) if isinstance(outcome, Ticket)]
    assert [found(store, ticket).phone] == winners


def test_of_many_confirmations_and_refusals_at_once_one_counts(store: EphemeralStore) -> None:
    scanned = a_scanned_ticket(store)
    acts: list[Callable[[], object]] = []
    for number in range(4):
        answer = replace(ANSWER, identity=f"legal:{number}")
        acts.append(lambda answer=answer: tickets.confirm(store, scanned.id, MINE, answer, now=NOW))  # type: ignore[misc]
        acts.append(lambda: tickets.deny(store, scanned.id, MINE, now=NOW))
    won = [outcome for outcome in race(*acts) if isinstance(outcome, Ticket)]
    assert won == [found(store, scanned)]


def test_of_many_takers_at_once_one_gets_it(store: EphemeralStore) -> None:
    confirmed = a_confirmed_ticket(store)
    outcomes = race(*(lambda: tickets.take(store, confirmed.id, SECRET, now=NOW) for _ in range(8)))
    assert sum(isinstance(outcome, Ticket) for outcome in outcomes) == 1
