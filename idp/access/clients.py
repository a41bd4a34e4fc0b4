"""Relying parties: their registration, and a snapshot of it in each process.

A process keeps what it read; a version in the ephemeral store, changed by every registration
command, says when to read again. Losing that version only means reading again.
"""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import JSON, LargeBinary, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.adapters.ephemeral import EphemeralStore
from idp.config import is_loopback
from idp.crypto import hash_token, new_token
from idp.db import Base

AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
GRANT_TYPES = ("authorization_code", "refresh_token")
ID_TOKEN_ALGS = ("RS256", "ES256")
SCOPES = ("openid", "profile", "phone", "identity", "entity", "offline_access")
DEFAULT_SCOPES = ("openid", "profile", "phone", "entity", "offline_access")
SECRET_OVERLAP = timedelta(hours=24)
_VERSION_KEY = "version:clients"
_VERSION_LIFE = 30 * 86400


class ClientRefused(Exception):
    """A registration cannot be accepted; the message is a sentence for whoever registers."""


class Client(Base):
    """A registered relying party. Secrets are kept as SHA-256 only; they are random, so that is enough."""

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
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class NewClient:
    """What a registration says (RFC 7591 §2 where the names are shared)."""

    name: str
    redirect_uris: tuple[str, ...]
    client_id: str = ""
    secret: str = ""
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    auth_method: str = "client_secret_basic"
    grant_types: tuple[str, ...] = ("authorization_code",)
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    id_token_alg: str = "RS256"  # noqa: S105 - an algorithm's name
    sector: str = ""
    subject_type: str = "pairwise"
    full_phone: bool = False
    first_party: bool = False


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


class ClientRegistry:
    """The clients a process knows; replaced by one assignment whenever the version changes."""

    def __init__(self, store: EphemeralStore, open_db: Callable[[], Session]) -> None:
        self._store = store
        self._open_db = open_db
        self._snapshot = _Snapshot(version=b"")
        self._refreshing = threading.Lock()

    def find(self, client_id: str) -> RegisteredClient | None:
        """The client with this id, as registered now."""
        if len(client_id) > 64 or not client_id.isascii() or not client_id.isprintable():
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

    def _current(self) -> _Snapshot:
        version = self._store.get(_VERSION_KEY)
        if version is None:
            self._store.put_if_absent(_VERSION_KEY, new_token(9).encode(), ttl=_VERSION_LIFE)
            version = self._store.get(_VERSION_KEY)
        if version != self._snapshot.version:
            with self._refreshing:
                self._snapshot = _Snapshot(version=version)
        return self._snapshot


def announce_change(store: EphemeralStore) -> None:
    """Make every process read clients again; called after the change is committed."""
    store.put(_VERSION_KEY, new_token(9).encode(), ttl=_VERSION_LIFE)


def add_client(db: Session, new: NewClient, *, production: bool, now: datetime) -> tuple[Client, str | None]:
    """Register a relying party; returns it with its secret in clear, to be shown once.

    Raises ClientRefused.
    """
    check_client(new, production=production)
    taken = db.get(Client, new.client_id) if new.client_id else None
    if taken:
        msg = f"There is a client {new.client_id} already."
        raise ClientRefused(msg)
    client = Client(client_id=new.client_id or _new_client_id(), created_at=now)
    secret = None
    if new.auth_method.startswith("client_secret"):
        secret = new.secret or new_token()
        client.secret_hash = hash_token(secret)
    apply_registration(client, new, now=now)
    db.add(client)
    db.flush()
    return client, secret


def apply_registration(client: Client, new: NewClient, *, now: datetime) -> None:
    """Write a checked registration into the row."""
    client.name = new.name
    client.auth_method = new.auth_method
    client.redirect_uris = list(new.redirect_uris)
    client.post_logout_redirect_uris = list(new.post_logout_redirect_uris)
    client.backchannel_logout_uri = new.backchannel_logout_uri
    client.grant_types = list(new.grant_types)
    client.scopes = list(new.scopes)
    client.id_token_alg = new.id_token_alg
    client.sector = new.sector or urlsplit(new.redirect_uris[0]).hostname or ""
    client.subject_type = new.subject_type
    client.full_phone = new.full_phone
    client.first_party = new.first_party
    client.changed_at = now


def rotate_secret(client: Client, *, now: datetime) -> str:
    """Give the client a new secret, shown once; the old one keeps working for a day."""
    if not client.secret_hash:
        msg = "This client has no secret."
        raise ClientRefused(msg)
    secret = new_token()
    client.old_secret_hash, client.old_secret_until = client.secret_hash, now + SECRET_OVERLAP
    client.secret_hash = hash_token(secret)
    client.changed_at = now
    return secret


def list_clients(db: Session) -> list[Client]:
    """Every client, by name."""
    return list(db.scalars(select(Client).order_by(Client.name, Client.client_id)))


def check_client(new: NewClient, *, production: bool) -> None:
    """Return if the registration may stand. Raises ClientRefused with the reason."""
    if not new.name.strip() or len(new.name) > 120:
        msg = "A client needs a name of at most 120 characters."
        raise ClientRefused(msg)
    _one_of("auth method", new.auth_method, tuple(m for m in AUTH_METHODS if m != "private_key_jwt"))
    _one_of("ID token algorithm", new.id_token_alg, ID_TOKEN_ALGS)
    _one_of("subject type", new.subject_type, ("pairwise", "public"))
    for grant in new.grant_types:
        _one_of("grant", grant, GRANT_TYPES)
    for scope in new.scopes:
        _one_of("scope", scope, SCOPES)
    if not new.redirect_uris:
        msg = "A client needs at least one redirect URI."
        raise ClientRefused(msg)
    addresses = [*new.redirect_uris, *new.post_logout_redirect_uris]
    for uri in [*addresses, *([new.backchannel_logout_uri] if new.backchannel_logout_uri else [])]:
        check_uri(uri, production=production)
    hosts = {urlsplit(uri).hostname for uri in new.redirect_uris}
    if len(hosts) > 1 and not new.sector and new.subject_type == "pairwise":
        msg = "Redirect URIs on several hosts need a sector (RFC: OpenID Connect Core §8.1)."
        raise ClientRefused(msg)


def check_uri(uri: str, *, production: bool) -> None:
    """Return if an address may be registered: absolute, exact, https (http on loopback in demo).

    Raises ClientRefused.
    """
    try:
        parts = urlsplit(uri)
        host, _port = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    plain = uri.isascii() and uri.isprintable() and not set(uri) & set(' "<>\\^`{|}*')
    if not plain or not host or parts.fragment or "#" in uri or "@" in parts.netloc or len(uri) > 2000:
        msg = f"Not an acceptable address: {uri[:200]!r} (absolute, no fragment, no user part, no wildcard)."
        raise ClientRefused(msg)
    allowed_http = parts.scheme == "http" and not production and is_loopback(host)
    if parts.scheme != "https" and not allowed_http:
        msg = f"{uri[:200]!r} must be https" + ("." if production else ", or http on loopback.")
        raise ClientRefused(msg)


def _new_client_id() -> str:
    # Never with a dash in front: a command would take it for an option.
    return new_token(12).replace("-", "x").replace("_", "y")


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        msg = f"Unknown {what} {value[:60]!r}: choose from {', '.join(allowed)}."
        raise ClientRefused(msg)


def _frozen(row: Client) -> RegisteredClient:
    secrets = [(row.secret_hash, None), (row.old_secret_hash, row.old_secret_until)]
    return RegisteredClient(
        client_id=row.client_id,
        name=row.name,
        secret_hashes=tuple((digest, until) for digest, until in secrets if digest),
        auth_method=row.auth_method,
        redirect_uris=tuple(row.redirect_uris),
        post_logout_redirect_uris=tuple(row.post_logout_redirect_uris),
        backchannel_logout_uri=row.backchannel_logout_uri,
        grant_types=frozenset(row.grant_types),
        scopes=frozenset(row.scopes),
        id_token_alg=row.id_token_alg,
        sector=row.sector,
        subject_type=row.subject_type,
        full_phone=row.full_phone,
        first_party=row.first_party,
    )
