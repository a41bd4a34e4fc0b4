"""Calls to clients' addresses: the public network alone, nothing followed, nothing endless."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpx2
import pytest

from idp.adapters.key_sets import KeySets, NotFetched
from idp.adapters.networks import is_outside
from idp.adapters.outside import OutsideTransport
from tests.adapters.loopback import Answer, a_server


@contextmanager
def a_raw_server(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that speaks as `serve` does, to one caller."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            with suppress(OSError):
                connection, _ = listening.accept()
                with connection:
                    serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        yield listening.getsockname()[1]
        # Nobody may have called: one last caller ends the wait.
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", listening.getsockname()[1])).close()
        thread.join(10)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - refused, not bound
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2002:a00:1::",
        "fec0::1",
        "64:ff9b:1::a00:1",
        "::ffff:0:a00:1",
        "5f00::1",
        "3fff::1",
        "2001:db8::1",
        "4000::1",
    ],
)
def test_an_address_inside_is_known_in_every_disguise(address: str) -> None:
    assert not is_outside(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"])
def test_the_public_network_is_outside(address: str) -> None:
    assert is_outside(address)


def test_nothing_inside_is_connected_to_whatever_name_it_has() -> None:
    called: list[bytes] = []
    with a_raw_server(lambda line: called.append(line.recv(100))) as port:
        keys = KeySets(inside_allowed=False)
        http = httpx2.Client(transport=OutsideTransport(inside_allowed=False, seconds=2, longest=100))
        for host in (
            "127.0.0.1",
            "localhost",
            "[::1]",
            "2130706433",
            "0x7f.1",
            "127.1",
            "[::ffff:127.0.0.1]",
        ):
            with pytest.raises(NotFetched):
                keys.fetch(f"https://{host}:{port}/jwks")
            with pytest.raises((httpx2.HTTPError, httpx2.InvalidURL)):
                http.get(f"http://{host}:{port}/jwks")
        with pytest.raises(NotFetched, match="https only"):
            keys.fetch(f"http://127.0.0.1:{port}/jwks")
    assert called in ([], [b""])


def test_a_name_is_resolved_once_and_what_was_checked_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """DNS rebinding: an answer that is public for the check and private for the connection."""
    asked: list[str] = []
    resolve = socket.getaddrinfo

    def rebinding(host: str, *rest: object, **more: object) -> object:
        if host != "rebinding.example":
            return resolve(host, *rest, **more)  # type: ignore[arg-type]
        asked.append(host)
        # The first is public, and nobody is there.
        address = "203.0.114.1" if len(asked) == 1 else "127.0.0.1"
        return resolve(address, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    called: list[bytes] = []
    with a_raw_server(lambda line: called.append(line.recv(100))) as port:
        http = httpx2.Client(transport=OutsideTransport(inside_allowed=False, seconds=0.5, longest=100))
        with pytest.raises(httpx2.HTTPError):
            http.get(f"http://rebinding.example:{port}/")
        monkeypatch.undo()
    assert asked == ["rebinding.example"], "what connects never asks for the name again"
    assert called in ([], [b""])


def test_where_the_first_address_is_silent_the_next_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    resolve = socket.getaddrinfo

    def of_both_kinds(host: str, *rest: object, **more: object) -> list[object]:
        found = ("::1", "127.0.0.1") if host == "keys.example" else (host,)
        return [entry for address in found for entry in resolve(address, *rest, **more)]  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", of_both_kinds)
    with a_server(Answer(b'{"keys": []}')) as served:
        address = served.address.replace("127.0.0.1", "keys.example")
        assert KeySets(inside_allowed=True).fetch(address) == b'{"keys": []}'


def test_a_name_that_never_resolves_is_left_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def endless(*_asked: object, **_more: object) -> object:
        # Should the deadline fail, the test fails too, and does not hang.
        over.wait(5)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", endless)
    http = httpx2.Client(transport=OutsideTransport(inside_allowed=False, seconds=0.2, longest=100))
    started = time.monotonic()
    with pytest.raises(httpx2.TransportError):
        http.get("http://slow.example/")
    assert time.monotonic() - started < 2
    over.set()


def test_a_key_set_is_what_stands_there() -> None:
    with a_server(Answer(b'{"keys": []}')) as served:
        assert KeySets(inside_allowed=True).fetch(served.address) == b'{"keys": []}'
        assert served.asked == ["/jwks"]


def test_a_redirect_an_error_and_a_flood_are_no_key_set() -> None:
    other = "https://elsewhere.example/"
    for answer in (
        Answer(b"", status=302, headers={"Location": other}),
        Answer(b"{}", status=404),
        Answer(b"{}", status=500),
        Answer(b" " * 32_001),
    ):
        with a_server(answer) as served, pytest.raises(NotFetched):
            KeySets(inside_allowed=True).fetch(served.address)


def test_what_is_packed_stays_packed() -> None:
    packed = gzip.compress(b" " * 10_000_000)
    with a_server(Answer(packed, headers={"Content-Encoding": "gzip"})) as served:
        assert KeySets(inside_allowed=True).fetch(served.address) == packed


@pytest.mark.parametrize(
    "first", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"]
)
def test_a_server_that_dribbles_is_left_at_the_deadline(first: bytes) -> None:
    stop = threading.Event()

    def dribble(line: socket.socket) -> None:
        with suppress(OSError):
            line.sendall(first)
            # Should the deadline fail, the test fails too, and does not hang.
            for _ in range(100):
                if not stop.wait(0.05):
                    line.sendall(b"x")

    with a_raw_server(dribble) as port:
        http = httpx2.Client(transport=OutsideTransport(inside_allowed=True, seconds=0.5, longest=100_000))
        started = time.monotonic()
        with pytest.raises(httpx2.HTTPError):
            http.get(f"http://127.0.0.1:{port}/")
        assert time.monotonic() - started < 3
        stop.set()


def test_a_closed_port_and_a_name_that_is_none_are_no_key_set() -> None:
    for address in ("http://127.0.0.1:1/", "http://nowhere.invalid/", "http://", "http://[", "http://a b/"):
        with pytest.raises(NotFetched):
            KeySets(inside_allowed=True).fetch(address)
