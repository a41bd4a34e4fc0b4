"""A portal's own storage: one SQLite file, reads without a transaction, writes that wait for each other.

The portal makes its tables itself at its first start. Statements are logged without their parameters,
which would be personal data.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import DateTime, Dialect, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.types import TypeDecorator

_LOCK_WAIT_SECONDS = 10


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: refuses naive values, returns aware UTC."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """The value as SQLite keeps it: naive UTC, so that text order is time order."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime was about to be stored")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """The value as the program uses it."""
        return None if value is None else value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    """Base of every table of a portal, the kit's and its own."""

    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012 - SQLAlchemy reads it as a class attribute


class Database:
    """The engine of one portal and the sessions it gives out."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600, exist_ok=True)
        self._engine = create_engine(
            f"sqlite:///{path}",
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,
            connect_args={"timeout": _LOCK_WAIT_SECONDS},
        )
        event.listen(self._engine, "connect", _tune)
        self._session = sessionmaker(self._engine, expire_on_commit=False)

    def create_tables(self) -> None:
        """Make the tables that are not there yet, all or none."""
        with self.writing() as session:
            Base.metadata.create_all(session.connection())

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for look-ups."""
        with self._session() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that writes alone; commits when the block ends well, rolls back when it does not."""
        with self._session() as session:
            session.connection().exec_driver_sql("BEGIN IMMEDIATE")
            yield session
            session.commit()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def _tune(connection: sqlite3.Connection, _record: Any) -> None:
    # With WAL, NORMAL never corrupts; a power failure may cost the last sign-ins, which can be made again.
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}").close()
