"""The worker's deliveries: each kind of message in threads of its own, so that no kind waits behind another.

A relying party that keeps its caller waiting holds one thread of the logouts, and no SMS. Each thread takes
one message at a time, what expires first before all else, and looks for the next at once; where nothing is
due it looks again in a moment. An outage makes it look ever more slowly, and ends nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from idp.access import logouts
from idp.accounts import notices, sms_delivery
from idp.accounts.outbox import (
    Deliverers,
    GivenUp,
    Mourner,
    NotDelivered,
    Undeliverable,
    deliver_due,
)
from idp.adapters.ephemeral import StoreUnavailable
from idp.adapters.sms import NotReached
from idp.adapters.sms_tencent import TencentSms
from idp.app import Backends
from idp.db import is_outage
from idp.proof import sms_codes
from idp.web import logs

LOOK_SECONDS: Final = 1.0
REPORT_SECONDS: Final = 5.0
LONGEST_PAUSE: Final = 10.0
HANDS: Final = {notices.SMS: 4, logouts.KIND: 2}
"""How many messages of a kind one worker delivers at once; of any other kind one."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something done again and again in threads of its own; `act` says whether there may be more at once."""

    name: str
    act: Callable[[datetime], bool]
    hands: int
    every: float


class Deliveries:
    """What one worker delivers, and what it hears of it, until `stopping` is set."""

    def __init__(self, backends: Backends, deliverers: Deliverers, stopping: threading.Event) -> None:
        self._backends, self._stopping = backends, stopping
        self._deliverers = deliverers
        self._mourners = {notices.SMS: telling_the_end(sms_codes.mourner(backends.store))}
        self._jobs = [self._of_kind(kind) for kind in deliverers]
        self._threads: list[threading.Thread] = []

    def hear_from(self, vendor: TencentSms) -> None:
        """Ask `vendor` again and again what became of what it took."""

        def hear(now: datetime) -> bool:
            return sms_delivery.hear(self._backends.database, vendor, now=now)

        self._jobs.append(Job("sms reports", hear, 1, REPORT_SECONDS))

    def start(self) -> None:
        """Begin all of it."""
        self._threads = [
            threading.Thread(target=self._keep_at, args=(job,), name=job.name)
            for job in self._jobs
            for _ in range(job.hands)
        ]
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Wait for what is in hand; `stopping` is set."""
        for thread in self._threads:
            thread.join()

    def once(self, now: datetime) -> list[Exception]:
        """Do all that is due, in this thread; what was raised, a job each, the others done all the same."""
        raised, began = list[Exception](), datetime.now(UTC)
        for job in self._jobs:
            try:
                while job.act(now + (datetime.now(UTC) - began)) and not self._stopping.is_set():
                    pass
            except Exception as error:  # noqa: BLE001 - one kind's trouble is not the other's
                raised.append(error)
        return raised

    def _of_kind(self, kind: str) -> Job:
        backends, of_kind = self._backends, {kind: self._deliverers[kind]}

        def deliver(now: datetime) -> bool:
            tried = deliver_due(
                backends.database, backends.vault, of_kind, now=now, limit=1, mourners=self._mourners
            )
            return tried > 0

        return Job(f"deliver {kind}", deliver, HANDS.get(kind, 1), LOOK_SECONDS)

    def _keep_at(self, job: Job) -> None:
        pause = job.every
        while not self._stopping.is_set():
            try:
                if job.act(datetime.now(UTC)):
                    continue
                pause = job.every
            except Exception as error:  # noqa: BLE001 - the worker goes on, whatever one message was about
                tell(error)
                pause = min(pause * 2, LONGEST_PAUSE)
            self._stopping.wait(pause)


def telling(deliver: Callable[[dict[str, Any]], str | None]) -> Callable[[dict[str, Any]], str | None]:
    """`deliver`, with a line of the log for each SMS: what it was for and what came of it, and no phone."""

    def told(payload: dict[str, Any]) -> str | None:
        about = {"purpose": payload.get("purpose"), "message": payload["id"]}
        try:
            reference = deliver(payload)
        except (NotDelivered, Undeliverable) as fault:
            logs.tell("sms not taken", level=logging.WARNING, **about, why=str(fault))
            raise
        waited = datetime.now(UTC) - datetime.fromisoformat(payload["at"])
        logs.tell("sms taken", **about, seconds=round(waited / timedelta(seconds=1), 1))
        return reference

    return told


def telling_the_end(mourn: Mourner) -> Mourner:
    """`mourn`, with a line of the log for each SMS that was given up."""

    def told(payload: dict[str, Any], end: GivenUp) -> None:
        about = {"purpose": payload.get("purpose"), "message": payload.get("id")}
        facts = {**about, "why": end.why, "perhaps_taken": end.perhaps_taken}
        logs.tell("sms given up", level=logging.WARNING, **facts)
        mourn(payload, end)

    return told


def tell(error: Exception) -> None:
    """Write down what stopped a job; the type only: an exception's text may hold what a message says."""
    if isinstance(error, NotReached):
        # Its words hold no secret, and whoever runs the platform needs them.
        logs.tell("sms reports not fetched", level=logging.WARNING, why=str(error))
        return
    outage = isinstance(error, StoreUnavailable) or is_outage(error)
    event, level = ("unavailable", logging.WARNING) if outage else ("unforeseen", logging.ERROR)
    logs.tell(event, level=level, kind=type(error).__name__)
