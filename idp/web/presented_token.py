"""The access token a request brings to a resource of ours, and the answer when it will not do.

It comes as a bearer (RFC 6750) or with a proof of the key it is bound to (DPoP, RFC 9449 §7); a
bound token never counts as a bearer, and an unbound one has no proof to come with.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Request, Response, jsonify

from idp.access.clients import RegisteredClient
from idp.access.profiles import SIGNING_ALGS
from idp.access.tokens import AccessToken, read_access_token
from idp.web import dpop
from idp.web.platform import now, platform
from idp.web.refusals import Refusal, Refused
from idp.web.refusals import resources as refusals

_BEARER, _DPOP = "bearer", "dpop"
_STATUS = {"invalid_request": 400, "insufficient_scope": 403}
"""RFC 6750 §3.1; whatever else is wrong is answered with 401."""


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """A token that is ours, unexpired and proved; whether its grant lives is asked elsewhere."""

    access: AccessToken
    client: RegisteredClient


@dataclass(frozen=True, slots=True)
class _Sent:
    scheme: str
    token: str


def presented_token(request: Request) -> PresentedToken | None:
    """The token this request brings to a resource of ours; None if it brings none. Raises Refused."""
    sent = _sent(request)
    if sent is None:
        return None
    if "Authorization" in request.headers and _in_body(request):
        raise Refused(refusals.TWO_TOKENS)
    here = platform()
    access = read_access_token(here.keys, sent.token, issuer=here.settings.issuer, now=now())
    client = here.clients.find(access.claims["client_id"]) if access else None
    if access is None or client is None or access.grant_id is None:
        raise Refused(refusals.TOKEN_REFUSED, status=401)
    if here.settings.issuer not in access.audience:
        raise Refused(refusals.OTHER_AUDIENCE, status=401)
    if client.dpop and access.dpop_jkt is None:
        raise Refused(refusals.TOKEN_UNBOUND, status=401)
    if (access.dpop_jkt is not None) != (sent.scheme == _DPOP):
        raise Refused(refusals.WRONG_SCHEME, status=401)
    if access.dpop_jkt:
        dpop.check_use(request, client.profile, access_token=sent.token, dpop_jkt=access.dpop_jkt)
    return PresentedToken(access, client)


def challenge(
    request: Request, refusal: Refusal | None, *, realm: str = "userinfo", **asked_for: str
) -> Response:
    """The schemes that will do, and what is wrong; `asked_for` would do (RFC 9470 §3).

    Without a token both schemes are offered and no error is named (RFC 6750 §3, RFC 9449 §7.1).
    """
    body: dict[str, str] = {}
    if refusal:
        body = refusal.told(platform().settings.issuer, refusal.says) | asked_for
    sent = _sent(request)
    bearer, proved = {"realm": realm}, {"realm": realm, "algs": " ".join(SIGNING_ALGS)}
    if sent is None:
        offers = [_offer("Bearer", bearer), _offer("DPoP", proved)]
    elif sent.scheme == _DPOP:
        offers = [_offer("DPoP", proved | body)]
    else:
        offers = [_offer("Bearer", bearer | body)]
        if refusal in {refusals.WRONG_SCHEME, refusals.TOKEN_UNBOUND}:
            offers.append(_offer("DPoP", proved))
    response = jsonify(body)
    response.status_code = _STATUS.get(refusal.error, 401) if refusal else 401
    response.headers["WWW-Authenticate"] = ", ".join(offers)
    return response


def _sent(request: Request) -> _Sent | None:
    """From the header, or as a bearer from the body of a POST (RFC 6750 §2)."""
    header = request.headers.get("Authorization", "")
    if header:
        scheme, _, token = header.partition(" ")
        known = scheme.lower() in {_BEARER, _DPOP} and token.strip()
        return _Sent(scheme.lower(), token.strip()) if known else None
    token = _in_body(request)
    return _Sent(_BEARER, token) if token else None


def _in_body(request: Request) -> str:
    return request.form.get("access_token", "") if request.method == "POST" else ""


def _offer(scheme: str, parameters: dict[str, str]) -> str:
    return f"{scheme} " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())
