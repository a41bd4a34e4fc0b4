"""Names of cookies, and what an opaque token in one looks like; without Flask, for `idp wait`."""

from __future__ import annotations

import re

from idp.config import Settings

WAIT = "idp_wait"
"""The secret a browser waits for its scan tickets with."""
TOKEN = re.compile(r"[A-Za-z0-9_-]{20,100}\Z")
"""What an opaque token of ours looks like in a cookie."""


def named(name: str, configured: Settings) -> str:
    """The name of a cookie of ours: on https it carries the ``__Host-`` prefix."""
    return f"__Host-{name}" if configured.secure_cookies else name


def sent_in(header: str, name: str) -> str:
    """The token in a ``Cookie`` header's cookie `name`; empty if there is none (RFC 6265 §4.2.1).

    Of several of one name the first counts, as it does in the provider.
    """
    for pair in header.split(";"):
        found, _equals, value = pair.strip().partition("=")
        if found == name:
            value = value.strip().strip('"')
            return value if TOKEN.match(value) else ""
    return ""
