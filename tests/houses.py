"""An installation that stands as long as its worker, so that a test need not build one.

To migrate a database, wire an application, connect and compile SQL takes ten times as long as what most
tests do with them. So a worker builds one house on each pair of storage; each test moves into it empty,
as if nobody had lived there: no row, no key in the store, no file, and nothing that a process remembers.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from flask import Flask
from sqlalchemy import event, insert, select
from sqlalchemy.orm import Session

from idp import migrations
from idp.access.keys import KeyRing, SigningKey, ensure_keys
from idp.accounts.passwords import PasswordHasher
from idp.adapters.ephemeral import EphemeralStore
from idp.adapters.ephemeral.redis import RedisEphemeralStore
from idp.adapters.ephemeral.sql import SqlEphemeralStore
from idp.app import Backends, create_app, open_backends, wire
from idp.config import Settings
from idp.db import Base, Database
from idp.proof.polls import Polls
from idp.web.platform import Platform
from tests.world import World

PLATFORM, SERVER, POLLS = "idp-platform", "oauth-server", "idp-scan-polls"
"""What an application keeps of its users, by its name among `app.extensions`; made anew for each test."""
OF_ALL_TESTS = frozenset(
    {
        "csrf",
        "idp-errors-frames",
        "idp-errors-to-programs",
        "idp-known-browser",
        "idp-shown-for",
        "idp-upload-doors",
        "oauth-discovery",
    }
)
"""What it makes once of its settings. What is in neither list, because a view put it there, is forgotten."""
_UNLINK = "for _, key in ipairs(redis.call('KEYS', ARGV[1])) do redis.call('UNLINK', key) end"


class House:
    """One worker's installation where `settings` say; its directory and its prefix are nobody else's."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        prepare(settings)
        self._backends = open_backends(settings)
        self._app = create_app(settings)
        unknown = self._app.extensions.keys() ^ (OF_ALL_TESTS | {PLATFORM, SERVER, POLLS})
        assert not unknown, f"say in tests/houses.py whether this remembers anything: {unknown}"
        first: Platform = self._app.extensions[PLATFORM]
        # The application has connections of its own, as it has beside a command.
        self._wired = Backends(first.database, first.store, first.vault, first.trail)
        self._hasher = first.hasher
        # As it is again when a test has ended (`empty`).
        self._ring = first.key_source.current()
        for database in (self._backends.database, first.database):
            _wait_for_no_disk(database)
        with self._backends.begin() as db:
            self._keys = [dict(row) for row in db.execute(select(SigningKey.__table__)).mappings()]
            self._keys_as_stored = _keys_as_stored(db)
        self._hashed: dict[str, str] = {}
        self._annexes: dict[tuple[Any, ...], _Annex] = {}
        asked = (
            f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {table})"  # noqa: S608 - our own names
            for table in reversed(Base.metadata.sorted_tables)
        )
        self._which_have_rows = " UNION ALL ".join(asked)

    def empty(self) -> None:
        """Leave storage as it was when the house was built."""
        _forget(self._backends.store)
        with self._backends.database.begin() as db:
            run = db.connection().exec_driver_sql
            left = [table for (table,) in run(self._which_have_rows)]
            # The signing keys are most of what there is to write, and few tests touch them.
            if untouched := _keys_as_stored(db) == self._keys_as_stored:
                left.remove(SigningKey.__tablename__)
            # A table of a few rows is emptied sooner by a DELETE than by TRUNCATE, which makes new files.
            for table in left:
                run(f"DELETE FROM {table}")  # noqa: S608 - our own names
            if not untouched:
                db.execute(insert(SigningKey), self._keys)
        for path in self.settings.var_dir.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif not path.name.startswith(("idp.db", "ephemeral.db")):
                path.unlink()

    def world(self) -> World:
        """The application of a process that has just begun."""
        _begin_anew(self._app, self.settings, self._wired, self._hasher, self._ring)
        return World(self._app, self._backends, self.settings, self._hashed, self.annex)

    def annex(self, **changed: Any) -> World:
        """Another application on the same connections, with other settings; it has just begun, too."""
        key = tuple(sorted(changed.items()))
        if key not in self._annexes:
            self._annexes[key] = _Annex(self.settings, changed)
        annex = self._annexes[key]
        annex.app.jinja_env.bytecode_cache = self._app.jinja_env.bytecode_cache
        _begin_anew(annex.app, annex.settings, self._wired, annex.hasher, self._ring)
        further = partial(self.annex, **changed)
        return World(annex.app, self._backends, annex.settings, annex.hashed, further)

    def close(self) -> None:
        """Leave no key behind, and give every connection back."""
        _forget(self._backends.store)
        self._wired.close()
        self._backends.close()


class _Annex:
    """An application beside that of a house, which stands as long."""

    def __init__(self, beside: Settings, changed: dict[str, Any]) -> None:
        self.settings = replace(beside, **changed)
        self.app = create_app(self.settings)
        self.hashed: dict[str, str] = {}
        opened: Platform = self.app.extensions[PLATFORM]
        self.hasher = opened.hasher
        # It works with the connections of the house.
        opened.database.close()
        opened.store.close()


def _begin_anew(
    app: Flask, settings: Settings, wired: Backends, hasher: PasswordHasher, ring: KeyRing
) -> None:
    made = app.extensions
    platform, server = wire(settings, wired, hasher, ring), made[SERVER]
    server.clients = platform.clients
    anew = {PLATFORM: platform, SERVER: server, POLLS: Polls()}
    app.extensions = {name: made[name] for name in OF_ALL_TESTS & made.keys()} | anew


def prepare(settings: Settings) -> None:
    """Migrate a database and make its signing keys."""
    migrations.upgrade(settings.effective_database_url())
    backends = open_backends(settings)
    with backends.database.begin() as db:
        ensure_keys(db, backends.vault, now=datetime.now(UTC))
    backends.close()


def _keys_as_stored(db: Session) -> list[tuple[Any, ...]]:
    asked = f"SELECT * FROM {SigningKey.__tablename__} ORDER BY id"  # noqa: S608 - our own name
    return [tuple(row) for row in db.connection().exec_driver_sql(asked)]


def _forget(store: EphemeralStore) -> None:
    if isinstance(store, SqlEphemeralStore):
        for table in ("facts", "messages"):
            store._run(f"DELETE FROM {table}")  # noqa: S608 - our own names
    elif isinstance(store, RedisEphemeralStore):
        store._ask("EVAL", _UNLINK, 0, store._name("*"))


def _wait_for_no_disk(database: Database) -> None:
    """Let SQLite answer before the disk has what it wrote: nothing of a test outlives its machine."""

    def hurry(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous = OFF")

    if database.engine.dialect.name == "sqlite":
        # A connection that was opened before would go on waiting.
        database.close()
        event.listen(database.engine, "connect", hurry)
