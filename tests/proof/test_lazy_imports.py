"""A worker pays for no library that nobody asked for: 17 MB for passkeys, 5 for a QR code, 5 for redis-py."""

from __future__ import annotations

import subprocess
import sys

import pytest

SELDOM = {"webauthn", "cbor2", "OpenSSL", "asn1crypto", "qrcode", "httpx2", "redis"}
"""What the first request that needs it loads; `httpx2` the worker process alone, `redis` `idp wait`."""
NEVER = {"pydantic", "pydantic_core", "typer"}
"""What portals and the command line are made with (pydantic alone: 8 MB)."""


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The packages that are there once a worker has started."""
    listing = "import sys, idp.app; print(*{name.partition('.')[0] for name in sys.modules})"
    said = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, timeout=60, check=True
    )
    return set(said.stdout.split())


def test_starting_does_not_load_what_is_seldom_used(loaded: set[str]) -> None:
    assert "flask" in loaded
    assert not SELDOM & loaded


def test_a_worker_never_loads_what_other_programs_of_the_house_are_made_with(loaded: set[str]) -> None:
    assert not NEVER & loaded
