"""Codes of an authenticator app (RFC 6238): SHA-1, six digits, thirty seconds, as every app reads them."""

from __future__ import annotations

import hmac
import unicodedata
from datetime import datetime

import pyotp

STEP = 30
"""Seconds a code is shown."""
_DRIFT = 1
_LENGTH = 6


def new_secret() -> str:
    """A shared secret, base32: 160 bits (RFC 4226 §4, R6)."""
    return pyotp.random_base32()


def address(secret: str, *, account: str, site: str) -> str:
    """The otpauth address that an authenticator app scans."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=site)


def normalise(typed: str) -> str:
    """What was typed as six digits, or "": full width and spaces are what a keyboard adds, and forgiven."""
    digits = "".join(unicodedata.normalize("NFKC", typed[:40]).split())
    return digits if len(digits) == _LENGTH and digits.isascii() and digits.isdigit() else ""


def matching_step(secret: str, typed: str, *, now: datetime) -> int | None:
    """The time step `typed` is the code of, one step of drift allowed (RFC 6238 §5.2); None if of none."""
    current, code, found = int(now.timestamp()) // STEP, normalise(typed), None
    generator = pyotp.TOTP(secret)
    for step in range(current - _DRIFT, current + _DRIFT + 1):
        # Every step is compared, so that the time tells nothing.
        if hmac.compare_digest(generator.generate_otp(step), code):
            found = step
    return found
