"""Reading rows of the trail whatever stands in them: what cannot be read is named, and stops nobody.

Whoever can write to the database can put anything into a row: a time beyond the calendar, text that is no
JSON, on SQLite even a number or broken UTF-8 where text belongs. The drivers raise on such a value while they
fetch, and the rows beside it are lost with it. So the database is asked for values that always arrive, and
each is decoded here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import Column, ColumnElement, FromClause, Integer, LargeBinary, Text, Uuid, func, literal
from sqlalchemy.orm import Session

from idp.db import UtcDateTime

_NOT_TO_BE_READ = b"\xff"  # no UTF-8
# The calendar of Python, without the days that another time zone would push out of it.
_FIRST, _LAST = datetime(1, 1, 3, tzinfo=UTC), datetime(9999, 12, 29, tzinfo=UTC)
_HEX = re.compile(r"[0-9a-f]{32}")
_SHAPES = {"detail": dict, "faults": list}
_LEVELS = 100
"""Nothing that is recorded is nested so deep."""
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", re.ASCII)


class Line(SimpleNamespace):
    """A row as it was read: its columns by name, None where there is nothing to read.

    `unreadable` names the columns that hold something else than this program writes.
    """

    unreadable: tuple[str, ...]


def read(
    db: Session,
    table: type[Any],
    *which: ColumnElement[bool],
    order: Sequence[sa.UnaryExpression[Any]],
    limit: int | None = None,
) -> list[Line]:
    """The rows of a mapped class that fulfil all of `which`, decoded one by one."""
    columns = [*table.__table__.columns]
    asked = sa.select(*_asked_for(table.__table__, _kind(db))).where(*which).order_by(*order).limit(limit)
    return [_line(columns, row) for row in db.execute(asked)]


def octets(db: Session, column: Any) -> ColumnElement[Any]:
    """A text column as it is stored; read it with :func:`as_bytes`."""
    return sa.cast(column, LargeBinary) if _kind(db) == "sqlite" else cast("ColumnElement[Any]", column)


def as_bytes(value: str | bytes | None) -> bytes:
    """What :func:`octets` found."""
    return value.encode() if isinstance(value, str) else value or b""


def text_in(db: Session, column: Any, name: str) -> ColumnElement[Any]:
    """What a column of JSON objects tells under `name`, for :func:`as_bytes`; NULL where it is no JSON."""
    told = column[name].as_string()
    if _kind(db) == "sqlite":
        valid = (func.typeof(column) == "text") & (func.json_valid(column) == 1)
        return sa.case((valid, sa.cast(told, LargeBinary)))
    # Escapes of what PostgreSQL cannot keep as text raise; nothing that is counted has any.
    return sa.case((func.strpos(sa.cast(column, Text), "\\u") == 0, told))


def place(db: Session, table: type[Any]) -> ColumnElement[Any]:
    """What names one row of `table` to the database, whatever its id holds."""
    if _kind(db) == "sqlite":
        named: ColumnElement[Any] = sa.literal_column(f"{table.__tablename__}.rowid", Integer)
        return named
    return cast("ColumnElement[Any]", table.id)


def has_an_id(db: Session, column: Any) -> ColumnElement[bool]:
    """Whether the id is one: rows without can neither be opened nor paged through, only found by a check."""
    if _kind(db) != "sqlite":
        return sa.true()
    text = sa.type_coerce(column, Text)
    return (func.typeof(column) == "text") & (func.length(text) == 32) & text.op("NOT GLOB")("*[^0-9a-f]*")


def _kind(db: Session) -> str:
    return db.get_bind().dialect.name


@lru_cache
def _asked_for(table: FromClause, kind: str) -> Sequence[ColumnElement[Any]]:
    ask = _of_sqlite if kind == "sqlite" else _of_postgresql
    return [ask(cast("Column[Any]", column)).label(column.name) for column in table.columns]


def _of_sqlite(column: Column[Any]) -> ColumnElement[Any]:
    # A value has a type of its own there, whatever the column's; and text may be any bytes.
    kinds = ("integer", "null") if isinstance(column.type, Integer) else ("text", "null")
    value = column if isinstance(column.type, Integer) else sa.cast(column, LargeBinary)
    # Bare types: what arrives is decoded here, not by SQLAlchemy.
    return sa.case(
        (func.typeof(column).in_(kinds), sa.type_coerce(value, sa.types.NullType())),
        else_=literal(_NOT_TO_BE_READ, LargeBinary),
    )


def _of_postgresql(column: Column[Any]) -> ColumnElement[Any]:
    if isinstance(column.type, sa.JSON):
        return sa.cast(column, Text)
    if isinstance(column.type, UtcDateTime):
        within = column.is_(None) | ((column > _FIRST) & (column < _LAST))
        return sa.case((within, column), else_=literal(_FIRST, UtcDateTime))
    return column


def _line(columns: Sequence[Column[Any]], row: sa.Row[Any]) -> Line:
    values: dict[str, Any] = {}
    unreadable = []
    for column, raw in zip(columns, row, strict=True):
        try:
            values[column.name] = _decoded(column, raw)
        except (ValueError, TypeError, RecursionError):
            values[column.name] = None
            unreadable.append(column.name)
    return Line(**values, unreadable=tuple(unreadable))


def _decoded(column: Column[Any], raw: Any) -> Any:
    """The value of a column. Raises ValueError, TypeError, RecursionError."""
    if raw is None and column.nullable:
        return None
    if isinstance(column.type, Integer):
        return _checked(raw, int)
    value = raw.decode() if isinstance(raw, bytes) else raw
    if isinstance(column.type, Uuid):
        return value if isinstance(value, UUID) else UUID(_fitting(_HEX, value))
    if isinstance(column.type, UtcDateTime):
        return _instant(value)
    if isinstance(column.type, sa.JSON):
        return _checked(_flat(json.loads(value)), _SHAPES[column.name])
    return _checked(value, str)


def _instant(value: Any) -> datetime:
    if isinstance(value, datetime):
        if value == _FIRST:
            raise ValueError
        return value
    return datetime.fromisoformat(_fitting(_INSTANT, value)).replace(tzinfo=UTC)


def _fitting(pattern: re.Pattern[str], value: str) -> str:
    if not pattern.fullmatch(value):
        raise ValueError
    return value


def _flat(value: Any, *, levels: int = _LEVELS) -> Any:
    # Whoever shows or signs the value walks through it, one call a level.
    within = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in within:
        if not levels:
            raise ValueError
        _flat(one, levels=levels - 1)
    return value


def _checked(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise TypeError
    return value
