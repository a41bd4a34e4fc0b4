"""What every test can ask for.

`world` is one installation on real storage; a test that asks for it runs twice: on SQLite with the
SQL store, and on PostgreSQL with Redis. Each worker migrates a database once and empties it between
tests (see `houses`).
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import CodeType
from typing import Any, ClassVar

import pytest
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule

from idp.config import Settings
from tests.houses import House, prepare
from tests.quick import QuickSettings, collect_seldom, make_once
from tests.world import World

pytest_plugins = ["tests.services", "tests.running_demo", "tests.neighbours"]


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
make_once()
SECRETS = {
    "secret_key": "a test's secret key: 0123456789 abcdefghijklmnop",
    "data_keys": "1:" + base64.b64encode(bytes(range(32))).decode(),
    "metrics_token": "metrics-token-of-the-tests",
}
TURN_SECONDS = 10
"""Longer than nearly every test."""


def make_settings(**given: Any) -> Settings:
    """Settings of a production installation on loopback, with quick password hashes."""
    return QuickSettings(**{**SECRETS, **given})


def pytest_collection_finish() -> None:
    """Begin."""
    collect_seldom()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Let the turn of an hour pass between two tests: what is counted by the hour or the day begins anew."""
    left = 3600 - time.time() % 3600
    if left < TURN_SECONDS:
        time.sleep(left)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite database with signing keys, to be copied by tests that spoil theirs."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    prepare(make_settings(database_url=f"sqlite:///{path}", var_dir=path.parent))
    return path


@pytest.fixture(scope="session")
def sqlite_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """This worker's installation on SQLite with the SQL store."""
    home = tmp_path_factory.mktemp("sqlite_house")
    with closing(House(make_settings(database_url=f"sqlite:///{home / 'idp.db'}", var_dir=home))) as house:
        yield house


@pytest.fixture(scope="session")
def postgres_house(
    postgres_url: str, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """This worker's installation on PostgreSQL with Redis."""
    settings = make_settings(
        database_url=postgres_url,
        redis_url=redis_url,
        redis_prefix=f"test:{secrets.token_hex(8)}:",
        var_dir=tmp_path_factory.mktemp("postgres_house"),
    )
    with closing(House(settings)) as house:
        yield house


@pytest.fixture(params=["sqlite", "postgres"])
def installation(request: pytest.FixtureRequest) -> House:
    """An empty installation on one of the two pairs of storage."""
    found: House = request.getfixturevalue(f"{request.param}_house")
    found.empty()
    return found


@pytest.fixture
def world(installation: House) -> World:
    """One installation, its application, and the means to put people into it."""
    made = installation.world()
    made.app.jinja_env.bytecode_cache = COMPILED
    return made
