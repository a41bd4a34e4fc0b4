"""Ways to a Redis: by password, as a user, under TLS, by a socket; and what is said of a wrong address."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from redis.asyncio import Redis

from idp.adapters.ephemeral import StoreUnavailable
from idp.adapters.ephemeral.redis import RedisEphemeralStore
from idp.adapters.ephemeral.redis_address import parse_address
from idp.adapters.ephemeral.redis_lines import CommandRefused, LineBroken, Lines
from tests.services import ServiceMissing, free_port, give_up, start_redis

PASSWORD = "p:ss/w@rd"
QUOTED = "p%3Ass%2Fw%40rd"


@dataclass(frozen=True, slots=True)
class Guarded:
    """A Redis that wants a password, also reached under TLS and by a socket."""

    port: int
    tls_port: int
    socket: Path
    certificate: Path
    key: Path

    @property
    def plain(self) -> str:
        """By TCP, with the password."""
        return f"redis://:{QUOTED}@127.0.0.1:{self.port}"

    @property
    def secure(self) -> str:
        """Under TLS, by the name that its certificate bears."""
        return f"rediss://:{QUOTED}@localhost:{self.tls_port}"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    home = tmp_path_factory.mktemp("redis")
    there = Guarded(free_port(), free_port(), home / "s", home / "certificate.pem", home / "key.pem")
    certify(there)
    (home / "users").write_text(
        f"user default on >{PASSWORD} ~* &* +@all\n"
        f"user idp on >{PASSWORD} ~* &* +@all\n"
        "user free on nopass ~* &* +@all\n",
        encoding="utf-8",
    )
    try:
        server = start_redis(
            there.plain,
            home,
            port=there.port,
            aclfile=home / "users",
            unixsocket=there.socket,
            tls_port=there.tls_port,
            tls_cert_file=there.certificate,
            tls_key_file=there.key,
            tls_ca_cert_file=there.certificate,
            tls_auth_clients="no",
        )
    except ServiceMissing as missing:
        give_up(str(missing))
    with server:
        yield there
        server.terminate()


def certify(there: Guarded) -> None:
    """Give `there` a certificate of its own for localhost."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    there.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    there.key.write_bytes(key.private_bytes(*form))


WAYS: dict[str, Callable[[Guarded], str]] = {
    "a password": lambda there: there.plain,
    "a user": lambda there: f"redis://idp:{QUOTED}@127.0.0.1:{there.port}",
    "a user who has no password": lambda there: f"redis://free@127.0.0.1:{there.port}",
    "a socket": lambda there: f"unix://:{QUOTED}@{there.socket}",
    "a socket and a number": lambda there: f"unix://:{QUOTED}@{there.socket}?db=3",
    "a number": lambda there: f"{there.plain}/3?client_name=idp",
    "TLS": lambda there: f"{there.secure}/3?ssl_ca_certs={there.certificate}",
    "TLS that trusts everybody": lambda there: f"{there.secure}?ssl_cert_reqs=none",
    "TLS whatever the name": lambda there: (
        f"rediss://:{QUOTED}@127.0.0.1:{there.tls_port}?ssl_ca_certs={there.certificate}&ssl_check_hostname=false"
    ),
}


USERS = {"a user": "idp", "a user who has no password": "free"}


@pytest.mark.parametrize("way", WAYS)
def test_a_redis_is_reached_by(way: str, guarded: Guarded) -> None:
    with lines_to(WAYS[way](guarded)) as lines:
        assert lines.ask("ECHO", "一".encode()) == "一".encode()
        said = str(lines.ask("CLIENT", "INFO"))
    assert f"db={3 if 'number' in way or way == 'TLS' else 0}" in said
    assert f"user={USERS.get(way, 'default')}" in said


@pytest.mark.parametrize("way", WAYS)
def test_a_line_is_used_again_when_it_was_reached_by(way: str, guarded: Guarded) -> None:
    with lines_to(WAYS[way](guarded)) as lines:
        assert len({lines.ask("CLIENT", "ID") for _ in range(5)}) == 1


@pytest.mark.parametrize("way", ["a password", "a socket", "TLS"])
def test_a_line_that_redis_ended_is_replaced_when_it_was_reached_by(way: str, guarded: Guarded) -> None:
    with lines_to(WAYS[way](guarded)) as lines, lines_to(guarded.plain) as others:
        others.ask("CLIENT", "KILL", "ID", lines.ask("CLIENT", "ID"))
        assert lines.ask("ECHO", b"again") == b"again"


@pytest.mark.parametrize("way", ["a password", "a socket", "TLS"])
def test_a_message_is_heard_by_whoever_came_by(way: str, guarded: Guarded) -> None:
    store = RedisEphemeralStore(WAYS[way](guarded), prefix="heard:")
    with store.subscribe("ticket:1") as ear:
        assert ear.next(0) is None
        store.publish("ticket:1", b"scanned")
        assert ear.next(5) == b"scanned"
    store.close()


def test_an_answer_longer_than_one_read_comes_whole(guarded: Guarded) -> None:
    long = bytes(range(256)) * 4096
    for way in (WAYS["a password"], WAYS["TLS"]):
        with lines_to(way(guarded)) as lines:
            assert lines.ask("ECHO", long) == long


@pytest.mark.parametrize(
    ("url", "word"),
    [("redis://127.0.0.1:{port}", "NOAUTH"), ("redis://:wrong@127.0.0.1:{port}", "WRONGPASS")],
)
def test_without_the_password_the_store_says_what_redis_refuses(
    url: str, word: str, guarded: Guarded
) -> None:
    store = RedisEphemeralStore(url.format(port=guarded.port), prefix="locked:")
    with pytest.raises(StoreUnavailable, match=f"^Redis refuses: {word}$"):
        store.ping()
    with pytest.raises(StoreUnavailable), store.subscribe("ticket:1"):
        pass


def test_a_certificate_nobody_vouches_for_is_refused(guarded: Guarded) -> None:
    with lines_to(guarded.secure) as lines, pytest.raises(LineBroken):
        lines.ask("PING")


def test_a_certificate_for_another_name_is_refused(guarded: Guarded) -> None:
    url = f"rediss://:{QUOTED}@127.0.0.1:{guarded.tls_port}?ssl_ca_certs={guarded.certificate}"
    with lines_to(url) as lines, pytest.raises(LineBroken):
        lines.ask("PING")


def test_a_line_to_what_has_become_a_replica_is_not_kept(guarded: Guarded) -> None:
    with lines_to(guarded.plain) as lines, lines_to(guarded.plain) as others:
        before = lines.ask("CLIENT", "ID")
        others.ask("REPLICAOF", "127.0.0.1", 1)
        try:
            with pytest.raises(CommandRefused):
                lines.ask("SET", "replica:1", b"value", "PX", 1000)
        finally:
            others.ask("REPLICAOF", "NO", "ONE")
        assert lines.ask("CLIENT", "ID") != before


@pytest.mark.parametrize(
    "url",
    [
        "",
        "redis.internal:6379",
        "http://localhost",
        "redis://localhost:port",
        "redis://localhost:99999",
        "redis://[::1",
        "redis://redis..svc",
        f"redis://{'long' * 20}.example",
        "REDIS://localhost",
        "unix:/run/redis.sock",
        "redis://localhost?db=1&db=2",
        "rediss://localhost?ssl_cert_reqs=required&ssl_cert_reqs=none",
        "unix://",
        "redis://localhost/one",
        "redis://localhost?db=-1",
        f"redis://localhost/{'1' * 5000}",
        "redis://localhost?socket_timeout=5",
        "redis://localhost?ssl_ca_certs=ca.pem",
        "rediss://localhost?ssl_cert_reqs=perhaps",
        "rediss://localhost?ssl_ca_certs=nowhere.pem",
    ],
)
def test_what_is_no_address_is_said_in_a_sentence(url: str) -> None:
    with pytest.raises(ValueError, match=r"IDP_REDIS_URL"):
        parse_address(url)


@pytest.mark.parametrize("password", ["s3cret", "s3cr:et@"])
def test_the_sentence_and_the_address_keep_the_password_to_themselves(password: str) -> None:
    with pytest.raises(ValueError, match=r"IDP_REDIS_URL") as refused:
        parse_address(f"redis://:{password}@localhost:port")
    assert "s3cr" not in str(refused.value)
    with pytest.raises(ValueError, match=r"IDP_REDIS_URL") as refused:
        parse_address(f"redis://:?{password}@localhost")  # a question mark that nobody escaped
    assert "s3cr" not in str(refused.value)
    assert "s3cr" not in repr(parse_address(f"redis://:{password}@localhost"))


@pytest.mark.parametrize("way", WAYS)
def test_the_process_that_waits_reads_the_same_address(way: str, guarded: Guarded) -> None:
    """redis-py, which `idp wait` uses, takes all that is taken here."""
    told = Redis.from_url(WAYS[way](guarded)).connection_pool.connection_kwargs
    assert told.get("db", 0) == (3 if "number" in way or way == "TLS" else 0)
    assert told.get("username", "default") == USERS.get(way, "default")
    assert told.get("password", "") == ("" if way == "a user who has no password" else PASSWORD)


@contextmanager
def lines_to(url: str) -> Iterator[Lines]:
    """One line, at most."""
    lines = Lines(parse_address(url), most=1, patience=1)
    try:
        yield lines
    finally:
        lines.close()
