"""Schema changes, one numbered sentence each, for SQLite and PostgreSQL alike.

``upgrade`` brings a database to the newest schema, ``differences`` compares it with the models.
Each change stays compatible with the version still running; data and schema move apart.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.pool import NullPool

from idp.migrations.tables import metadata

_DEMO = int.from_bytes(b"demo", "big")


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` to `revision`."""
    engine = _engine(url)
    with engine.begin() as connection:
        command.upgrade(_config(connection), revision)


def downgrade(url: str, revision: str) -> None:
    """Take the database back to `revision` ("base" empties it)."""
    engine = _engine(url)
    with engine.begin() as connection:
        command.downgrade(_config(connection), revision)


def differences(url: str) -> list[Any]:
    """What the models say and the database does not have, or the other way round; empty when they agree."""
    with _engine(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        return list(compare_metadata(context, metadata))


def current(url: str) -> str | None:
    """The revision the database is at."""
    with _engine(url).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str | None:
    """The newest revision."""
    return _scripts().get_current_head()


def revision_of(connection: Connection) -> str | None:
    """The revision a connected database is at, None if it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def is_behind(revision: str | None) -> bool:
    """Whether a database at `revision` is older than this program; one it does not know is newer."""
    try:
        return revision is None or (revision != head() and _scripts().get_revision(revision) is not None)
    except CommandError:
        return False


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(Path(__file__).parent))


def mark_demo(url: str) -> None:
    """Write into an SQLite file that a demo's invented world lives in it (PRAGMA application_id)."""
    with _engine(url).connect() as connection:
        connection.exec_driver_sql(f"PRAGMA application_id = {_DEMO}")


def is_demo(url: str) -> bool:
    """Whether the database at `url` was made by a demo; a demo is always SQLite."""
    engine = _engine(url)
    if engine.dialect.name != "sqlite":
        return False
    with engine.connect() as connection:
        return connection.exec_driver_sql("PRAGMA application_id").scalar() == _DEMO


def _engine(url: str) -> Engine:
    # A plain engine: a migration is one ordinary transaction, not one that opens at its first write.
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return create_engine(parsed, poolclass=NullPool)


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    return config
