"""The headers every answer carries, whichever process gives it; imports nothing."""

from __future__ import annotations

ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=()"),
)
ON_HTTPS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
