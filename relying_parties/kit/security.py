"""What every answer and every form of a portal must bear: headers, a foreign-host check, CSRF tokens.

A form token is an HMAC over the browser's key and its session, so it needs no storage and dies with either.
"""

import hashlib
import hmac
from typing import Final
from urllib.parse import urlsplit

from flask import Response, request
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.exceptions import BadRequest, Forbidden, SecurityError

from relying_parties.kit.portal import current_address, current_portal

SIGN_OUT_SECONDS: Final = 600
"""How long after asking to sign out a browser may come back from the provider."""

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
_PORTAL_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # same-origin, not no-referrer: under the latter browsers send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def csrf_token() -> str:
    """The token that this browser's forms must send back."""
    cookies = current_portal().cookies
    return _mac(f"csrf:{cookies.browser_key()}:{cookies.session_key() or ''}")


def sign_out_state() -> str:
    """The `state` of this browser's sign-out at the provider."""
    return _sign_outs().dumps(_mac(f"sign-out:{current_portal().cookies.browser_key()}"))


def sign_out_state_is_ours(supplied: str | None) -> bool:
    """Whether this browser asked to sign out, not long ago, with the state `supplied`."""
    try:
        claimed = _sign_outs().loads(supplied or "", max_age=SIGN_OUT_SECONDS)
    except BadData:
        return False
    return bool(claimed == _mac(f"sign-out:{current_portal().cookies.browser_key()}"))


def check_host() -> None:
    """Return if the request is for an address of the portal's own. Raises SecurityError (400)."""
    known = {urlsplit(address).netloc for address in current_portal().settings.addresses}
    if request.host.lower() not in known:
        raise SecurityError("another host name")


def check_form() -> None:
    """Return if the request changes nothing, or comes from a form of ours. Raises Forbidden, BadRequest."""
    if request.method in _SAFE_METHODS or request.endpoint == "back_channel.ended":
        # The provider's own call bears no cookie; it is proved by its signature.
        return
    origin = request.headers.get("Origin")
    if origin is not None and origin != current_address():
        raise Forbidden("a form of another site")
    if len(request.form.getlist("csrf_token")) != 1:
        raise BadRequest("no form token")
    if not hmac.compare_digest(request.form["csrf_token"].encode("utf-8", "replace"), csrf_token().encode()):
        raise Forbidden("a form of another browser or session")


def add_headers(response: Response) -> Response:
    """Say what a browser may do with this answer."""
    portal = current_portal()
    response.headers.update(_PORTAL_HEADERS)
    # A form may end at the provider: signing out redirects there, and form-action covers redirects.
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {portal.settings.issuer}"
    )
    if portal.settings.https:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _secret() -> str:
    return current_portal().settings.secret_key.get_secret_value()


def _mac(text: str) -> str:
    return hmac.new(_secret().encode(), text.encode(), hashlib.sha256).hexdigest()


def _sign_outs() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(_secret(), salt="sign-out")
