"""Relying parties: their registration, and a snapshot of it in each process.

A process keeps what it read; a version in the ephemeral store, changed by every registration
command, says when to read again. Losing that version only means reading again.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import JSON, LargeBinary, String, false, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.access.profiles import PROFILES, Profile
from idp.access.versions import announce_version, current_version
from idp.adapters.ephemeral import EphemeralStore
from idp.crypto import hash_token
from idp.db import Base

_VERSION = "clients"


class ClientRefused(Exception):
    """A registration cannot be accepted; the message is a sentence for whoever registers.

    `zh` says the same at the console, `field` is the field of the registration it is about, if it is one.
    """

    def __init__(self, sentence: str, *, zh: str = "", field: str = "") -> None:
        super().__init__(sentence)
        self.zh = zh or sentence
        self.field = field


class Client(Base):
    """A registered relying party. Secrets are kept as SHA-256 only; they are random, so that is enough.

    `resources` are those it may ask access tokens for (RFC 8707), `serves` those it is itself: of tokens
    for these it may ask whether they count. `registered_with` is the initial access token it used, `channel`
    the app that it is (:mod:`idp.access.channels`).
    """

    __tablename__ = "clients"

    client_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    old_secret_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    old_secret_until: Mapped[datetime | None]
    auth_method: Mapped[str] = mapped_column(String(32))
    redirect_uris: Mapped[list[str]] = mapped_column(JSON)
    post_logout_redirect_uris: Mapped[list[str]] = mapped_column(JSON)
    backchannel_logout_uri: Mapped[str | None] = mapped_column(String(2000))
    grant_types: Mapped[list[str]] = mapped_column(JSON)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    id_token_alg: Mapped[str] = mapped_column(String(16))
    sector: Mapped[str] = mapped_column(String(255))
    subject_type: Mapped[str] = mapped_column(String(16), default="pairwise")
    full_phone: Mapped[bool] = mapped_column(default=False)
    first_party: Mapped[bool] = mapped_column(default=False)
    profile: Mapped[str] = mapped_column(String(16), default="basic", server_default="basic")
    jwks: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    jwks_uri: Mapped[str | None] = mapped_column(String(2000))
    assertion_alg: Mapped[str | None] = mapped_column(String(16))
    request_object_alg: Mapped[str | None] = mapped_column(String(16))
    require_signed_requests: Mapped[bool] = mapped_column(default=False, server_default=false())
    require_par: Mapped[bool] = mapped_column(default=False, server_default=false())
    dpop: Mapped[bool] = mapped_column(default=False, server_default=false())
    resources: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    serves: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    default_acr_values: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    default_max_age: Mapped[int | None]
    contacts: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    client_uri: Mapped[str | None] = mapped_column(String(2000))
    registered_with: Mapped[UUID | None]
    channel: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class RegisteredClient:
    """The snapshot of a client that requests are decided with."""

    client_id: str
    name: str
    secret_hashes: tuple[tuple[bytes, datetime | None], ...]
    auth_method: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    backchannel_logout_uri: str | None
    grant_types: frozenset[str]
    scopes: frozenset[str]
    id_token_alg: str
    sector: str
    subject_type: str
    full_phone: bool
    first_party: bool
    profile: Profile
    jwks: dict[str, Any] | None
    jwks_uri: str | None
    assertion_alg: str | None
    request_object_alg: str | None
    require_signed_requests: bool
    require_par: bool
    dpop: bool
    resources: frozenset[str]
    serves: frozenset[str]
    default_acr_values: tuple[str, ...]
    default_max_age: int | None
    created_at: datetime
    self_registered: bool
    channel: str | None = None

    @property
    def may_refresh(self) -> bool:
        """Whether its refresh tokens count: it has the grant and the scope they are given for."""
        return "refresh_token" in self.grant_types and "offline_access" in self.scopes

    def resources_held(self, named: Iterable[str], *, issuer: str) -> tuple[str, ...]:
        """Of the resources a grant or a token names, those it still has; the issuer is everyone's."""
        return tuple(name for name in named if name in self.resources or name == issuer)

    def was_registered_after(self, instant: float) -> bool:
        """Whether what was given out under this id at `instant` was given to a namesake since removed."""
        return self.created_at.timestamp() > instant

    def knows_secret(self, supplied: str, *, now: datetime) -> bool:
        """Whether `supplied` is the secret, or the one before it within its overlap. Constant time."""
        digest = hash_token(supplied)
        known = [
            hmac.compare_digest(digest, stored) and (until is None or now < until)
            for stored, until in self.secret_hashes
        ]
        return bool(supplied) and any(known)

    @property
    def redirect_origins(self) -> frozenset[str]:
        """The origins a form of ours may lead to (CSP form-action)."""
        return frozenset(origin_of(uri) for uri in self.redirect_uris)


def origin_of(uri: str) -> str:
    """scheme://host[:port] of `uri`."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}"


@dataclass(slots=True)
class _Snapshot:
    version: bytes | None
    clients: dict[str, RegisteredClient | None] = field(default_factory=dict)
    app_origins: frozenset[str] | None = None


class ClientRegistry:
    """The clients a process knows; replaced by one assignment whenever the version changes."""

    def __init__(self, store: EphemeralStore, open_db: Callable[[], Session]) -> None:
        self._store = store
        self._open_db = open_db
        self._snapshot = _Snapshot(version=b"")
        self._refreshing = threading.Lock()

    def find(self, client_id: str) -> RegisteredClient | None:
        """The client with this id, as registered now."""
        if not is_client_id(client_id):
            return None
        snapshot = self._current()
        if client_id in snapshot.clients:
            return snapshot.clients[client_id]
        with self._open_db() as db:
            row = db.scalars(select(Client).where(Client.client_id == client_id)).first()
            found = _frozen(row) if row else None
        if found:
            # Unknown ids are not remembered, so that guessing cannot fill the memory.
            snapshot.clients[client_id] = found
        return found

    def app_origins(self) -> frozenset[str]:
        """The origins of the registered apps: where the pages run that call as a phone does."""
        snapshot = self._current()
        if snapshot.app_origins is None:
            with self._open_db() as db:
                rows = db.scalars(select(Client.redirect_uris).where(Client.channel.is_not(None)))
                snapshot.app_origins = frozenset(origin_of(uri) for uris in rows for uri in uris)
        return snapshot.app_origins

    def _current(self) -> _Snapshot:
        version = current_version(self._store, _VERSION)
        if version != self._snapshot.version:
            with self._refreshing:
                self._snapshot = _Snapshot(version=version)
        return self._snapshot


def announce_change(store: EphemeralStore) -> None:
    """Make every process read clients again; called after the change is committed."""
    announce_version(store, _VERSION)


def list_clients(db: Session) -> list[Client]:
    """Every client, by name."""
    return list(db.scalars(select(Client).order_by(Client.name, Client.client_id)))


def lock_client(db: Session, client_id: str) -> Client | None:
    """The client as stored now, once nobody else changes it: whoever is about to waits for this transaction.

    None for an id that is nobody's.
    """
    if not is_client_id(client_id):
        return None
    row = select(Client).where(Client.client_id == client_id).with_for_update()
    return db.scalars(row, execution_options={"populate_existing": True}).first()


def find_client(db: Session, client_id: str) -> Client | None:
    """The client as stored now; None for an id that is nobody's."""
    return db.get(Client, client_id) if is_client_id(client_id) else None


def search_clients(db: Session, text: str = "") -> list[str]:
    """The ids of the clients whose name, id or redirect host contains `text`, by name; every one without it.

    It is compared here, not in SQL: every character of `text` stands for itself, and an address counts by
    its host alone.
    """
    wanted = text.strip().casefold()
    columns = select(Client.client_id, Client.name, Client.redirect_uris)
    by_name = db.execute(columns.order_by(Client.name, Client.client_id))
    return [
        client_id
        for client_id, name, uris in by_name
        if any(
            wanted in word.casefold()
            for word in (name, client_id, *(urlsplit(uri).hostname or "" for uri in uris))
        )
    ]


def clients_of(db: Session, client_ids: Collection[str]) -> list[Client]:
    """The clients with these ids, by name."""
    some = select(Client).where(Client.client_id.in_(client_ids))
    return list(db.scalars(some.order_by(Client.name, Client.client_id)))


def is_client_id(supplied: str) -> bool:
    """Whether `supplied` could be a client's id: a database asked for anything else might choke on it."""
    return 0 < len(supplied) <= 64 and supplied.isascii() and supplied.isprintable()


def _frozen(row: Client) -> RegisteredClient:
    profile = PROFILES[row.profile]
    secrets = [(row.secret_hash, None), (row.old_secret_hash, row.old_secret_until)]
    return RegisteredClient(
        client_id=row.client_id,
        name=row.name,
        secret_hashes=tuple((digest, until) for digest, until in secrets if digest),
        auth_method=_kept(row.auth_method, profile.auth_methods),
        redirect_uris=tuple(row.redirect_uris),
        post_logout_redirect_uris=tuple(row.post_logout_redirect_uris),
        backchannel_logout_uri=row.backchannel_logout_uri,
        grant_types=frozenset(row.grant_types),
        scopes=frozenset(row.scopes),
        id_token_alg=_kept(row.id_token_alg, profile.signing_algs),
        sector=row.sector,
        subject_type=row.subject_type,
        full_phone=row.full_phone,
        first_party=row.first_party,
        profile=profile,
        jwks=row.jwks,
        jwks_uri=row.jwks_uri,
        assertion_alg=row.assertion_alg,
        request_object_alg=row.request_object_alg,
        require_signed_requests=row.require_signed_requests,
        require_par=row.require_par or profile.requires_par,
        dpop=row.dpop or profile.requires_dpop,
        resources=frozenset(row.resources),
        serves=frozenset(row.serves),
        default_acr_values=tuple(row.default_acr_values),
        default_max_age=row.default_max_age,
        self_registered=row.registered_with is not None,
        channel=row.channel,
        created_at=row.created_at,
    )


def _kept(registered: str, allowed: tuple[str, ...]) -> str:
    """What is registered, or what the profile takes first: a row changed by hand opens nothing it forbids."""
    return registered if registered in allowed else allowed[0]
