"""Whose address counts: the peer's, unless a named proxy speaks for somebody else (SECURITY 12, 104)."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.web.proxy import TrustedProxies

PROXIES = "10.0.0.0/8,192.0.2.1,2001:db8::/32"


def seen(peer: str, trusted: str = PROXIES, **headers: str) -> dict[str, Any]:
    """The environment the application gets for a request of `peer` with these headers."""
    got: dict[str, Any] = {}

    def app(environ: dict[str, Any], _start: object) -> list[bytes]:
        got.update(environ)
        return []

    networks = [ipaddress.ip_network(part) for part in trusted.split(",") if part]
    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", **headers}
    TrustedProxies(app, networks)(environ, lambda *_: None)
    return got


@pytest.mark.parametrize(
    ("peer", "header", "client"),
    [
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),
        ("10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "198.51.100.1, 192.0.2.1", "198.51.100.1"),
        ("10.1.2.3", "10.0.0.9", "10.0.0.9"),
        ("10.1.2.3", "", "10.1.2.3"),
        ("10.1.2.3", "x", "10.1.2.3"),
        ("10.1.2.3", "198.51.100.1, x", "10.1.2.3"),
        ("10.1.2.3", "198.51.100.1:4711", "10.1.2.3"),
        ("::ffff:10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ("2001:db8::1", "2001:db9::7", "2001:db9::7"),
        ("10.1.2.3", "::ffff:198.51.100.1", "198.51.100.1"),
        ("", "198.51.100.1", ""),
        ("unix:", "198.51.100.1", "unix:"),
    ],
)
def test_the_nearest_address_nobody_trusted_speaks_for(peer: str, header: str, client: str) -> None:
    assert seen(peer, HTTP_X_FORWARDED_FOR=header)["REMOTE_ADDR"] == client


def test_the_scheme_is_believed_from_proxies_alone() -> None:
    assert seen("10.1.2.3", HTTP_X_FORWARDED_PROTO="https")["wsgi.url_scheme"] == "https"
    assert seen("203.0.113.7", HTTP_X_FORWARDED_PROTO="https")["wsgi.url_scheme"] == "http"
    assert seen("10.1.2.3", HTTP_X_FORWARDED_PROTO="gopher")["wsgi.url_scheme"] == "http"


@pytest.mark.parametrize("peer", ["10.1.2.3", "203.0.113.7"])
def test_forwarded_headers_go_no_further(peer: str) -> None:
    names = ("FOR", "PROTO", "HOST")
    got = seen(peer, **{f"HTTP_X_FORWARDED_{name}": "evil.example" for name in names})
    assert not any(name.startswith("HTTP_X_FORWARDED") for name in got)


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(max_size=60), st.sampled_from(["10.1.2.3", "203.0.113.7"]))
def test_whatever_is_forwarded_the_address_is_one(header: str, peer: str) -> None:
    client = seen(peer, HTTP_X_FORWARDED_FOR=header)["REMOTE_ADDR"]
    assert ipaddress.ip_address(client)
    if peer == "203.0.113.7":
        assert client == peer
