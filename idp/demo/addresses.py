"""Which application of the demo listens where: one port base, the others follow."""

from __future__ import annotations

OFFSETS = {"idp": 0, "social_insurance": 1}
"""Name in the manifest to distance from the first port; only what runs is here."""


def port(base: int, name: str) -> int:
    """The port of an application."""
    return base + OFFSETS[name]


def app_urls(base: int, *, host: str = "localhost") -> dict[str, str]:
    """Name to address of every application, no trailing slash."""
    return {name: f"http://{host}:{port(base, name)}" for name in OFFSETS}
