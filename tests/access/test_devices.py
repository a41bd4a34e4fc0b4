"""A device authorization moves forward once, however many push it at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from threading import Barrier
from typing import Any

import pytest

from idp.access import devices
from idp.access.devices import NotToAnswer, TypedElsewhere, UserCodeRefused
from idp.access.user_codes import parse_user_code
from idp.accounts.sessions import SigninSession
from idp.adapters.ephemeral import EphemeralStore
from idp.db import uuid7
from tests.oauth.asking import at_once
from tests.world import World

A_SIGN_IN = SigninSession(id=uuid7(), acr="urn:idp:loa:1", amr="pwd")


class AllHaveRead:
    """The store as callers meet it who all read before the first of them writes."""

    def __init__(self, store: EphemeralStore, many: int) -> None:
        self._store = store
        self._barrier = Barrier(many)

    def get(self, key: str) -> bytes | None:
        """What is there, handed out once everybody has looked."""
        found = self._store.get(key)
        if key.startswith("device:") and not self._barrier.broken:
            with suppress(Exception):
                self._barrier.wait(5)
            self._barrier.abort()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def begun(world: World) -> devices.Begun:
    """A device authorization that waits."""
    return devices.begin(world.backends.store, client_id="device", scope="openid", now=world.now())


def winners(many: int, act: Callable[[int], object]) -> int:
    """How many of so many who act at once succeed."""

    def succeeds(number: int) -> bool:
        try:
            act(number)
        except (NotToAnswer, TypedElsewhere, UserCodeRefused):
            return False
        return True

    return sum(at_once(many, succeeds))


def test_of_four_browsers_that_saw_it_waiting_one_takes_it(world: World) -> None:
    started, now = begun(world), world.now()
    store: Any = AllHaveRead(world.backends.store, 4)

    def enters(number: int) -> object:
        return devices.enter(store, started.user_code, browser=f"browser {number}", now=now)

    assert winners(4, enters) == 1


def test_of_four_answers_to_the_same_question_one_counts(world: World) -> None:
    started, now = begun(world), world.now()
    entered = devices.enter(world.backends.store, started.user_code, browser="mine", now=now)
    store: Any = AllHaveRead(world.backends.store, 4)

    def answers(number: int) -> None:
        devices.answer(
            store, entered.id, allowed_in=A_SIGN_IN if number % 2 else None, browser="mine", now=now
        )

    assert winners(4, answers) == 1


def test_nothing_is_answered_before_the_code_was_typed_nor_after(world: World) -> None:
    store, now, started = world.backends.store, world.now(), begun(world)
    entered = devices.enter(store, started.user_code, browser="mine", now=now)
    again = devices.enter(store, started.user_code, browser="mine", now=now)
    assert again == entered
    with pytest.raises(NotToAnswer):
        devices.answer(store, entered.id, allowed_in=A_SIGN_IN, browser="another", now=now)
    devices.answer(store, entered.id, allowed_in=None, browser="mine", now=now)
    with pytest.raises(NotToAnswer):
        devices.answer(store, entered.id, allowed_in=A_SIGN_IN, browser="mine", now=now)
    with pytest.raises(UserCodeRefused):
        devices.enter(store, started.user_code, browser="mine", now=now)


def test_neither_code_is_kept_as_it_is(world: World) -> None:
    store: Any = world.backends.store
    kept: list[str] = []

    class Noting(AllHaveRead):
        def put(self, key: str, value: bytes, *, ttl: float) -> None:
            kept.append(key + value.decode())
            store.put(key, value, ttl=ttl)

        def put_if_absent(self, key: str, value: bytes, *, ttl: float) -> bool:
            kept.append(key + value.decode())
            return bool(store.put_if_absent(key, value, ttl=ttl))

    noting: Any = Noting(store, 1)
    started = devices.begin(noting, client_id="device", scope="openid", now=world.now())
    assert kept
    assert parse_user_code(started.user_code) == started.user_code
    for secret in (started.device_code, started.user_code):
        assert secret not in "".join(kept)
