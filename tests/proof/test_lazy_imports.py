"""A worker that nobody asks for a passkey does not pay for its libraries: 17 MB, and 5 for pictures."""

from __future__ import annotations

import subprocess
import sys

SELDOM = {"webauthn", "cbor2", "OpenSSL", "asn1crypto", "qrcode", "httpx2"}
"""What is loaded by the first request that needs it; `httpx2` by the worker process alone."""


def test_starting_does_not_load_what_is_seldom_used() -> None:
    listing = "import sys, idp.app; print(*{name.partition('.')[0] for name in sys.modules})"
    said = subprocess.run(
        [sys.executable, "-c", listing], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(said.stdout.split())
    assert "flask" in loaded
    assert not SELDOM & loaded
