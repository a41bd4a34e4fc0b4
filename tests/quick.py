"""What lets a test take the time of what it tests, and no more."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from functools import cache

import httpcore2
import typer.main

from idp.config import Settings, as_variables

SELDOM = (50_000, 20, 100)
"""Between two looks for garbage: Python's own numbers are for a process ten times as small as a worker."""


@dataclass(frozen=True, kw_only=True)
class QuickSettings(Settings):
    """Settings whose password hashes take no time: fewer KiB than production may say."""

    argon2_memory_kib: int = 64
    argon2_time: int = 1


def variables_of(settings: Settings) -> dict[str, str]:
    """What another process is told that is to work with these settings; it hashes as little as it may."""
    return {**as_variables(settings), "IDP_ARGON2_MEMORY_KIB": "8192"}


def make_once() -> None:
    """Let libraries make only once a process what they make anew for each client and each command.

    What an HTTPS client trusts takes longer to read than most of what a test asks for, and the tree of all
    commands longer than most commands. Both are only read afterwards.
    """
    httpcore2.default_ssl_context = cache(httpcore2.default_ssl_context)
    typer.main.get_command = cache(typer.main.get_command)


def collect_seldom() -> None:
    """Never look again at what stands already (the collected tests, most of all), and seldom at the rest."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*SELDOM)
