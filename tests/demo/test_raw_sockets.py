"""What strangers send to the real server: bodies that never come hold up nobody else (SECURITY 101)."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.running_demo import RunningDemo


def answers(demo: RunningDemo) -> list[int]:
    """What one who asks three times hears, each within five seconds."""
    return [httpx2.get(f"{demo.issuer}/healthz", timeout=5, trust_env=False).status_code for _ in range(3)]


def begin(demo: RunningDemo, content_type: str) -> socket.socket:
    """Announce a body of a megabyte to a page that takes files, and send none of it."""
    parts = urlsplit(demo.issuer)
    line = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10)
    head = (
        "POST /appeal/materials HTTP/1.1",
        f"Host: {parts.netloc}",
        f"Content-Type: {content_type}",
        "Content-Length: 1000000",
    )
    line.sendall("\r\n".join((*head, "", "")).encode())
    return line


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded"])
def test_a_body_that_cannot_bring_a_file_is_refused_before_it_comes(
    running_demo: RunningDemo, content_type: str
) -> None:
    with begin(running_demo, content_type) as line:
        assert line.recv(12) in {b"HTTP/1.1 400", b"HTTP/1.1 413"}
        # Its sender still holds the line: what the server does after its answer is what counts.
        assert answers(running_demo) == [200, 200, 200]


def test_a_body_that_never_comes_holds_one_thread_and_never_the_server(running_demo: RunningDemo) -> None:
    with begin(running_demo, "multipart/form-data; boundary=b"):
        assert answers(running_demo) == [200, 200, 200]
    assert answers(running_demo) == [200, 200, 200]


def test_the_server_does_not_speak_http_2(running_demo: RunningDemo) -> None:
    parts = urlsplit(running_demo.issuer)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=10) as line:
        # RFC 9113 §3.4: the preface, and an empty SETTINGS frame; whoever speaks it answers with his own.
        line.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0)))
        assert line.recv(9)[3:4] != b"\x04"
    assert answers(running_demo) == [200, 200, 200]
