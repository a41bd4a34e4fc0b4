"""Signing keys: what is published, what signs, and what still verifies after a rotation."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from joserfc import jwt
from sqlalchemy import delete, select, update

from idp.access.keys import ALGORITHMS, KeyRing, SigningKey, ensure_keys, load_keys
from idp.crypto import SealBroken, Vault
from tests.world import World


@pytest.fixture
def rotated(world: World) -> Iterator[tuple[KeyRing, KeyRing]]:
    """The rings before and after the ES256 key was retired; the keys outlive a test, so they are put back."""
    old = ring(world)
    with world.write() as db:
        db.execute(update(SigningKey).where(SigningKey.alg == "ES256").values(state="retired"))
        ensure_keys(db, world.backends.vault, now=world.now())
    yield old, ring(world)
    with world.write() as db:
        db.execute(delete(SigningKey).where(SigningKey.alg == "ES256", SigningKey.state == "active"))
        db.execute(update(SigningKey).where(SigningKey.alg == "ES256").values(state="active"))


def ring(world: World) -> KeyRing:
    with world.reading() as db:
        return load_keys(db, world.backends.vault)


def test_a_retired_key_still_verifies_and_signs_no_more(rotated: tuple[KeyRing, KeyRing]) -> None:
    before, after = rotated
    token = before.sign({"iss": "x"}, alg="ES256", typ="JWT")
    assert jwt.decode(token, after.verifying, algorithms=["ES256"]).claims == {"iss": "x"}
    assert after.signing["ES256"].kid != before.signing["ES256"].kid
    assert after.signing["RS256"].kid == before.signing["RS256"].kid


def test_a_new_key_changes_what_is_published(rotated: tuple[KeyRing, KeyRing]) -> None:
    before, after = rotated
    assert before.etag != after.etag
    assert len(json.loads(after.jwks)["keys"]) == len(json.loads(before.jwks)["keys"]) + 1


def test_making_keys_twice_makes_them_once(world: World) -> None:
    before = ring(world).jwks
    with world.write() as db:
        ensure_keys(db, world.backends.vault, now=world.now())
    assert ring(world).jwks == before


def test_private_halves_are_sealed(world: World) -> None:
    with world.reading() as db:
        rows = db.scalars(select(SigningKey)).all()
        assert {row.alg for row in rows} == set(ALGORITHMS)
        for row in rows:
            assert b'"d"' not in row.private_sealed
            assert "d" not in row.public_jwk
        with pytest.raises(SealBroken):
            load_keys(db, Vault({1: bytes(32)}))


def test_without_a_key_the_service_does_not_start(world: World) -> None:
    with world.reading() as db:
        db.execute(update(SigningKey).where(SigningKey.alg == "RS256").values(state="retired"))
        with pytest.raises(LookupError, match="RS256"):
            load_keys(db, world.backends.vault)
        db.rollback()
