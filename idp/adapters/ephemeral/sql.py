"""The ephemeral store on a SQLite file of its own: what `make demo` and one small machine run on.

It has its own file because on the main one each operation would wait for the write lock that its own
request holds. Statements commit by themselves, and each one alone is the whole operation, so SQLite's
single writer makes it atomic across threads and processes.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from idp.adapters.ephemeral import StoreUnavailable

_making_a_file = threading.Lock()

_Value = str | bytes | int | float

_BUSY_SECONDS = 5.0
_PURGE_EVERY = 500  # writes between two sweeps, so that one sweep stays short
_MESSAGE_SECONDS = 60.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25  # seconds between two looks of a subscriber

_SCHEMA = (
    # With WAL this may lose the last moments in a power cut, never the file.
    "PRAGMA synchronous = NORMAL",
    """CREATE TABLE IF NOT EXISTS facts (
        key TEXT PRIMARY KEY, value BLOB NOT NULL, expires_at REAL NOT NULL
    ) WITHOUT ROWID""",
    "CREATE INDEX IF NOT EXISTS facts_expire ON facts (expires_at)",
    # AUTOINCREMENT never uses an id again, so a subscriber may remember the last one it saw.
    """CREATE TABLE IF NOT EXISTS messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT, channel TEXT NOT NULL,
        body BLOB NOT NULL, expires_at REAL NOT NULL
    )""",
    "CREATE INDEX IF NOT EXISTS messages_channel ON messages (channel, id)",
    "CREATE INDEX IF NOT EXISTS messages_expire ON messages (expires_at)",
)

_PUT = """
INSERT INTO facts (key, value, expires_at) VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
"""
_PUT_IF_ABSENT = f"{_PUT} WHERE facts.expires_at <= ? RETURNING 1"
_GET = "SELECT value FROM facts WHERE key = ? AND expires_at > ?"
_GET_MANY = "SELECT key, value FROM facts WHERE expires_at > ? AND key IN ({})"
_TAKE = "DELETE FROM facts WHERE key = ? RETURNING value, expires_at"
# A counter is its decimal digits, as in Redis, so that `get` answers alike on both stores.
_INCREMENT = """
INSERT INTO facts (key, value, expires_at) VALUES (?1, CAST(1 AS BLOB), ?2)
ON CONFLICT (key) DO UPDATE SET
    value = CASE WHEN expires_at <= ?3 THEN excluded.value
        ELSE CAST(CAST(CAST(value AS TEXT) AS INTEGER) + 1 AS BLOB) END,
    expires_at = CASE WHEN expires_at <= ?3 THEN excluded.expires_at ELSE expires_at END
RETURNING CAST(CAST(value AS TEXT) AS INTEGER)
"""
_GIVE_BACK = """
UPDATE facts SET value = CAST(CAST(CAST(value AS TEXT) AS INTEGER) - 1 AS BLOB)
WHERE key = ? AND expires_at > ? AND CAST(CAST(value AS TEXT) AS INTEGER) > 0
RETURNING 1
"""
_REMAINING = "SELECT expires_at FROM facts WHERE key = ?"
_COMPARE_AND_SET = """
UPDATE facts SET value = ?, expires_at = ? WHERE key = ? AND value = ? AND expires_at > ? RETURNING 1
"""
_DELETE = "DELETE FROM facts WHERE key IN ({})"
_PUBLISH = "INSERT INTO messages (channel, body, expires_at) VALUES (?, ?, ?)"
_LAST_MESSAGE = "SELECT coalesce(max(id), 0) FROM messages"
_NEXT_MESSAGE = """
SELECT id, body FROM messages WHERE channel = ? AND id > ? AND expires_at > ? ORDER BY id LIMIT 1
"""
_PURGE = (
    "DELETE FROM facts WHERE expires_at <= ? RETURNING 1",
    "DELETE FROM messages WHERE expires_at <= ? RETURNING 1",
)


@contextmanager
def _outages() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StoreUnavailable("the SQLite file of the ephemeral store does not answer") from error


class SqlEphemeralStore:
    """An `EphemeralStore` in one SQLite file, shared by the threads and processes of one machine.

    The file is made, readable by its owner only, at the first operation. `clock` gives epoch seconds.
    """

    def __init__(self, path: Path | str, *, clock: Callable[[], float] = time.time) -> None:
        self._path = Path(path)
        self._clock = clock
        # A connection serves one thread at a time; idle ones wait here rather than in their thread, so
        # a thread that ends leaves none open.
        self._idle: deque[sqlite3.Connection] = deque()
        # Threads queue here; SQLite's own waiting is a sleep with back-off, slow and unfair.
        self._writing = threading.Lock()
        self._writes = itertools.count(1)

    def put(self, key: str, value: bytes, *, ttl: float) -> None:
        """Keep `value` for `ttl` seconds, in place of whatever was there."""
        self._write(_PUT, key, value, self._until(ttl))

    def put_if_absent(self, key: str, value: bytes, *, ttl: float) -> bool:
        """Keep `value` unless a live one is there; True for the one caller who did."""
        return bool(self._write(_PUT_IF_ABSENT, key, value, self._until(ttl), self._clock()))

    def get(self, key: str) -> bytes | None:
        """Return the value, and leave it."""
        rows = self._run(_GET, key, self._clock())
        return rows[0][0] if rows else None

    def get_many(self, *keys: str) -> tuple[bytes | None, ...]:
        """Return the values of several keys in their order, as they were at one moment, and leave them."""
        found = dict(self._run(_GET_MANY.format(_marks(keys)), self._clock(), *keys)) if keys else {}
        return tuple(map(found.get, keys))

    def take(self, key: str) -> bytes | None:
        """Return the value and delete it in one step: of many callers one gets it."""
        rows = self._write(_TAKE, key)
        if not rows or rows[0][1] <= self._clock():
            return None
        value: bytes = rows[0][0]
        return value

    def increment(self, key: str, *, ttl: float) -> int:
        """Add one to a counter and return it; `ttl` counts from its birth and is not extended."""
        rows = self._write(_INCREMENT, key, self._until(ttl), self._clock())
        return int(rows[0][0])

    def give_back(self, key: str) -> None:
        """Take one from a counter that is there, and never below zero; its time is not extended."""
        self._write(_GIVE_BACK, key, self._clock())

    def remaining(self, key: str) -> float:
        """Return the seconds `key` has left, 0.0 if it is not there."""
        rows = self._run(_REMAINING, key)
        return max(0.0, rows[0][0] - self._clock()) if rows else 0.0

    def compare_and_set(self, key: str, old: bytes, new: bytes, *, ttl: float) -> bool:
        """Put `new` in the place of exactly `old`, for `ttl` seconds; False if anything else is there."""
        return bool(self._write(_COMPARE_AND_SET, new, self._until(ttl), key, old, self._clock()))

    def delete(self, *keys: str) -> None:
        """Forget these keys; the ones not there do not matter."""
        if keys:
            self._write(_DELETE.format(_marks(keys)), *keys)

    def publish(self, channel: str, message: bytes) -> None:
        """Tell everyone who is subscribed to `channel` now."""
        self._write(_PUBLISH, channel, message, self._until(_MESSAGE_SECONDS))

    @contextmanager
    def subscribe(self, channel: str) -> Iterator[_SqlSubscription]:
        """Open an ear on `channel`: once entered, no later message is missed."""
        yield _SqlSubscription(self._run, channel, self._clock)

    def ping(self) -> None:
        """Return if the store answers, else raise StoreUnavailable."""
        self._run("SELECT 1 FROM facts LIMIT 1")

    def purge(self) -> int:
        """Drop what has expired, and return how many rows went."""
        with self._writing:
            return sum(len(self._run(statement, self._clock())) for statement in _PURGE)

    def close(self) -> None:
        """Let go of the idle connections; the store can be used again afterwards."""
        while self._idle:
            self._idle.pop().close()

    def _until(self, ttl: float) -> float:
        if ttl <= 0:
            raise ValueError("a ttl is above zero")
        return self._clock() + ttl

    def _write(self, statement: str, *values: _Value) -> list[Any]:
        if next(self._writes) % _PURGE_EVERY == 0:
            self.purge()
        with self._writing:
            return self._run(statement, *values)

    def _run(self, statement: str, *values: _Value) -> list[Any]:
        """Run one statement and return its rows; what it wrote is committed then."""
        with _outages():
            connection = self._borrow()
            try:
                # All rows are fetched because the statement commits only when it is run to its end.
                rows = connection.execute(statement, values).fetchall()
            except BaseException:
                connection.close()
                raise
            self._idle.append(connection)
            return rows

    def _borrow(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return self._open()

    def _open(self) -> sqlite3.Connection:
        _make_file(self._path)
        connection = sqlite3.connect(
            self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            _turn_to_wal(connection)
            for statement in _SCHEMA:
                connection.execute(statement)
        except BaseException:
            connection.close()
            raise
        return connection


def _marks(keys: tuple[str, ...]) -> str:
    """A placeholder for each key."""
    return ", ".join("?" * len(keys))


def _make_file(path: Path) -> None:
    """Make the file if it is missing; codes stand in it in clear, and -wal and -shm take over its mode."""
    # An existing file must not be opened here: closing any descriptor of it would drop the locks SQLite
    # holds for the whole process (POSIX advisory locks).
    with _making_a_file, suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _turn_to_wal(connection: sqlite3.Connection) -> None:
    """Set the journal mode, which SQLite's busy timeout does not cover while others open the new file."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_FIRST_PAUSE)
        else:
            return


class _SqlSubscription:
    """Looks for rows newer than the last one it saw, ever less often until `_LONGEST_PAUSE`."""

    def __init__(self, run: Callable[..., list[Any]], channel: str, clock: Callable[[], float]) -> None:
        self._run = run
        self._channel = channel
        self._clock = clock
        self._last: int = run(_LAST_MESSAGE)[0][0]

    def next(self, seconds: float) -> bytes | None:
        """Return the next message, waiting at most `seconds`."""
        deadline = time.monotonic() + seconds
        pause = _FIRST_PAUSE
        while True:
            if rows := self._run(_NEXT_MESSAGE, self._channel, self._last, self._clock()):
                self._last, body = rows[0]
                return bytes(body)
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
