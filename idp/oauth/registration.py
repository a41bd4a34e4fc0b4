"""`/oauth/register`: a program registers a client with an initial access token (RFC 7591).

Metadata mean what they mean in a file to import; what only an administrator decides is refused. What was
registered is managed by the administrator: RFC 7592 is not offered, so no registration access token is
given.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Request, Response, jsonify

from idp.access import registration_tokens
from idp.access.client_metadata import (
    Decided,
    Registration,
    metadata,
    read_metadata,
    recorded,
    with_secret,
)
from idp.access.clients import ClientRefused
from idp.access.registration import (
    DEFAULT_SCOPES,
    NewClient,
    ProfileForbids,
    RedirectRefused,
    add_client,
    check_client,
    check_redirects_leave,
)
from idp.access.registration_tokens import InvitationRefused, RegistrationToken
from idp.accounts.audit import Action, Event
from idp.config import Mode
from idp.web import signin
from idp.web.platform import db, now, platform, roll_back, settings
from idp.web.refusals import Refused
from idp.web.refusals import registration as refusals

LONGEST = 64_000
"""Bytes of a registration."""
_CHALLENGE = 'Bearer realm="registration"'


def answer(request: Request) -> Response:
    """The registered client, or a numbered refusal; a refused registration spends nothing."""
    try:
        invitation = _invitation(request)
        new = _checked(_read(request), invitation)
        told = _register(new, invitation)
    except Refused as refused:
        roll_back()
        return _refusal(refused)
    response = jsonify(told)
    response.status_code = 201
    response.headers["Cache-Control"] = "no-store"
    return response


def _invitation(request: Request) -> RegistrationToken:
    """What the initial access token allows; not yet spent."""
    header = request.headers.get("Authorization", "")
    scheme, _, supplied = header.partition(" ")
    if scheme.lower() != "bearer" or not supplied.strip():
        raise Refused(refusals.NO_TOKEN, status=401)
    try:
        return registration_tokens.find_invitation(db(), supplied.strip(), now=now())
    except InvitationRefused:
        raise Refused(refusals.TOKEN_REFUSED, status=401) from None


def _read(request: Request) -> Registration:
    if request.mimetype != "application/json":
        raise Refused(refusals.NOT_JSON)
    body = request.get_data()
    if len(body) > LONGEST:
        raise Refused(refusals.TOO_LARGE, status=413)
    try:
        supplied = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise Refused(refusals.NOT_JSON) from None
    if not isinstance(supplied, dict):
        raise Refused(refusals.NOT_JSON)
    if supplied.get("software_statement"):
        raise Refused(refusals.SOFTWARE_STATEMENT)
    # Not metadata (RFC 7591 §2): whoever registers gets a new id and a new secret.
    ours = {"client_id", "client_secret"}
    try:
        return read_metadata({name: value for name, value in supplied.items() if name not in ours})
    except ClientRefused as refused:
        raise _refused(refused) from None


def _checked(registration: Registration, invitation: RegistrationToken) -> NewClient:
    """What is to be registered, within what the invitation allows."""
    forbidden = registration.for_an_administrator
    if registration.profile == invitation.profile:
        forbidden.remove("profile")
    if forbidden:
        raise Refused(refusals.FOR_AN_ADMINISTRATOR, names=", ".join(forbidden))
    by_default = tuple(scope for scope in invitation.scopes if scope in DEFAULT_SCOPES)
    if settings().site_name in (registration.client_name or ""):
        raise Refused(refusals.NAME_OF_THE_PLATFORM)
    decided = Decided(profile=invitation.profile, scopes=by_default, registered_with=invitation.id)
    new = registration.as_new(decided)
    beyond = [scope for scope in new.scopes if scope not in invitation.scopes]
    if beyond:
        raise Refused(refusals.SCOPE_NOT_INVITED, names=_sendable(", ".join(beyond)[:200]))
    try:
        check_client(new, production=_is_production())
        check_redirects_leave(new, settings().issuer)
    except ClientRefused as refused:
        raise _refused(refused) from None
    return new


def _register(new: NewClient, invitation: RegistrationToken) -> dict[str, Any]:
    """Spend one use, then mint; nobody need be told, as no process remembers an id that was unknown."""
    try:
        registration_tokens.redeem(db(), invitation.id, now=now())
    except InvitationRefused:
        raise Refused(refusals.TOKEN_REFUSED, status=401) from None
    client, secret = add_client(db(), new, production=_is_production(), now=now())
    event = Event(
        Action.CLIENT_ADDED, target=f"client:{client.client_id}", detail={"after": recorded(client)}
    )
    origin = signin.origin(f"invitation:{invitation.id}")
    platform().trail.record(db(), event, origin, now=now())
    told = with_secret(metadata(client), secret)
    # A member that is null or empty is one that is not registered (RFC 7591 §3.2.1).
    return {name: value for name, value in told.items() if value is not None and value != []}


def _refused(refused: ClientRefused) -> Refused:
    refusal = refusals.METADATA_REFUSED
    if isinstance(refused, RedirectRefused):
        refusal = refusals.REDIRECT_REFUSED
    elif isinstance(refused, ProfileForbids):
        refusal = refusals.PROFILE_FORBIDS
    return Refused(refusal, reason=_sendable(str(refused).replace("\n", " ")))


def _sendable(sentence: str) -> str:
    """What an error_description may hold (RFC 6749 §5.2)."""
    plain = sentence.replace('"', "'").replace("\\", "/")
    return "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in plain)


def _refusal(refused: Refused) -> Response:
    told = refused.refusal.told(settings().issuer, refused.description)
    response = jsonify(told)
    response.status_code = refused.status_code
    response.headers["Cache-Control"] = "no-store"
    if refused.status_code == 401:
        # RFC 6750 §3: without a token only the challenge, no error.
        facts = told if refused.refusal is refusals.TOKEN_REFUSED else {}
        response.headers["WWW-Authenticate"] = _CHALLENGE + "".join(f', {n}="{v}"' for n, v in facts.items())
    return response


def _is_production() -> bool:
    return settings().mode is Mode.PRODUCTION
