"""An authenticator in Python: makes passkeys and signs with them, as WebAuthn Level 3 says or forbids.

It holds discoverable P-256 credentials for one site. Everything a page would send can be bent: the
origin, the flags, the counter, the challenge.
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
from cryptography.hazmat.primitives.asymmetric import ec

from idp.crypto import b64url

ORIGIN = "http://localhost:8000"
_PRESENT, _VERIFIED, _ATTESTED = 0x01, 0x04, 0x40


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class ACredential:
    """One passkey: its key, its counter, and whom it is filed under."""

    id: bytes
    key: ec.EllipticCurvePrivateKey
    user_handle: bytes
    count: int = 0


@dataclass
class AnAuthenticator:
    """A security key. `counts`: whether it counts its signatures, as synced passkeys do not."""

    origin: str = ORIGIN
    counts: bool = True
    verifies: bool = True
    credentials: list[ACredential] = field(default_factory=list)

    def create(self, options: str | dict[str, Any], **bent: Any) -> str:
        """What the page sends after `navigator.credentials.create`."""
        asked = json.loads(options) if isinstance(options, str) else options
        made = ACredential(
            secrets.token_bytes(32), ec.generate_private_key(ec.SECP256R1()), _bytes(asked["user"]["id"])
        )
        self.credentials.append(made)
        numbers = made.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + struct.pack(">H", len(made.id)) + made.id + cbor2.dumps(cose)
        data = self._authenticator_data(asked["rp"]["id"], made, _ATTESTED, **bent) + attested
        answer = {
            "clientDataJSON": b64url(self._client_data("webauthn.create", asked, **bent)),
            "attestationObject": b64url(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
            "transports": ["internal"],
        }
        return self._told(made, answer)

    def get(self, options: str | dict[str, Any], **bent: Any) -> str:
        """What the page sends after `navigator.credentials.get`."""
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
            "signature": b64url(chosen.key.sign(signed, ec.ECDSA(hashes.SHA256()))),
            "userHandle": b64url(bent.get("user_handle", chosen.user_handle)),
        }
        return self._told(chosen, answer)

    def cloned(self) -> AnAuthenticator:
        """The same keys in another device, with the counters as they are now."""
        twins = [ACredential(one.id, one.key, one.user_handle, one.count) for one in self.credentials]
        return AnAuthenticator(self.origin, self.counts, self.verifies, twins)

    def _authenticator_data(self, host: str, used: ACredential, extra: int, **bent: Any) -> bytes:
        flags = _PRESENT | extra | (_VERIFIED if bent.get("verified", self.verifies) else 0)
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
