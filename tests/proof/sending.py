"""What the tests of codes sent to a phone arrange: messages, the store as a thief would read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from idp.adapters.ephemeral import EphemeralStore
from idp.adapters.ephemeral.redis import RedisEphemeralStore
from idp.adapters.ephemeral.sql import SqlEphemeralStore
from idp.proof import sms_bounds, sms_codes
from idp.proof.sms_bounds import Tools
from idp.proof.sms_codes import Purpose, Wanted
from tests.messages import last_code
from tests.world import World

PHONE = "13900000001"
ADDRESS = "192.0.2.7"
WANTED = Wanted(Purpose.RESET, PHONE, "person:one", "a-browser-with-its-own-id", "a-journey")


def to(phone: str) -> Wanted:
    """The same for another phone."""
    return replace(WANTED, phone=phone)


def tools(world: World, **settings: Any) -> Tools:
    """What codes are sent with, with other settings where they are given."""
    return Tools(world.backends.store, world.backends.vault, replace(world.settings, **settings))


def send(
    world: World,
    wanted: Wanted = WANTED,
    *,
    address: str = ADDRESS,
    now: datetime | None = None,
    **settings: Any,
) -> str:
    """Send a code in a transaction of its own; its reference."""
    with world.write() as db:
        return sms_codes.send(db, tools(world, **settings), wanted, address=address, now=now or world.now())


def sent_code(world: World, wanted: Wanted = WANTED) -> str:
    """Send a code; the code."""
    send(world, wanted)
    return last_code(world, wanted.phone)


def wait_a_minute(world: World, phone: str = PHONE) -> None:
    """The time between two messages to this phone is over."""
    world.backends.store.delete(sms_bounds.gap_of(world.backends.vault, phone))


def another(code: str) -> str:
    """A code that is not this one."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


def read_by_a_thief(store: EphemeralStore) -> bytes:
    """Every key and every value of the store."""
    if isinstance(store, SqlEphemeralStore):
        rows = store._run("SELECT key, value FROM facts")
        return b"\n".join(key.encode() + b" " + bytes(value) for key, value in rows)
    assert isinstance(store, RedisEphemeralStore)
    keys = store._ask("KEYS", store._name("*"))
    return b"\n".join(key + b" " + store._ask("GET", key) for key in keys)
