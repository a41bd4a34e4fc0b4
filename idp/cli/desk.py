"""What each command works with: settings, storage, the clock, and who typed it.

A command opens a desk, works in one transaction and prints. The desk refuses a database whose
schema is older than this program, with the sentence what to run.
"""

from __future__ import annotations

import json
import os
import pwd
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from idp import migrations
from idp.accounts.audit import Event, Origin
from idp.accounts.reasons import ReasonRefused, parse_reason
from idp.app import Backends, open_backends
from idp.config import Settings, load_settings


def _fit_to_keep(reason: str) -> str:
    # The option may be left out; what is given is read as at the console.
    try:
        return parse_reason(reason) if reason else reason
    except ReasonRefused as refused:
        raise typer.BadParameter(refused.english) from None


Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Reason = Annotated[
    str, typer.Option(help="Kept in the audit trail; no personal data.", callback=_fit_to_keep)
]


class Refused(Exception):
    """Wrong input: exit code 2. The message is a sentence for whoever typed it."""


class Failed(Exception):
    """Right input, and it did not work: exit code 1. The message says why."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One command's surroundings."""

    settings: Settings
    backends: Backends
    origin: Origin
    now: datetime

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits when the block ends well."""
        with self.backends.database.begin() as db:
            yield db

    def record(self, db: Session, event: Event) -> None:
        """Write `event` to the audit trail, in the transaction of what it tells."""
        self.backends.trail.record(db, event, self.origin, now=self.now)

    def record_all(self, db: Session, events: Iterable[Event]) -> None:
        """The same for many, in their order."""
        self.backends.trail.record_all(db, events, self.origin, now=self.now)


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[Desk]:
    """A desk on storage that is reachable and migrated. Raises Refused, SettingsRefused."""
    with connected(settings) as desk:
        check_migrated(desk.backends)
        yield desk


@contextmanager
def connected(settings: Settings | None = None) -> Iterator[Desk]:
    """A desk on storage as it is, migrated or not."""
    settings = settings or load_settings()
    check_database_url(settings)
    try:
        backends = open_backends(settings)
    except ValueError as no_address:
        raise Refused(str(no_address)) from None
    try:
        yield Desk(settings, backends, Origin(actor=f"cli:{unix_user()}"[:80]), datetime.now(UTC))
    finally:
        backends.close()


def check_migrated(backends: Backends) -> None:
    """Return if the schema is at least as new as this program.

    A newer one is fine: migrations stay compatible with the version still running. Raises Refused.
    """
    with backends.database.engine.connect() as connection:
        revision = migrations.revision_of(connection)
    if revision is None:
        raise Refused("The database is empty. Run `idp db upgrade`.")
    if migrations.is_behind(revision):
        raise Refused(f"The database is at revision {revision}, behind this program. Run `idp db upgrade`.")


def check_database_url(settings: Settings) -> None:
    """Return if the database's address can be one of ours. Raises Refused without repeating it."""
    try:
        kind = make_url(settings.effective_database_url()).get_backend_name()
    except (ArgumentError, ValueError):
        kind = ""
    if kind not in {"postgresql", "sqlite"}:
        raise Refused("IDP_DATABASE_URL must be postgresql://… or sqlite:///…")


def unix_user() -> str:
    """Who runs this process; the environment, which anybody can set, is not asked."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


def show(data: Any, *, as_json: bool, lines: Iterable[str]) -> None:
    """Print `data` as JSON, or else `lines` for people."""
    if as_json:
        print(json.dumps(data, ensure_ascii=False, indent=2))
        return
    for line in lines:
        print(line)


def table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """`rows` in columns under `heads`; a Chinese character is two columns wide."""
    filled = [heads, *rows]
    widths = [max(_width(row[column]) for row in filled) for column in range(len(heads))]
    for row in filled:
        cells = [cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join(cells).rstrip()


def fields(data: dict[str, Any]) -> Iterator[str]:
    """A line for each entry of `data` that has a value."""
    width = max(map(len, data))
    for name, value in data.items():
        if value not in (None, "", []):
            yield f"{name:<{width}}  {', '.join(map(str, value)) if isinstance(value, list) else value}"


def parsed_uuid(typed: str, what: str) -> UUID:
    """The id somebody typed. Raises Refused."""
    try:
        return UUID(typed)
    except ValueError:
        raise Refused(f"Not an id ({what}): {typed[:60]!r}.") from None


def check_reason(reason: str, *, about: Iterable[str | None]) -> None:
    """Return if a reason that was given names none of what it is `about`. Raises Refused."""
    try:
        if reason:
            parse_reason(reason, about=about)
    except ReasonRefused as refused:
        raise Refused(f"--reason: {refused.english}") from None


def _width(text: str) -> int:
    return sum(2 if ord(character) >= 0x2E80 else 1 for character in text)
