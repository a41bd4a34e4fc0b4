"""Clients in the names of RFC 7591 §2: as commands print them, and as a file to import says them.

Our own additions (`sector`, `full_phone`, `first_party`) are an administrator's decisions; a file that
does not name them leaves them as they are.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from idp.access.clients import DEFAULT_SCOPES, Client, NewClient
from idp.cli.desk import Refused

_ID = re.compile(r"[\x21-\x7e]{0,64}")
_SECTOR = re.compile(r"[A-Za-z0-9._-]{0,255}")
# What would make a client less safe, or another one, if it were passed over in silence.
_NOT_OFFERED = frozenset(
    {
        "jwks",
        "jwks_uri",
        "require_pushed_authorization_requests",
        "dpop_bound_access_tokens",
        "tls_client_certificate_bound_access_tokens",
        "require_signed_request_object",
        "request_object_signing_alg",
        "id_token_encrypted_response_alg",
        "userinfo_signed_response_alg",
        "userinfo_encrypted_response_alg",
        "authorization_signed_response_alg",
        "frontchannel_logout_uri",
    }
)


class Registration(BaseModel):
    """One entry of a file to import."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    client_id: str = Field(min_length=1)
    client_secret: str | None = Field(None, min_length=1, max_length=512)
    client_name: str = ""
    redirect_uris: list[str]
    post_logout_redirect_uris: list[str] = []
    backchannel_logout_uri: str | None = None
    token_endpoint_auth_method: str = "client_secret_basic"  # noqa: S105 - a method's name
    grant_types: list[str] = ["authorization_code"]
    response_types: list[str] = ["code"]
    scope: str | None = None
    id_token_signed_response_alg: str = "RS256"  # noqa: S105 - an algorithm's name
    subject_type: str | None = None
    sector_identifier_uri: str | None = None
    sector: str | None = None
    full_phone: bool | None = None
    first_party: bool | None = None

    def as_new(self, before: Client | None) -> NewClient:
        """The registration to write, in place of `before` if there is one.

        A sector or subject type that is not named stays: another one would give every person a new `sub`.
        """
        return NewClient(
            client_id=self.client_id,
            secret=self.client_secret or "",
            name=self.client_name or self.client_id,
            redirect_uris=tuple(self.redirect_uris),
            post_logout_redirect_uris=tuple(self.post_logout_redirect_uris),
            backchannel_logout_uri=self.backchannel_logout_uri,
            auth_method=self.token_endpoint_auth_method,
            grant_types=tuple(self.grant_types),
            scopes=DEFAULT_SCOPES if self.scope is None else split_scopes([self.scope]),
            id_token_alg=self.id_token_signed_response_alg,
            sector=self.sector or self._named_sector() or (before.sector if before else ""),
            subject_type=self.subject_type or (before.subject_type if before else "pairwise"),
            full_phone=_decided(self.full_phone, before.full_phone if before else None),
            first_party=_decided(self.first_party, before.first_party if before else None),
        )

    @property
    def passed_over(self) -> list[str]:
        """Names in the entry that mean nothing here."""
        return sorted(self.model_extra or {})

    def _named_sector(self) -> str:
        # Never fetched (CONTRACT.md): the administrator who imports answers for it.
        return urlsplit(self.sector_identifier_uri or "").hostname or ""


def _decided(named: bool | None, before: bool | None) -> bool:
    return bool(before) if named is None else named


def split_scopes(given: list[str]) -> tuple[str, ...]:
    """Scopes named one by one or in one string, each once. Raises Refused without `openid`."""
    scopes = tuple(dict.fromkeys(scope for part in given for scope in part.split()))
    if "openid" not in scopes:
        raise Refused("The scopes of a client must contain openid.")
    return scopes


def check_texts(new: NewClient) -> None:
    """Return if a registration's texts can be stored and shown. Raises Refused."""
    if not new.name.isprintable():
        raise Refused("A client's name is printable text.")
    if not _ID.fullmatch(new.client_id):
        raise Refused("A client id is at most 64 printable ASCII characters without spaces.")
    if not _SECTOR.fullmatch(new.sector):
        raise Refused("A sector is at most 255 characters of a host name.")


def metadata(client: Client) -> dict[str, Any]:
    """A client as RFC 7591 names it, without any secret; what a file to import may hold too."""
    return {
        "client_id": client.client_id,
        "client_id_issued_at": int(client.created_at.timestamp()),
        "client_name": client.name,
        "redirect_uris": client.redirect_uris,
        "post_logout_redirect_uris": client.post_logout_redirect_uris,
        "backchannel_logout_uri": client.backchannel_logout_uri,
        "token_endpoint_auth_method": client.auth_method,
        "grant_types": client.grant_types,
        "response_types": ["code"],
        "scope": " ".join(client.scopes),
        "id_token_signed_response_alg": client.id_token_alg,
        "subject_type": client.subject_type,
        "sector": client.sector,
        "full_phone": client.full_phone,
        "first_party": client.first_party,
    }


def with_secret(told: dict[str, Any], secret: str | None) -> dict[str, Any]:
    """`told` with the secret behind the id, as RFC 7591 §3.2.1 answers; a public client has none."""
    if secret is None:
        return told
    head = {"client_id": told["client_id"], "client_secret": secret, "client_secret_expires_at": 0}
    return head | told


def read_registrations(file: Path) -> list[Registration]:
    """The entries of a file to import.

    Raises Refused with every problem found; nothing that stands in the file is repeated, as it holds secrets.
    """
    try:
        entries = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        raise Refused("The file is not JSON in UTF-8.") from None
    except OSError as unreadable:
        raise Refused(f"The file cannot be read: {unreadable.strerror}.") from None
    if not isinstance(entries, list):
        raise Refused("The file must hold a JSON array of client metadata (RFC 7591).")
    read, problems = [], []
    for number, entry in enumerate(entries, 1):
        try:
            read.append(_read(entry))
        except Refused as refused:
            problems.append(f"Client {number}: {refused}")
    ids = [registration.client_id for registration in read]
    problems += [
        f"The client_id {name} stands there twice." for name in sorted(set(ids)) if ids.count(name) > 1
    ]
    if problems:
        raise Refused("\n".join(["Nothing was imported.", *problems]))
    return read


def _read(entry: Any) -> Registration:
    try:
        registration = Registration.model_validate(entry)
    except ValidationError as refused:
        problems = refused.errors(include_input=False, include_url=False)
        said = [f"{'.'.join(map(str, error['loc'])) or 'entry'}: {error['msg']}" for error in problems]
        raise Refused("; ".join(said) + ".") from None
    asked = {name for name, value in (registration.model_extra or {}).items() if value}
    if asked & _NOT_OFFERED:
        raise Refused(f"{', '.join(sorted(asked & _NOT_OFFERED))}: not offered by this provider.")
    if registration.response_types != ["code"]:
        raise Refused("response_types: only code is offered.")
    if registration.scope is not None:
        split_scopes([registration.scope])
    return registration
