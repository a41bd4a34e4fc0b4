"""The services the tests stand on are what `services.py` promises."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from redis import Redis

from tests import services

ROOT = Path(__file__).resolve().parent.parent


def run_inner(tmp_path: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """One test that needs Redis, in a pytest of its own that knows nothing of the one around it."""
    around = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["tests.services"]')
    (tmp_path / "test_inner.py").write_text("def test_needs_redis(redis_prefix): pass")
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", str(tmp_path), *options]
    return subprocess.run(
        [*command, "--rootdir", str(tmp_path), "-c", os.devnull],
        cwd=ROOT,
        env={**around, **environment},
        capture_output=True,
        text=True,
        timeout=300,  # a whole pytest of its own, on a machine that may be busy
        check=False,
    )


def test_the_database_is_empty_and_ours(postgres_url: str) -> None:
    with services.database(postgres_url) as url, psycopg.connect(url) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        name, encoding = connection.execute(
            "SELECT current_database(), pg_encoding_to_char(encoding) FROM pg_database"
            " WHERE datname = current_database()"
        ).fetchone() or ("", "")
    assert tables == (0,)
    assert name.startswith("idp_test_")
    assert encoding == "UTF8"


def test_a_database_is_gone_afterwards_although_somebody_is_connected(postgres_url: str) -> None:
    with services.database(postgres_url) as url:
        late = psycopg.connect(url)
    with pytest.raises(psycopg.OperationalError):
        late.execute("SELECT 1")
    late.close()
    assert "does not exist" in services.postgres_trouble(url)


def test_a_cluster_of_our_own_serves_and_is_gone_afterwards() -> None:
    try:
        with services.own_postgresql("asked for") as url:
            assert services.postgres_trouble(url) == ""
            with services.database(url) as inner:
                assert services.postgres_trouble(inner) == ""
    except services.ServiceMissing as missing:
        services.give_up(str(missing))
    assert services.postgres_trouble(url) != ""


def test_a_redis_of_our_own_serves_and_is_gone_afterwards() -> None:
    try:
        with services.own_redis("asked for") as url:
            assert services.redis_trouble(url) == ""
    except services.ServiceMissing as missing:
        services.give_up(str(missing))
    assert services.redis_trouble(url) != ""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://me@there:5432/postgres", "postgresql://me@there:5432/new"),
        ("postgresql://me:secret@there/?sslmode=require", "postgresql://me:secret@there/new?sslmode=require"),
        ("postgresql://me@there", "postgresql://me@there/new"),
        ("postgresql://me@/postgres?host=/run/pg", "postgresql://me@/new?host=/run/pg"),
    ],
)
def test_only_the_name_of_the_database_changes(url: str, expected: str) -> None:
    assert services.with_database(url, "new") == expected


@pytest.mark.parametrize(
    ("there", "named", "taken"),
    [
        (["chromium", "chromium-headless-shell"], "", "chromium-headless-shell"),
        (["chromium-browser", "chromium"], "", "chromium"),
        (["chromium-browser"], "", "chromium-browser"),
        (["chromium", "chromium-headless-shell", "another"], "another", "another"),
    ],
)
def test_the_chromium_without_windows_is_taken_unless_another_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: list[str], named: str, taken: str
) -> None:
    for name in there:
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TEST_CHROMIUM", str(tmp_path / named) if named else "")
    with services.chromium() as (path, where):
        assert path == str(tmp_path / taken)
    assert where == f"at {path}"


@pytest.mark.parametrize("named", ["", "/nowhere/chromium"])
def test_without_a_chromium_one_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TEST_CHROMIUM", named)
    with pytest.raises(services.ServiceMissing, match="make services"), services.chromium():
        pass


def test_keys_of_a_test_do_not_outlive_it(redis_url: str, tmp_path: Path) -> None:
    (tmp_path / "test_leaves.py").write_text(
        "from redis import Redis\n"
        "def test_leaves(redis_url, redis_prefix):\n"
        "    Redis.from_url(redis_url).set(redis_prefix + 'left', 1)\n"
        "    print('prefix', redis_prefix)\n"
    )
    done = run_inner(tmp_path, "-s", TEST_REDIS_URL=redis_url)
    prefix = done.stdout.partition("prefix ")[2].split()[0]
    assert "2 passed" in done.stdout
    with Redis.from_url(redis_url) as client:
        assert list(client.scan_iter(match=f"{prefix}*")) == []


def test_a_missing_service_skips_and_says_why(tmp_path: Path) -> None:
    nobody = f"redis://127.0.0.1:{services.free_port()}/0"
    done = run_inner(tmp_path, "-n", "2", TEST_REDIS_URL=nobody, REQUIRE_SERVICES="0")
    assert done.returncode == 0
    assert "1 skipped" in done.stdout
    assert "Redis: skipped, TEST_REDIS_URL does not answer" in done.stdout


def test_a_missing_service_fails_where_services_were_promised(tmp_path: Path) -> None:
    nobody = f"redis://127.0.0.1:{services.free_port()}/0"
    done = run_inner(tmp_path, TEST_REDIS_URL=nobody, REQUIRE_SERVICES="1")
    assert done.returncode == 1
    assert "REQUIRE_SERVICES=1, but Redis: TEST_REDIS_URL does not answer" in done.stdout
