"""Instants are aware, transactions open at their first write, and writers wait for each other."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError

from idp.access.grants import EndedToken
from idp.db import ALONE, Database, begin_write, is_outage, uuid7
from tests.oauth.asking import at_once
from tests.world import World

NOON = datetime(2026, 3, 1, 4, 0, 0, 123456, tzinfo=UTC)


def a_row(jti: str, expires_at: datetime = NOON) -> EndedToken:
    return EndedToken(jti=jti, expires_at=expires_at)


def seen(database: Database) -> int:
    with database.session() as db:
        return db.scalar(select(func.count()).select_from(EndedToken)) or 0


def test_a_naive_instant_is_refused(world: World) -> None:
    naive = NOON.replace(tzinfo=None)
    for statement in (
        insert(EndedToken).values(jti="naive", expires_at=naive),
        select(EndedToken).where(EndedToken.expires_at > naive),
    ):
        with world.reading() as db, pytest.raises(StatementError, match="naive"):
            db.execute(statement)


def test_an_instant_comes_back_the_same_in_utc(world: World) -> None:
    shanghai = NOON.astimezone(timezone(timedelta(hours=8)))
    with world.write() as db:
        db.add(a_row("far", shanghai))
    with world.reading() as db:
        found = db.get_one(EndedToken, "far").expires_at
        assert (found, found.utcoffset()) == (NOON, timedelta(0))
        query = select(EndedToken.jti).where(EndedToken.expires_at == shanghai)
        assert db.scalars(query).all() == ["far"]


def test_a_reader_sees_nothing_before_the_commit(world: World) -> None:
    database = world.backends.database
    with database.session() as db:
        db.add(a_row("one"))
        db.flush()
        assert seen(database) == 0
        db.commit()
    assert seen(database) == 1


def test_what_fails_half_way_leaves_nothing(world: World) -> None:
    database = world.backends.database

    def fail_by(fault: Exception | None) -> None:
        with database.begin() as db:
            db.add(a_row("one"))
            db.flush()
            if fault:
                raise fault
            db.execute(insert(EndedToken).values(jti="one", expires_at=NOON))

    with pytest.raises(IntegrityError):
        fail_by(None)
    with pytest.raises(RuntimeError):
        fail_by(RuntimeError())
    assert seen(database) == 0


def test_reading_opens_no_transaction(world: World) -> None:
    with world.reading() as db:
        db.scalars(select(EndedToken)).all()
        raw: Any = db.connection().connection.dbapi_connection
        assert not in_transaction(raw)
        db.execute(update(EndedToken).values(expires_at=NOON))
        assert in_transaction(raw)
        db.rollback()


def in_transaction(raw: Any) -> bool:
    """Whether a connection of either driver has a transaction open."""
    if hasattr(raw, "in_transaction"):
        return bool(raw.in_transaction)
    return bool(raw.info.transaction_status.name != "IDLE")


def test_a_write_of_its_own_is_committed_at_once(world: World) -> None:
    database = world.backends.database
    with database.session() as db:
        db.execute(insert(EndedToken).values(jti="alone", expires_at=NOON), execution_options=ALONE)
        assert seen(database) == 1
        db.rollback()
    assert seen(database) == 1


def test_a_begun_write_keeps_other_writers_out(world: World) -> None:
    with world.write() as db:
        db.add(a_row("count", NOON))

    def add_a_second(_number: int) -> None:
        with world.backends.database.begin() as db:
            begin_write(db)
            row = db.scalars(select(EndedToken).where(EndedToken.jti == "count").with_for_update()).one()
            row.expires_at += timedelta(seconds=1)

    at_once(8, add_a_second)
    with world.reading() as db:
        assert db.get_one(EndedToken, "count").expires_at == NOON + timedelta(seconds=8)


def test_fifty_writers_at_once_all_get_through(world: World) -> None:
    def write(number: int) -> None:
        for turn in range(4):
            with world.backends.database.begin() as db:
                db.scalars(select(EndedToken).limit(1)).all()
                db.add(a_row(f"{number}-{turn}"))

    at_once(50, write)
    assert seen(world.backends.database) == 200


def test_writers_in_several_pools_meet_no_lock_error(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'many.db'}"
    pools = [Database(url) for _ in range(5)]
    EndedToken.__table__.create(pools[0].engine)  # type: ignore[attr-defined]  # a Table

    def write(number: int) -> None:
        with pools[number % 5].begin() as db:
            db.add(a_row(f"{number}"))
            db.flush()

    at_once(50, write)
    assert seen(pools[0]) == 50
    for pool in pools:
        pool.close()


def test_sqlite_keeps_its_promises(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'one.db'}")
    with database.engine.connect() as connection:
        asked = {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in PROMISES}
    database.close()
    assert asked == PROMISES


PROMISES = {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 15000}


def test_an_outage_is_told_from_a_mistake(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'nowhere' / 'x.db'}")
    with pytest.raises(OperationalError) as missing:
        database.ping()
    assert is_outage(missing.value)
    assert not is_outage(IntegrityError("x", {}, Exception()))
    assert not is_outage(ValueError())


def test_a_connection_goes_back_clean(world: World) -> None:
    engine, left = world.backends.database.engine, []

    def note(raw: Any, _record: object) -> None:
        left.append(in_transaction(raw))

    event.listen(engine, "checkin", note)
    try:
        with world.reading() as db:
            db.add(a_row("never"))
            db.flush()
    finally:
        event.remove(engine, "checkin", note)
    assert left[-1] is False
    assert seen(world.backends.database) == 0


def test_ids_are_version_seven_and_in_order() -> None:
    made = [uuid7() for _ in range(1000)]
    assert {one.version for one in made} == {7}
    assert len(set(made)) == 1000
    assert made == sorted(made)


@pytest.mark.parametrize("installation", ["postgres"], indirect=True)
def test_a_write_on_a_line_that_was_cut_is_an_outage_and_the_next_one_goes_through(world: World) -> None:
    database = world.backends.database
    with database.engine.connect() as line, database.engine.connect() as other:
        pid = line.scalar(text("SELECT pg_backend_pid()"))
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises(DBAPIError) as cut:
            line.execute(insert(EndedToken).values(jti="cut", expires_at=NOON))
    assert is_outage(cut.value)
    with world.write() as db:
        db.add(a_row("next"))
    assert seen(database) == 1


@pytest.mark.parametrize("installation", ["postgres"], indirect=True)
def test_a_transaction_begun_on_a_line_that_was_cut_is_an_outage_too(world: World) -> None:
    database = world.backends.database
    with database.session() as db, database.engine.connect() as other:
        pid = db.scalar(text("SELECT pg_backend_pid()"))
        other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        with pytest.raises(OperationalError) as cut:
            begin_write(db)
        assert is_outage(cut.value)
        db.rollback()
        begin_write(db)
        db.add(a_row("next"))
        db.commit()
    assert seen(database) == 1


def test_columns_are_named_and_typed_as_the_database_says(world: World) -> None:
    with world.reading() as db:
        rows = db.execute(text("SELECT 1 AS one, 'two' AS \"文字\"")).mappings().all()
        assert [dict(row) for row in rows] == [{"one": 1, "文字": "two"}]
        assert db.execute(text("SELECT 1 WHERE 1 = 0")).keys() is not None
