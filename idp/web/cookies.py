"""The one owner of cookies.

============== ===================================================================================
``idp_session`` the opaque token of the sign-in session; nothing else
``idp_browser`` Flask's signed cookie: a random id of the browser (what pending requests and captchas
                are bound to) and the CSRF token
``idp_known``   signed, 180 days: an id of its own and the accounts that signed in here before (see
                proof.throttle)
``idp_staff``   the opaque token of a sign-in at the staff console; SameSite=Strict
``idp_wait``    the secret with which this browser waits for its scan tickets; another one at each sign-in
                and sign-out
``idp_large``   大字版 on or off
============== ===================================================================================

On https every name carries the ``__Host-`` prefix. All are HttpOnly, path /, no domain,
SameSite=Lax where nothing else is said.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Flask, Response, current_app, g, request, session
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from itsdangerous import BadSignature, TimestampSigner, URLSafeTimedSerializer

from idp.config import Settings
from idp.crypto import new_token
from idp.web.cookie_names import TOKEN, WAIT, named
from idp.web.platform import now, settings
from idp.web.security import called_by_programs

_KNOWN_AT_MOST = 12
_SIGNER = "idp-known-browser"


class BrowserSessions(SecureCookieSessionInterface):
    """Flask's signed cookie, for browsers only: answers to programs neither set it nor vary by it.

    Its signer is made once, not for each request, as the secret never changes.
    """

    # What the library takes for SHA-1 is a function in Python, and costs several times this one in C.
    digest_method = staticmethod(hashlib.sha256)

    def __init__(self) -> None:
        self._signer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """The signer of the application this belongs to."""
        if self._signer is None:
            self._signer = super().get_signing_serializer(app)
        return self._signer

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write the cookie with an answer to a browser."""
        if not called_by_programs(app):
            super().save_session(app, session, response)


def configure(app: Flask, configured: Settings) -> None:
    """Name and harden Flask's own cookie."""
    app.session_interface = BrowserSessions()
    app.extensions[_SIGNER] = TimestampSigner(
        str(app.secret_key), salt="known-accounts", digest_method=hashlib.sha256
    )
    app.config.update(
        SESSION_COOKIE_NAME=named("idp_browser", configured),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=configured.secure_cookies,
        SESSION_COOKIE_PATH="/",
    )


def browser_id() -> str:
    """The random id of this browser, made at first use."""
    if "browser" not in session:
        session["browser"] = new_token(18)
    found: str = session["browser"]
    return found


def session_token() -> str | None:
    """The token of the sign-in session this browser claims to have."""
    token = request.cookies.get(named("idp_session", settings()), "")
    return token if TOKEN.match(token) else None


def set_session_token(response: Response, token: str) -> None:
    """Give the browser its sign-in session; it lasts until the browser closes or the server ends it."""
    _set(response, "idp_session", token, max_age=None)


def clear_session_token(response: Response) -> None:
    """Take the sign-in session away from the browser."""
    _clear(response, "idp_session")


def staff_token() -> str | None:
    """The token of the sign-in at the console this browser claims to have."""
    token = request.cookies.get(named("idp_staff", settings()), "")
    return token if TOKEN.match(token) else None


def set_staff_token(response: Response, token: str) -> None:
    """Give the browser its sign-in at the console; no other site's link carries it."""
    _set(response, "idp_staff", token, max_age=None, samesite="Strict")


def clear_staff_token(response: Response) -> None:
    """Take the sign-in at the console away from the browser."""
    _clear(response, "idp_staff", samesite="Strict")


@dataclass(frozen=True, slots=True)
class KnownBrowser:
    """What the signed cookie says: an id that its holder cannot change, and the tags of accounts."""

    id: str
    tags: tuple[str, ...]
    written_at: datetime | None = None


def known_browser() -> KnownBrowser:
    """The accounts that signed in with this browser before; none when the cookie is not ours."""
    if "known_browser" not in g:
        g.known_browser = _read_known_browser()
    found: KnownBrowser = g.known_browser
    return found


def remember_account(response: Response, tag: str) -> None:
    """Make this browser known to an account; its id stays. What was lately said is not said again."""
    known, life = known_browser(), timedelta(days=settings().known_browser_days)
    if known.tags[:1] == (tag,) and known.written_at and now() - known.written_at < life / 10:
        return
    tags = [tag, *(other for other in known.tags if other != tag)][:_KNOWN_AT_MOST]
    # All of them are URL-safe base64, so that a dot may part them.
    value = _known_signer().sign(".".join((known.id, *tags))).decode()
    _set(response, "idp_known", value, max_age=int(life.total_seconds()))


def wait_secret() -> str:
    """The secret this browser waits for its scan tickets with; made at first use, sent with the answer."""
    if "wait_secret" not in g:
        sent = request.cookies.get(named(WAIT, settings()), "")
        g.wait_secret = sent if TOKEN.match(sent) else new_token()
        g.new_wait_secret = g.wait_secret != sent
    secret: str = g.wait_secret
    return secret


def renew_wait_secret() -> None:
    """Take the secret this browser sent for what it is worth no more: the answer brings another one.

    Whoever read it at somebody else's sign-in waits for nothing of the next one's.
    """
    if sent_wait_secret():
        g.wait_secret, g.new_wait_secret = new_token(), True


def sent_wait_secret() -> str:
    """The same as this browser sent it; empty if it has none."""
    sent = request.cookies.get(named(WAIT, settings()), "")
    return sent if TOKEN.match(sent) else ""


def set_wait_secret(response: Response) -> None:
    """Give the browser the secret that was made for it, if one was; it lasts until the browser closes."""
    if g.get("new_wait_secret"):
        _set(response, WAIT, g.wait_secret, max_age=None)


def large_text() -> bool:
    """Whether this browser asked for 大字版."""
    return request.cookies.get(named("idp_large", settings())) == "1"


def set_large_text(response: Response, *, on: bool) -> None:
    """Remember 大字版 for a year, or forget it."""
    if on:
        _set(response, "idp_large", "1", max_age=365 * 86400)
    else:
        _clear(response, "idp_large")


def _read_known_browser() -> KnownBrowser:
    configured = settings()
    raw = request.cookies.get(named("idp_known", configured), "")
    if not raw:
        return _unknown_browser()
    try:
        life = configured.known_browser_days * 86400
        kept, written_at = _known_signer().unsign(raw[:4000], max_age=life, return_timestamp=True)
    except BadSignature:
        return _unknown_browser()
    known, *tags = kept.decode().split(".")
    return KnownBrowser(known, tuple(tags), written_at)


def _unknown_browser() -> KnownBrowser:
    return KnownBrowser(new_token(12), ())


def _known_signer() -> TimestampSigner:
    signer: TimestampSigner = current_app.extensions[_SIGNER]
    return signer


def _set(response: Response, name: str, value: str, *, max_age: int | None, samesite: str = "Lax") -> None:
    configured = settings()
    response.set_cookie(
        named(name, configured),
        value,
        max_age=max_age,
        path="/",
        secure=configured.secure_cookies,
        httponly=True,
        samesite=samesite,
    )


def _clear(response: Response, name: str, *, samesite: str = "Lax") -> None:
    response.delete_cookie(
        named(name, settings()), path="/", secure=settings().secure_cookies, httponly=True, samesite=samesite
    )
