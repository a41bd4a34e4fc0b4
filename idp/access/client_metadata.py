"""Clients in the names of RFC 7591 §2: as a file to import and a registration say them, and as we print them.

Names that only an administrator decides (`ADMINISTRATORS`) are ours, but for `sector_identifier_uri` and
`subject_type`; a file that does not name them leaves them as they are.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import UUID

from idp.access.client_keys import key_names
from idp.access.clients import Client, ClientRefused
from idp.access.profiles import BASIC, PROFILES
from idp.access.registration import DEFAULT_SCOPES, NewClient
from idp.typed import Bounds, Reading, hints_of

ADMINISTRATORS = (
    *("first_party", "full_phone", "sector", "sector_identifier_uri", "subject_type"),
    *("resources", "serves", "profile", "channel"),
)
# What would make a client less safe, or another one, if it were passed over in silence.
_NOT_OFFERED = frozenset(
    {
        "tls_client_certificate_bound_access_tokens",
        "id_token_encrypted_response_alg",
        "userinfo_signed_response_alg",
        "userinfo_encrypted_response_alg",
        "authorization_signed_response_alg",
        "request_object_encryption_alg",
        "frontchannel_logout_uri",
    }
)
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Decided:
    """What the metadata of one client does not say itself."""

    profile: str = BASIC.name
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    sector: str = ""
    subject_type: str = "pairwise"
    full_phone: bool = False
    first_party: bool = False
    resources: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()
    registered_with: UUID | None = None
    channel: str | None = None

    @classmethod
    def before(cls, client: Client | None) -> Decided:
        """What an administrator decided for a client that is known.

        A sector or subject type that is not named stays: another one would give every person a new `sub`.
        """
        if client is None:
            return cls()
        return cls(
            profile=client.profile,
            sector=client.sector,
            subject_type=client.subject_type,
            full_phone=client.full_phone,
            first_party=client.first_party,
            resources=tuple(client.resources),
            serves=tuple(client.serves),
            registered_with=client.registered_with,
            channel=client.channel,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """The metadata of one client. `client_id` and `client_secret` count in a file to import alone."""

    client_id: Annotated[str, Bounds(shortest=1)] | None = None
    client_secret: Annotated[str, Bounds(shortest=1, longest=512)] | None = field(default=None, repr=False)
    client_name: str | None = None
    client_uri: str | None = None
    contacts: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    token_endpoint_auth_method: str | None = None
    token_endpoint_auth_signing_alg: str | None = None
    grant_types: tuple[str, ...] = ("authorization_code",)
    response_types: tuple[str, ...] | None = None
    scope: str | None = None
    id_token_signed_response_alg: str | None = None
    subject_type: str | None = None
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    request_object_signing_alg: str | None = None
    require_signed_request_object: bool = False
    require_pushed_authorization_requests: bool = False
    dpop_bound_access_tokens: bool = False
    default_acr_values: tuple[str, ...] = ()
    default_max_age: int | None = None
    sector_identifier_uri: str | None = None
    sector: str | None = None
    full_phone: bool | None = None
    first_party: bool | None = None
    resources: tuple[str, ...] | None = None
    serves: tuple[str, ...] | None = None
    profile: str | None = None
    channel: str | None = None
    passed_over: tuple[str, ...] = ()
    """Names in the entry that mean nothing here (RFC 7591 §2)."""

    def as_new(self, decided: Decided) -> NewClient:
        """The registration to write; what is named here goes before what was `decided`."""
        name = self.profile or decided.profile
        profile = PROFILES.get(name, BASIC)
        return NewClient(
            client_id=self.client_id or "",
            secret=self.client_secret or "",
            name=self.client_name or self.client_id or self._host() or "",
            client_uri=self.client_uri,
            contacts=self.contacts,
            redirect_uris=self.redirect_uris,
            post_logout_redirect_uris=self.post_logout_redirect_uris,
            backchannel_logout_uri=self.backchannel_logout_uri,
            # What a profile takes first is what it takes by default.
            auth_method=self.token_endpoint_auth_method or profile.auth_methods[0],
            assertion_alg=self.token_endpoint_auth_signing_alg,
            grant_types=tuple(dict.fromkeys(self.grant_types)),
            scopes=decided.scopes if self.scope is None else split_scopes([self.scope]),
            id_token_alg=self.id_token_signed_response_alg or profile.signing_algs[0],
            jwks=self.jwks,
            jwks_uri=self.jwks_uri,
            request_object_alg=self.request_object_signing_alg,
            require_signed_requests=self.require_signed_request_object,
            require_par=self.require_pushed_authorization_requests,
            dpop=self.dpop_bound_access_tokens,
            default_acr_values=self.default_acr_values,
            default_max_age=self.default_max_age,
            # Never fetched (CONTRACT.md): the administrator who imports answers for it.
            sector=self.sector or urlsplit(self.sector_identifier_uri or "").hostname or decided.sector,
            subject_type=self.subject_type or decided.subject_type,
            full_phone=decided.full_phone if self.full_phone is None else self.full_phone,
            first_party=decided.first_party if self.first_party is None else self.first_party,
            resources=decided.resources if self.resources is None else self.resources,
            serves=decided.serves if self.serves is None else self.serves,
            profile=name,
            registered_with=decided.registered_with,
            # An empty one takes the channel away.
            channel=decided.channel if self.channel is None else self.channel or None,
        )

    @property
    def for_an_administrator(self) -> list[str]:
        """Names in the entry that only an administrator decides, where they ask for something."""
        asked = {name for name in ADMINISTRATORS if getattr(self, name)}
        # What everybody gets is no wish; a value that is none is said to be none.
        return sorted(asked if self.subject_type == "public" else asked - {"subject_type"})

    def _host(self) -> str | None:
        return urlsplit(self.redirect_uris[0]).hostname if self.redirect_uris else None


_NAMES = hints_of(Registration).keys() - {"passed_over"}


def read_metadata(entry: Any) -> Registration:
    """The metadata of one client, as JSON gave them.

    Raises ClientRefused; no value is repeated, as there are secrets among them.
    """
    if not _is_bounded(entry):
        raise ClientRefused("The metadata are nested too deeply, or hold a number that JSON does not know.")
    if not isinstance(entry, dict):
        raise ClientRefused("The metadata must be an object.")
    reading, others = Reading(), sorted(entry.keys() - _NAMES)
    if not is_plain(others):
        raise ClientRefused("A name in the metadata must be text that UTF-8 can write.")
    known = {name: value for name, value in entry.items() if name in _NAMES}
    registration: Registration = reading.value(Registration, known)
    if reading.problems:
        raise ClientRefused(reading.sentences)
    asked = {name for name in others if entry[name]}
    if asked & _NOT_OFFERED:
        raise ClientRefused(f"{', '.join(sorted(asked & _NOT_OFFERED))}: not offered by this provider.")
    # RFC 7591 §2.1: the two are registered alike; what a client without codes says of codes does no harm.
    expected = _response_types(registration.grant_types)
    if list(registration.response_types or expected) not in (expected, ["code"]):
        raise ClientRefused("response_types: only code is offered.")
    return replace(registration, passed_over=tuple(others))


def split_scopes(given: list[str]) -> tuple[str, ...]:
    """Scopes named one by one or in one string, each once."""
    return tuple(dict.fromkeys(scope for part in given for scope in part.split()))


def metadata(client: Client) -> dict[str, Any]:
    """A client as RFC 7591 names it, without any secret; what a file to import may hold too."""
    return {
        "client_id": client.client_id,
        "client_id_issued_at": int(client.created_at.timestamp()),
        "client_name": client.name,
        "client_uri": client.client_uri,
        "contacts": client.contacts,
        "redirect_uris": client.redirect_uris,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
        "backchannel_logout_uri": client.backchannel_logout_uri,
        "token_endpoint_auth_method": client.auth_method,
        "token_endpoint_auth_signing_alg": client.assertion_alg,
        "grant_types": client.grant_types,
        "response_types": _response_types(client.grant_types),
        "scope": " ".join(client.scopes),
        "id_token_signed_response_alg": client.id_token_alg,
        "subject_type": client.subject_type,
        "jwks": client.jwks,
        "jwks_uri": client.jwks_uri,
        "request_object_signing_alg": client.request_object_alg,
        "require_signed_request_object": client.require_signed_requests,
        "require_pushed_authorization_requests": client.require_par or PROFILES[client.profile].requires_par,
        "dpop_bound_access_tokens": client.dpop or PROFILES[client.profile].requires_dpop,
        "default_acr_values": client.default_acr_values,
        "default_max_age": client.default_max_age,
        "sector": client.sector,
        "full_phone": client.full_phone,
        "first_party": client.first_party,
        "resources": client.resources,
        "serves": client.serves,
        "profile": client.profile,
        "channel": client.channel,
    }


def recorded(client: Client) -> dict[str, Any]:
    """The same for the audit trail: nobody's address, and of keys what tells one from another."""
    told = metadata(client)
    del told["contacts"]
    return {**told, "jwks": key_names(client.jwks or {})}


def with_secret(told: dict[str, Any], secret: str | None) -> dict[str, Any]:
    """`told` with the secret behind the id, as RFC 7591 §3.2.1 answers; a public client has none."""
    if secret is None:
        return told
    head = {"client_id": told["client_id"], "client_secret": secret, "client_secret_expires_at": 0}
    return head | told


def _response_types(grant_types: Iterable[str]) -> list[str]:
    return ["code"] if "authorization_code" in grant_types else []


def is_plain(entry: Any) -> bool:
    """Whether every database keeps `entry`, and every page shows it, as it is.

    No endless nesting, no NaN, no Infinity, no half of a surrogate pair (RFC 8259 §8.2).
    """
    if not _is_bounded(entry):
        return False
    try:
        json.dumps(entry, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_bounded(entry: Any) -> bool:
    """Whether it is nested within reason, and its numbers are JSON's."""
    layer, depth = [entry], 0
    while layer and depth <= _DEEPEST:
        inner = [value for value in layer if isinstance(value, dict | list)]
        layer = [each for value in inner for each in (value.values() if isinstance(value, dict) else value)]
        depth += 1
    if layer:
        return False
    try:
        json.dumps(entry, allow_nan=False)
    except ValueError:
        return False
    return True
