"""`idp db`, and what every command says of a database it cannot work on."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from idp import migrations
from idp.access.keys import ALGORITHMS
from idp.app import open_backends
from tests.cli.conftest import Command
from tests.conftest import make_settings
from tests.services import free_port

READING = [
    ("client", "list"),
    ("key", "list"),
    ("account", "show", "somebody"),
    ("audit", "verify"),
    ("worker", "--once"),
    ("serve",),
]


def write(idp: Command, statement: str) -> None:
    """One statement behind the program's back."""
    backends = open_backends(idp.settings)
    with backends.database.begin() as db:
        db.execute(text(statement))
    backends.close()


@pytest.fixture
def fresh(embedded: Command, tmp_path: Path) -> Command:
    """The command on a database that was never migrated."""
    embedded.settings = make_settings(database_url=f"sqlite:///{tmp_path / 'fresh.db'}", var_dir=tmp_path)
    return embedded


def test_an_empty_database_becomes_one_that_agrees_with_the_models(fresh: Command) -> None:
    told = fresh.does("db", "upgrade")
    assert told == {"before": None, "revision": migrations.head()}
    checked = fresh.does("db", "check")
    assert checked == {"revision": migrations.head(), "newest": migrations.head(), "differences": []}
    keys = {(key["alg"], key["state"]) for key in fresh.does("key", "list")}
    assert keys == {(alg, state) for alg in ALGORITHMS for state in ("active", "next")}


def test_upgrading_again_changes_nothing(idp: Command) -> None:
    keys = idp.does("key", "list")
    assert idp.does("db", "upgrade")["before"] == migrations.head()
    assert idp.does("key", "list") == keys
    assert idp.does("db", "check")["differences"] == []


@pytest.mark.parametrize("command", READING, ids=" ".join)
def test_a_database_never_migrated_says_what_to_run(fresh: Command, command: tuple[str, ...]) -> None:
    assert "idp db upgrade" in fresh.refuses(*command)


def test_a_check_of_an_empty_database_fails(fresh: Command) -> None:
    answer = fresh("db", "check")
    assert answer.code == 1
    assert "idp db upgrade" in answer.err


def test_a_column_that_is_missing_is_found(embedded: Command) -> None:
    write(embedded, "ALTER TABLE outbox DROP COLUMN last_error")
    answer = embedded("db", "check", "--json")
    assert answer.code == 1
    assert "last_error" in str(answer.json["differences"])


def test_a_database_ahead_of_this_program_is_still_served(embedded: Command) -> None:
    write(embedded, "UPDATE alembic_version SET version_num = '9999'")
    assert embedded.does("client", "list") == []


@pytest.mark.parametrize("command", [*READING, ("db", "upgrade"), ("db", "check")], ids=" ".join)
def test_a_database_that_does_not_answer_is_an_outage(embedded: Command, command: tuple[str, ...]) -> None:
    answer = embedded(*command, IDP_DATABASE_URL=f"postgresql://postgres@127.0.0.1:{free_port()}/idp")
    assert (answer.code, answer.out) == (1, "")
    assert "database does not answer" in answer.err
    assert "Traceback" not in answer.err


def test_a_store_that_does_not_answer_is_an_outage(embedded: Command) -> None:
    answer = embedded("serve", IDP_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    assert answer.code == 1
    assert "Redis does not answer" in answer.err


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"IDP_DATABASE_URL": "mysql://somewhere/idp"}, "IDP_DATABASE_URL"),
        ({"IDP_DATABASE_URL": "nonsense"}, "IDP_DATABASE_URL"),
        ({"IDP_DATABASE_URL": "postgresql://u:s3cret@host:port/idp"}, "IDP_DATABASE_URL"),
        ({"IDP_DATABASE_URL": ""}, "IDP_DATABASE_URL is required"),
        ({"IDP_REDIS_URL": "http://somewhere"}, "IDP_REDIS_URL"),
        ({"IDP_ISSUER": "http://idp.example"}, "IDP_ISSUER"),
        ({"IDP_SECRET_KEY": "short"}, "IDP_SECRET_KEY"),
        ({"IDP_DATA_KEYS": "1:short"}, "IDP_DATA_KEYS"),
        ({"IDP_MODE": "holiday"}, "IDP_MODE"),
        ({"IDP_TOKEN_LIFETIME": "soon"}, "IDP_TOKEN_LIFETIME"),
        ({"IDP_TRUSTED_PROXIES": "everybody"}, "IDP_TRUSTED_PROXIES"),
        ({"IDP_SECRET_KEY_FILE": "/nowhere/secret"}, "IDP_SECRET_KEY_FILE"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_named(embedded: Command, settings: dict[str, str], sentence: str) -> None:
    for command in (("client", "list"), ("serve",), ("worker", "--once")):
        error = embedded.refuses(*command, **settings)
        assert sentence in error
        assert "s3cret" not in error


def test_the_keys_of_another_installation_are_said_to_be_wrong(embedded: Command) -> None:
    other = "1:" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="
    assert "IDP_DATA_KEYS" in embedded.refuses("serve", IDP_DATA_KEYS=other)
