"""Signed request objects (JAR, RFC 9101): the parameters of a request in a JWS of the client.

Whoever reads a request reads the object's parameters alone: what stands beside it counts for
nothing. Only keys that the client registered are tried, and nothing that the object names is ever
fetched. An object lasts ten minutes at most: the way through the browser takes no longer, and without
a `jti` its `exp` is all that bounds a replay (RFC 9101 §10.3).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from idp.access import jws
from idp.access.clients import RegisteredClient
from idp.access.jws import UnverifiedJws
from idp.adapters.ephemeral import EphemeralStore
from idp.crypto import hash_token
from idp.web.platform import Platform
from idp.web.refusals import AuthorizationError, Refusal, requests
from idp.web.refusals import authorization as refusals

_LONGEST = 16_000
_LONGEST_JTI = 128
_LIFETIME = 600
# FAPI 2.0 §5.3.2.1, as for assertions.
_CLOCK_SKEW = 10
_TYPES = {"jwt", "oauth-authz-req+jwt"}
_OF_THE_JWT = {"iss", "aud", "exp", "nbf", "iat", "jti"}


def is_in(values: Mapping[str, list[str]]) -> bool:
    """Whether a request carries a request object; an empty parameter counts as absent (RFC 6749 §3.1)."""
    return any(values.get("request", []))


def unfolded(
    values: Mapping[str, list[str]], client: RegisteredClient, here: Platform, *, now: datetime
) -> dict[str, list[str]]:
    """The parameters in the request object of `values`, proved to be this client's.

    The order is from cheap to dear; a `jti` is spent once nothing else is wrong with the object. Raises
    AuthorizationError.
    """
    if len(values["request"]) > 1:
        raise AuthorizationError(refusals.DOUBLED)
    # RFC 9101 §5: one of them, never both.
    if any(values.get("request_uri", [])):
        raise AuthorizationError(requests.NO_REQUEST_URI)
    token = _parsed(values["request"][0], client)
    _check_origin(token.claims, client, values.get("client_id", []), here.settings.issuer)
    _check_times(token.claims, now)
    keys = here.client_keys.named(client, token.kid, now=now)
    if not jws.is_signed_by(token, keys, alg=str(token.header["alg"])):
        raise _refused(requests.OBJECT_SIGNATURE)
    parameters = {
        name: _texts(name, value) for name, value in token.claims.items() if name not in _OF_THE_JWT
    }
    _spend_jti(token.claims, client, here.store, now)
    return {**parameters, "client_id": [client.client_id]}


def _parsed(supplied: str, client: RegisteredClient) -> UnverifiedJws:
    """The object as it stands, if it is one and is signed with an algorithm of this client's."""
    try:
        token = jws.parse(supplied, longest=_LONGEST)
    except jws.Malformed:
        raise _refused(requests.OBJECT_MALFORMED) from None
    typ = token.header.get("typ", "JWT")
    # RFC 9101 §10.8, RFC 8725 §3.11: a client's assertion, a proof or a logout token is none of these.
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") not in _TYPES:
        raise _refused(requests.OBJECT_TYPE)
    if {"sub", "events"} & token.claims.keys():
        raise _refused(requests.OBJECT_TYPE)
    alg, fixed = token.header.get("alg"), client.request_object_alg
    if alg not in client.profile.signing_algs or (fixed is not None and alg != fixed):
        raise _refused(requests.OBJECT_ALGORITHM)
    return token


def _check_origin(claims: dict[str, Any], client: RegisteredClient, outside: list[str], issuer: str) -> None:
    """By this client, for this provider (RFC 9101 §4, §5)."""
    inside = claims.get("client_id", client.client_id)
    if claims.get("iss") != client.client_id or inside != client.client_id or outside != [client.client_id]:
        raise _refused(requests.OBJECT_ISSUER)
    audience = claims.get("aud")
    if audience != issuer and not (isinstance(audience, list) and issuer in audience):
        raise _refused(requests.OBJECT_AUDIENCE)
    if {"request", "request_uri"} & claims.keys():
        raise _refused(requests.OBJECT_NESTED)


def _check_times(claims: dict[str, Any], now: datetime) -> None:
    instant = now.timestamp()
    expires = claims.get("exp")
    if not jws.is_number(expires) or not instant - _CLOCK_SKEW < expires <= instant + _LIFETIME + _CLOCK_SKEW:
        raise _refused(requests.OBJECT_TIME)
    begins = [claims[name] for name in ("nbf", "iat") if name in claims]
    if not all(jws.is_number(each) and each <= instant + _CLOCK_SKEW for each in begins):
        raise _refused(requests.OBJECT_TIME)


def _texts(name: str, value: Any) -> list[str]:
    """The values of one parameter as a query would carry them (OpenID Connect Core §6.1)."""
    if name == "max_age" and isinstance(value, int) and not isinstance(value, bool):
        return [str(value)]
    if name == "claims" and isinstance(value, dict):
        return [json.dumps(value)]
    texts = value if name == "resource" and isinstance(value, list) else [value]
    if not all(isinstance(each, str) and _is_text(each) for each in texts):
        raise _refused(requests.OBJECT_VALUES)
    return list(texts)


def _is_text(value: str) -> bool:
    # JSON can name half a character, which no address can carry.
    return "\0" not in value and not any("\ud800" <= each <= "\udfff" for each in value)


def _spend_jti(
    claims: dict[str, Any], client: RegisteredClient, store: EphemeralStore, now: datetime
) -> None:
    if "jti" not in claims:
        return
    jti = claims["jti"]
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI or not _is_text(jti):
        raise _refused(requests.OBJECT_REPLAYED)
    spent = f"request-object:{client.client_id}:{hash_token(jti).hex()}"
    until_expired = claims["exp"] - now.timestamp() + _CLOCK_SKEW + 1
    if not store.put_if_absent(spent, b"1", ttl=until_expired):
        raise _refused(requests.OBJECT_REPLAYED)


def _refused(refusal: Refusal) -> AuthorizationError:
    return AuthorizationError(refusal)
