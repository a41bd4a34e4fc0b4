"""The only place that wires: settings to adapters to platform to rooms, a readable list of steps."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session

from idp.access.client_keys import ClientKeys
from idp.access.clients import ClientRegistry
from idp.access.keys import KeyRing, KeySource
from idp.accounts.audit import Trail
from idp.accounts.notices import notifier_of
from idp.accounts.passwords import PasswordHasher
from idp.adapters.ephemeral import EphemeralStore
from idp.adapters.ephemeral.redis import RedisEphemeralStore
from idp.adapters.face import face_of
from idp.adapters.files import SealedFiles
from idp.adapters.inspection import Inspector
from idp.adapters.key_sets import KeySets
from idp.adapters.malware import malware_of
from idp.adapters.places import places_of
from idp.adapters.population import population_of
from idp.adapters.registry import registry_of
from idp.adapters.social_security import social_security_of
from idp.appeal import password_views as appeal_link
from idp.appeal import views as appeal
from idp.config import Settings, load_settings
from idp.crypto import Vault, derive
from idp.db import Database
from idp.enterprise import views as enterprise
from idp.login import views as login
from idp.oauth import device, endpoints, help  # noqa: A004 - the room of /help/errors
from idp.oauth import views as oauth
from idp.person import views as person
from idp.proof.secret_guesses import SecretGuesses
from idp.scan import browser as waiting_browser
from idp.scan import face as face_checks
from idp.scan import other_camera, phone
from idp.security import notice
from idp.security import views as account_security
from idp.web import (
    captcha,
    cookies,
    cors,
    errors,
    logs,
    pages,
    render,
    security,
    shown,
    signin,
    sms,
    sms_receipts,
    upload_bodies,
)
from idp.web import platform as platforms
from idp.web import staff as staff_guard
from idp.web.platform import Platform
from idp.web.proxy import TrustedProxies

# The numbers are mallopt(3)'s. Blocks of this size and more are mapped and unmapped. Threads share two heaps:
# but for password hashes they run one after the other, and a heap of its own keeps what its thread had once.
_M_MMAP_THRESHOLD, _LARGE = -3, 1 << 20
_M_ARENA_MAX, _HEAPS = -8, 2


@dataclass(frozen=True, slots=True)
class Backends:
    """Storage and secrets of one installation, for the application and for commands alike."""

    database: Database
    store: EphemeralStore
    vault: Vault
    trail: Trail

    def begin(self) -> Session:
        """A plain session; the caller commits."""
        return self.database.session()

    def close(self) -> None:
        """Give every connection back."""
        self.database.close()
        self.store.close()


class Application(Flask):
    """Flask without its look, at each call of a hook or view, for a coroutine: here is none."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """`func` itself."""
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """The provider as a WSGI application."""
    settings = settings or load_settings()
    app = Application("idp", static_folder=None)
    app.secret_key = derive(settings.secret_key.get_secret_value().encode(), "cookies")
    cookies.configure(app, settings)
    platforms.install(app, wire(settings, open_backends(settings), PasswordHasher(settings)))
    logs.install(app)
    security.install(app)
    cors.install(app)
    signin.install(app)
    shown.install(app, settings)
    render.install(app)
    errors.install(app)
    upload_bodies.install(app, settings)
    _register_rooms(app, settings)
    if settings.console:
        _register_console(app)
    app.after_request(signin.finish)
    app.wsgi_app = TrustedProxies(app.wsgi_app, settings.proxy_networks())  # type: ignore[method-assign]  # as Flask documents
    return app


def create_served_app() -> Flask:
    """The same inside a server's worker, which logs as JSON lines."""
    logs.configure()
    _give_freed_memory_back()
    return create_app()


def _give_freed_memory_back() -> None:
    """Keep glibc from holding on to what was used once: 19 MiB for each password hash, in several threads."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGE)
        mallopt(_M_ARENA_MAX, _HEAPS)


def open_backends(settings: Settings) -> Backends:
    """Connect storage as the settings say; nothing is created."""
    return Backends(
        database=Database(settings.effective_database_url(), pool_size=settings.database_pool),
        store=_store(settings),
        vault=Vault(settings.data_key_map()),
        trail=Trail(derive(settings.secret_key.get_secret_value().encode(), "audit")),
    )


def _store(settings: Settings) -> EphemeralStore:
    redis_url = settings.redis_url.get_secret_value()
    if redis_url:
        return RedisEphemeralStore(redis_url, prefix=settings.redis_prefix)
    from idp.adapters.ephemeral.sql import (  # noqa: PLC0415 - a worker on Redis has no use for SQLite, 2 MB
        SqlEphemeralStore,
    )

    settings.var_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return SqlEphemeralStore(settings.var_dir / "ephemeral.db")


def wire(
    settings: Settings, backends: Backends, hasher: PasswordHasher, ring: KeyRing | None = None
) -> Platform:
    """What a process knows that has just begun: beside what is dear to make, which it is given."""
    return Platform(
        settings=settings,
        database=backends.database,
        store=backends.store,
        vault=backends.vault,
        hasher=hasher,
        trail=backends.trail,
        key_source=KeySource(backends.store, backends.begin, backends.vault, ring=ring),
        clients=ClientRegistry(backends.store, backends.database.session),
        secret_guesses=SecretGuesses(),
        client_keys=ClientKeys(KeySets(inside_allowed=settings.demo).fetch),
        notifier=notifier_of(settings, backends.vault, backends.store),
        face=face_of(settings),
        places=places_of(settings),
        social_security=social_security_of(settings),
        population=population_of(settings),
        registry=registry_of(settings),
        files=SealedFiles(settings.effective_files_dir(), spare_mb=settings.files_spare_mb),
        inspector=Inspector(),
        malware=malware_of(settings),
        refresh_key=derive(settings.secret_key.get_secret_value().encode(), "refresh-successor"),
        nonce_key=derive(settings.secret_key.get_secret_value().encode(), "dpop-nonce"),
    )


def _register_rooms(app: Flask, settings: Settings) -> None:
    centres = (person, enterprise, account_security, notice)
    for room in (
        pages,
        captcha,
        sms,
        login,
        waiting_browser,
        other_camera,
        phone,
        *centres,
        oauth,
        device,
        help,
    ):
        app.register_blueprint(room.blueprint)
    app.register_blueprint(appeal.blueprint)
    app.register_blueprint(appeal_link.blueprint)
    app.register_blueprint(face_checks.services)
    app.register_blueprint(sms_receipts.gateways)
    endpoints.install(app, settings)
    if settings.demo:
        from idp.demo import views as demo  # noqa: PLC0415 - production never loads the demo

        app.register_blueprint(demo.blueprint)


def _register_console(app: Flask) -> None:
    # A process without the console never loads it.
    from idp.appeal.desk import views as desk  # noqa: PLC0415
    from idp.staff.console import BLUEPRINTS  # noqa: PLC0415

    staff_guard.install(app)
    for blueprint in (*BLUEPRINTS, desk.blueprint):
        app.register_blueprint(blueprint)
