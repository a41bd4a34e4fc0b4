"""private_key_jwt: a client proves itself by an assertion it signed (RFC 7523, OIDC Core §9).

Whose it is comes from the assertion itself and is believed once the signature by one of that
client's registered keys is right. Each counts once: its `jti` is spent before the client is known.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from idp.access import jws
from idp.access.client_keys import ClientKeys
from idp.access.clients import RegisteredClient
from idp.access.jws import UnverifiedJws, is_number
from idp.adapters.ephemeral import EphemeralStore
from idp.crypto import hash_token
from idp.web.refusals import Refusal, Refused
from idp.web.refusals import clients as refusals

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LONGEST = 8192
_LONGEST_JTI = 128
_TYPES = {"jwt", "client-authentication+jwt"}
_LONGEST_LIFE = 300
# FAPI 2.0 §5.3.2.1: clocks up to 10 seconds ahead are forgiven, of more than 60 none.
_SKEW = 10


def read_assertion(form: Any) -> UnverifiedJws:
    """The assertion in a request's form; proved is only that `iss` and `sub` agree. Raises Refused."""
    if form.get("client_assertion_type") != JWT_BEARER:
        raise _refused(refusals.ASSERTION_MALFORMED)
    try:
        token = jws.parse(form.get("client_assertion", ""), longest=_LONGEST)
    except jws.Malformed:
        raise _refused(refusals.ASSERTION_MALFORMED) from None
    if str(token.header.get("typ", "JWT")).lower().removeprefix("application/") not in _TYPES:
        raise _refused(refusals.ASSERTION_MALFORMED)
    named = token.claims.get("iss")
    if not isinstance(named, str) or token.claims.get("sub") != named:
        raise _refused(refusals.ASSERTION_NAMES)
    if form.get("client_id", named) != named:
        raise _refused(refusals.ASSERTION_NAMES)
    return token


def check_assertion(
    token: UnverifiedJws, client: RegisteredClient, keys: ClientKeys, *, ours: frozenset[str], now: datetime
) -> None:
    """Return if the client signed `token`, for one of the addresses in `ours`, just now. Raises Refused."""
    alg = client.assertion_alg
    if alg not in client.profile.signing_algs or token.header.get("alg") != alg:
        raise _refused(refusals.ASSERTION_ALGORITHM)
    if not jws.is_signed_by(token, keys.named(client, token.kid, now=now), alg=str(alg)):
        raise _refused(refusals.ASSERTION_SIGNATURE)
    if not _is_for(token.claims.get("aud"), ours):
        raise _refused(refusals.ASSERTION_AUDIENCE)
    if not _is_timely(token.claims, now=now):
        raise _refused(refusals.ASSERTION_TIME)


def spend_assertion(
    store: EphemeralStore, token: UnverifiedJws, client: RegisteredClient, *, now: datetime
) -> None:
    """Make this the only use of a checked assertion, for as long as it is valid. Raises Refused."""
    jti = token.claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI:
        raise _refused(refusals.ASSERTION_REPLAYED)
    ttl = token.claims["exp"] + _SKEW - now.timestamp() + 1
    if not store.put_if_absent(f"assertion:{client.client_id}:{hash_token(jti).hex()}", b"1", ttl=ttl):
        raise _refused(refusals.ASSERTION_REPLAYED)


def audiences(client: RegisteredClient, *, issuer: str, path: str) -> frozenset[str]:
    """What an assertion of `client` may be addressed to when it comes to `path`.

    FAPI 2.0 §5.3.2.1 has the issuer alone: an assertion for a token endpoint may have been made for a
    stranger's, which merely gave out ours as its own.
    """
    if client.profile.issuer_is_only_audience:
        return frozenset({issuer})
    return frozenset({issuer, f"{issuer}/oauth/token", f"{issuer}{path}"})


def _is_for(aud: Any, ours: frozenset[str]) -> bool:
    if isinstance(aud, str):
        return aud in ours
    # An array counts where several of our names do, and may name nobody beside us.
    if not isinstance(aud, list) or len(ours) == 1 or not aud:
        return False
    return all(isinstance(name, str) and name in ours for name in aud)


def _is_timely(claims: dict[str, Any], *, now: datetime) -> bool:
    present = now.timestamp()
    exp, begins = claims.get("exp"), [claims[name] for name in ("iat", "nbf") if name in claims]
    if not is_number(exp) or not all(map(is_number, begins)):
        return False
    if any(begin > present + _SKEW for begin in begins):
        return False
    return present - _SKEW < exp <= present + _LONGEST_LIFE + _SKEW


def _refused(refusal: Refusal) -> Refused:
    # RFC 6749 §5.2; no challenge, as the client did not use the Authorization header.
    return Refused(refusal, status=401)
