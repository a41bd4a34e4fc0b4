"""What an authorization request must satisfy: a rule a function, checked in the order of the tables.

The first table is answered with a page, because nobody knows yet whether the redirect address may
be trusted; the second with a redirect to it. Both come before any sign-in page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from idp.access.clients import RegisteredClient
from idp.access.keys import KeyRing
from idp.access.tokens import read_id_token
from idp.accounts.identifiers import parse_uscc
from idp.oauth import claims_request
from idp.oauth.claims_request import ClaimsMalformed, ClaimsRequest
from idp.oauth.responses import RESPONSE_MODES
from idp.web.refusals import AuthorizationError, requests
from idp.web.refusals import authorization as refusals

_SHA256 = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_REPEATABLE = {"resource"}
_PROMPTS = {"none", "login", "consent", "select_account"}
_LONGEST = {
    "state": 2048,
    "nonce": 512,
    "login_hint": 256,
    "acr_values": 500,
    "scope": 1000,
    "id_token_hint": 8000,
}


class UntrustedRequest(Exception):
    """Client or redirect address cannot be trusted: a page, never a redirect (RFC 6749 §4.1.2.1)."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request as it came, with what is needed to check it.

    `pushed` and `signed` say how it came: by /oauth/par, and in a request object whose parameters these are.
    """

    values: Mapping[str, list[str]]
    client: RegisteredClient
    keys: KeyRing
    issuer: str
    pushed: bool = False
    signed: bool = False

    def one(self, name: str) -> str | None:
        """The single value of a parameter; an empty one counts as absent (RFC 6749 §3.1)."""
        given = self.values.get(name, [])
        return (given[0] or None) if given else None

    @property
    def scope(self) -> tuple[str, ...]:
        """The scopes asked for that this provider knows and this client may have, in a fixed order."""
        return scope_for(self.client, (self.one("scope") or "").split())

    @property
    def resources(self) -> tuple[str, ...]:
        """The resources its access tokens are to be for (RFC 8707 §2), in a fixed order."""
        return tuple(sorted({given for given in self.values.get("resource", []) if given}))

    def claims(self) -> ClaimsRequest:
        """What it asks for by `claims`. Raises ClaimsMalformed."""
        text = self.one("claims")
        return claims_request.parse(text) if text else ClaimsRequest()

    def expected_subs(self) -> set[str]:
        """Whom it must be answered by, as `id_token_hint` and `claims` name him. Raises ClaimsMalformed."""
        hint = self.one("id_token_hint")
        hinted = read_id_token(self.keys, hint, issuer=self.issuer) if hint else None
        named = [hinted["sub"] if hinted else None, self.claims().subject]
        return {sub for sub in named if sub is not None}


def scope_for(client: RegisteredClient, wanted: Iterable[str]) -> tuple[str, ...]:
    """Which of the scopes `client` may have, in a fixed order."""
    granted = client.scopes & set(wanted)
    if "refresh_token" not in client.grant_types:
        granted -= {"offline_access"}
    return tuple(sorted(granted))


def trusted_redirect(values: Mapping[str, list[str]], client: RegisteredClient | None) -> str:
    """The redirect address, exactly as registered. Raises UntrustedRequest."""
    if client is None:
        raise UntrustedRequest("unknown client")
    given = values.get("redirect_uri", [])
    if len(values.get("client_id", [])) != 1 or len(given) != 1 or given[0] not in client.redirect_uris:
        raise UntrustedRequest("unregistered redirect address")
    return given[0]


def check_no_doubles(asked: Asked) -> None:
    """No parameter twice (RFC 6749 §3.1): two readers must not see two requests. RFC 8707 repeats one."""
    doubled = [name for name, given in asked.values.items() if len(given) > 1]
    if set(doubled) - _REPEATABLE:
        raise AuthorizationError(refusals.DOUBLED)


def check_lengths(asked: Asked) -> None:
    """Nothing longer than anybody needs, and nothing that cannot be text."""
    for name, longest in _LONGEST.items():
        value = asked.one(name) or ""
        if len(value) > longest or "\ufffd" in value or not value.isprintable():
            raise AuthorizationError(refusals.MALFORMED, name=name)


def check_response_type(asked: Asked) -> None:
    """Only `code` (OAuth 2.1)."""
    if asked.one("response_type") is None:
        raise AuthorizationError(refusals.NO_RESPONSE_TYPE)
    if asked.one("response_type") != "code":
        raise AuthorizationError(refusals.WRONG_RESPONSE_TYPE)
    if "authorization_code" not in asked.client.grant_types:
        raise AuthorizationError(refusals.NO_CODES_FOR_CLIENT)


def check_response_mode(asked: Asked) -> None:
    """`query`, or `form_post`; never a fragment, which no server sees."""
    if asked.one("response_mode") not in {None, *RESPONSE_MODES}:
        raise AuthorizationError(refusals.WRONG_RESPONSE_MODE)


def check_way(asked: Asked) -> None:
    """Pushed or signed where the client promised it (RFC 9126 §5, RFC 9101 §10.5), and nothing by address."""
    if asked.one("request_uri"):
        raise AuthorizationError(requests.NO_REQUEST_URI)
    check_promises(asked.client, pushed=asked.pushed, signed=asked.signed)
    if asked.one("registration"):
        raise AuthorizationError(refusals.REGISTRATION_PARAMETER)


def check_promises(client: RegisteredClient, *, pushed: bool, signed: bool) -> None:
    """A request came as the client promised that all of its requests come."""
    if client.require_par and not pushed:
        raise AuthorizationError(requests.PAR_REQUIRED)
    if client.require_signed_requests and not signed:
        raise AuthorizationError(requests.SIGNED_REQUIRED)


def check_scope(asked: Asked) -> None:
    """`openid` must be asked for, and `identity`, `entity` and `app` only by clients that may have them."""
    wanted = set((asked.one("scope") or "").split())
    if "openid" not in wanted:
        raise AuthorizationError(refusals.NO_OPENID)
    refused = (wanted & {"identity", "entity", "app"}) - asked.client.scopes
    if refused or "openid" not in asked.client.scopes:
        raise AuthorizationError(refusals.SCOPE_NOT_ALLOWED, scopes=" ".join(sorted(refused)))


def check_pkce(asked: Asked) -> None:
    """PKCE for every client, S256 only (RFC 7636, RFC 9700 §2.1.1)."""
    if asked.one("code_challenge") is None:
        raise AuthorizationError(refusals.NO_CHALLENGE)
    if asked.one("code_challenge_method") != "S256":
        raise AuthorizationError(refusals.CHALLENGE_METHOD)
    if not _SHA256.match(asked.one("code_challenge") or ""):
        raise AuthorizationError(refusals.CHALLENGE_MALFORMED)


def check_prompt(asked: Asked) -> None:
    """Known values only; `none` stands alone (OIDC Core §3.1.2.1)."""
    prompts = set((asked.one("prompt") or "").split())
    if prompts - _PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise AuthorizationError(refusals.PROMPT_MALFORMED)


def check_max_age(asked: Asked) -> None:
    """A whole number of seconds."""
    max_age = asked.one("max_age")
    if max_age is not None and not re.fullmatch(r"[0-9]{1,9}", max_age, re.ASCII):
        raise AuthorizationError(refusals.MAX_AGE_MALFORMED)


def check_entity(asked: Asked) -> None:
    """`entity` is a credit code, and needs the scope of the same name."""
    entity = asked.one("entity")
    if entity is None:
        return
    if "entity" not in asked.scope:
        raise AuthorizationError(refusals.ENTITY_WITHOUT_SCOPE)
    if parse_uscc(entity) != entity:
        raise AuthorizationError(refusals.ENTITY_MALFORMED)


def check_app(asked: Asked) -> None:
    """What the phone app gets is the person's own: never a company's beside it."""
    if {"app", "entity"} <= set(asked.scope):
        raise AuthorizationError(refusals.APP_WITH_ENTITY)


def check_id_token_hint(asked: Asked) -> None:
    """A hint must be an ID token of ours for this client; it may have expired (OIDC Core §3.1.2.1)."""
    hint = asked.one("id_token_hint")
    if hint is None:
        return
    claims = read_id_token(asked.keys, hint, issuer=asked.issuer)
    if claims is None or claims["aud"] != asked.client.client_id:
        raise AuthorizationError(refusals.HINT_NOT_OURS)


def check_claims(asked: Asked) -> None:
    """`claims` can be read, and names nobody but whom the hint names (OIDC Core §5.5)."""
    if asked.one("claims") is None:
        return
    try:
        named = asked.expected_subs()
    except ClaimsMalformed as malformed:
        raise AuthorizationError(refusals.CLAIMS_MALFORMED, reason=malformed) from None
    if len(named) > 1:
        raise AuthorizationError(refusals.SUBJECTS_DIFFER)


def check_resources(asked: Asked) -> None:
    """Only resources of the registration, where each was checked, or this provider itself (RFC 8707 §2)."""
    if not set(asked.resources) <= {*asked.client.resources, asked.issuer}:
        raise AuthorizationError(refusals.TARGET_UNKNOWN)


def check_dpop_key(asked: Asked) -> None:
    """The thumbprint of a key to which the code is bound (RFC 9449 §10)."""
    thumbprint = asked.one("dpop_jkt")
    if thumbprint is not None and not _SHA256.match(thumbprint):
        raise AuthorizationError(refusals.KEY_THUMBPRINT)


RULES: tuple[Callable[[Asked], None], ...] = (
    check_no_doubles,
    check_lengths,
    check_response_type,
    check_response_mode,
    check_way,
    check_scope,
    check_pkce,
    check_prompt,
    check_max_age,
    check_entity,
    check_app,
    check_id_token_hint,
    check_claims,
    check_resources,
    check_dpop_key,
)
