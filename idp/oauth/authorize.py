"""The dispatcher: what an authorization request still needs before it can be answered.

Every sign-in page returns here. The request is validated once, before anybody is asked for a
password; afterwards only what was kept counts. What is missing is decided anew each time from the
session that is there now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy.orm import Session

from idp.access import consents
from idp.access.assurance import Lack, Method
from idp.access.clients import RegisteredClient
from idp.access.grants import CodeRecord, mint_code
from idp.access.pending import PendingRequest
from idp.access.subjects import subject
from idp.accounts.sessions import SignedIn
from idp.adapters.ephemeral import EphemeralStore
from idp.config import Settings
from idp.oauth import claims_request, rules, step_up
from idp.oauth.rules import Asked
from idp.web.refusals import AuthorizationError, answers
from idp.web.refusals import authorization as refusals


class Step(StrEnum):
    """What comes next."""

    ANSWER = "answer"
    SIGN_IN = "sign_in"
    COMPANY = "company"
    OTHER_IDENTITY = "other_identity"
    PROVE = "prove"
    UNMET = "unmet"
    CONSENT = "consent"
    DEVICE = "device"


# What else a request carries is not kept: it could pass for something that was checked.
_KEPT = (
    "state",
    "nonce",
    "code_challenge",
    "prompt",
    "max_age",
    "login_hint",
    "entity",
    "acr_values",
    "response_mode",
    "dpop_jkt",
)
_SILENT = {
    Step.SIGN_IN: answers.LOGIN_REQUIRED,
    Step.COMPANY: answers.COMPANY_REQUIRED,
    Step.OTHER_IDENTITY: answers.OTHER_IDENTITY,
    Step.PROVE: answers.PROOF_REQUIRED,
    Step.UNMET: answers.UNMET,
    Step.CONSENT: answers.CONSENT_REQUIRED,
}


@dataclass(frozen=True, slots=True)
class Next:
    """What comes next, and the consent that the answer rests on; a first party needs none."""

    step: Step
    consent: UUID | None = None


@dataclass(frozen=True, slots=True)
class Answering:
    """A validated request together with the client it came from."""

    request: PendingRequest
    client: RegisteredClient


def validate(asked: Asked, methods: Sequence[Method], *, now: datetime) -> PendingRequest:
    """The request, once every rule holds and `methods` can answer it. Raises AuthorizationError."""
    for rule in rules.RULES:
        rule(asked)
    client = asked.client
    request = PendingRequest(
        params=step_up.with_defaults(_params(asked, methods), client),
        client_id=client.client_id,
        client_name=client.name,
        redirect_uri=asked.values["redirect_uri"][0],
        form_origins=tuple(sorted(client.redirect_origins)),
        scope=asked.scope,
        created_at=now,
    )
    step_up.check_reachable(request, methods)
    return request


def _params(asked: Asked, methods: Sequence[Method]) -> dict[str, str]:
    params = {name: value for name in _KEPT if (value := asked.one(name)) is not None}
    if "acr_values" in params:
        params["acr_values"] = step_up.of_parameter(params["acr_values"])
    if asked.signed:
        params["signed"] = "1"
    for sub in asked.expected_subs():
        params["expected_sub"] = sub
    if asked.resources:
        params["resource"] = " ".join(asked.resources)
    by_claims = asked.claims()
    granted = claims_request.granted(by_claims, asked.client.scopes, asked.scope)
    if granted:
        params["claims"] = " ".join(granted)
    # OIDC Core §5.5.1.1: what is named beside an acr asked for by itself counts before acr_values.
    if by_claims.acr_values:
        params["acr_values"] = step_up.of_claim(
            by_claims.acr_values, methods, essential=by_claims.acr_is_essential
        )
    return params


def as_registered(asked: Answering, *, issuer: str) -> Answering:
    """What a waiting request may be given by its client's registration as it is now.

    What was taken from the client meanwhile is not given. A request that cannot do without it is
    refused, as it would be if it came now: `entity` decides whose sign-in answers. Raises
    AuthorizationError.
    """
    request, client = asked.request, asked.client
    rules.check_promises(
        client, pushed=request.was_pushed or request.device is not None, signed=request.was_signed
    )
    if request.device is None and "authorization_code" not in client.grant_types:
        raise AuthorizationError(refusals.NO_CODES_FOR_CLIENT)
    scope = rules.scope_for(client, request.scope)
    lost = {"openid", "entity"} & set(request.scope) - set(scope)
    if lost:
        raise AuthorizationError(refusals.SCOPE_NOT_ALLOWED, scopes=" ".join(sorted(lost)))
    resources = [name for name in request.resources if name in {*client.resources, issuer}]
    if request.resources and not resources:
        # Without any, the token would be for another place than was asked.
        raise AuthorizationError(refusals.TARGET_UNKNOWN)
    claims = [name for name in request.claims if claims_request.scopes_of([name]) <= client.scopes]
    params = {**request.params, "resource": " ".join(resources), "claims": " ".join(claims)}
    return Answering(replace(request, scope=scope, params=params), client)


def next_step(db: Session, asked: Answering, signed_in: SignedIn | None, methods: Sequence[Method]) -> Next:
    """What is missing, in the order in which a person is asked for it.

    A level is reached before a company is chosen: who acts for it then cannot change any more.
    """
    step = _lacking(asked, signed_in, methods)
    if step is not None or signed_in is None:
        return Next(step or Step.SIGN_IN)
    request, client = asked.request, asked.client
    if client.first_party:
        return Next(Step.ANSWER)
    consent = None
    if "consent" not in request.prompts:
        consent = consents.find_given(db, signed_in.identity, client.client_id, to_be_agreed(request))
    return Next(Step.ANSWER, consent) if consent else Next(Step.CONSENT)


def _lacking(asked: Answering, signed_in: SignedIn | None, methods: Sequence[Method]) -> Step | None:
    """What is missing before the question of consent; None if nothing is."""
    request = asked.request
    lack = request.missing(signed_in.session if signed_in else None, methods).lack
    if lack is Lack.UNMET:
        return Step.UNMET
    if signed_in is None or lack is Lack.SIGN_IN:
        return Step.SIGN_IN
    expected = request.params.get("expected_sub")
    if expected and subject(signed_in.person, asked.client) != expected:
        just_now = signed_in.session.auth_time >= request.created_at
        return Step.OTHER_IDENTITY if just_now else Step.SIGN_IN
    company = signed_in.enterprise
    if not request.fits(signed_in.identity.role, company.uscc if company else None):
        return Step.OTHER_IDENTITY
    if lack is Lack.PROOF:
        return Step.PROVE
    if request.wants_entity and company is None:
        return Step.COMPANY
    if request.device is not None:
        # First-party devices too: the code may have come from somebody else (RFC 8628 §5.4).
        return Step.DEVICE
    return None


def to_be_agreed(request: PendingRequest) -> tuple[str, ...]:
    """What a person is told and agrees to: the scope, and the scope of each claim asked for beside it."""
    return tuple(sorted({*request.scope, *claims_request.scopes_of(request.claims)}))


def refuse_silently(step: Step) -> AuthorizationError:
    """The error where nobody can be asked: `prompt=none` (OIDC Core §3.1.2.6), or a level out of reach."""
    return AuthorizationError(_SILENT[step])


def answer(
    store: EphemeralStore,
    settings: Settings,
    asked: Answering,
    signed_in: SignedIn,
    *,
    consent: UUID | None,
    now: datetime,
) -> str:
    """A fresh code, the answer to a request that nobody answers any more but the caller."""
    request = asked.request
    lifetime = min(settings.code_lifetime, asked.client.profile.code_lifetime)
    record = CodeRecord(
        session_id=str(signed_in.session.id),
        client_id=request.client_id,
        redirect_uri=request.redirect_uri,
        scope=" ".join(request.scope),
        code_challenge=request.params["code_challenge"],
        nonce=request.params.get("nonce"),
        minted_at=now.timestamp(),
        expires_at=now.timestamp() + lifetime,
        dpop_jkt=request.params.get("dpop_jkt"),
        resources=request.resources,
        claims=request.claims,
        acr=signed_in.session.acr,
        amr=signed_in.session.amr,
        consent=str(consent) if consent else None,
    )
    return mint_code(store, record, ttl=lifetime)
