"""A sign-on of a client under the profile `fapi2` beside the plain one: PAR, private_key_jwt, DPoP.

What the client signs is made by the load generator, whose CPU time is not counted.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import ECKey

from bench.http import Answer, WrongAnswer
from bench.journeys import SCOPE, Journey, Visitor, check_subject, code_in, redemption, request_values

_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ALG = "ES256"


@dataclass(frozen=True, slots=True)
class Keys:
    """What the portal signs its assertions with, and what its tokens are bound to."""

    client: ECKey
    dpop: ECKey


def new_keys() -> Keys:
    """Fresh ones."""
    return Keys(ECKey.generate_key("P-256", private=True), ECKey.generate_key("P-256", private=True))


def sign_on(client_id: str, keys: Keys, issuer: str) -> Journey:
    """Push a request, authorize with a session, code, bound tokens, userinfo with a proof."""

    async def journey(visitor: Visitor) -> None:
        verifier = secrets.token_urlsafe(48)
        asked = request_values(client_id, SCOPE, verifier)
        pushed = await _post(visitor, "/oauth/par", asked, client_id, keys, issuer)
        request_uri = json.loads(pushed.expect(201).body)["request_uri"]
        address = "/oauth/authorize?" + urlencode({"client_id": client_id, "request_uri": request_uri})
        answer = await visitor.connection.get(address, f"Cookie: {visitor.cookie}\r\n")
        form = redemption(code_in(answer.expect(303).headers["location"]), verifier)
        answer = await _post(visitor, "/oauth/token", form, client_id, keys, issuer)
        tokens = json.loads(answer.expect(200).body)
        check_subject(await _userinfo(visitor, tokens["access_token"], keys, issuer), tokens)

    return journey


async def _post(
    visitor: Visitor, path: str, form: dict[str, str], client_id: str, keys: Keys, issuer: str
) -> Answer:
    def sent() -> tuple[dict[str, str], str]:
        proof = _proof(keys.dpop, "POST", issuer + path, visitor.kept.get("nonce"))
        authentication = {
            "client_assertion_type": _ASSERTION,
            "client_assertion": _assertion(client_id, keys.client, issuer),
        }
        return {**form, **authentication}, f"DPoP: {proof}\r\n"

    return await _with_a_nonce(visitor, lambda: visitor.connection.post(path, *sent()))


async def _userinfo(visitor: Visitor, token: str, keys: Keys, issuer: str) -> Answer:
    path = "/oauth/userinfo"

    def headers() -> str:
        proof = _proof(keys.dpop, "GET", issuer + path, visitor.kept.get("nonce"), token)
        return f"Authorization: DPoP {token}\r\nDPoP: {proof}\r\n"

    return await _with_a_nonce(visitor, lambda: visitor.connection.get(path, headers()))


async def _with_a_nonce(visitor: Visitor, ask: Callable[[], Any]) -> Answer:
    """The answer, asked for again if the provider wanted another nonce (RFC 9449 §8)."""
    for _ in range(2):
        answer: Answer = await ask()
        old = visitor.kept.get("nonce")
        visitor.kept["nonce"] = answer.headers.get("dpop-nonce", old or "")
        if answer.status in {200, 201} or visitor.kept["nonce"] == old:
            return answer
    raise WrongAnswer(f"no nonce was good enough: {answer.body[:300]!r}")


def _assertion(client_id: str, key: ECKey, issuer: str) -> str:
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": issuer, "iat": now, "exp": now + 60}
    return jwt.encode({"alg": _ALG, "kid": key.thumbprint()}, {**claims, "jti": secrets.token_hex(12)}, key)


def _proof(key: ECKey, method: str, url: str, nonce: str | None, token: str | None = None) -> str:
    header = {"typ": "dpop+jwt", "alg": _ALG, "jwk": key.as_dict(private=False)}
    claims: dict[str, Any] = {
        "htm": method,
        "htu": url,
        "iat": int(time.time()),
        "jti": secrets.token_hex(12),
    }
    if nonce:
        claims["nonce"] = nonce
    if token:
        digest = hashlib.sha256(token.encode()).digest()
        claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return jwt.encode(header, claims, key)
