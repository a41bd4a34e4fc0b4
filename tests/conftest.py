"""What every test can ask for.

`world` is one installation on real storage; a test that asks for it runs twice: on SQLite with the
SQL store, and on PostgreSQL with Redis. Each worker migrates a database once and empties it between
tests; the signing keys become what they were, because making them is slow.
"""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import CodeType
from typing import Any, ClassVar

import pytest
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from sqlalchemy import insert, select, text
from werkzeug.routing import Rule

from idp import migrations
from idp.access.keys import SigningKey, ensure_keys
from idp.app import create_app, open_backends
from idp.config import Settings
from idp.db import Base
from tests.world import World

pytest_plugins = ["tests.services", "tests.running_demo"]


class CompiledTemplates(BytecodeCache):
    """Templates compiled by one application of this worker, for all that come after it."""

    def __init__(self) -> None:
        self._code: dict[str, CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get(bucket.key + bucket.checksum)

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._code[bucket.key + bucket.checksum] = bucket.code


class CompiledRule(Rule):
    """A route whose builder was compiled for an earlier application of this worker, if there was one."""

    _made: ClassVar[dict[tuple[Any, ...], Callable[..., tuple[str, str]]]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        key = (self.rule, self.subdomain, append_unknown, *sorted((self.defaults or {}).items()))
        if key not in self._made:
            self._made[key] = super()._compile_builder(append_unknown)
        return self._made[key]


COMPILED = CompiledTemplates()
Flask.url_rule_class = CompiledRule
SECRETS = {
    "secret_key": "a test's secret key: 0123456789 abcdefghijklmnop",
    "data_keys": "1:" + base64.b64encode(bytes(range(32))).decode(),
    "metrics_token": "metrics-token-of-the-tests",
}
QUICK = {"argon2_memory_kib": 8192, "argon2_time": 1}


def make_settings(**given: Any) -> Settings:
    """Settings of a production installation on loopback, with quick password hashes."""
    return Settings(**{**SECRETS, **QUICK, **given})


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database with signing keys, to be copied for each test."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    _prepare(f"sqlite:///{path}", path.parent)
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """This worker's PostgreSQL database, migrated, with signing keys."""
    _prepare(postgres_url, tmp_path_factory.mktemp("postgres"))
    return postgres_url


@pytest.fixture(scope="session")
def first_keys(migrated_postgres: str, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The signing keys of this worker's PostgreSQL database, before any test changed them."""
    backends = open_backends(
        make_settings(database_url=migrated_postgres, var_dir=tmp_path_factory.mktemp("keys"))
    )
    with backends.database.begin() as db:
        rows = [dict(row) for row in db.execute(select(SigningKey.__table__)).mappings()]
    backends.close()
    return rows


@pytest.fixture(params=["sqlite", "postgres"])
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """Settings of an empty installation on one of the two pairs of storage."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        shutil.copy(template, tmp_path / "idp.db")
        return {"database_url": f"sqlite:///{tmp_path / 'idp.db'}", "var_dir": tmp_path}
    url: str = request.getfixturevalue("migrated_postgres")
    redis_url: str = request.getfixturevalue("redis_url")
    prefix: str = request.getfixturevalue("redis_prefix")
    _empty(url, tmp_path, request.getfixturevalue("first_keys"))
    return {"database_url": url, "redis_url": redis_url, "redis_prefix": prefix, "var_dir": tmp_path}


@pytest.fixture
def world(installation: dict[str, Any]) -> Iterator[World]:
    """One installation, its application, and the means to put people into it."""
    settings = make_settings(**installation)
    backends = open_backends(settings)
    app = create_app(settings)
    app.jinja_env.bytecode_cache = COMPILED
    made = World(app, backends, settings)
    yield made
    made.platform.database.close()
    made.platform.store.close()
    backends.close()


def _prepare(url: str, var_dir: Path) -> None:
    migrations.upgrade(url)
    backends = open_backends(make_settings(database_url=url, var_dir=var_dir))
    with backends.database.begin() as db:
        ensure_keys(db, backends.vault, now=datetime.now(UTC))
    backends.close()


def _empty(url: str, var_dir: Path, keys: list[dict[str, Any]]) -> None:
    backends = open_backends(make_settings(database_url=url, var_dir=var_dir))
    with backends.database.begin() as db:
        # A table of a few rows is emptied sooner by a DELETE than by TRUNCATE, which makes new files.
        tables = reversed(Base.metadata.sorted_tables)
        db.execute(text("; ".join(f"DELETE FROM {table.name}" for table in tables)))  # noqa: S608 - our own names
        db.execute(insert(SigningKey), keys)
    backends.close()
