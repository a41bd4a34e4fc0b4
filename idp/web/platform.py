"""What a request needs, given out by name: settings, storage, secrets, the clock.

One database session a request, opened at first use. It is committed once, before the answer
leaves; any exception rolls it back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Flask, Response, current_app, g, has_request_context
from sqlalchemy.orm import Session

from idp.access.client_keys import ClientKeys
from idp.access.clients import ClientRegistry
from idp.access.keys import KeyRing, KeySource
from idp.accounts.audit import Trail
from idp.accounts.notices import Notifier
from idp.accounts.passwords import PasswordHasher
from idp.adapters.ephemeral import EphemeralStore
from idp.adapters.face import FaceService
from idp.adapters.files import SealedFiles
from idp.adapters.inspection import Inspector
from idp.adapters.malware import Clamd
from idp.adapters.places import Places
from idp.adapters.population import Population
from idp.adapters.registry import Registry
from idp.adapters.social_security import SocialSecurity
from idp.config import Settings
from idp.crypto import Vault
from idp.db import Database
from idp.proof.secret_guesses import SecretGuesses

_NAME = "idp-platform"


@dataclass(frozen=True, slots=True)
class Platform:
    """Everything that `create_app` wired, for the views to hand to services."""

    settings: Settings
    database: Database
    store: EphemeralStore
    vault: Vault
    hasher: PasswordHasher
    trail: Trail
    key_source: KeySource
    clients: ClientRegistry
    client_keys: ClientKeys
    secret_guesses: SecretGuesses
    notifier: Notifier
    face: FaceService | None
    places: Places
    social_security: SocialSecurity | None
    population: Population | None
    registry: Registry | None
    files: SealedFiles
    inspector: Inspector
    malware: Clamd | None
    refresh_key: bytes
    nonce_key: bytes

    @property
    def keys(self) -> KeyRing:
        """The signing keys as they are now."""
        return self.key_source.current()


def install(app: Flask, platform: Platform) -> None:
    """Make `platform` reachable from views and give each request its transaction."""
    app.extensions[_NAME] = platform
    app.after_request(_commit)
    app.teardown_appcontext(_close)


def platform() -> Platform:
    """The platform of the running application."""
    found: Platform = current_app.extensions[_NAME]
    return found


def settings() -> Settings:
    """The settings of the running application."""
    return platform().settings


def db() -> Session:
    """This request's database session."""
    if "db" not in g:
        g.db = platform().database.session()
    session: Session = g.db
    return session


def now() -> datetime:
    """The instant of this request: one value for all its rules."""
    if not has_request_context():
        return datetime.now(UTC)
    if "now" not in g:
        g.now = datetime.now(UTC)
    instant: datetime = g.now
    return instant


def roll_back() -> None:
    """Undo what this request wrote; for the error pages."""
    if "db" in g:
        g.db.rollback()
    g.pop("after_commit", None)


def after_commit(act: Callable[[], None]) -> None:
    """Call `act` once what this request wrote is committed, and not if it is rolled back."""
    g.setdefault("after_commit", []).append(act)


def _commit(response: Response) -> Response:
    if "db" in g:
        g.db.commit()
    for act in g.pop("after_commit", ()):
        act()
    return response


def _close(_error: BaseException | None) -> None:
    session = g.pop("db", None)
    if session is not None:
        session.close()
