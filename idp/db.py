"""Storage: one engine, short transactions that open at their first write.

Reads run in the database's autocommit mode, so a request that only reads costs one round trip a
query and holds no snapshot. The first write of a session sends BEGIN (BEGIN IMMEDIATE on SQLite,
so two writers wait for each other instead of failing half-way); a commit ends it. What was read
before a write is therefore checked again by the write itself (conditional UPDATE, unique index).
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Container, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Engine,
    Index,
    Insert,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    event,
    insert,
    make_url,
    select,
    text,
)
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.sql.functions import GenericFunction
from sqlalchemy.types import TypeDecorator

_WRITES = ("INSERT", "UPDATE", "DELETE")
ALONE = {"write_alone": True}
"""Execution option of a write that is a transaction of its own: one round trip, committed at once."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Refuses naive values; always returns aware UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The value as the database keeps it."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = "a naive datetime was about to be stored"
            raise ValueError(msg)
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """The value as the program uses it."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of every table; constraints are named, so that migrations can drop them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012 - SQLAlchemy reads it as a class attribute


def uuid7() -> UUID:
    """A new row id: UUIDv7, unguessable enough for ids and ordered enough for indexes (RFC 9562 §5.7).

    What is left of the millisecond stands in `rand_a` (§6.2, method 3), so that the ids of one process
    are in the order of their making.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = rest * 4096 // 1_000_000
    return UUID(int=milliseconds << 80 | 7 << 76 | fraction << 64 | 2 << 62 | secrets.randbits(62))


class written_out(GenericFunction[str]):  # noqa: N801 - a function of SQL, written as one
    """An id in SQL as `str` writes it in Python: with dashes, whichever way the database keeps it."""

    type = String()
    inherit_cache = True


@compiles(written_out, "postgresql")
def _with_dashes(element: Any, compiler: Any, **more: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **more)} AS VARCHAR)"


@compiles(written_out, "sqlite")
def _into_groups(element: Any, compiler: Any, **more: Any) -> str:
    digits = compiler.process(element.clauses, **more)
    groups = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
    return " || '-' || ".join(f"substr({digits}, {start}, {length})" for start, length in groups)


class Database:
    """The engine of one process and the sessions it gives out."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.engine = make_engine(url, pool_size=pool_size)
        self.session = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """A session that commits when the block ends well and rolls back when it does not."""
        with self.session() as session:
            yield session
            session.commit()

    def ping(self) -> None:
        """Return if the database answers. Raises sqlalchemy.exc.DBAPIError."""
        with self.engine.connect() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def partial_index(name: str, *columns: str, where: str, unique: bool = False) -> Index:
    """An index of the rows for which `where` holds.

    Both databases have it from the migrations. A condition for SQLite named here as well would do nothing but
    load its dialect in every worker on PostgreSQL.
    """
    return Index(name, *columns, unique=unique, postgresql_where=text(where))


def make_engine(url: str, *, pool_size: int = 10) -> Engine:
    """An engine whose transactions open at their first write (see the module's docstring)."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(
            parsed,
            isolation_level="AUTOCOMMIT",
            # What a person typed must not reach a log by way of an exception.
            hide_parameters=True,
            pool_size=pool_size,
            connect_args={"timeout": 15},
        )
        event.listen(engine, "connect", _tune_sqlite)
    else:
        from idp.postgres import LeanCursor  # noqa: PLC0415 - not where SQLite is all there is

        parsed = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(
            parsed,
            isolation_level="AUTOCOMMIT",
            # What a person typed must not reach a log by way of an exception.
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5,
            connect_args={
                "connect_timeout": 5,
                "options": "-c statement_timeout=15000 -c lock_timeout=8000",
                "cursor_factory": LeanCursor,
            },
        )
    event.listen(engine, "do_execute", _before_execute)
    event.listen(engine, "do_executemany", _before_execute)
    event.listen(engine, "do_execute_no_params", _before_execute_no_params)
    return engine


def begin_write(session: Session) -> None:
    """Open the write transaction now, so that what is read next cannot change before it is used.

    Raises sqlalchemy.exc.OperationalError.
    """
    line = session.connection()
    try:
        _begin(line)
    except line.dialect.loaded_dbapi.Error as fault:
        # Within a statement SQLAlchemy would say it in its own words, and let go of a line that is cut.
        is_cut = line.dialect.is_disconnect(fault, line.connection.dbapi_connection, None)
        if is_cut:
            line.invalidate(fault)
        raise OperationalError("BEGIN", None, fault, connection_invalidated=is_cut) from fault


def insert_while(
    table: Table, rests_on: type[Base], *conditions: ColumnElement[bool], left_out: Container[str]
) -> Insert:
    """An INSERT of one row that writes nothing unless a row of `rests_on` meets `conditions` now.

    That row is read under a lock: whoever changes it waits for this, or this for him, and neither passes the
    other. The values are bound by the names of the columns, but those `left_out`; the result's rowcount
    says whether the row was written.
    """
    columns = [column for column in table.columns if column.name not in left_out]
    # For PostgreSQL the type is written beside each value but bytes, so NULL has one in a SELECT too.
    values = select(*(bindparam(column.name, type_=column.type) for column in columns))
    there = values.select_from(rests_on).where(*conditions).with_for_update(read=True)
    written = insert(table).from_select([column.name for column in columns], there, include_defaults=False)
    return written.execution_options(preserve_rowcount=True)


def pause(session: Session) -> None:
    """Give the connection back while something slow happens; loaded objects stay readable."""
    session.commit()


def is_outage(error: BaseException) -> bool:
    """Whether `error` says that the database cannot answer now, rather than that the request is wrong."""
    if isinstance(error, PoolTimeout):
        return True
    return isinstance(error, OperationalError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )


def _tune_sqlite(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=15000"):
        connection.execute(f"PRAGMA {pragma}")


# These three stand for every way a statement reaches a driver. A listener to `before_cursor_execute` would
# do as well, and make SQLAlchemy join its listeners anew for each connection.


def _before_execute(_cursor: Any, statement: str, _parameters: Any, context: Any) -> None:
    _begin_at_first_write(statement, context)


def _before_execute_no_params(_cursor: Any, statement: str, context: Any) -> None:
    _begin_at_first_write(statement, context)


def _begin_at_first_write(statement: str, context: Any) -> None:
    if context is None or context.execution_options.get("write_alone"):
        return
    if statement.lstrip()[:6].upper() in _WRITES or _locks_rows(context):
        _begin(context.root_connection)


def _locks_rows(context: Any) -> bool:
    compiled = getattr(context, "compiled", None)
    return getattr(getattr(compiled, "statement", None), "_for_update_arg", None) is not None


def _begin(conn: Connection) -> None:
    raw: Any = conn.connection.dbapi_connection  # the driver's own connection
    if conn.dialect.name == "sqlite":
        if not raw.in_transaction:
            raw.execute("BEGIN IMMEDIATE")
        return
    if raw.info.transaction_status.name == "IDLE":
        # Past the cursor, as BEGIN answers nothing: that is half the work.
        answer = raw.pgconn.exec_(b"BEGIN")
        if raw.info.transaction_status.name != "INTRANS":
            raise conn.dialect.loaded_dbapi.OperationalError(answer.get_error_message())
