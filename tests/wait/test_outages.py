"""Redis goes, comes back, or loses a message; the process ends: whoever waits hears what he can be told."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from idp.adapters.store_ear import Found, StoreEar
from idp.config import Settings, child_environment
from idp.proof.ticket_record import CHANNEL, State
from idp.wait.door import LONGEST_WAIT
from idp.wait.room import Room, Told
from tests.quick import variables_of
from tests.running_demo import wait_for
from tests.services import free_port
from tests.wait.callers import PATIENCE, SECRET, Caller, in_a_loop_of_its_own, running
from tests.wait.conftest import OneRedis, Tickets


class SlowToSee(StoreEar):
    """The ear itself, on a line where `meanwhile` happens, and is told, between a read and its arrival."""

    def __init__(self, settings: Settings, meanwhile: Callable[[], object]) -> None:
        super().__init__(settings.redis_url.get_secret_value(), prefix=settings.redis_prefix, channel=CHANNEL)
        self.meanwhile: Callable[[], object] | None = meanwhile
        self.told = asyncio.Event()

    async def _values(self, keys: list[str]) -> list[Found]:
        found = await super()._values(keys)
        if self.meanwhile:
            happens, self.meanwhile = self.meanwhile, None
            await asyncio.to_thread(happens)
            await self.told.wait()
        return found


def test_a_scan_between_the_reading_and_the_waiting_is_not_lost(
    settings: Settings, provider: Tickets
) -> None:
    ticket = provider.open()

    async def waits() -> Told:
        ear = SlowToSee(settings, lambda: provider.scan(ticket))
        room = Room(ear, most=10)
        subscribed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        answered: asyncio.Future[Told] = asyncio.get_running_loop().create_future()

        def heard(message: bytes) -> None:
            room.heard(message)
            ear.told.set()

        listening = asyncio.create_task(ear.run(heard, lambda: subscribed.set_result(None), room.anew))
        await subscribed
        room.wait(ticket, SECRET, State.WAITING, PATIENCE, answered.set_result)
        try:
            return await asyncio.wait_for(answered, PATIENCE / 2)
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening

    told = in_a_loop_of_its_own(waits())
    assert isinstance(told, dict)
    assert told["state"] == "scanned"


def test_what_happened_while_nobody_listened_is_heard_after_the_reconnection(
    breakable: OneRedis, breakable_settings: Settings, breakable_provider: Tickets
) -> None:
    ticket = breakable_provider.open()
    with running(breakable_settings) as here, here.caller() as browser:
        browser.wait(ticket)
        here.until_held(1)
        moved = replace(breakable_provider.find(ticket), state=State.SCANNED, number="47")
        breakable_provider.put_silently(moved)
        breakable.cut_subscriptions()
        began = time.monotonic()
        heard = browser.answer()
        assert (heard.status, heard.json["state"], heard.json["number"]) == (200, "scanned", "47")
        assert time.monotonic() - began < PATIENCE / 2


def test_a_move_nobody_told_is_heard_when_the_seconds_are_over(
    breakable_settings: Settings, breakable_provider: Tickets
) -> None:
    ticket = breakable_provider.open()
    with running(breakable_settings) as here, here.caller() as browser:
        browser.wait(ticket)
        here.until_held(1)
        breakable_provider.put_silently(replace(breakable_provider.find(ticket), state=State.CONFIRMED))
        here.later(LONGEST_WAIT)
        assert browser.answer().json["state"] == "confirmed"


@pytest.mark.parametrize("age", [0, 25])  # of a ticket that lives for 40 seconds
def test_without_redis_a_held_browser_stays_until_its_seconds_are_over(
    breakable: OneRedis, breakable_settings: Settings, breakable_provider: Tickets, age: int
) -> None:
    ticket = breakable_provider.open(seconds=30, opened=datetime.now(UTC) - timedelta(seconds=age))
    with running(breakable_settings) as here, here.caller() as browser:
        browser.wait(ticket)
        here.until_held(1)
        breakable.stop()
        wait_for(lambda: here.ask("/readyz").json["subscription"] is False, PATIENCE)
        here.later(16)  # of at least twenty
        assert here.figure("idp_wait_waiting") == 1
        here.later(LONGEST_WAIT - 16)
        heard = browser.answer()
        assert (heard.status, heard.headers["retry-after"]) == (503, "5")


def test_without_redis_a_new_browser_is_told_to_come_back_and_later_is_held_again(
    breakable: OneRedis, breakable_settings: Settings, breakable_provider: Tickets
) -> None:
    with running(breakable_settings) as here:
        breakable.stop()
        wait_for(lambda: here.ask("/readyz").json["subscription"] is False, PATIENCE)
        assert here.ask("/readyz").status == 503
        assert here.ask("/healthz").status == 200
        heard = here.wait("A" * 22)
        assert (heard.status, heard.headers["retry-after"]) == (503, "5")
        breakable.start()
        here.until_ready()
        ticket = breakable_provider.open()
        with here.caller() as browser:
            browser.wait(ticket)
            here.until_held(1)
            breakable_provider.scan(ticket)
            assert browser.answer().json["state"] == "scanned"


def test_a_restarted_redis_knows_no_ticket_and_the_browser_hears_that(
    breakable: OneRedis, breakable_settings: Settings, breakable_provider: Tickets
) -> None:
    ticket = breakable_provider.open()
    with running(breakable_settings) as here, here.caller() as browser:
        browser.wait(ticket)
        here.until_held(1)
        breakable.stop()
        breakable.start()
        assert browser.answer().status == 404


def test_it_starts_without_redis_and_recovers_alone(
    breakable: OneRedis, breakable_settings: Settings, breakable_provider: Tickets
) -> None:
    breakable.stop()
    with running(breakable_settings, ready=False) as here:
        assert here.wait("A" * 22).status == 503
        breakable.start()
        here.until_ready()
        assert here.wait(breakable_provider.open(), "seconds=0").status == 200


def test_a_silent_subscription_is_asked_whether_it_still_stands(
    breakable_settings: Settings, breakable_provider: Tickets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp.adapters.store_ear._QUIET_SECONDS", 0.1)
    ticket = breakable_provider.open()
    with running(breakable_settings) as here, here.caller() as browser:
        before = here.figure("idp_wait_subscribed_total")
        assert browser.wait(ticket, "seconds=1").answer().json["state"] == "waiting"
        assert here.figure("idp_wait_subscribed_total") == before
        browser.wait(ticket)
        here.until_held(1)
        breakable_provider.scan(ticket)
        assert browser.answer().json["state"] == "scanned"


def test_a_redis_that_hangs_is_left_and_found_again(
    breakable: OneRedis,
    breakable_settings: Settings,
    breakable_provider: Tickets,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("idp.adapters.store_ear._QUIET_SECONDS", 0.1)
    monkeypatch.setattr("idp.adapters.store_ear._ANSWER_SECONDS", 1.0)
    ticket = breakable_provider.open()
    assert breakable.process
    with running(breakable_settings) as here, here.caller() as browser:
        browser.wait(ticket)
        here.until_held(1)
        os.kill(breakable.process.pid, signal.SIGSTOP)
        wait_for(lambda: here.wait("A" * 22, "seconds=0").status == 503, PATIENCE)
        before = here.figure("idp_wait_subscribed_total")
        os.kill(breakable.process.pid, signal.SIGCONT)
        wait_for(lambda: here.figure("idp_wait_subscribed_total") > before, PATIENCE)
        breakable_provider.scan(ticket)
        assert browser.answer().json["state"] == "scanned"


def test_a_redis_that_freezes_keeps_no_crowd_beyond_its_seconds(
    breakable: OneRedis,
    breakable_settings: Settings,
    breakable_provider: Tickets,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("idp.adapters.store_ear._ANSWER_SECONDS", 0.5)
    monkeypatch.setattr("idp.wait.room._READ_SECONDS", 2 * PATIENCE)
    tickets = [breakable_provider.open() for _ in range(192)]  # six trips: each takes a second to fail
    assert breakable.process
    with running(breakable_settings, most=len(tickets) + 1) as here, ExitStack() as browsers:
        crowd = [browsers.enter_context(here.caller()).wait(ticket) for ticket in tickets]
        here.until_held(len(tickets))
        os.kill(breakable.process.pid, signal.SIGSTOP)
        began = time.monotonic()
        here.later(LONGEST_WAIT)
        heard = [browser.answer().status for browser in crowd]
        assert time.monotonic() - began < 4
        os.kill(breakable.process.pid, signal.SIGCONT)
    assert set(heard) == {503}


def test_a_read_that_takes_long_keeps_nobody_beyond_his_seconds(
    breakable: OneRedis,
    breakable_settings: Settings,
    breakable_provider: Tickets,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("idp.wait.room._READ_SECONDS", 0.5)
    monkeypatch.setattr("idp.adapters.store_ear._ANSWER_SECONDS", LONGEST_WAIT + 2 * PATIENCE)
    ticket = breakable_provider.open()
    assert breakable.process
    with running(breakable_settings) as here, here.caller() as held, here.caller() as new:
        held.wait(ticket)
        here.until_held(1)
        os.kill(breakable.process.pid, signal.SIGSTOP)
        new.wait("A" * 22)
        wait_for(lambda: here.figure("idp_wait_waiting") == 2, PATIENCE)
        here.later(LONGEST_WAIT)
        assert [held.answer().status, new.answer().status] == [503, 503]
        os.kill(breakable.process.pid, signal.SIGCONT)


def test_at_sigterm_everybody_hears_how_it_stands_and_the_process_ends(
    settings: Settings, provider: Tickets, tmp_path: Path
) -> None:
    port, now = free_port(), datetime.now(UTC)
    command = [sys.executable, "-m", "idp.wait", "--host", "127.0.0.1", "--port", str(port), "--most", "50"]
    log = tmp_path / "wait.log"
    with (
        log.open("wb") as told,
        subprocess.Popen(command, env=child_environment(variables_of(settings)), stderr=told) as process,
    ):
        try:
            wait_for(lambda: '"subscribed"' in log.read_text(), PATIENCE)
            with Caller(port) as one, Caller(port) as idle:
                one.wait(provider.open(opened=now))
                idle.get("/healthz").answer()
                # Answered behind the other one's read, so that one is held.
                idle.wait("A" * 22).answer()
                began = time.monotonic()
                os.kill(process.pid, signal.SIGTERM)
                heard = one.answer()
                assert (heard.status, heard.json["state"]) == (200, "waiting")
                assert 0 <= heard.json["interval"] <= 3
                assert heard.headers["connection"] == "close"
                assert one.is_closed()
                assert idle.is_closed()
            assert process.wait(PATIENCE) == 0
            assert time.monotonic() - began < PATIENCE / 2
        finally:
            process.kill()
    assert "stopped waiting" in log.read_text()


def test_the_ear_ends_at_whatever_moment_it_is_told_to(settings: Settings) -> None:
    async def begun_and_ended(seconds: float) -> None:
        ear = StoreEar(settings.redis_url.get_secret_value(), prefix=settings.redis_prefix, channel=CHANNEL)
        listening = asyncio.create_task(ear.run(lambda _: None, lambda: None, lambda: None))
        ear.read("x", lambda _: None)
        await asyncio.sleep(seconds)
        listening.cancel()
        ended, _ = await asyncio.wait({listening}, timeout=PATIENCE)
        assert ended

    async def at_many_moments() -> None:
        for number in range(60):
            await begun_and_ended(number / 12_000)

    in_a_loop_of_its_own(at_many_moments())
