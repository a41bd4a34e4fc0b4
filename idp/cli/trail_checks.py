"""The worker's verifications of the audit trail: beside its rounds, so that no message waits for them."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError

from idp.accounts import audit_checks
from idp.accounts.audit_checks import Interrupted, Taken, TakenOver
from idp.app import Backends
from idp.web import logs


class TrailChecks:
    """Takes up one verification at a time, in a thread of its own, until `stopping` is set."""

    def __init__(self, backends: Backends, stopping: threading.Event) -> None:
        self._backends, self._stopping = backends, stopping
        self._running: threading.Thread | None = None

    def ask_for_today(self, *, now: datetime) -> None:
        """Ask for the verification of the day, unless somebody did."""
        try:
            with self._backends.database.begin() as db:
                audit_checks.ask_once_a_day(db, now=now)
        except IntegrityError:
            return  # another worker asked a moment ago

    def tend(self, *, now: datetime) -> None:
        """Begin the next verification that waits, if none is running here."""
        if self._running is not None and self._running.is_alive():
            return
        with self._backends.database.begin() as db:
            taken = audit_checks.take(db, now=now)
        if taken is not None:
            self._running = threading.Thread(target=self._perform, args=(taken,), daemon=True)
            self._running.start()

    def finish(self) -> None:
        """Wait for the verification in hand."""
        if self._running is not None:
            self._running.join()

    def _perform(self, taken: Taken) -> None:
        backends = self._backends
        try:
            outcome = audit_checks.perform(backends.database, backends.trail, taken, clock=self._clock)
        except (Interrupted, TakenOver):
            return
        except Exception as error:  # noqa: BLE001 - in a thread of its own nobody else would tell
            logs.tell("trail not verified", level=logging.ERROR, kind=type(error).__name__)
            return
        # The anchor stands in the log as well, where whoever changes the database does not reach it.
        told: dict[str, Any] = {
            "check": str(taken.id),
            "events": outcome.anchor.events,
            "anchor": str(outcome.anchor),
        }
        if outcome.faults:
            logs.tell("trail has faults", level=logging.ERROR, faults=outcome.faults, **told)
        else:
            logs.tell("trail verified", **told)

    def _clock(self) -> datetime:
        if self._stopping.is_set():
            raise Interrupted
        return datetime.now(UTC)
