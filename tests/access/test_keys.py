"""Signing keys: what is published, what signs, what lies in the database, and who sees a change when."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry
from sqlalchemy import delete, select, update

from idp.access.keys import (
    ALGORITHMS,
    REREAD_SECONDS,
    KeySource,
    SigningKey,
    announce_keys,
    ensure_keys,
    load_keys,
    open_private,
)
from idp.accounts.audit import AuditEvent
from idp.adapters.ephemeral.redis import RedisEphemeralStore
from idp.app import open_backends
from idp.crypto import SealBroken, Vault
from tests.conftest import make_settings
from tests.keys import aged, kid_of, ring, rotated, stored, withdrawn
from tests.services import free_port
from tests.world import World

PRIVATE = ("d", "p", "q", "dp", "dq", "qi")


def test_each_algorithm_has_a_key_that_signs_and_one_that_will(world: World) -> None:
    keys = stored(world)
    assert sorted((key.alg, key.state) for key in keys) == sorted(
        (alg, state) for alg in ALGORITHMS for state in ("active", "next")
    )
    moduli = {key.public_jwk.get("n") or key.public_jwk["x"] for key in keys}
    assert len(moduli) == len({key.kid for key in keys}) == 2 * len(ALGORITHMS), "each is of one algorithm"
    assert all((key.public_jwk["alg"], key.public_jwk["kid"]) == (key.alg, key.kid) for key in keys)
    assert {(key.alg, key.public_jwk.get("crv")) for key in keys if "crv" in key.public_jwk} == {
        ("ES256", "P-256"),
        ("EdDSA", "Ed25519"),
    }


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_every_algorithm_signs_what_the_published_keys_verify(world: World, alg: str) -> None:
    keys = ring(world)
    token = keys.sign({"iss": "x"}, alg=alg, typ="JWT")
    assert keys.read(token, algorithms=[alg]) == {"iss": "x"}
    with pytest.raises(JoseError):
        keys.read(token, algorithms=[other for other in ALGORITHMS if other != alg])
    with pytest.raises(JoseError):
        keys.read(token[:-8] + "AAAAAAAA", algorithms=[alg])


def test_a_key_of_one_algorithm_does_not_verify_another_of_its_family(world: World) -> None:
    (row,) = [key for key in stored(world, "RS256") if key.state == "active"]
    private = {**open_private(row, world.backends.vault)}
    del private["alg"]
    crossed = jwt.encode(
        {"alg": "PS256", "kid": row.kid}, {"iss": "x"}, RSAKey.import_key(private), algorithms=["PS256"]
    )
    with pytest.raises(JoseError):
        ring(world).read(crossed, algorithms=ALGORITHMS)


def test_the_warning_about_eddsa_is_silent_for_us_and_for_nobody_else(world: World) -> None:
    ring(world).sign({}, alg="EdDSA", typ="JWT")
    with pytest.warns(UserWarning, match="RFC 9864"):
        JWSRegistry(algorithms=["EdDSA"]).get_alg("EdDSA")


def test_making_keys_twice_makes_them_once(world: World) -> None:
    before = ring(world).jwks
    with world.write() as db:
        assert ensure_keys(db, world.backends.vault, now=world.now()) == []
    assert ring(world).jwks == before


def test_an_installation_from_before_keys_had_a_life_gets_what_it_lacks(world: World) -> None:
    with world.write() as db:
        db.execute(delete(SigningKey).where(SigningKey.state == "next"))
        db.execute(delete(SigningKey).where(SigningKey.alg.in_(("PS256", "EdDSA"))))
        db.execute(update(SigningKey).values(activated_at=None))
    had = {key.kid: key.created_at for key in stored(world)}
    with world.write() as db:
        made = ensure_keys(db, world.backends.vault, now=world.now())
    assert len(made) == 6
    now = {key.kid: key for key in stored(world)}
    assert {kid: now[kid].active_since for kid in had} == had, "it has signed since it was made"
    assert set(ring(world).signing) == set(ALGORITHMS)


def test_nothing_private_lies_in_the_database_in_clear(world: World) -> None:
    vault, secrets = world.backends.vault, dict[str, str]()
    for row in stored(world):
        private = open_private(row, vault)
        secrets |= {f"{row.alg} {row.state} {name}": private[name] for name in PRIVATE if name in private}
    assert len(secrets) == 2 * (2 * len(PRIVATE) + 2)
    change = rotated(world, "RS256")
    with world.reading() as db:
        tables = SigningKey.__table__, AuditEvent.__table__
        dump = repr([[tuple(row) for row in db.execute(select(table))] for table in tables])
    assert [name for name, value in secrets.items() if value in dump] == []
    assert not any(set(row.public_jwk) & set(PRIVATE) for row in stored(world))
    (retired,) = [row for row in stored(world) if row.kid == change.retired]
    assert retired.private_sealed == b"", "it will never sign again"


def test_the_keys_open_with_the_data_keys_of_before_and_are_sealed_with_the_new_one(world: World) -> None:
    old = world.settings.data_key_map()
    both = Vault({2: bytes(reversed(range(32))), **old})
    with world.reading() as db:
        assert load_keys(db, both).jwks == ring(world).jwks
    with world.write() as db:
        db.execute(delete(SigningKey).where(SigningKey.state == "next", SigningKey.alg == "ES256"))
        (made,) = ensure_keys(db, both, now=world.now())
    assert made.private_sealed[0] == 2
    assert open_private(made, both)["kid"] == made.kid
    with pytest.raises(SealBroken):
        open_private(made, world.backends.vault)


def test_a_vault_of_another_installation_neither_reads_nor_adds_keys(world: World) -> None:
    foreign = Vault({1: bytes(32)})
    with world.reading() as db, pytest.raises(SealBroken):
        load_keys(db, foreign)
    with world.write() as db:
        db.execute(delete(SigningKey).where(SigningKey.state == "next"))
        with pytest.raises(SealBroken):
            ensure_keys(db, foreign, now=world.now())
        db.rollback()


def test_without_a_key_the_service_does_not_start(world: World) -> None:
    with world.reading() as db:
        db.execute(update(SigningKey).where(SigningKey.alg == "RS256").values(state="retired"))
        with pytest.raises(LookupError, match="RS256"):
            load_keys(db, world.backends.vault)
        db.rollback()


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def source(world: World, clock: Clock) -> KeySource:
    """The keys of a process of its own."""
    made = KeySource(world.backends.store, world.backends.begin, world.backends.vault, clock=clock)
    made.current()
    return made


def test_a_process_sees_a_change_within_a_second_and_asks_no_more_often(
    world: World, source: KeySource, clock: Clock
) -> None:
    before = source.current()
    change = rotated(world, "ES256")
    clock.seconds += 0.99
    assert source.current() is before
    clock.seconds += 0.01
    after = source.current()
    assert (after.signing["ES256"].kid, before.signing["ES256"].kid) == (change.active, change.retired)
    assert after.signing["RS256"] is before.signing["RS256"], "an RSA key is not imported again"
    clock.seconds += 1
    assert source.current() is after, "nothing was announced, so nothing was read"


def test_a_lost_version_only_means_reading_again(world: World, source: KeySource, clock: Clock) -> None:
    source.current()
    before = source.current()
    world.backends.store.delete("version:keys")
    clock.seconds += 1
    after = source.current()
    assert after is not before
    assert after.jwks == before.jwks
    clock.seconds += 1
    assert source.current() is after


def test_a_change_nobody_could_announce_is_seen_within_a_minute(
    world: World, source: KeySource, clock: Clock
) -> None:
    leaked = kid_of(world, "ES256", "active")
    with world.write() as db:
        db.execute(
            update(SigningKey).where(SigningKey.kid == leaked).values(state="removed", private_sealed=b"")
        )
        db.execute(
            update(SigningKey)
            .where(SigningKey.alg == "ES256", SigningKey.state == "next")
            .values(state="active")
        )
    clock.seconds += REREAD_SECONDS - 1
    assert leaked not in source.current().removed
    clock.seconds += 1
    assert leaked in source.current().removed


def test_a_process_that_reaches_no_store_keeps_its_keys_and_reads_them_once_a_minute(
    world: World, clock: Clock
) -> None:
    nowhere = RedisEphemeralStore(f"redis://127.0.0.1:{free_port()}/0")
    source = KeySource(nowhere, world.backends.begin, world.backends.vault, clock=clock)
    before = source.current()
    change = rotated(world, "ES256")
    clock.seconds += 2
    assert source.current() is before
    clock.seconds += REREAD_SECONDS
    assert source.current().signing["ES256"].kid == change.active
    nowhere.close()


def test_a_process_that_reaches_no_database_keeps_its_keys_until_it_comes_back(
    sqlite_template: Path, tmp_path: Path, clock: Clock
) -> None:
    home, away = tmp_path / "home", tmp_path / "away"
    home.mkdir()
    (home / "idp.db").write_bytes(sqlite_template.read_bytes())
    settings = make_settings(database_url=f"sqlite:///{home / 'idp.db'}", var_dir=tmp_path)
    backends = open_backends(settings)
    source = KeySource(backends.store, backends.begin, backends.vault, clock=clock)
    before = source.current()
    backends.database.close()
    home.rename(away)
    announce_keys(backends.store)
    clock.seconds += 1
    assert source.current() is before
    away.rename(home)
    clock.seconds += 1
    assert source.current() is not before
    backends.close()


def test_what_is_published_holds_no_removed_key_and_changes_its_etag(world: World) -> None:
    before = ring(world)
    aged(world)
    change = withdrawn(world, kid_of(world, "PS256", "active"))
    after = ring(world)
    assert change
    kids = {key["kid"] for key in json.loads(after.jwks)["keys"]}
    assert change.removed not in kids
    assert {change.active, change.next} <= kids
    assert after.etag != before.etag
    assert after.removed == {change.removed}
