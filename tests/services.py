"""The real services behind the tests: PostgreSQL, Redis, Chromium and Node, found, started or missed aloud.

A test asks for a fixture (`postgres_url`, `redis_url` with `redis_prefix`, `chromium_path`, `node_path`).
The service is looked for when the first test of a worker asks, in this order: the address in the
environment (`TEST_POSTGRES_URL`, `TEST_REDIS_URL`), the usual loopback port, a throw-away server of our own.
Where there is none the test is skipped with the reason, or fails when `REQUIRE_SERVICES=1`.
The last lines of a run say which services were used and which were missed.

Loaded as a plugin by `conftest.py`; nothing is kept in this module, so workers never meet.
"""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest
from psycopg import sql
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

POSTGRES_URL = "postgresql://postgres@127.0.0.1:5432/postgres"
# Not database 0: that is where somebody's running demo lives.
REDIS_URL = "redis://127.0.0.1:6379/9"
CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser")
CONNECT_SECONDS = 3
START_SECONDS = 60
USED = pytest.StashKey[dict[str, str]]()


class ServiceMissing(Exception):
    """A service is neither there nor can be started; the sentence says why and what to do."""


# ---- PostgreSQL --------------------------------------------------------------------------------------------


@contextmanager
def postgresql() -> Iterator[tuple[str, str]]:
    """An administrator's URL of a PostgreSQL server, and in words where it is.

    Raises ServiceMissing.
    """
    if given := os.environ.get("TEST_POSTGRES_URL"):
        if reason := postgres_trouble(given):
            raise ServiceMissing(f"TEST_POSTGRES_URL does not answer: {reason}")
        yield given, "from TEST_POSTGRES_URL"
    elif not (reason := postgres_trouble(POSTGRES_URL)):
        yield POSTGRES_URL, "at 127.0.0.1:5432"
    else:
        with own_postgresql(reason) as url:
            yield url, "started for this run"


def postgres_trouble(url: str) -> str:
    """Why nobody can work on the server at `url`, or an empty string."""
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_SECONDS) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        return str(error).strip().splitlines()[0]
    return ""


@contextmanager
def own_postgresql(because: str) -> Iterator[str]:
    """A throw-away cluster on a free port; it never waits for a disk. Raises ServiceMissing."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    if not programs:
        raise ServiceMissing(
            f"none at 127.0.0.1:5432 ({because}) and none installed; run `make services` as root"
        )
    bin_dir, port = programs[-1].parent, free_port()
    with postgres_home() as (home, prefix):
        data = home / "data"
        pg_ctl = [*prefix, str(bin_dir / "pg_ctl"), "-D", str(data), "-w", "-t", str(START_SECONDS)]
        options = (
            f"-c listen_addresses=127.0.0.1 -p {port} -k {home} -c fsync=off "
            "-c synchronous_commit=off -c full_page_writes=off"
        )
        initdb = [str(bin_dir / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "--no-sync"]
        run([*prefix, *initdb, "-E", "UTF8", "--locale=C"], home)
        run([*pg_ctl, "-l", str(home / "log"), "-o", options, "start"], home)
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            run([*pg_ctl, "-m", "immediate", "stop"], home)


@contextmanager
def postgres_home() -> Iterator[tuple[Path, list[str]]]:
    """A temporary directory for a cluster, and what to put before its commands: PostgreSQL refuses root.

    Raises ServiceMissing.
    """
    with tempfile.TemporaryDirectory(prefix="idp-postgres-") as name:
        if os.geteuid() != 0:
            yield Path(name), []
            return
        try:
            owner = pwd.getpwnam("postgres")
        except KeyError:
            raise ServiceMissing(
                "PostgreSQL does not run as root, and there is no user postgres to run it as"
            ) from None
        os.chown(name, owner.pw_uid, owner.pw_gid)
        yield Path(name), ["runuser", "-u", "postgres", "--"]


def run(command: list[str], home: Path) -> None:
    """Run one step of a server's life in its own directory. Raises ServiceMissing with its last words."""
    done = subprocess.run(
        command, cwd=home, capture_output=True, text=True, timeout=2 * START_SECONDS, check=False
    )
    if done.returncode != 0:
        raise ServiceMissing(f"{command[-1]} failed: {(done.stderr or done.stdout).strip()[-300:]}")


@contextmanager
def database(server_url: str) -> Iterator[str]:
    """A fresh, empty database on the server, gone at the end even if somebody is still connected."""
    name = f"idp_test_{secrets.token_hex(6)}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name))
    drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute(create)
        # Nothing of a test outlives its server.
        admin.execute(sql.SQL("ALTER DATABASE {} SET synchronous_commit TO off").format(sql.Identifier(name)))
        try:
            yield with_database(server_url, name)
        finally:
            admin.execute(drop)


def with_database(url: str, name: str) -> str:
    """The URL of another database on the same server; the query part (sslmode, host) stays."""
    address, question, query = url.partition("?")
    scheme, _, rest = address.partition("://")
    authority, _, _ = rest.partition("/")
    return f"{scheme}://{authority}/{name}{question}{query}"


# ---- Redis -------------------------------------------------------------------------------------------------


@contextmanager
def redis_server() -> Iterator[tuple[str, str]]:
    """The URL of a Redis server, and in words where it is. Raises ServiceMissing."""
    if given := os.environ.get("TEST_REDIS_URL"):
        if reason := redis_trouble(given):
            raise ServiceMissing(f"TEST_REDIS_URL does not answer: {reason}")
        yield given, "from TEST_REDIS_URL"
    elif not (reason := redis_trouble(REDIS_URL)):
        yield REDIS_URL, "at 127.0.0.1:6379"
    else:
        with own_redis(reason) as url:
            yield url, "started for this run"


def redis_trouble(url: str, retry: Retry | None = None) -> str:
    """Why nobody can work on the server at `url`, or an empty string."""
    try:
        with Redis.from_url(url, socket_connect_timeout=CONNECT_SECONDS, retry=retry) as client:
            client.ping()
    except RedisError as error:
        return str(error)
    return ""


@contextmanager
def own_redis(because: str) -> Iterator[str]:
    """A throw-away Redis on a free port that writes nothing to disk. Raises ServiceMissing."""
    if shutil.which("redis-server") is None:
        raise ServiceMissing(
            f"none at 127.0.0.1:6379 ({because}) and none installed; run `make services` as root"
        )
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="idp-redis-") as home:
        url = f"redis://127.0.0.1:{port}/0"
        with start_redis(url, Path(home), port=port) as process:
            try:
                yield url
            finally:
                process.terminate()


def start_redis(url: str, home: Path, **options: object) -> subprocess.Popen[bytes]:
    """A Redis of our own that answers at `url` and keeps nothing; `options` are its directives.

    Raises ServiceMissing.
    """
    program = shutil.which("redis-server")
    if program is None:
        raise ServiceMissing("Redis: none installed; run `make services` as root")
    directives = {"bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": home, **options}
    words = [
        word for name, value in directives.items() for word in (f"--{name.replace('_', '-')}", str(value))
    ]
    process = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL)
    if reason := redis_trouble(url, Retry(ConstantBackoff(0.05), START_SECONDS * 20)):
        process.kill()
        process.wait()
        raise ServiceMissing(f"redis-server was started and does not answer: {reason}")
    return process


def free_port() -> int:
    """A loopback port that nobody listens on at this moment.

    Below the range from which the system gives ports to connections, so that none takes it meanwhile.
    """
    while True:
        port = 12_000 + secrets.randbelow(20_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


# ---- programs ----------------------------------------------------------------------------------------------


@contextmanager
def chromium() -> Iterator[tuple[str, str]]:
    """The path of Debian's Chromium, which Playwright drives, and in words where it is.

    The one without windows is preferred: it has no address bar and no menus, so it takes far less.

    Raises ServiceMissing.
    """
    given = os.environ.get("TEST_CHROMIUM")
    path = given or next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if path is None or not Path(path).exists():
        raise ServiceMissing("no chromium on PATH; run `make services` as root, or name one in TEST_CHROMIUM")
    yield path, f"at {path}"


@contextmanager
def node() -> Iterator[tuple[str, str]]:
    """The path of Node with openid-client fetched beside its driver, and the same in words.

    Raises ServiceMissing.
    """
    path = shutil.which("node")
    if path is None:
        raise ServiceMissing("no node on PATH; run `make services` as root")
    if not (Path(__file__).parent / "openid_client/node_modules/openid-client").is_dir():
        raise ServiceMissing("openid-client is not fetched; run `make services`")
    yield path, f"at {path}"


# ---- fixtures ----------------------------------------------------------------------------------------------

Finder = Callable[[], AbstractContextManager[tuple[str, str]]]


def give_up(reason: str) -> NoReturn:
    """Skip the test, or fail it where the services were promised."""
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"REQUIRE_SERVICES=1, but {reason}", pytrace=False)
    pytest.skip(reason)


@contextmanager
def found(config: pytest.Config, name: str, find: Finder) -> Iterator[str]:
    """What `find` finds, noted for the end of the run; without it the test is skipped or fails."""
    with ExitStack() as stack:
        try:
            address, where = stack.enter_context(find())
        except ServiceMissing as missing:
            config.stash[USED][name] = f"skipped, {missing}"
            give_up(f"{name}: {missing}")
        config.stash[USED][name] = f"used, {where}"
        yield address


@pytest.fixture(scope="session")
def postgres_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """A database of this worker alone, empty when the session begins, dropped at its end."""
    with found(pytestconfig, "PostgreSQL", postgresql) as server_url, database(server_url) as url:
        yield url


@pytest.fixture(scope="session")
def redis_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """A Redis that other workers use too: keep to `redis_prefix`."""
    with found(pytestconfig, "Redis", redis_server) as url:
        yield url


@pytest.fixture
def redis_prefix(redis_url: str) -> Iterator[str]:
    """What every key of this test begins with; what it leaves behind is deleted."""
    prefix = f"test:{secrets.token_hex(8)}:"
    yield prefix
    with Redis.from_url(redis_url) as client:
        for key in client.scan_iter(match=f"{prefix}*", count=1000):
            client.delete(key)


@pytest.fixture(scope="session")
def chromium_path(pytestconfig: pytest.Config) -> Iterator[str]:
    """The browser for Playwright's `executable_path`."""
    with found(pytestconfig, "Chromium", chromium) as path:
        yield path


@pytest.fixture(scope="session")
def node_path(pytestconfig: pytest.Config) -> Iterator[str]:
    """Node, with the packages of tests/openid_client beside it."""
    with found(pytestconfig, "Node with openid-client", node) as path:
        yield path


# ---- what the end of a run says ----------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """Begin the notes of this process."""
    config.stash[USED] = {}


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand a worker's notes to the process that talks to the terminal."""
    with suppress(AttributeError):  # the attribute exists in a worker of xdist only
        session.config.workeroutput["services"] = session.config.stash[USED]  # type: ignore[attr-defined]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over a worker's notes; one that died hands over none."""
    node.config.stash[USED].update(getattr(node, "workeroutput", {}).get("services", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say which services the tests that ran have used, and which they have missed and why."""
    noted = config.stash[USED]
    if not noted:
        return
    terminalreporter.section("services")
    for name, line in sorted(noted.items()):
        terminalreporter.line(f"{name}: {line}")
