"""Pages of registered apps may call from another origin: the token endpoints and those of phones, no others.

Nothing is allowed with cookies (Fetch §3.2): a call is proved by its token and its key. Any other page
gets the answer of every other day, which its browser keeps from it.
"""

from __future__ import annotations

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import MethodNotAllowed

from idp.web.platform import platform
from idp.web.security import PHONES, PROGRAMS

_OPEN = frozenset(f"{PROGRAMS}.{name}" for name in ("token", "revoke", "userinfo"))
_HEADERS = "Authorization, Content-Type, DPoP"
_EXPOSED = "DPoP-Nonce, Retry-After, WWW-Authenticate"
_MAX_AGE = 600  # seconds


def install(app: Flask) -> None:
    """Answer the questions a browser asks before a call of another origin, and mark the answers."""
    app.before_request(_preflight)
    app.after_request(_mark)


def _preflight() -> Response | None:
    asked = request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
    if not asked or not _is_open() or not _is_an_apps():
        return None
    answer = Response(status=204)
    methods = request.url_rule.methods if request.url_rule else None
    answer.headers["Access-Control-Allow-Methods"] = ", ".join(sorted(methods or ()))
    answer.headers["Access-Control-Allow-Headers"] = _HEADERS
    answer.headers["Access-Control-Max-Age"] = str(_MAX_AGE)
    return answer


def _mark(response: Response) -> Response:
    if not _is_open():
        return response
    response.vary.add("Origin")
    if _is_an_apps():
        response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED
    return response


def _is_open() -> bool:
    endpoint = request.endpoint or _endpoint_of_other_methods()
    return endpoint in _OPEN or endpoint.startswith(f"{PHONES}.")


def _endpoint_of_other_methods() -> str:
    """Whose address was called with a method it does not take; empty where it was not that."""
    refused = request.routing_exception
    if not isinstance(refused, MethodNotAllowed) or not refused.valid_methods:
        return ""
    adapter = current_app.create_url_adapter(request)
    endpoint = adapter.match(method=next(iter(refused.valid_methods)))[0] if adapter else ""
    return str(endpoint)


def _is_an_apps() -> bool:
    """Whether the calling page's origin is exactly that of a registered app."""
    origin = request.headers.get("Origin")
    return origin is not None and origin != "null" and origin in platform().clients.app_origins()
