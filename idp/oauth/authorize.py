"""The dispatcher: what an authorization request still needs before it can be answered.

Every sign-in page returns here. The request is validated once, before anybody is asked for a
password; afterwards only what was kept counts. What is missing is decided anew each time from the
session that is there now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from idp.access import consents
from idp.access.clients import RegisteredClient
from idp.access.grants import CodeRecord, mint_code
from idp.access.keys import KeyRing
from idp.access.pending import PendingRequest
from idp.access.subjects import subject
from idp.accounts.identity import Role
from idp.accounts.sessions import SignedIn
from idp.adapters.ephemeral import EphemeralStore
from idp.config import Settings
from idp.oauth import rules
from idp.oauth.rules import Asked, AuthorizationError
from idp.oauth.tokens import read_id_token


class Step(StrEnum):
    """What comes next."""

    ANSWER = "answer"
    SIGN_IN = "sign_in"
    COMPANY = "company"
    OTHER_IDENTITY = "other_identity"
    CONSENT = "consent"


# What else a request carries is not kept: it could pass for something that was checked.
_KEPT = ("state", "nonce", "code_challenge", "prompt", "max_age", "login_hint", "entity")
_SILENT_ERRORS = {
    Step.SIGN_IN: ("login_required", "The person must sign in."),
    Step.COMPANY: ("interaction_required", "The person must choose the company he acts for."),
    Step.OTHER_IDENTITY: (
        "interaction_required",
        "The sign-in is of another identity.",
    ),
    Step.CONSENT: ("consent_required", "The person must allow this client first."),
}


@dataclass(frozen=True, slots=True)
class Answering:
    """A validated request together with the client it came from."""

    request: PendingRequest
    client: RegisteredClient


def validate(
    values: Mapping[str, list[str]], client: RegisteredClient, keys: KeyRing, *, issuer: str, now: datetime
) -> PendingRequest:
    """The request, once every rule holds. Raises AuthorizationError of the first that does not."""
    asked = Asked(values, client, keys, issuer)
    for rule in rules.RULES:
        rule(asked)
    params = {name: value for name in _KEPT if (value := asked.one(name)) is not None}
    hint = asked.one("id_token_hint")
    claims = read_id_token(keys, hint, issuer=issuer) if hint else None
    if claims:
        params["expected_sub"] = claims["sub"]
    return PendingRequest(
        params=params,
        client_id=client.client_id,
        client_name=client.name,
        redirect_uri=values["redirect_uri"][0],
        form_origins=tuple(sorted(client.redirect_origins)),
        scope=asked.scope,
        created_at=now,
    )


def next_step(db: Session, asked: Answering, signed_in: SignedIn | None) -> Step:
    """What is missing, in the order in which a person is asked for it."""
    request, client = asked.request, asked.client
    if signed_in is None or not request.is_fresh(signed_in.session.auth_time):
        return Step.SIGN_IN
    expected = request.params.get("expected_sub")
    if expected and subject(signed_in.person, client) != expected:
        just_now = signed_in.session.auth_time >= request.created_at
        return Step.OTHER_IDENTITY if just_now else Step.SIGN_IN
    misfit = _misfit(request, signed_in)
    if misfit:
        return misfit
    if client.first_party:
        return Step.ANSWER
    remembered = consents.is_given(db, signed_in.identity, client.client_id, request.scope)
    return Step.CONSENT if "consent" in request.prompts or not remembered else Step.ANSWER


def refuse_silently(step: Step) -> AuthorizationError:
    """The error of `prompt=none` when a person would have to be asked (OIDC Core §3.1.2.6)."""
    return AuthorizationError(*_SILENT_ERRORS[step])


def answer(
    store: EphemeralStore, settings: Settings, request: PendingRequest, signed_in: SignedIn, *, now: datetime
) -> str:
    """The redirect with a fresh code: state and issuer beside it (RFC 6749 §4.1.2, RFC 9207)."""
    record = CodeRecord(
        session_id=str(signed_in.session.id),
        client_id=request.client_id,
        redirect_uri=request.redirect_uri,
        scope=" ".join(request.scope),
        code_challenge=request.params["code_challenge"],
        nonce=request.params.get("nonce"),
        minted_at=now.timestamp(),
        expires_at=now.timestamp() + settings.code_lifetime,
    )
    code = mint_code(store, record, ttl=settings.code_lifetime)
    return back_to_client(
        request.redirect_uri, {"code": code}, state=request.params.get("state"), issuer=settings.issuer
    )


def back_to_client(redirect_uri: str, values: Mapping[str, str], *, state: str | None, issuer: str) -> str:
    """A registered redirect address with the parameters of an authorization response."""
    given = {**values, **({"state": state} if state is not None else {}), "iss": issuer}
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(given)}"


def _misfit(request: PendingRequest, signed_in: SignedIn) -> Step | None:
    """Whose sign-in answers which request: company passwords prove nothing to a person's services."""
    natural = signed_in.identity.role is Role.NATURAL_PERSON
    if not request.wants_entity:
        return None if natural else Step.OTHER_IDENTITY
    if natural:
        return Step.COMPANY
    fixed = request.entity
    if fixed and (signed_in.enterprise is None or signed_in.enterprise.uscc != fixed):
        return Step.OTHER_IDENTITY
    return None
