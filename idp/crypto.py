"""Secrets: sealed personal data, blind indexes, token hashing, derived keys.

Personal data is sealed with AES-256-GCM, bound to its table, column and row, so that a value
copied into another row does not open. A blind index (HMAC-SHA-256) lets a sealed value be looked
up by equality. Both carry the id of the key they were made with, so keys can be rotated.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import unicodedata
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE = 12


class SealBroken(Exception):
    """A sealed value does not open: another row, another column, a lost key or a changed byte."""


class Vault:
    """Seals and opens personal data with the installation's data keys.

    `keys` maps a key id (1–255) to 32 bytes; the first one seals, every one opens.
    """

    def __init__(self, keys: dict[int, bytes]) -> None:
        self._active = next(iter(keys))
        self._seals = {key_id: AESGCM(derive(key, "seal")) for key_id, key in keys.items()}
        self._index_keys = {key_id: derive(key, "blind-index") for key_id, key in keys.items()}

    def seal(self, column: str, row_id: UUID, text: str) -> bytes:
        """`text` sealed for `column` ("table.column") of the row `row_id`."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._seals[self._active].encrypt(nonce, text.encode(), _bound_to(column, row_id))
        return bytes([self._active]) + nonce + sealed

    def open(self, column: str, row_id: UUID, sealed: bytes) -> str:
        """What was sealed. Raises SealBroken."""
        seal = self._seals.get(sealed[0]) if sealed else None
        if seal is None:
            msg = f"{column}: no key for this value"
            raise SealBroken(msg)
        try:
            return seal.decrypt(
                sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], _bound_to(column, row_id)
            ).decode()
        except (InvalidTag, ValueError):
            # ValueError: cut so short that not even a nonce is left.
            msg = f"{column}: the value does not belong here"
            raise SealBroken(msg) from None

    def index(self, kind: str, text: str) -> bytes:
        """The blind index to store for `text`; `kind` keeps equal values of different kinds apart."""
        return self._index(self._active, kind, text)

    def indexes(self, kind: str, text: str) -> list[bytes]:
        """Every blind index `text` may be stored under, one a key: what a look-up compares with."""
        return [self._index(key_id, kind, text) for key_id in self._index_keys]

    def _index(self, key_id: int, kind: str, text: str) -> bytes:
        digest = hmac.digest(self._index_keys[key_id], f"{kind}\0{text}".encode(), "sha256")
        return bytes([key_id]) + digest


def _bound_to(column: str, row_id: UUID) -> bytes:
    return column.encode() + b"\0" + row_id.bytes


def derive(secret: bytes, purpose: str) -> bytes:
    """A 32-byte key for one purpose (HKDF-SHA-256, RFC 5869)."""
    return HKDF(hashes.SHA256(), 32, salt=None, info=f"tongxing:{purpose}".encode()).derive(secret)


def new_token(size: int = 32) -> str:
    """An unguessable URL-safe token of `size` random bytes."""
    return secrets.token_urlsafe(size)


def hash_token(token: str) -> bytes:
    """What is stored of a random token or client secret. Not for passwords: it is fast on purpose."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def keyed_digest(key: bytes, *parts: str | bytes) -> str:
    """HMAC-SHA-256 over length-framed `parts`, URL-safe base64 without padding."""
    framed = bytearray()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        framed += len(data).to_bytes(8, "big") + data
    return b64url(hmac.digest(key, framed, "sha256"))


def b64url(data: bytes) -> str:
    """URL-safe base64 without padding (RFC 7515 §2)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_b64url(text: str) -> bytes:
    """What :func:`b64url` was made of. Raises ValueError."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def same(left: str, right: str) -> bool:
    """Constant-time comparison of two strings."""
    return hmac.compare_digest(left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass"))


def plain(text: str) -> str:
    """`text` as typed on any keyboard: full-width forms folded, outer spaces dropped (NFKC)."""
    return unicodedata.normalize("NFKC", text).strip()
