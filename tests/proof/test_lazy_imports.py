"""A worker pays for no library that nobody asked for: 17 MB for passkeys, 5 for a QR code, 5 for redis-py."""

from __future__ import annotations

import subprocess
import sys

SELDOM = {"webauthn", "cbor2", "OpenSSL", "asn1crypto", "qrcode", "httpx2", "redis"}
"""What the first request that needs it loads; `httpx2` the worker process alone, `redis` `idp wait`."""


def test_starting_does_not_load_what_is_seldom_used() -> None:
    listing = "import sys, idp.app; print(*{name.partition('.')[0] for name in sys.modules})"
    said = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(said.stdout.split())
    assert "flask" in loaded
    assert not SELDOM & loaded
