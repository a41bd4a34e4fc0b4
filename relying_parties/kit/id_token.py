"""The checks an ID token must pass before a word of it is believed (OpenID Connect Core 1.0 §3.1.3.7).

One check, one function; `verify_id_token` shows their order. Every refusal is AnswerRefused with the
check's name.
"""

import base64
import binascii
import hashlib
import hmac
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from joserfc import jwk, jwt
from joserfc.errors import JoseError

from relying_parties.kit.provider import AnswerRefused

ALGORITHMS: Final = ("RS256", "ES256")
SKEW: Final = timedelta(seconds=8)
"""How far two clocks may differ."""

ACR_LEVELS: Final = {"urn:idp:loa:1": 1, "urn:idp:loa:2": 2, "urn:idp:loa:3": 3}
"""The provider's levels of assurance, by what `acr` says."""

Claims = dict[str, Any]


@dataclass(frozen=True)
class Expected:
    """What the ID token of one authorization request must say."""

    issuer: str
    client_id: str
    nonce: str = field(repr=False)
    access_token: str = field(repr=False)
    acr: str
    signed_in_since: datetime | None = None
    """Where a new sign-in was asked for (prompt=login): when."""


def verify_id_token(
    raw: str, find_key: Callable[[str], jwk.Key], expected: Expected, now: datetime
) -> Claims:
    """The claims of `raw`, signed by a key that `find_key` knows by its `kid`.

    Raises AnswerRefused, and whatever `find_key` raises.
    """
    claims = _verified_claims(raw, find_key)
    _check_issuer(claims, expected)
    _check_audience(claims, expected)
    _check_times(claims, now)
    _check_nonce(claims, expected)
    _check_access_token_hash(claims, expected)
    _check_subject(claims)
    _check_acr(claims, expected)
    _check_sign_in_is_new(claims, expected)
    return claims


def _verified_claims(raw: str, find_key: Callable[[str], jwk.Key]) -> Claims:
    # joserfc holds the key to what the provider publishes it for (`alg`, `kty`).
    def key_of(token: Any) -> jwk.Key:
        return find_key(_key_id(token.headers()))

    try:
        return jwt.decode(raw, key_of, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError, TypeError, KeyError, binascii.Error) as failed:
        raise AnswerRefused(f"the ID token's signature: {type(failed).__name__}") from None


def _key_id(header: dict[str, Any]) -> str:
    # An access token or a logout token says so in `typ` and is never an ID token.
    if header.get("typ", "JWT") != "JWT":
        raise AnswerRefused("this is another kind of token")
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise AnswerRefused("the ID token names no key")
    return kid


def _check_issuer(claims: Claims, expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise AnswerRefused("iss")


def _check_audience(claims: Claims, expected: Expected) -> None:
    if claims.get("aud") not in (expected.client_id, [expected.client_id]):
        raise AnswerRefused("aud")
    if claims.get("azp", expected.client_id) != expected.client_id:
        raise AnswerRefused("azp")


def _check_times(claims: Claims, now: datetime) -> None:
    if _instant(claims, "exp") + SKEW <= now:
        raise AnswerRefused("exp")
    if _instant(claims, "iat") > now + SKEW:
        raise AnswerRefused("iat")


def _check_nonce(claims: Claims, expected: Expected) -> None:
    if not hmac.compare_digest(str(claims.get("nonce")).encode(), expected.nonce.encode()):
        raise AnswerRefused("nonce")


def _check_access_token_hash(claims: Claims, expected: Expected) -> None:
    if "at_hash" not in claims:
        return
    # Both algorithms allowed here hash with SHA-256 (Core §3.1.3.6).
    half = hashlib.sha256(expected.access_token.encode()).digest()[:16]
    if claims["at_hash"] != base64.urlsafe_b64encode(half).rstrip(b"=").decode():
        raise AnswerRefused("at_hash")


def _check_subject(claims: Claims) -> None:
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise AnswerRefused("sub")


def _check_acr(claims: Claims, expected: Expected) -> None:
    given = claims.get("acr")
    if not isinstance(given, str) or ACR_LEVELS.get(given, 0) < ACR_LEVELS[expected.acr]:
        raise AnswerRefused("acr")


def _check_sign_in_is_new(claims: Claims, expected: Expected) -> None:
    if expected.signed_in_since is None:
        return
    # auth_time counts whole seconds, so an instant within the same second is not earlier.
    if _instant(claims, "auth_time") + SKEW < expected.signed_in_since.replace(microsecond=0):
        raise AnswerRefused("auth_time")


def _instant(claims: Claims, name: str) -> datetime:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise AnswerRefused(name)
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError):
        raise AnswerRefused(name) from None
