"""The routes by which a browser comes in and goes out.

`/login` and `/login/person` begin a sign-in at once, `/switch/<kind>` one as somebody else, `/callback`
takes the provider's answer, `/refused` says why the portal's own records let somebody not in, `/logout`
signs out here and at the provider, `/signed-out` is where that ends.
"""

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import BadRequest, NotFound

from relying_parties.kit import session as sessions
from relying_parties.kit.answers import (
    NO_ATTEMPT,
    SIGNED_OUT_HERE_ONLY,
    answer_refused,
    provider_said,
    unavailable,
)
from relying_parties.kit.errors import stop_page
from relying_parties.kit.identity import Kind
from relying_parties.kit.next_page import HOME_PATH, safe_next
from relying_parties.kit.oidc import SignIn
from relying_parties.kit.portal import NotAdmitted, current_address, current_portal, current_session, now
from relying_parties.kit.provider import AnswerRefused, ProviderUnavailable
from relying_parties.kit.security import sign_out_state, sign_out_state_is_ours
from relying_parties.kit.session import Taken

blueprint = Blueprint("sign_in", __name__)


@blueprint.get("/login")
def unit() -> ResponseReturnValue:
    """Begin a company's sign-in at once."""
    return _begin(Kind.UNIT)


@blueprint.get("/login/person")
def person() -> ResponseReturnValue:
    """Begin a person's own sign-in at once."""
    return _begin(Kind.PERSON)


@blueprint.get("/switch/<kind>")
def switch(kind: str) -> ResponseReturnValue:
    """切换身份: ask the provider for a new sign-in, even if this browser has one there."""
    if kind not in set(Kind):
        raise NotFound
    return _begin(Kind(kind), anew=True)


@blueprint.get("/callback")
def callback() -> ResponseReturnValue:
    """Take the provider's answer to a sign-in that this browser began."""
    portal = current_portal()
    state, error, code, issuer = (_single(name) for name in ("state", "error", "code", "iss"))
    with portal.database.writing() as session:
        taken = sessions.take_attempt(session, state or "", portal.cookies.browser_key(), now())
    if taken is None:
        return stop_page(NO_ATTEMPT, "no such attempt of this browser")
    try:
        portal.relying_party.check_response_issuer(issuer)
        if error is not None:
            return stop_page(*provider_said(error, taken.begun.kind))
        signed_in = portal.relying_party.finish(taken.begun, code or "", current_address(), now())
    except AnswerRefused as refused:
        return stop_page(answer_refused(taken.begun.kind), str(refused))
    except ProviderUnavailable as failed:
        return stop_page(unavailable(taken.begun.kind, taken.next_path), str(failed))
    return _enter(signed_in, taken)


@blueprint.get("/refused")
def refused() -> ResponseReturnValue:
    """Tell somebody whom the portal's records do not know why, and whom to turn to (J14)."""
    portal = current_portal()
    with portal.database.reading() as session:
        refusal = sessions.live_refusal(session, portal.cookies.browser_key(), now())
    if refusal is None:
        return redirect(HOME_PATH, 303)
    return make_response(render_template("kit/refused.html", refusal=refusal, who=refusal.profile), 403)


@blueprint.get("/logout")
def confirm_sign_out() -> ResponseReturnValue:
    """Ask before signing out: a link alone, from anywhere, ends nothing."""
    if current_session() is None:
        return redirect(HOME_PATH, 303)
    return render_template("kit/confirm_sign_out.html")


@blueprint.post("/logout")
def sign_out() -> ResponseReturnValue:
    """End the session here, then send the browser to end it at the provider."""
    portal, key = current_portal(), current_portal().cookies.session_key()
    with portal.database.writing() as session:
        id_token = sessions.end_session(session, key) if key else None
        refused_token = sessions.forget_refusal(session, portal.cookies.browser_key())
    response = _leave(id_token or refused_token)
    portal.cookies.drop_session(response)
    return response


@blueprint.get("/signed-out")
def signed_out() -> ResponseReturnValue:
    """Say that both sign-ins have ended, if this browser asked for it and the provider sent it here."""
    if current_session() is None and sign_out_state_is_ours(_single("state")):
        return render_template("kit/signed_out.html")
    return make_response(render_template("kit/not_signed_out.html"), 400)


def _begin(kind: Kind, *, anew: bool = False) -> ResponseReturnValue:
    portal, next_path = current_portal(), safe_next(_single("next"))
    try:
        authorization = portal.relying_party.begin(kind, current_address(), anew=anew, now=now())
    except ProviderUnavailable as failed:
        return stop_page(unavailable(kind, next_path), str(failed))
    browser = portal.cookies.browser_key()
    with portal.database.writing() as session:
        sessions.keep_attempt(session, authorization, browser, kind, next_path, anew=anew, now=now())
    return redirect(authorization.url, 303)


def _enter(signed_in: SignIn, taken: Taken) -> ResponseReturnValue:
    portal, old_key = current_portal(), current_portal().cookies.session_key()
    try:
        with portal.database.writing() as session:
            portal.admit(session, signed_in.identity, now())
            if old_key:
                sessions.end_session(session, old_key)
            sessions.forget_refusal(session, portal.cookies.browser_key())
            key = sessions.open_session(session, signed_in, now())
    except NotAdmitted as not_admitted:
        return _turn_away(signed_in, str(not_admitted))
    response = make_response(redirect(taken.next_path, 303))
    portal.cookies.give_session(response, key)
    return response


def _turn_away(signed_in: SignIn, reason: str) -> ResponseReturnValue:
    # One identity a browser: an older session here would belong to somebody the provider no longer names.
    portal, old_key = current_portal(), current_portal().cookies.session_key()
    with portal.database.writing() as session:
        if old_key:
            sessions.end_session(session, old_key)
        sessions.keep_refusal(session, signed_in, reason, portal.cookies.browser_key(), now())
    response = make_response(redirect("/refused", 303))
    portal.cookies.drop_session(response)
    return response


def _leave(id_token: str | None) -> Response:
    if id_token is None:
        return make_response(redirect(HOME_PATH, 303))
    try:
        url = current_portal().relying_party.sign_out_url(
            id_token, sign_out_state(), current_address(), now()
        )
    except ProviderUnavailable as failed:
        return stop_page(SIGNED_OUT_HERE_ONLY, str(failed))
    return make_response(redirect(url, 303))


def _single(name: str) -> str | None:
    """The parameter `name`, which may come once. Raises BadRequest."""
    values = request.args.getlist(name)
    if len(values) > 1:
        raise BadRequest(f"{name} came twice")
    return values[0] if values else None
