"""An installation of this run alone: PostgreSQL and Redis where found, SQLite where not.

The servers are found as the tests find them (`tests.services`). Database, keys in the store and
files are gone when the benchmark ends.
"""

from __future__ import annotations

import base64
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from redis import Redis

from idp import migrations
from idp.access.keys import ensure_keys
from idp.app import Backends, open_backends
from idp.config import Settings
from tests.services import ServiceMissing, database, free_port, postgresql, redis_server


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings and open storage of one installation; `storage` says in words what it stands on."""

    settings: Settings
    backends: Backends
    storage: str

    @property
    def on_postgres(self) -> bool:
        """Whether it stands on PostgreSQL."""
        return self.settings.database_url.startswith("postgresql")


@contextmanager
def installation(**given: Any) -> Iterator[Installation]:
    """A migrated, empty installation with signing keys; `given` are settings."""
    with ExitStack() as stack:
        var = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="idp-bench-")))
        database_url, where = _database(stack, var)
        redis_url, prefix, kept = _store(stack)
        settings = Settings(
            issuer=f"http://localhost:{free_port()}",
            database_url=database_url,
            redis_url=redis_url,
            redis_prefix=prefix,
            var_dir=var,
            secret_key=secrets.token_urlsafe(48),
            data_keys="1:" + base64.b64encode(secrets.token_bytes(32)).decode(),
            **given,
        )
        migrations.upgrade(database_url)
        backends = open_backends(settings)
        stack.callback(backends.close)
        with backends.database.begin() as db:
            ensure_keys(db, backends.vault, now=datetime.now(UTC))
        yield Installation(settings, backends, f"{where}, {kept}")


def _database(stack: ExitStack, var: Path) -> tuple[str, str]:
    try:
        server, _where = stack.enter_context(postgresql())
    except ServiceMissing as missing:
        return f"sqlite:///{var / 'idp.db'}", f"SQLite, for want of PostgreSQL ({missing})"
    return stack.enter_context(database(server)), "PostgreSQL"


def _store(stack: ExitStack) -> tuple[str, str, str]:
    try:
        url, _where = stack.enter_context(redis_server())
    except ServiceMissing as missing:
        return "", "idp:", f"SQL store, for want of Redis ({missing})"
    prefix = f"bench:{secrets.token_hex(8)}:"
    stack.callback(_forget, url, prefix)
    return url, prefix, "Redis"


def _forget(url: str, prefix: str) -> None:
    with Redis.from_url(url) as client:
        for key in client.scan_iter(match=f"{prefix}*", count=1000):
            client.delete(key)
