"""`idp worker`: what is done beside the requests, again and again, by any number of workers.

Each round seals the audit trail; each minute it forgets what is old (rows, appeals and their papers whose
time is over, uploaded files that were deleted or belong to nobody), rotates the signing keys that are due and
removes those that have served. The outbox is delivered beside the rounds, each kind of message in threads of
its own (`delivering`). A round that meets an outage is tried again, ever more slowly; SIGTERM and SIGINT end
the worker after the jobs in hand.
"""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import FrameType
from typing import Annotated

import typer
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from idp.access import key_life, logout_delivery, logouts
from idp.access.keys import KeySource, announce_keys
from idp.access.retention import forget
from idp.accounts import notices, sms_delivery
from idp.accounts.files import sweep
from idp.accounts.outbox import Deliverers
from idp.adapters.files import SealedFiles
from idp.adapters.relying_party import RelyingParties
from idp.adapters.sms import NoSmsGateway, SmsGateway, gateway_of
from idp.adapters.sms_tencent import TencentSms
from idp.app import Backends
from idp.appeal.messages import Message
from idp.appeal.retention import Keeper
from idp.cli.delivering import Deliveries, tell, telling
from idp.cli.desk import opened
from idp.cli.trail_checks import TrailChecks
from idp.config import Settings
from idp.proof import sms_codes
from idp.web import logs

ROUND_SECONDS = 1.5
MINUTE_ROUNDS = 40
LONGEST_PAUSE = 30.0


@dataclass(slots=True)
class Worker:
    """One worker; `stopping` set ends it. It delivers with `deliverers`, by default as the settings say.

    Raises SettingsRefused.
    """

    settings: Settings
    backends: Backends
    relying_parties: RelyingParties
    stopping: threading.Event = field(default_factory=threading.Event)
    rounds: int = 0
    deliverers: Deliverers | None = None
    sms: SmsGateway = field(init=False)
    deliveries: Deliveries = field(init=False)
    checks: TrailChecks = field(init=False)

    def __post_init__(self) -> None:
        self.checks = TrailChecks(self.backends, self.stopping)
        self.sms = gateway_of(self.settings)
        by = self.deliverers
        if by is None:
            by = deliverers(self.settings, self.backends, self.relying_parties, self.sms)
        self.deliveries = Deliveries(self.backends, by, self.stopping)
        if isinstance(self.sms, TencentSms):
            self.deliveries.hear_from(self.sms)

    def run(self) -> None:
        """Work until told to stop, slower while something does not answer."""
        self.deliveries.start()
        pause = ROUND_SECONDS
        while not self.stopping.is_set():
            healthy = self._try_tending()
            pause = ROUND_SECONDS if healthy else min(pause * 2, LONGEST_PAUSE)
            self.stopping.wait(pause)
        self.deliveries.finish()
        self.checks.finish()

    def round(self, now: datetime) -> None:
        """Every job once, whatever becomes of the others. Raises what the first of them raised."""
        _raise_first([*self._tended(now), *self.deliveries.once(now)])

    def _tended(self, now: datetime, *more: Callable[[datetime], None]) -> list[Exception]:
        raised = []
        for job in (self._tend_each_minute, self._seal, *more):
            try:
                job(now)
            except Exception as error:  # noqa: BLE001 - a row that stops one job must not stop the other
                raised.append(error)
        return raised

    def _tend_each_minute(self, now: datetime) -> None:
        self.rounds += 1
        if self.rounds % MINUTE_ROUNDS == 1:
            self._each_minute(now)

    def _seal(self, now: datetime) -> None:
        seal(self.backends, now=now)

    def _check(self, now: datetime) -> None:
        self.checks.tend(now=now)

    def _each_minute(self, now: datetime) -> None:
        tend_keys(self.settings, self.backends, now=now)
        self.checks.ask_for_today(now=now)
        self.backends.store.purge()
        files = SealedFiles(self.settings.effective_files_dir())
        self._until_nothing_is_left(lambda db: forget(db, now=now))
        keeper = Keeper(self.backends.database, self.backends.vault, self.backends.trail, self.settings)
        try:
            keeper.tend(now=now, is_stopping=self.stopping.is_set)
        finally:
            # What was deleted leaves the disk, whatever becomes of an appeal.
            self._until_nothing_is_left(lambda db: sweep(db, files, now=now))

    def _until_nothing_is_left(self, act: Callable[[Session], int]) -> None:
        """Call `act` again and again, each time in a transaction of its own, until it has nothing to do."""
        while not self.stopping.is_set():
            with self.backends.database.begin() as db:
                if not act(db):
                    return

    def _try_tending(self) -> bool:
        try:
            _raise_first(self._tended(datetime.now(UTC), self._check))
        except Exception as error:  # noqa: BLE001 - a worker that dies of one bad row does nothing for the others
            tell(error)
            return False
        return True


def work(
    *, once: Annotated[bool, typer.Option("--once", help="One round, then exit: for cron and tests.")] = False
) -> None:
    """Deliver the outbox, seal the audit trail, rotate keys, forget what is old; any number may run."""
    with ExitStack() as stack:
        desk = stack.enter_context(opened())
        relying_parties = RelyingParties(inside_allowed=desk.settings.demo)
        stack.callback(relying_parties.close)
        worker = Worker(desk.settings, desk.backends, relying_parties)
        if once:
            worker.round(desk.now)
            worker.checks.tend(now=desk.now)
            worker.checks.finish()
            return
        _stop_on_signal(worker.stopping)
        logs.configure()
        logs.tell("worker started")
        tell_what_will_not_leave(worker.sms)
        worker.run()
        logs.tell("worker stopped")


def deliverers(
    settings: Settings, backends: Backends, relying_parties: RelyingParties, sms: SmsGateway
) -> Deliverers:
    """Kind of message to what delivers it; a new kind is added here."""
    # Asked for each message: beside a call to a relying party that costs nothing.
    keys = KeySource(backends.store, backends.database.session, backends.vault, ask_every=0)
    logout = logout_delivery.deliverer(
        keys.current, relying_parties, issuer=settings.issuer, clock=lambda: datetime.now(UTC)
    )
    return {
        logouts.KIND: logout,
        notices.SMS: telling(sms_delivery.deliverer(sms)),
    }


def tend_keys(settings: Settings, backends: Backends, *, now: datetime) -> None:
    """Rotate and remove signing keys as scheduled, and tell the running processes."""
    with backends.database.begin() as db:
        changed = key_life.tend(db, backends.vault, backends.trail, settings, now=now)
    if changed:
        announce_keys(backends.store)


def seal(backends: Backends, *, now: datetime) -> None:
    """Seal every settled row of the audit trail."""
    while True:
        try:
            with backends.database.begin() as db:
                if not backends.trail.seal(db, now=now):
                    return
        except IntegrityError:
            # Another worker took this batch's number a moment ago; the rows are sealed in the next round.
            return


def _raise_first(raised: list[Exception]) -> None:
    """Raise the first of them; of the others those of another kind are written down."""
    for other in raised[1:]:
        if type(other) is not type(raised[0]):
            tell(other)
    if raised:
        raise raised[0]


def tell_what_will_not_leave(sms: SmsGateway) -> None:
    """Say at the start which SMS this worker will not send, and why."""
    if isinstance(sms, NoSmsGateway):
        logs.tell("no SMS gateway: IDP_SMS_URL and IDP_SMS_VENDOR are empty", level=logging.WARNING)
    if isinstance(sms, TencentSms):
        purposes = {purpose.value for purpose in (*sms_codes.Purpose, *notices.Kind, *Message)}
        if without := sorted(purposes - sms.purposes):
            logs.tell("SMS without a template are refused", level=logging.WARNING, purposes=without)


def _stop_on_signal(stopping: threading.Event) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
