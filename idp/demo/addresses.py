"""Which application of the demo listens where: one port base, the others follow."""

from __future__ import annotations

from idp.config import DEMO_PHONE, DEMO_SIMULATORS

OFFSETS = {"idp": 0, "social_insurance": 1, "phone": DEMO_PHONE}
"""Name in the manifest to distance from the first port; only what runs is here."""

_NOT_IN_THE_MANIFEST = {"simulators": DEMO_SIMULATORS}
"""The outside world of the demo: no application that anybody signs in to."""


def port(base: int, name: str) -> int:
    """The port of an application."""
    return base + OFFSETS[name]


def app_urls(base: int, *, host: str = "localhost") -> dict[str, str]:
    """Name to address of every application, no trailing slash."""
    return {name: f"http://{host}:{port(base, name)}" for name in OFFSETS}


def ports(base: int) -> dict[str, int]:
    """Name to port of everything that listens, the simulators too."""
    return {name: base + offset for name, offset in {**OFFSETS, **_NOT_IN_THE_MANIFEST}.items()}


def urls(base: int) -> dict[str, str]:
    """Name to address of everything that listens, no trailing slash."""
    return {name: f"http://localhost:{number}" for name, number in ports(base).items()}
