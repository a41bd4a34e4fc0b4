"""What an authorization request must satisfy: a rule a function, checked in the order of the tables.

The first table is answered with a page, because nobody knows yet whether the redirect address may
be trusted; the second with a redirect to it. Both come before any sign-in page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from idp.access.clients import RegisteredClient
from idp.access.keys import KeyRing
from idp.accounts.identifiers import parse_uscc
from idp.oauth.tokens import read_id_token

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_PROMPTS = {"none", "login", "consent", "select_account"}
_LONGEST = {"state": 2048, "nonce": 512, "login_hint": 256, "scope": 1000, "id_token_hint": 8000}


class UntrustedRequest(Exception):
    """Client or redirect address cannot be trusted: a page, never a redirect (RFC 6749 §4.1.2.1)."""


class AuthorizationError(Exception):
    """A registered error that goes back to the client's redirect address."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request as it came, with what is needed to check it."""

    values: Mapping[str, list[str]]
    client: RegisteredClient
    keys: KeyRing
    issuer: str

    def one(self, name: str) -> str | None:
        """The single value of a parameter; an empty one counts as absent (RFC 6749 §3.1)."""
        given = self.values.get(name, [])
        return (given[0] or None) if given else None

    @property
    def scope(self) -> tuple[str, ...]:
        """The scopes asked for that this provider knows and this client may have, in a fixed order."""
        asked = set((self.one("scope") or "").split())
        granted = asked & self.client.scopes
        if "refresh_token" not in self.client.grant_types:
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
    """No parameter twice (RFC 6749 §3.1): two readers must not see two requests."""
    doubled = sorted(name for name, given in asked.values.items() if len(given) > 1)
    if doubled:
        raise AuthorizationError("invalid_request", "A parameter is given more than once.")


def check_lengths(asked: Asked) -> None:
    """Nothing longer than anybody needs, and nothing that cannot be text."""
    for name, longest in _LONGEST.items():
        value = asked.one(name) or ""
        if len(value) > longest or "\ufffd" in value or not value.isprintable():
            raise AuthorizationError("invalid_request", f"The parameter {name} is too long or malformed.")


def check_response_type(asked: Asked) -> None:
    """Only `code` (OAuth 2.1)."""
    if asked.one("response_type") is None:
        raise AuthorizationError("invalid_request", "response_type is missing.")
    if asked.one("response_type") != "code":
        raise AuthorizationError("unsupported_response_type", "Only response_type=code is supported.")
    if "authorization_code" not in asked.client.grant_types:
        raise AuthorizationError("unauthorized_client", "This client may not use authorization codes.")


def check_response_mode(asked: Asked) -> None:
    """Only `query`."""
    if asked.one("response_mode") not in {None, "query"}:
        raise AuthorizationError("invalid_request", "Only response_mode=query is supported.")


def check_no_request_objects(asked: Asked) -> None:
    """Request objects are refused by their own errors (OIDC Core §3.1.2.6)."""
    if asked.one("request"):
        raise AuthorizationError("request_not_supported", "Request objects are not supported.")
    if asked.one("request_uri"):
        raise AuthorizationError("request_uri_not_supported", "request_uri is not supported.")
    if asked.one("registration"):
        raise AuthorizationError("registration_not_supported", "The registration parameter is not supported.")


def check_scope(asked: Asked) -> None:
    """`openid` must be asked for, and `identity` only by clients that may have it."""
    wanted = set((asked.one("scope") or "").split())
    if "openid" not in wanted:
        raise AuthorizationError("invalid_scope", "The scope must contain openid.")
    refused = (wanted & {"identity", "entity"}) - asked.client.scopes
    if refused or "openid" not in asked.client.scopes:
        raise AuthorizationError("invalid_scope", f"This client may not ask for {' '.join(sorted(refused))}.")


def check_pkce(asked: Asked) -> None:
    """PKCE for every client, S256 only (RFC 7636, RFC 9700 §2.1.1)."""
    if asked.one("code_challenge") is None:
        raise AuthorizationError("invalid_request", "code_challenge is missing: PKCE with S256 is required.")
    if asked.one("code_challenge_method") != "S256":
        raise AuthorizationError("invalid_request", "code_challenge_method must be S256.")
    if not _CHALLENGE.match(asked.one("code_challenge") or ""):
        raise AuthorizationError("invalid_request", "code_challenge must be 43 base64url characters.")


def check_prompt(asked: Asked) -> None:
    """Known values only; `none` stands alone (OIDC Core §3.1.2.1)."""
    prompts = set((asked.one("prompt") or "").split())
    if prompts - _PROMPTS or ("none" in prompts and len(prompts) > 1):
        raise AuthorizationError("invalid_request", "prompt is malformed.")


def check_max_age(asked: Asked) -> None:
    """A whole number of seconds."""
    max_age = asked.one("max_age")
    if max_age is not None and not re.fullmatch(r"[0-9]{1,9}", max_age, re.ASCII):
        raise AuthorizationError("invalid_request", "max_age must be a whole number of seconds.")


def check_entity(asked: Asked) -> None:
    """`entity` is a credit code, and needs the scope of the same name."""
    entity = asked.one("entity")
    if entity is None:
        return
    if "entity" not in asked.scope:
        raise AuthorizationError("invalid_request", "The entity parameter needs the scope entity.")
    if parse_uscc(entity) != entity:
        raise AuthorizationError("invalid_request", "entity must be a unified social credit code.")


def check_id_token_hint(asked: Asked) -> None:
    """A hint must be an ID token of ours for this client; it may have expired (OIDC Core §3.1.2.1)."""
    hint = asked.one("id_token_hint")
    if hint is None:
        return
    claims = read_id_token(asked.keys, hint, issuer=asked.issuer)
    if claims is None or claims["aud"] != asked.client.client_id:
        raise AuthorizationError("invalid_request", "id_token_hint is not an ID token for this client.")


RULES: tuple[Callable[[Asked], None], ...] = (
    check_no_doubles,
    check_lengths,
    check_response_type,
    check_response_mode,
    check_no_request_objects,
    check_scope,
    check_pkce,
    check_prompt,
    check_max_age,
    check_entity,
    check_id_token_hint,
)
