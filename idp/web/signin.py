"""Who is signed in, the guards, and signing a browser in and out.

Flask-Login is used thinly: it loads the current sign-in from our session table for each request
that asks, and sends those without one to the sign-in page. It keeps no session of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit
from uuid import UUID

from flask import Flask, Request, Response, g, redirect, request, url_for
from flask_login import LoginManager, UserMixin, current_user, login_required
from werkzeug.wrappers import Response as BaseResponse

from idp.access import assurance
from idp.access.endings import end_session, end_session_of
from idp.accounts import sessions
from idp.accounts.audit import Action, Event, Origin
from idp.accounts.identity import Identity, Role
from idp.accounts.sessions import Device, Proof, SignedIn
from idp.web import cookies
from idp.web.errors import Stop
from idp.web.platform import db, now, platform, roll_back, settings
from idp.web.redirects import own_path

View = TypeVar("View", bound=Callable[..., Any])

_ENTRANCES = {"person": "login.person", "operator": "login.operator", "enterprise": "login.legal"}
"""The way in to each centre, by what stands for it in its addresses."""
_CENTRES = {
    Role.LEGAL_REPRESENTATIVE: "enterprise.centre",
    Role.OPERATOR: "enterprise.operator_centre",
    Role.NATURAL_PERSON: "person.centre",
}
_SIGN_INS = {
    Role.LEGAL_REPRESENTATIVE: "enterprise.sessions",
    Role.OPERATOR: "enterprise.operator_sessions",
    Role.NATURAL_PERSON: "person.sessions",
}


def sign_in_required(view: View) -> View:
    """Guard of a view: without a live sign-in the browser goes to the sign-in page."""
    return cast("View", login_required(view))


class CurrentUser(UserMixin):  # type: ignore[misc]  # Flask-Login is untyped
    """The live sign-in as Flask-Login wants to see it."""

    def __init__(self, signed_in: SignedIn) -> None:
        self.signed_in = signed_in

    def get_id(self) -> str:
        """The opaque id of the sign-in session."""
        return str(self.signed_in.session.id)


def install(app: Flask) -> None:
    """Wire Flask-Login to the session table."""
    manager = LoginManager()
    manager.session_protection = None
    manager.request_loader(_load)
    manager.unauthorized_handler(_to_sign_in)
    manager.init_app(app, add_context_processor=False)


def current() -> SignedIn | None:
    """The live sign-in of this browser, or None."""
    found: SignedIn | None = getattr(current_user, "signed_in", None)
    return found


def has_ended() -> bool:
    """Whether this browser brought a sign-in that does not count any more: unused too long, or ended."""
    return cookies.session_token() is not None and current() is None


def required() -> SignedIn:
    """The live sign-in, in views behind a guard."""
    signed_in = current()
    if signed_in is None:
        msg = "a guarded view ran without a sign-in"
        raise RuntimeError(msg)
    return signed_in


def device() -> Device:
    """The browser that sent this request."""
    return Device(
        browser=(request.user_agent.string or "")[:200],
        address=request.remote_addr or "",
        key=cookies.known_browser().id,
    )


def origin(actor: str | None = None) -> Origin:
    """From where this request acts, for the audit trail."""
    if actor is None:
        signed_in = current()
        actor = f"person:{signed_in.person.id}" if signed_in else ""
    seen = device()
    return Origin(actor=actor, address=seen.address, device=seen.browser, request_id=g.get("request_id", ""))


def start(identity: Identity, proof: Proof) -> None:
    """Open a sign-in for this browser under a new id; the one it had ends.

    The cookie is set on the response by :func:`finish`, which Flask calls after the view. Raises Stop where
    what the proof rests on is gone: its password, or the sign-in it was handed on from.
    """
    cookies.renew_wait_secret()
    try:
        g.new_session_token = _opened(identity, proof)
    except sessions.NotOpened:
        roll_back()
        raise Stop(
            "登录没有完成",
            "就在刚才，这个账号的密码被修改，或者账号被暂停、登录被退出。请重新登录；还是不行的话，请拨打服务热线。",
            status=403,
            ways=(("重新登录", url_for("login.start")),),
        ) from None
    g.pop("_login_user", None)


def _opened(identity: Identity, proof: Proof) -> str:
    """The token of a new sign-in in place of the one this browser had. Raises NotOpened."""
    before = cookies.session_token()
    replaced = before is not None and end_session_of(
        db(), platform().vault, before, reason="replaced", now=now()
    )
    if proof.handed_on and not replaced:
        raise sessions.NotOpened
    lifetime = settings().seconds("session_lifetime")
    return sessions.open_session(db(), identity, proof, device(), lifetime=lifetime, now=now())[1]


def end(session_id: UUID, *, reason: str) -> bool:
    """End one sign-in; False if it had ended before."""
    return end_session(db(), platform().vault, session_id, reason=reason, now=now())


def sign_out(*, by: str = "person") -> None:
    """End this browser's sign-in with all that was granted in it, and forget its cookie (I07)."""
    signed_in = required()
    end(signed_in.session.id, reason="signed_out")
    event = Event(Action.SIGNED_OUT, entity=str(signed_in.identity.enterprise_id or ""), detail={"by": by})
    platform().trail.record(db(), event, origin(), now=now())
    forget()


def forget() -> None:
    """Take the sign-in cookie from this browser with the answer."""
    g.new_session_token = ""
    cookies.renew_wait_secret()


def proved_lately(signed_in: SignedIn, *, has_factor: bool) -> bool:
    """Whether a change of this account's security may go on without another proof.

    An account with a second factor wants it proved within this sign-in, too: the cookie of a sign-in
    older than the factor must not be enough to take it away. What a phone confirmed is no such proof.
    """
    session = signed_in.session
    proved_at = session.last_proof
    recent = proved_at is not None and now() - proved_at <= settings().seconds("fresh_proof")
    return recent and (not has_factor or assurance.satisfies(session.acr, assurance.SECOND_PROOF))


def raise_to(*, amr: tuple[str, ...], acr: str, renews: bool = True) -> bool:
    """Note a further proof in this browser's sign-in, under a new id; False if it ended meanwhile.

    Without `renews` it is none for :func:`proved_lately`.
    """
    token = sessions.raise_session(db(), required().session, amr=amr, acr=acr, renews=renews, now=now())
    if token is None:
        return False
    g.new_session_token = token
    g.pop("_login_user", None)
    return True


def remember_account(tag: str) -> None:
    """Make this browser known to an account with the answer."""
    g.known_account = tag


def finish(response: Response) -> Response:
    """Write what the view decided about this browser's cookies."""
    token = g.get("new_session_token")
    if token:
        cookies.set_session_token(response, token)
    elif token == "":
        cookies.clear_session_token(response)
    if "known_account" in g:
        cookies.remember_account(response, g.known_account)
    cookies.set_wait_secret(response)
    return response


def home_of(role: Role | str) -> str:
    """The address of the centre of somebody acting by this right."""
    return url_for(_CENTRES[Role(role)])


def sign_ins_of(role: Role | str) -> str:
    """The address of the list of his sign-ins."""
    return url_for(_SIGN_INS[Role(role)])


def _load(_request: Request) -> Any:
    token = cookies.session_token()
    if token is None:
        return None
    found = sessions.find_live(db(), token, idle=settings().seconds("session_idle"), now=now())
    if found is None:
        return None
    sessions.note_seen(db(), found.session, now=now())
    return CurrentUser(found)


def _to_sign_in() -> BaseResponse:
    """To the way in to what was asked for; the journey goes on where it was when the sign-in ran out."""
    transaction = request.args.get("tx")
    if transaction:
        return redirect(url_for("login.start", tx=transaction))
    wanted = _wanted()
    _, first, second, *_ = (*urlsplit(wanted or request.path).path.split("/"), "", "")
    entrance = _ENTRANCES.get(second, "login.start") if first == "center" else "login.start"
    return redirect(url_for(entrance, next=wanted))


def _wanted() -> str | None:
    """The page that was asked for, if it can be opened again; a step of the sign-in leads on itself."""
    if request.blueprint == "login":
        return own_path(request.args.get("next", ""))
    if request.method != "GET":
        return None
    query = request.query_string.decode("latin-1")
    return own_path(f"{request.path}?{query}" if query else request.path)
