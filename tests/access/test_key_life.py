"""The life of signing keys: when a rotation is refused, what a retired key is kept for, who rotates."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from idp.access import key_life
from idp.access.key_life import Change, RotationRefused
from idp.access.keys import ALGORITHMS, JWKS_MAX_AGE, list_keys
from idp.accounts.audit import AuditEvent
from tests.keys import WINDOW, aged, kid_of, ring, rotated, stored, withdrawn
from tests.oauth.asking import at_once
from tests.world import ISSUER, World

DAY = timedelta(days=1)


def states(world: World, alg: str) -> dict[str, str]:
    """What state each key of an algorithm is in."""
    return {key.kid: key.state for key in stored(world, alg)}


def tended(world: World, *, at: datetime, **settings: Any) -> bool:
    """What a worker does at an instant."""
    with world.write() as db:
        wanted = replace(world.settings, **settings)
        return key_life.tend(db, world.backends.vault, world.backends.trail, wanted, now=at)


def rotate(world: World, alg: str, *, at: datetime) -> Change:
    with world.write() as db:
        return key_life.rotate(db, world.backends.vault, alg, now=at)


def told(world: World, action: str) -> list[AuditEvent]:
    """The rows of the audit trail of one kind."""
    with world.reading() as db:
        return list(db.scalars(select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id)))


def test_a_rotation_moves_the_keys_of_one_algorithm_one_state_on(world: World) -> None:
    others = {alg: states(world, alg) for alg in ALGORITHMS if alg != "RS256"}
    active, upcoming = (kid_of(world, "RS256", state) for state in ("active", "next"))
    change = rotated(world, "RS256")
    assert (change.retired, change.active) == (active, upcoming)
    assert states(world, "RS256") == {active: "retired", upcoming: "active", change.next: "next"}
    assert {alg: states(world, alg) for alg in others} == others
    assert ring(world).signing["RS256"].kid == upcoming
    published = {key["kid"] for key in json.loads(ring(world).jwks)["keys"]}
    assert {active, upcoming, change.next} <= published
    old = next(key for key in stored(world) if key.kid == active)
    assert old.retired_at
    assert old.private_sealed == b""


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_rotation_is_refused_while_a_cache_may_lack_the_next_key(world: World, alg: str) -> None:
    made = next(key for key in stored(world, alg) if key.state == "next").created_at
    before = states(world, alg)
    with pytest.raises(RotationRefused, match=r"another 20 s .*--emergency"):
        rotate(world, alg, at=made + WINDOW - timedelta(seconds=20))
    with pytest.raises(RotationRefused, match="another 1 s"):
        rotate(world, alg, at=made + WINDOW - timedelta(milliseconds=1))
    assert states(world, alg) == before
    rotate(world, alg, at=made + WINDOW)
    with pytest.raises(RotationRefused, match=f"another {int(WINDOW.total_seconds())} s"):
        rotate(world, alg, at=made + WINDOW)


def test_the_window_is_longer_than_what_caches_are_told(world: World) -> None:
    answer = world.app.test_client().get("/oauth/jwks", base_url=ISSUER)
    assert answer.headers["Cache-Control"] == f"public, max-age={JWKS_MAX_AGE}"
    assert timedelta(seconds=JWKS_MAX_AGE) < WINDOW


def test_of_many_rotations_at_once_one_wins(world: World) -> None:
    aged(world)
    now = world.now()

    def rotate_too(_number: int) -> str:
        try:
            return rotate(world, "ES256", at=now).active
        except RotationRefused:
            return "refused"

    upcoming = kid_of(world, "ES256", "next")
    assert sorted(at_once(6, rotate_too)) == sorted([upcoming, *["refused"] * 5])
    assert sorted(states(world, "ES256").values()) == ["active", "next", "retired"]


def test_a_rotation_and_a_removal_of_the_same_key_at_once_leave_one_that_signs(world: World) -> None:
    aged(world)
    leaked, now = kid_of(world, "ES256", "active"), world.now()

    def change(number: int) -> None:
        if number:
            withdrawn(world, leaked)
        else:
            rotate(world, "ES256", at=now)

    # Where the removal came first the next key is new, and the rotation refused.
    with suppress(RotationRefused):
        at_once(2, change)
    now_states = states(world, "ES256")
    assert now_states.pop(leaked) == "removed"
    assert sorted(now_states.values()) == ["active", "next"]


def test_a_retired_key_is_kept_as_long_as_anything_it_signed_may_count(world: World) -> None:
    change = rotated(world, "ES256")
    retired = next(key for key in stored(world) if key.kid == change.retired)
    until = key_life.removed_from(retired, world.settings)
    assert retired.retired_at
    assert until
    for setting in ("token_lifetime", "session_lifetime"):
        assert until > retired.retired_at + world.settings.seconds(setting)
    assert not tended(world, at=until - timedelta(seconds=1))
    assert tended(world, at=until)
    removed = next(key for key in stored(world) if key.kid == change.retired)
    assert (removed.state, removed.removed_at, removed.private_sealed) == ("removed", until, b"")
    assert str(change.retired) not in ring(world).jwks.decode()
    (event,) = told(world, "key_removed")
    assert (event.actor, event.target) == ("worker", f"key:{change.retired}")
    assert not tended(world, at=until), "once is enough"


def test_the_longer_of_the_lifetimes_decides(world: World) -> None:
    change = rotated(world, "ES256")
    retired = next(key for key in stored(world) if key.kid == change.retired)
    settings = replace(world.settings, token_lifetime=3600, session_lifetime=300)
    until = key_life.removed_from(retired, settings)
    assert retired.retired_at
    assert until == retired.retired_at + timedelta(hours=1) + key_life.MARGIN


def test_the_worker_rotates_each_key_that_signed_for_so_long(world: World) -> None:
    born = max(key.created_at for key in stored(world))
    before = {alg: kid_of(world, alg, "active") for alg in ALGORITHMS}
    assert not tended(world, at=born + 89 * DAY)
    assert not tended(world, at=born + 4000 * DAY, key_rotation_days=0)
    assert tended(world, at=born + 90 * DAY)
    for alg, kid in before.items():
        assert states(world, alg)[kid] == "retired"
    assert {(event.actor, event.detail["alg"]) for event in told(world, "key_rotated")} == {
        ("worker", alg) for alg in ALGORITHMS
    }
    tended(world, at=born + 179 * DAY)
    assert len(told(world, "key_rotated")) == len(ALGORITHMS), "the new ones have just begun"
    assert tended(world, at=born + 180 * DAY)
    assert len(told(world, "key_rotated")) == 2 * len(ALGORITHMS)


def test_the_schedule_waits_for_the_caches_too(world: World) -> None:
    born = max(key.created_at for key in stored(world))
    with world.write() as db:
        key_life.withdraw(db, world.backends.vault, kid_of(world, "ES256", "next"), now=born + 90 * DAY)
    tended(world, at=born + 90 * DAY)
    assert "ES256" not in {event.detail["alg"] for event in told(world, "key_rotated")}
    assert tended(world, at=born + 90 * DAY + WINDOW)
    assert "ES256" in {event.detail["alg"] for event in told(world, "key_rotated")}


def test_keys_from_before_keys_had_a_life_are_rotated_by_their_age(world: World) -> None:
    with world.write() as db:
        for key in list_keys(db):
            key.activated_at = None
    born = max(key.created_at for key in stored(world))
    assert not tended(world, at=born + 89 * DAY)
    assert tended(world, at=born + 90 * DAY)


def test_several_workers_rotate_once(world: World) -> None:
    at = max(key.created_at for key in stored(world)) + 90 * DAY
    assert sum(at_once(4, lambda _number: tended(world, at=at))) == 1
    assert len(told(world, "key_rotated")) == len(ALGORITHMS)
    for alg in ALGORITHMS:
        assert sorted(states(world, alg).values()) == ["active", "next", "retired"]


@pytest.mark.parametrize("state", ["active", "next", "retired"])
def test_a_leaked_key_is_removed_from_wherever_it_is_without_a_wait(world: World, state: str) -> None:
    rotated(world, "PS256")
    leaked = kid_of(world, "PS256", state)
    others = {found: kid for kid, found in states(world, "PS256").items() if kid != leaked}
    change = withdrawn(world, leaked)
    now_states = states(world, "PS256")
    assert change
    assert (now_states[leaked], change.removed) == ("removed", leaked)
    assert (change.active, change.next) == (kid_of(world, "PS256", "active"), kid_of(world, "PS256", "next"))
    assert change.active == (others["next"] if state == "active" else others["active"])
    assert next(key for key in stored(world) if key.kid == leaked).private_sealed == b""
    assert leaked in ring(world).removed
    assert withdrawn(world, leaked) is None, "once is enough"
    assert states(world, "PS256") == now_states


def test_a_key_nobody_has_is_not_removed(world: World) -> None:
    before = ring(world).jwks
    with pytest.raises(RotationRefused, match="There is no key"):
        withdrawn(world, "nonsense")
    assert ring(world).jwks == before
