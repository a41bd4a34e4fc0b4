"""The provider says that a sign-in has ended (OpenID Connect Back-Channel Logout 1.0 §2.5–2.8).

`/backchannel-logout` is called by the provider itself, without any browser: what counts is the signed
logout token. The sessions of that sign-in end here, whatever browser holds them; saying it twice does no
harm.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from relying_parties.kit import session as sessions
from relying_parties.kit.id_token import ALGORITHMS, SKEW
from relying_parties.kit.portal import current_portal, now
from relying_parties.kit.provider import AnswerRefused, ProviderUnavailable

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LONGEST_TOKEN: Final = 8000

blueprint = Blueprint("back_channel", __name__)


@blueprint.post("/backchannel-logout")
def ended() -> Response:
    """End the sessions of the sign-in that the token names."""
    portal, supplied = current_portal(), request.form.getlist("logout_token")
    try:
        claims = verify_logout_token(
            supplied[0] if len(supplied) == 1 else "",
            lambda kid: portal.relying_party.provider.key(kid, now()),
            issuer=portal.settings.issuer,
            client_id=portal.settings.client_id,
            now=now(),
        )
    except AnswerRefused as refused:
        return _answer(400, {"error": "invalid_request", "error_description": str(refused)})
    except ProviderUnavailable:
        return _answer(503, {"error": "temporarily_unavailable"})
    with portal.database.writing() as session:
        sessions.end_sessions_of(session, sub=claims.get("sub"), sid=claims.get("sid"))
    return _answer(200, {})


def verify_logout_token(
    raw: str, find_key: Callable[[str], jwk.Key], *, issuer: str, client_id: str, now: datetime
) -> dict[str, Any]:
    """The claims of a logout token (§2.6). Raises AnswerRefused, and whatever `find_key` raises."""

    def key_of(token: Any) -> jwk.Key:
        header = token.headers()
        if header.get("typ") != "logout+jwt" or not isinstance(header.get("kid"), str):
            raise AnswerRefused("this is no logout token")
        return find_key(header["kid"])

    if len(raw) > LONGEST_TOKEN:
        raise AnswerRefused("this is no logout token")
    try:
        claims = jwt.decode(raw, key_of, algorithms=ALGORITHMS).claims
        expires = datetime.fromtimestamp(claims["exp"], UTC)
    except (JoseError, ValueError, TypeError, KeyError, OverflowError) as failed:
        raise AnswerRefused(f"the logout token: {type(failed).__name__}") from None
    events = claims.get("events")
    if claims.get("iss") != issuer or claims.get("aud") not in (client_id, [client_id]):
        raise AnswerRefused("iss or aud")
    if expires + SKEW <= now or "nonce" in claims:
        raise AnswerRefused("exp or nonce")
    if not isinstance(events, dict) or EVENT not in events:
        raise AnswerRefused("events")
    if not isinstance(claims.get("sid"), str):
        raise AnswerRefused("sid")
    return claims


def _answer(status: int, body: dict[str, str]) -> Response:
    response = jsonify(body)
    response.status_code = status
    return response
