"""Signing keys: private halves sealed at rest, public halves published as ready bytes.

Each algorithm has an active key, which signs, and a next one, published long before it does, so that
a relying party with the published keys in its cache knows it by then. A key is of one algorithm for
life: RS256 and PS256 never share one. :mod:`idp.access.key_life` moves keys from state to state.

Access tokens are signed with ES256, ID tokens with what the client registered. Importing an RSA
key costs tens of milliseconds, so key objects stay in the process.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from sqlalchemy import JSON, LargeBinary, String, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.access import jws
from idp.access.profiles import SIGNING_ALGS
from idp.access.versions import announce_version, current_version
from idp.adapters.ephemeral import EphemeralStore, StoreUnavailable
from idp.crypto import Vault, from_b64url
from idp.db import Base, begin_write, is_outage, uuid7

ALGORITHMS = SIGNING_ALGS
ACCESS_TOKEN_ALG = "ES256"  # noqa: S105 - an algorithm's name
JWKS_MAX_AGE = 300
"""Seconds for which anybody may keep the published keys without asking again."""
REREAD_SECONDS = 60.0
"""After so long a process reads the keys again even if nobody announced a change."""

_VERSION = "keys"
_SEALED = "signing_keys.private"

SigningKeyObject = RSAKey | ECKey | OKPKey


class State(StrEnum):
    """The life of a key, in its order."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRED = "retired"
    REMOVED = "removed"


PUBLISHED = (State.NEXT, State.ACTIVE, State.RETIRED)


class SigningKey(Base):
    """A key pair. Its private half is kept while it signs or will sign, afterwards it is empty.

    Removed keys stay as rows, so that it can be told whose signature something once bore.
    """

    __tablename__ = "signing_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    kid: Mapped[str] = mapped_column(String(64), unique=True)
    alg: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default="active")
    private_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    public_jwk: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    activated_at: Mapped[datetime | None]
    retired_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]

    @property
    def active_since(self) -> datetime | None:
        """When it began to sign; a key from before keys had a life has signed since it was made."""
        has_signed = self.state in {State.ACTIVE, State.RETIRED} or self.retired_at is not None
        return self.activated_at or (self.created_at if has_signed else None)


class Signatures(JWSRegistry):
    """The algorithms of our keys, and no others."""

    algorithms = jws.ALGORITHMS


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of a process: one that signs per algorithm, all that verify, the published bytes.

    `removed` names the keys that once were ours and prove nothing any more.
    """

    signing: dict[str, SigningKeyObject]
    verifying: KeySet
    jwks: bytes
    etag: str
    removed: frozenset[str]

    def sign(self, claims: dict[str, Any], *, alg: str, typ: str) -> str:
        """`claims` as a compact JWS with `kid` and `typ` in its header (RFC 7515, RFC 8725 §3.11)."""
        key = self.signing[alg]
        header = {"alg": alg, "kid": key.kid, "typ": typ}
        return jwt.encode(header, claims, key, registry=Signatures(algorithms=[alg]))

    def read(self, supplied: str, *, algorithms: Collection[str]) -> dict[str, Any]:
        """The claims of a token that a published key of ours signed. Raises JoseError, ValueError."""
        return dict(jwt.decode(supplied, self.verifying, registry=Signatures(algorithms=algorithms)).claims)


class KeySource:
    """The key ring as it is now, for everything in a process that signs, verifies or publishes.

    At most every `ask_every` seconds it asks the store whether the keys have changed. If the store
    does not answer it reads them once a minute; if the database does not answer either, the ring
    stays as it is. `clock` gives seconds; whoever has just read the `ring` gives it, too.
    """

    def __init__(
        self,
        store: EphemeralStore,
        open_db: Callable[[], Session],
        vault: Vault,
        *,
        ring: KeyRing | None = None,
        ask_every: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._open_db = open_db
        self._vault = vault
        self._ask_every = ask_every
        self._clock = clock
        self._looking = threading.Lock()
        # No version yet: what is announced while this is read must not be missed.
        self._version: bytes | None = None
        self._ring = ring or self._read(None)
        self._ask_at = clock()
        self._reread_at = clock() + REREAD_SECONDS

    def current(self) -> KeyRing:
        """The ring to use for one thing; a later one asks again."""
        # Whoever comes while another one looks does not wait for him.
        if self._clock() >= self._ask_at and self._looking.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looking.release()
        return self._ring

    def _look(self) -> None:
        now = self._clock()
        self._ask_at = now + self._ask_every
        try:
            version = current_version(self._store, _VERSION)
        except StoreUnavailable:
            version = self._version
        if version == self._version and now < self._reread_at:
            return
        try:
            self._ring = self._read(self._ring)
        except SQLAlchemyError as error:
            if not is_outage(error):
                raise
            return
        self._version, self._reread_at = version, now + REREAD_SECONDS

    def _read(self, known: KeyRing | None) -> KeyRing:
        with self._open_db() as db:
            return load_keys(db, self._vault, known=known)


def announce_keys(store: EphemeralStore) -> None:
    """Make every process read the keys again; called after the change is committed."""
    announce_version(store, _VERSION)


def load_keys(db: Session, vault: Vault, *, known: KeyRing | None = None) -> KeyRing:
    """The key ring as stored now; key objects of `known` are used again.

    Raises LookupError when an algorithm has no active key.
    """
    rows = list_keys(db)
    signing = {row.alg: _signing_object(row, vault, known) for row in rows if row.state == State.ACTIVE}
    missing = [alg for alg in ALGORITHMS if alg not in signing]
    if missing:
        msg = f"No active signing key for {', '.join(missing)}: run `idp db upgrade`."
        raise LookupError(msg)
    public = {"keys": [row.public_jwk for row in rows if row.state in PUBLISHED]}
    jwks = json.dumps(public, separators=(",", ":"), sort_keys=True).encode()
    return KeyRing(
        signing=signing,
        verifying=KeySet.import_key_set(public),  # type: ignore[arg-type]  # a plain dict is one
        jwks=jwks,
        etag=hashlib.sha256(jwks).hexdigest()[:32],
        removed=frozenset(row.kid for row in rows if row.state == State.REMOVED),
    )


def list_keys(db: Session) -> list[SigningKey]:
    """Every key as stored now, the oldest first."""
    oldest_first = select(SigningKey).order_by(SigningKey.created_at, SigningKey.id)
    return list(db.scalars(oldest_first, execution_options={"populate_existing": True}))


def lock_keys(db: Session) -> list[SigningKey]:
    """The same, once nobody else changes keys: whoever is about to waits until this transaction ends."""
    begin_write(db)
    # Rows that another one added while this waited are seen by the next statement only.
    db.scalars(select(SigningKey.id).order_by(SigningKey.id).with_for_update()).all()
    return list_keys(db)


def ensure_keys(db: Session, vault: Vault, *, now: datetime) -> list[SigningKey]:
    """Make an active and a next key for each algorithm that has none; those that were made.

    Raises SealBroken when the vault is another installation's.
    """
    rows = lock_keys(db)
    check_vault(rows, vault)
    have = {(row.alg, row.state) for row in rows}
    wanted = [(alg, state) for alg in ALGORITHMS for state in (State.ACTIVE, State.NEXT)]
    made = [new_key(vault, alg, state, now=now) for alg, state in wanted if (alg, state) not in have]
    db.add_all(made)
    db.flush()
    return made


def check_vault(rows: list[SigningKey], vault: Vault) -> None:
    """Return if the vault opens what is stored: a key it seals must not stop the running processes.

    Raises SealBroken.
    """
    for row in rows:
        if row.private_sealed:
            open_private(row, vault)
            return


def new_key(vault: Vault, alg: str, state: State, *, now: datetime) -> SigningKey:
    """A fresh key pair for `alg`, sealed; the caller adds it."""
    key = _generated(alg)
    kid = key.thumbprint()
    extra = {"kid": kid, "use": "sig", "alg": alg}
    row = SigningKey(id=uuid7(), kid=kid, alg=alg, state=state.value, created_at=now)
    row.activated_at = now if state is State.ACTIVE else None
    row.public_jwk = {**key.as_dict(private=False), **extra}
    row.private_sealed = vault.seal(_SEALED, row.id, json.dumps({**key.as_dict(private=True), **extra}))
    return row


def open_private(row: SigningKey, vault: Vault) -> dict[str, Any]:
    """The private JWK of a key that signs or will sign. Raises SealBroken."""
    found: dict[str, Any] = json.loads(vault.open(_SEALED, row.id, row.private_sealed))
    return found


def _signing_object(row: SigningKey, vault: Vault, known: KeyRing | None) -> SigningKeyObject:
    had = known.signing.get(row.alg) if known else None
    return had if had is not None and had.kid == row.kid else _imported(open_private(row, vault))


def _generated(alg: str) -> SigningKeyObject:
    if alg == "ES256":
        return ECKey.generate_key("P-256", private=True)
    if alg == "EdDSA":
        return OKPKey.generate_key("Ed25519", private=True)
    return RSAKey.generate_key(2048, private=True)


def _imported(jwk: dict[str, Any]) -> SigningKeyObject:
    if jwk["kty"] == "RSA":
        return RSAKey(_rsa(jwk), jwk)
    kinds: dict[str, type[SigningKeyObject]] = {"EC": ECKey, "OKP": OKPKey}
    return kinds[jwk["kty"]].import_key(jwk)


def _rsa(jwk: dict[str, Any]) -> rsa.RSAPrivateKey:
    """The key object of a key of ours.

    Whether its numbers are primes is not computed again, which takes 34 ms: we made it, and the vault has
    just proved that no bit of it was changed.
    """
    number = {
        name: int.from_bytes(from_b64url(jwk[name]), "big")
        for name in ("n", "e", "d", "p", "q", "dp", "dq", "qi")
    }
    public = rsa.RSAPublicNumbers(e=number["e"], n=number["n"])
    private = rsa.RSAPrivateNumbers(
        p=number["p"],
        q=number["q"],
        d=number["d"],
        dmp1=number["dp"],
        dmq1=number["dq"],
        iqmp=number["qi"],
        public_numbers=public,
    )
    return private.private_key(unsafe_skip_rsa_key_validation=True)
