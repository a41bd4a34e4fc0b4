"""What ends a face check beside its verdict, and that every outcome is written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from typing import Final

from idp.adapters.ephemeral import EphemeralStore
from idp.crypto import same
from idp.proof.face import CALL, KEEP, CheckGone, UnderWay, find, moved
from idp.proof.face_record import Check, State

WRONG_NUMBERS: Final = 3
"""With so many wrong numbers a check is over."""
_TRIES = 5


def decline(store: EphemeralStore, check_id: str, ticket: str, *, now: datetime) -> None:
    """The phone of `ticket` refused: what has begun has failed, what waits is for another ticket to begin."""

    def declined(check: Check) -> Check | None:
        state = check.state_at(now)
        if not same(check.ticket, ticket) or state not in {State.WAITING, State.BEGUN}:
            return None
        return replace(check, ticket="") if state is State.WAITING else _ended(check)

    _change(store, check_id, declined, now=now)


def count_wrong_number(store: EphemeralStore, check_id: str, ticket: str, *, now: datetime) -> None:
    """The phone of `ticket` chose another number than the browser shows; too many end the check."""
    decline(store, check_id, ticket, now=now)
    if store.increment(f"face-numbers:{check_id}", ttl=KEEP) >= WRONG_NUMBERS:
        _change(store, check_id, lambda check: _ended(check) if _is_open(check) else None, now=now)


def led_elsewhere(store: EphemeralStore, check_id: str, way_back: str, *, now: datetime) -> None:
    """The face service led another browser back than the one that waits: whatever was seen, it is over."""

    def ended(check: Check) -> Check | None:
        is_his = bool(check.way_back) and check.is_led_back_with(way_back)
        return _ended(check) if is_his and (_is_open(check) or check.state is State.PASSED) else None

    _change(store, check_id, ended, now=now)


@contextmanager
def telling(store: EphemeralStore, check: Check) -> Iterator[None]:
    """The block tells the outcome, nobody else beside it; if it fails, the next one does. Raises UnderWay."""
    mark = f"face-telling:{check.id}"
    if not store.put_if_absent(mark, b"1", ttl=CALL):
        raise UnderWay
    try:
        yield
    except BaseException:
        store.delete(mark)
        raise


def note_told(store: EphemeralStore, check_id: str, *, now: datetime) -> None:
    """The outcome stands in the audit trail for good."""
    _change(store, check_id, lambda check: replace(check, is_told=True), now=now)


def _is_open(check: Check) -> bool:
    return check.state in {State.WAITING, State.BEGUN}


def _ended(check: Check) -> Check:
    return replace(check, state=State.FAILED, declined=True, is_told=True)


def _change(
    store: EphemeralStore, check_id: str, change: Callable[[Check], Check | None], *, now: datetime
) -> None:
    """Put what `change` makes of the check in its place, however it is moved meanwhile; None leaves it."""
    for _ in range(_TRIES):
        check = find(store, check_id)
        changed = change(check) if check else None
        if check is None or changed is None:
            return
        with suppress(CheckGone):
            moved(store, check, changed, now=now)
            return
