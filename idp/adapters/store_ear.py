"""The ephemeral store for one thread with thousands of callers: an ear on a channel, and reads by heaps.

On Redis only. `StoreEar` keeps one subscription and one connection for reads. Whoever asks gives a function
that is called with the value: neither a task nor a future a caller. What is asked for while a read is
under way goes with the next one, what is urgent before everything else; if that read fails, it is not tried.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from itertools import islice
from typing import Any, cast

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff, NoBackoff
from redis.exceptions import RedisError

from idp.adapters.ephemeral import StoreUnavailable

Found = bytes | StoreUnavailable | None
"""What a read brought: the value, None where there is none, or that the store did not answer."""

_ANSWER_SECONDS = 3.0
_CONNECT_SECONDS = 2.0
_QUIET_SECONDS = 10.0  # after so long without a word the subscription is asked whether it still stands
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0  # seconds between two tries to subscribe
_A_TRIP = 32  # keys read at once: so many are soon dealt with, and what is urgent comes next


class StoreEar:
    """One channel of the store behind `url`, and its values; names begin with `prefix` there.

    Raises ValueError where `url` is none of Redis.
    """

    def __init__(self, url: str, *, prefix: str, channel: str) -> None:
        def client(retry: Retry) -> Redis:
            return Redis.from_url(
                url,
                socket_timeout=_ANSWER_SECONDS,
                socket_connect_timeout=_CONNECT_SECONDS,
                retry=retry,
            )

        # A broken subscription is made anew here, where it can be told; a read may simply be repeated.
        self._listener = client(Retry(NoBackoff(), 0))
        self._reader = client(Retry(ConstantBackoff(0.05), 1))
        self._prefix, self._channel = prefix, prefix + channel
        self._urgent: dict[str, list[Callable[[Found], None]]] = {}
        self._wanted: dict[str, list[Callable[[Found], None]]] = {}
        self._asked = asyncio.Event()
        self.listening = False

    def read(self, key: str, then: Callable[[Found], None], *, urgent: bool = False) -> None:
        """Read `key` at the next occasion and hand what was found to `then`."""
        wanted = self._urgent if urgent else self._wanted
        wanted.setdefault(key, []).append(then)
        self._asked.set()

    async def run(
        self, heard: Callable[[bytes], None], anew: Callable[[], None], lost: Callable[[], None]
    ) -> None:
        """Tell `heard` every message, and `anew` whenever messages may have been missed; until cancelled.

        `lost` is called when the subscription breaks. While `listening`, no message is missed; it is true
        before `anew` is called and false before `lost` is.
        """
        tasks = [
            asyncio.create_task(self._listen_on(heard, anew, lost)),
            asyncio.create_task(self._read_on()),
        ]
        try:
            ended, _others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            self.listening = False
            for task in tasks:
                await _end(task)
            await self._listener.aclose()
            await self._reader.aclose()

    async def ping(self) -> None:
        """Return if the store answers, else raise StoreUnavailable."""
        try:
            await self._reader.ping()
        except (RedisError, OSError) as error:
            raise StoreUnavailable("Redis does not answer") from error

    async def _listen_on(
        self, heard: Callable[[bytes], None], anew: Callable[[], None], lost: Callable[[], None]
    ) -> None:
        pause = _FIRST_PAUSE
        while True:
            with suppress(RedisError, OSError):
                async with self._listener.pubsub() as ear:
                    await ear.subscribe(self._channel)
                    async for message in _messages(ear):
                        if message["type"] == "message":
                            heard(bytes(message["data"]))
                        elif message["type"] == "subscribe":
                            # Redis has confirmed: from here on every message is heard.
                            self.listening, pause = True, _FIRST_PAUSE
                            anew()
            if self.listening:
                self.listening = False
                lost()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _read_on(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._asked.wait()
            self._asked.clear()
            while wanted := self._urgent or self._wanted:
                names = list(islice(wanted, _A_TRIP))
                callers = [wanted.pop(name) for name in names]
                found = await self._values([self._prefix + name for name in names])
                if isinstance(found[0], StoreUnavailable):
                    # A store that is frozen costs seconds a trip: nobody behind this one waits for another.
                    behind = self._taken_away()
                    callers += behind
                    found += [found[0]] * len(behind)
                for value, waiting in zip(found, callers, strict=True):
                    for then in waiting:
                        # One caller's fault is told by the loop, and the others are answered.
                        loop.call_soon(then, value)

    def _taken_away(self) -> list[list[Callable[[Found], None]]]:
        """Whoever waits for a read, and waits no longer."""
        behind = [*self._urgent.values(), *self._wanted.values()]
        self._urgent.clear()
        self._wanted.clear()
        return behind

    async def _values(self, keys: list[str]) -> list[Found]:
        try:
            found = await self._reader.mget(keys)
        except (RedisError, OSError):
            return [StoreUnavailable("Redis does not answer")] * len(keys)
        return cast("list[Found]", found)


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel `task` until it has ended: `asyncio.wait_for` of Python 3.11, in the driver, may swallow it."""
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=_FIRST_PAUSE)


async def _messages(ear: PubSub) -> AsyncIterator[dict[str, Any]]:
    """All that a subscription says. Raises RedisError once it has been asked and says nothing."""
    asked = False
    while True:
        message = await ear.get_message(timeout=_ANSWER_SECONDS if asked else _QUIET_SECONDS)
        if message is not None:
            asked = False
            yield message
        elif asked:
            raise RedisError("the subscription is silent")
        else:
            await ear.ping()
            asked = True
