"""Signing keys: private halves sealed at rest, public halves published as ready bytes.

Access tokens are signed with ES256, ID tokens with what the client registered. Importing an RSA
key costs tens of milliseconds, so key objects stay in the process.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey
from sqlalchemy import JSON, LargeBinary, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.crypto import Vault
from idp.db import Base, begin_write, uuid7

ALGORITHMS = ("RS256", "ES256")
ACCESS_TOKEN_ALG = "ES256"  # noqa: S105 - an algorithm's name

SigningKeyObject = RSAKey | ECKey


class SigningKey(Base):
    """A key pair. `state` is next, active or retired; a retired key still verifies."""

    __tablename__ = "signing_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    kid: Mapped[str] = mapped_column(String(64), unique=True)
    alg: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), default="active")
    private_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    public_jwk: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys of a process: one that signs per algorithm, all that verify, the published bytes."""

    signing: dict[str, SigningKeyObject]
    verifying: KeySet
    jwks: bytes
    etag: str

    def sign(self, claims: dict[str, Any], *, alg: str, typ: str) -> str:
        """`claims` as a compact JWS with `kid` and `typ` in its header (RFC 7515, RFC 8725 §3.11)."""
        key = self.signing[alg]
        return jwt.encode({"alg": alg, "kid": key.kid, "typ": typ}, claims, key, algorithms=[alg])


def ensure_keys(db: Session, vault: Vault, *, now: datetime) -> None:
    """Make an active key for each algorithm that has none."""
    begin_write(db)
    have = set(db.scalars(select(SigningKey.alg).where(SigningKey.state == "active")))
    for alg in ALGORITHMS:
        if alg not in have:
            db.add(_new_key(vault, alg, now=now))
    db.flush()


def load_keys(db: Session, vault: Vault) -> KeyRing:
    """The key ring as stored now. Raises LookupError when an algorithm has no active key."""
    rows = db.scalars(select(SigningKey).order_by(SigningKey.created_at)).all()
    signing: dict[str, SigningKeyObject] = {}
    for row in rows:
        if row.state == "active":
            private = json.loads(vault.open("signing_keys.private", row.id, row.private_sealed))
            signing[row.alg] = _import(private)
    missing = [alg for alg in ALGORITHMS if alg not in signing]
    if missing:
        msg = f"No active signing key for {', '.join(missing)}: run `idp db upgrade`."
        raise LookupError(msg)
    public = {"keys": [row.public_jwk for row in rows]}
    jwks = json.dumps(public, separators=(",", ":"), sort_keys=True).encode()
    etag = hashlib.sha256(jwks).hexdigest()[:32]
    return KeyRing(signing, KeySet.import_key_set(public), jwks, etag)  # type: ignore[arg-type]  # a plain dict is one


def list_keys(db: Session) -> list[SigningKey]:
    """Every key, the oldest first."""
    return list(db.scalars(select(SigningKey).order_by(SigningKey.created_at)))


def _new_key(vault: Vault, alg: str, *, now: datetime) -> SigningKey:
    key: SigningKeyObject = (
        RSAKey.generate_key(2048, private=True)
        if alg == "RS256"
        else ECKey.generate_key("P-256", private=True)
    )
    kid = key.thumbprint()
    extra = {"kid": kid, "use": "sig", "alg": alg}
    row = SigningKey(id=uuid7(), kid=kid, alg=alg, state="active", created_at=now)
    row.public_jwk = {**key.as_dict(private=False), **extra}
    row.private_sealed = vault.seal(
        "signing_keys.private", row.id, json.dumps({**key.as_dict(private=True), **extra})
    )
    return row


def _import(jwk: dict[str, Any]) -> SigningKeyObject:
    return RSAKey.import_key(jwk) if jwk["kty"] == "RSA" else ECKey.import_key(jwk)
