"""What holds for every request and answer: ids, hosts, origins, sizes, headers.

The content security policy allows nothing inline. A page inside an authorization adds the client's
registered origin to ``form-action`` (:func:`allow_form_to`): Chromium checks the redirect that
answers a form too.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from urllib.parse import urlsplit

from flask import Flask, Response, g, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.exceptions import BadRequest, Forbidden, MisdirectedRequest, RequestURITooLarge

from idp.access.addresses import is_origin
from idp.web.headers import ALWAYS, ON_HTTPS
from idp.web.platform import now, settings

csrf = CSRFProtect()
"""CSRF protection of every form (Flask-WTF); endpoints that clients call are exempted by name."""

PROGRAMS, PHONES, SERVICES, GATEWAYS = "programs", "phones", "services", "gateways"
"""The blueprints whose addresses programs call: relying parties, phone apps, parties that we asked, and
gateways that messages were handed to."""

LONGEST_QUERY = 16_000
"""Longer addresses are refused, and none is made here."""
_OPEN_TO_ANY_HOST = {"/healthz", "/readyz", "/metrics"}
_ALPHABET = b"23456789ABCDEFGHJKMNPQRSTVWXYZ"
_LETTER_OF = bytes(_ALPHABET[octet % len(_ALPHABET)] for octet in range(256))
_FOR_PROGRAMS = (f"{PROGRAMS}.", f"{PHONES}.", f"{SERVICES}.", f"{GATEWAYS}.")
_SAFE = {"GET", "HEAD", "OPTIONS"}


def install(app: Flask) -> None:
    """Wire the checks before each request and the headers after it."""
    app.config.update(
        MAX_CONTENT_LENGTH=128_000,
        MAX_FORM_MEMORY_SIZE=128_000,
        MAX_FORM_PARTS=200,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        WTF_CSRF_CHECK_DEFAULT=True,
    )
    app.before_request(_name_request)
    app.before_request(_check_host)
    # Before the body is read: what another site sends is neither received nor counted against its victim.
    app.before_request(_check_origin)
    app.before_request(_check_parameters)
    csrf.init_app(app)
    app.after_request(_harden)


def allow_form_to(origins: Iterable[str]) -> None:
    """Let the forms of this page be answered by a redirect to `origins`."""
    g.form_origins = tuple(origins)


def allow_scripts(*, asking: bool = False) -> None:
    """Let this page load scripts of ours; every other page runs none.

    With `asking` they may ask this provider further things; what one part of a page is allowed, another does
    not take away.
    """
    if asking or "scripts" not in g:
        g.scripts = "script-src 'self'; connect-src 'self'; " if asking else "script-src 'self'; "


def called_by_programs(app: Flask) -> bool:
    """Whether the request in hand is for an address that answers programs, in JSON, whatever its method."""
    if request.endpoint is not None:
        return _is_for_programs(request.endpoint)
    # Nothing is at this address but for other methods.
    methods = getattr(request.routing_exception, "valid_methods", None)
    if not methods:
        return False
    endpoint, _ = app.url_map.bind(request.host).match(request.path, method=next(iter(methods)))
    return _is_for_programs(endpoint)


def _is_for_programs(endpoint: str) -> bool:
    return endpoint.startswith(_FOR_PROGRAMS)


def _name_request() -> None:
    day = now().strftime("%Y%m%d")
    letters = secrets.token_bytes(8).translate(_LETTER_OF).decode()
    g.request_id = f"TX-{day}-{letters[:4]}-{letters[4:]}"


def _check_host() -> None:
    """The issuer's host and no other: links and cookies must not depend on what a request claims."""
    expected = urlsplit(settings().issuer).netloc
    if request.host != expected and request.path not in _OPEN_TO_ANY_HOST:
        raise MisdirectedRequest


def _check_parameters() -> None:
    if len(request.query_string) > LONGEST_QUERY:
        raise RequestURITooLarge
    for values in (request.args, request.form):
        for name, value in values.items(multi=True):
            # A password may hold any character; nothing else that is typed or sent holds NUL.
            if "\0" in name or ("\0" in value and "password" not in name):
                raise BadRequest


def _check_origin() -> None:
    """Refuse state-changing requests that another site's page sends (beside the CSRF token)."""
    if request.method in _SAFE or not request.endpoint or _takes_cross_site_posts(request.endpoint):
        return
    claimed = request.headers.get("Origin")
    if claimed not in {None, settings().issuer}:
        raise Forbidden
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        raise Forbidden


def _takes_cross_site_posts(view: str) -> bool:
    # OpenID Connect Core §3.1.2.1 and RP-Initiated Logout §2 require POST from the relying party's page.
    return _is_for_programs(view) or view in {"oauth.authorize", "oauth.logout"}


def _harden(response: Response) -> Response:
    # A registration older than the rules for hosts must not write directives of its own.
    allowed = " ".join(("'self'", *filter(is_origin, g.get("form_origins", ()))))
    scripts = g.get("scripts", "")
    policy = (
        f"default-src 'none'; {scripts}style-src 'self'; img-src 'self'; media-src 'self'; "
        f"font-src 'self'; form-action {allowed}; frame-ancestors 'none'; base-uri 'none'"
    )
    wanted = [
        ("Content-Security-Policy", policy),
        *ALWAYS,
        ("Cache-Control", "no-store"),
        ("X-Request-Id", g.get("request_id", "")),
    ]
    if settings().secure_cookies:
        wanted.append(ON_HTTPS)
    # What a view has set stays. Each look for a name in `headers` would go through all of them.
    there = {name.lower() for name in response.headers.keys()}  # noqa: SIM118 - pairs without it
    response.headers.extend([each for each in wanted if each[0].lower() not in there])
    return response
