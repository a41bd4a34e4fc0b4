"""An authenticator in Python: makes passkeys and signs with them, as WebAuthn Level 3 says or forbids.

It holds discoverable credentials for one site. Everything a page would send can be bent: the origin,
the flags, the counter, the challenge, the key.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from idp.crypto import b64url

ORIGIN = "http://localhost:8000"
ES256, EDDSA, RS256 = -7, -8, -257
"""Algorithms of keys, by their numbers (RFC 9053, RFC 8812)."""
_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40

Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class ACredential:
    """One passkey: its key, its counter, and whom it is filed under."""

    id: bytes
    key: Key
    user_handle: bytes
    count: int = 0

    def cose(self) -> dict[int, Any]:
        """The public key as an authenticator tells it (RFC 9052 §7)."""
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return {1: 1, 3: EDDSA, -1: 6, -2: self.key.public_key().public_bytes_raw()}
        if isinstance(self.key, rsa.RSAPrivateKey):
            told = self.key.public_key().public_numbers()
            return {1: 3, 3: RS256, -1: told.n.to_bytes(256, "big"), -2: told.e.to_bytes(3, "big")}
        point = self.key.public_key().public_numbers()
        return {1: 2, 3: ES256, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}

    def sign(self, data: bytes) -> bytes:
        """A signature over `data`."""
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.sign(data)
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        return self.key.sign(data, ec.ECDSA(hashes.SHA256()))


@dataclass
class AnAuthenticator:
    """A security key. `counts`: whether it counts its signatures, as synced passkeys do not."""

    origin: str = ORIGIN
    counts: bool = True
    verifies: bool = True
    credentials: list[ACredential] = field(default_factory=list)
    algorithm: int = ES256

    def create(self, options: str | dict[str, Any], **bent: Any) -> str:
        """What the page sends after `navigator.credentials.create`."""
        asked = json.loads(options) if isinstance(options, str) else options
        made = ACredential(
            bent.get("id", secrets.token_bytes(32)), _new_key(self.algorithm), _bytes(asked["user"]["id"])
        )
        self.credentials.append(made)
        key = cbor2.dumps(bent.get("cose", made.cose()))
        attested = bytes(16) + struct.pack(">H", len(made.id)) + made.id + key
        data = self._authenticator_data(asked["rp"]["id"], made, _ATTESTED, **bent) + attested
        told = {"fmt": bent.get("fmt", "none"), "attStmt": {}, "authData": data}
        answer = {
            "clientDataJSON": b64url(self._client_data("webauthn.create", asked, **bent)),
            "attestationObject": b64url(bent.get("attestation", cbor2.dumps(told))),
            "transports": bent.get("transports", ["internal"]),
        }
        return self._told(made, answer)

    def get(self, options: str | dict[str, Any], **bent: Any) -> str:
        """What the page sends after `navigator.credentials.get`; `user_handle=None` sends none."""
        asked = json.loads(options) if isinstance(options, str) else options
        wanted = {_bytes(one["id"]) for one in asked.get("allowCredentials", [])}
        chosen = next(one for one in self.credentials if not wanted or one.id in wanted)
        if self.counts:
            chosen.count += 1
        data = self._authenticator_data(asked["rpId"], chosen, 0, **bent)
        client_data = self._client_data("webauthn.get", asked, **bent)
        signed = data + hashlib.sha256(client_data).digest()
        answer = {
            "clientDataJSON": b64url(client_data),
            "authenticatorData": b64url(data),
            "signature": b64url(chosen.sign(signed)),
        }
        handle = bent.get("user_handle", chosen.user_handle)
        if handle is not None:
            answer["userHandle"] = b64url(handle)
        return self._told(chosen, answer)

    def cloned(self) -> AnAuthenticator:
        """The same keys in another device, with the counters as they are now."""
        twins = [ACredential(one.id, one.key, one.user_handle, one.count) for one in self.credentials]
        return AnAuthenticator(self.origin, self.counts, self.verifies, twins, self.algorithm)

    def _authenticator_data(self, host: str, used: ACredential, extra: int, /, **bent: Any) -> bytes:
        present = _PRESENT if bent.get("present", True) else 0
        verified = _VERIFIED if bent.get("verified", self.verifies) else 0
        flags = present | verified | extra | bent.get("flags", 0)
        count = bent.get("count", used.count)
        return hashlib.sha256(bent.get("host", host).encode()).digest() + struct.pack(">BI", flags, count)

    def _client_data(self, kind: str, asked: dict[str, Any], **bent: Any) -> bytes:
        said = {
            "type": bent.get("type", kind),
            "challenge": bent.get("challenge", asked["challenge"]),
            "origin": bent.get("origin", self.origin),
            "crossOrigin": bent.get("cross_origin", False),
        }
        return json.dumps(said).encode()

    @staticmethod
    def _told(used: ACredential, answer: dict[str, Any]) -> str:
        named = b64url(used.id)
        return json.dumps(
            {
                "id": named,
                "rawId": named,
                "type": "public-key",
                "response": answer,
                "clientExtensionResults": {},
            }
        )


def _new_key(algorithm: int) -> Key:
    if algorithm == EDDSA:
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == RS256:
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1())
