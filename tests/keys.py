"""Arranging signing keys: applications that look at every use, keys that have been published for long."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import update

from idp.access import key_life
from idp.access.key_life import Change
from idp.access.keys import KeyRing, KeySource, SigningKey, announce_keys, list_keys, load_keys
from tests.world import World

WINDOW = key_life.PUBLISHED_BEFORE_USE


def attentive(world: World) -> World:
    """The same application, which asks at every use whether the keys changed, not once a second."""
    before = world.platform
    source = KeySource(before.store, before.database.session, before.vault, ask_every=0)
    world.app.extensions["idp-platform"] = replace(before, key_source=source)
    return world


def ring(world: World) -> KeyRing:
    """The keys as they are stored."""
    with world.reading() as db:
        return load_keys(db, world.backends.vault)


def stored(world: World, alg: str = "") -> list[SigningKey]:
    """The rows, of one algorithm or of all."""
    with world.reading() as db:
        return [key for key in list_keys(db) if alg in {"", key.alg}]


def kid_of(world: World, alg: str, state: str) -> str:
    """The id of the only key of an algorithm in a state."""
    (found,) = [key.kid for key in stored(world, alg) if key.state == state]
    return found


def aged(world: World, age: timedelta = WINDOW) -> None:
    """Make every key so much older."""
    with world.write() as db:
        older = [
            {"id": key.id}
            | {
                name: at - age if (at := getattr(key, name)) else None
                for name in ("created_at", "activated_at", "retired_at")
            }
            for key in list_keys(db)
        ]
        # By their ids and at once: SQLAlchemy looks for nothing to renew in the session then.
        db.execute(update(SigningKey), older)


def rotated(world: World, alg: str) -> Change:
    """A rotation of an algorithm whose next key has been published for long enough, announced."""
    aged(world)
    with world.write() as db:
        change = key_life.rotate(db, world.backends.vault, alg, now=world.now())
    announce_keys(world.backends.store)
    return change


def withdrawn(world: World, kid: str) -> Change | None:
    """The emergency: a leaked key removed, announced."""
    with world.write() as db:
        change = key_life.withdraw(db, world.backends.vault, kid, now=world.now())
    announce_keys(world.backends.store)
    return change
