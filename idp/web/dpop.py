"""Proofs of possession (DPoP, RFC 9449): a request signed by the key its tokens are bound to.

A proof counts once, for one method and address, within a minute, and only with a nonce of ours
(§8), so that none can be made in store. Nonces are computed from the secret key and the time: no
process has to remember any. A client that sends no proof costs nothing here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Request, Response
from flask import request as request_in_hand
from joserfc.jwk import Key

from idp.access import jws
from idp.access.client_keys import public_key
from idp.access.clients import RegisteredClient
from idp.access.profiles import Profile
from idp.crypto import b64url, hash_token, keyed_digest, same
from idp.web.platform import now, platform
from idp.web.refusals import Refused
from idp.web.refusals import dpop as refusals

HEADER = "DPoP"
NONCE_HEADER = "DPoP-Nonce"
_LONGEST = 4096
_LONGEST_JTI = 128
# §11.1 leaves the window to the server: clocks ahead of ours by as much as FAPI 2.0 §5.3.2.1 says, and a
# slow network.
_SECONDS_BEHIND, _SECONDS_AHEAD = 60, 10
_NONCE_SECONDS = 150
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class _Proof:
    """A proof whose signature is right, and the key that made it."""

    claims: dict[str, Any]
    key: Key


def bound_key(request: Request, client: RegisteredClient) -> str | None:
    """The thumbprint (RFC 7638) of the key this request is proved to come from; None without a proof.

    For the endpoints clients call, after client authentication and before anything is spent. Raises
    Refused, also when the client is registered to prove and does not.
    """
    if HEADER not in request.headers:
        if client.dpop:
            raise Refused(refusals.PROOF_REQUIRED)
        return None
    return _thumbprint(_checked(request, client.profile))


def check_use(request: Request, profile: Profile, *, access_token: str, dpop_jkt: str) -> None:
    """Return if the request proves the key that `access_token` is bound to (§7). Raises Refused."""
    if HEADER not in request.headers:
        raise Refused(refusals.PROOF_MALFORMED)
    expected = b64url(hashlib.sha256(access_token.encode()).digest())
    proof = _checked(request, profile, access_token_hash=expected)
    if not same(_thumbprint(proof), dpop_jkt):
        raise Refused(refusals.TOKEN_MISMATCH)


def offer_nonce(response: Response) -> Response:
    """Give whoever sent a proof the nonce for his next one (§8.2), good for at least 150 seconds."""
    if HEADER in request_in_hand.headers:
        response.headers[NONCE_HEADER] = _nonce_of(_bucket())
    return response


def _checked(request: Request, profile: Profile, *, access_token_hash: str | None = None) -> _Proof:
    """The proof of this request, spent now (§4.3: the order is from cheap to dear)."""
    proof = _signed(request, profile)
    if not _is_for(proof.claims, request):
        raise Refused(refusals.PROOF_ELSEWHERE)
    if not _is_fresh(proof.claims):
        raise Refused(refusals.PROOF_TIME)
    if access_token_hash is not None and not same(str(proof.claims.get("ath", "")), access_token_hash):
        raise Refused(refusals.TOKEN_MISMATCH)
    if not _has_nonce(proof.claims):
        raise Refused(refusals.NONCE_REQUIRED)
    _spend(proof)
    return proof


def _signed(request: Request, profile: Profile) -> _Proof:
    sent = request.headers.getlist(HEADER)
    # A server may have joined two headers into one with a comma, which no JWS contains.
    if len(sent) > 1 or "," in sent[0]:
        raise Refused(refusals.TWO_PROOFS)
    try:
        token = jws.parse(sent[0], longest=_LONGEST)
    except jws.Malformed:
        raise Refused(refusals.PROOF_MALFORMED) from None
    if token.header.get("typ") != "dpop+jwt":
        raise Refused(refusals.PROOF_MALFORMED)
    alg = token.header.get("alg")
    if alg not in profile.signing_algs:
        raise Refused(refusals.PROOF_ALGORITHM)
    key = public_key(token.header.get("jwk"))
    if key is None:
        raise Refused(refusals.PROOF_KEY)
    if not jws.is_signed_by(token, [key], alg=str(alg)):
        raise Refused(refusals.PROOF_SIGNATURE)
    return _Proof(token.claims, key)


def _is_for(claims: dict[str, Any], request: Request) -> bool:
    ours = platform().settings.issuer + request.path
    htu = claims.get("htu")
    try:
        same_address = isinstance(htu, str) and _comparable(htu) == _comparable(ours)
    except ValueError:
        return False
    return same_address and claims.get("htm") == request.method


def _comparable(address: str) -> tuple[str, str, int | None, str]:
    """An address without query and fragment, scheme and host in any case (RFC 3986 §6.2.2.1, §6.2.3)."""
    parts = urlsplit(address)
    if "@" in parts.netloc:
        raise ValueError("an address of ours names no user")
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port, parts.path


def _is_fresh(claims: dict[str, Any]) -> bool:
    iat = claims.get("iat")
    return jws.is_number(iat) and -_SECONDS_BEHIND < iat - now().timestamp() <= _SECONDS_AHEAD


def _has_nonce(claims: dict[str, Any]) -> bool:
    supplied = claims.get("nonce")
    if not isinstance(supplied, str):
        return False
    bucket = _bucket()
    # The next one too: another process, whose clock is a moment ahead, may have given it out.
    return any(same(supplied, _nonce_of(known)) for known in (bucket, bucket - 1, bucket + 1))


def _bucket() -> int:
    return int(now().timestamp()) // _NONCE_SECONDS


def _nonce_of(bucket: int) -> str:
    return keyed_digest(platform().nonce_key, str(bucket))


def _spend(proof: _Proof) -> None:
    jti = proof.claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI:
        raise Refused(refusals.PROOF_REPLAYED)
    spent = f"dpop:{_thumbprint(proof)}:{hash_token(jti).hex()}"
    # Kept for as long as the window lets a proof count (§11.1).
    ttl = _SECONDS_BEHIND + _SECONDS_AHEAD + 1
    if not platform().store.put_if_absent(spent, b"1", ttl=ttl):
        raise Refused(refusals.PROOF_REPLAYED)


def _thumbprint(proof: _Proof) -> str:
    return str(proof.key.thumbprint())
