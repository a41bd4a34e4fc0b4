"""Clients that prove who they are by keys: assertions, signed requests and DPoP proofs, forged ones too."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from werkzeug.test import TestResponse

from idp.access.jws import ALGORITHMS
from idp.crypto import b64url
from tests.oauth.asking import call
from tests.world import CALLBACK, ISSUER, World

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@cache
def _rsa_key(_number: int) -> Key:
    # Making one takes a moment, so that the tests of a process share a few.
    return RSAKey.generate_key(2048, private=True)


def a_key(alg: str = "ES256", *, number: int = 0) -> Key:
    """A private key for `alg`; of RSA the one with this number."""
    if alg == "ES256":
        return ECKey.generate_key("P-256", private=True)
    if alg == "EdDSA":
        return OKPKey.generate_key("Ed25519", private=True)
    return _rsa_key(number)


def signed(key: Key, header: Mapping[str, Any], claims: Mapping[str, Any], *, alg: str = "") -> str:
    """A compact JWS of these parts; `alg` signs where the header lies about it."""
    parts = (b64url(json.dumps(part).encode()) for part in (header, claims))
    signing_input = ".".join(parts)
    signature = ALGORITHMS[alg or header["alg"]].sign(signing_input.encode(), key)
    return f"{signing_input}.{b64url(signature)}"


def public_jwk(key: Key, **more: Any) -> dict[str, Any]:
    """The public half, as it is registered or sent."""
    return {**key.as_dict(private=False), **more}


@dataclass(frozen=True)
class AKeyholder:
    """A client that signs with a registered key."""

    client_id: str
    key: Key
    alg: str = "ES256"
    kid: str = "first"
    redirect_uri: str = CALLBACK

    @property
    def jwks(self) -> dict[str, Any]:
        """What it registers."""
        return {"keys": [public_jwk(self.key, kid=self.kid)]}

    def assertion(self, *, header: Mapping[str, Any] | None = None, **changed: Any) -> str:
        """A fresh client assertion (RFC 7523); a claim given as None is left out."""
        moment = int(time.time())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": ISSUER,
            "jti": secrets.token_urlsafe(16),
            "iat": moment,
            "exp": moment + 60,
            **changed,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        return signed(self.key, {"alg": self.alg, "kid": self.kid, **(header or {})}, kept, alg=self.alg)

    def proved(self, *, header: Mapping[str, Any] | None = None, **changed: Any) -> dict[str, str]:
        """The form fields that authenticate a request."""
        assertion = self.assertion(header=header, **changed)
        return {"client_assertion_type": JWT_BEARER, "client_assertion": assertion}

    def signed_request(
        self, params: Mapping[str, Any], *, header: Mapping[str, Any] | None = None, **changed: Any
    ) -> str:
        """`params` as a request object (RFC 9101); a claim given as None is left out."""
        moment = int(time.time())
        claims = {
            "iss": self.client_id,
            "client_id": self.client_id,
            "aud": ISSUER,
            "jti": secrets.token_urlsafe(16),
            "nbf": moment,
            "iat": moment,
            "exp": moment + 60,
            **params,
            **changed,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        typed = {"alg": self.alg, "kid": self.kid, "typ": "oauth-authz-req+jwt", **(header or {})}
        return signed(self.key, typed, kept, alg=self.alg)

    def post(
        self, world: World, path: str, values: Mapping[str, Any], *, dpop: ADpopKey | None = None, **more: Any
    ) -> TestResponse:
        """A call to an endpoint of clients; with `dpop` once more when a nonce is asked for."""

        def once(nonce: str | None) -> TestResponse:
            headers = dict(more.get("headers", {}))
            if dpop:
                headers["DPoP"] = dpop.proof("POST", ISSUER + path, nonce=nonce)
            return call(world, path, {**values, **self.proved()}, headers=headers)

        answer = once(None)
        return once(answer.headers["DPoP-Nonce"]) if _wants_nonce(answer) else answer


@dataclass(frozen=True)
class ADpopKey:
    """A key that tokens are bound to."""

    key: Key = field(default_factory=a_key)
    alg: str = "ES256"

    @property
    def jkt(self) -> str:
        """Its thumbprint (RFC 7638)."""
        return str(self.key.thumbprint())

    def proof(
        self,
        method: str,
        url: str,
        *,
        nonce: str | None = None,
        access_token: str | None = None,
        header: Mapping[str, Any] | None = None,
        **changed: Any,
    ) -> str:
        """A fresh proof for one request; a claim given as None is left out."""
        claims = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": url,
            "iat": int(time.time()),
            "nonce": nonce,
            "ath": _token_hash(access_token) if access_token else None,
            **changed,
        }
        kept = {name: value for name, value in claims.items() if value is not None}
        named = {"typ": "dpop+jwt", "alg": self.alg, "jwk": public_jwk(self.key), **(header or {})}
        return signed(self.key, named, kept, alg=self.alg)


def a_keyholder(world: World, *, alg: str = "ES256", kid: str = "first", **given: Any) -> AKeyholder:
    """A registered client with a key; any field of NewClient may be given."""
    key = given.pop("key", None) or a_key(alg)
    fields = {
        "auth_method": "private_key_jwt",
        "assertion_alg": alg,
        "jwks": {"keys": [public_jwk(key, kid=kid)]},
        **given,
    }
    client = world.a_client(**fields)
    return AKeyholder(client.client_id, key, alg, kid, client.redirect_uri)


def with_nonce(
    world: World, path: str, dpop: ADpopKey, values: Mapping[str, Any], **more: Any
) -> TestResponse:
    """A call with a proof, repeated with the nonce asked for; `more` authenticates."""
    headers = dict(more.pop("headers", {}))

    def once(nonce: str | None) -> TestResponse:
        proof = dpop.proof("POST", ISSUER + path, nonce=nonce)
        return call(world, path, values, headers={**headers, "DPoP": proof}, **more)

    answer = once(None)
    return once(answer.headers["DPoP-Nonce"]) if _wants_nonce(answer) else answer


def _wants_nonce(answer: TestResponse) -> bool:
    return bool((answer.get_json(silent=True) or {}).get("error") == "use_dpop_nonce")


def _token_hash(access_token: str) -> str:
    return b64url(hashlib.sha256(access_token.encode()).digest())
