"""Registering relying parties, and changing what is registered; the rules are :mod:`idp.access.client_rules`.

Everything is checked before it is written.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy.orm import Session

from idp.access.client_rules import (
    DEFAULT_SCOPES,
    RESOURCE_SCOPE,
    SCOPES,
    NewClient,
    ProfileForbids,
    RedirectRefused,
    check_client,
    check_redirects_leave,
    fixed_assertion_alg,
)
from idp.access.clients import Client, ClientRefused
from idp.crypto import hash_token, new_token

__all__ = [
    "DEFAULT_SCOPES",
    "RESOURCE_SCOPE",
    "SCOPES",
    "NewClient",
    "ProfileForbids",
    "RedirectRefused",
    "check_client",
    "check_redirects_leave",
]  # beside what stands here: whoever registers needs the rules too

SECRET_OVERLAP = timedelta(hours=24)
SHORT_SECRET = 16
"""Characters. We make 43; a shorter one comes from another provider, and is said to be short."""


def add_client(db: Session, new: NewClient, *, production: bool, now: datetime) -> tuple[Client, str | None]:
    """Register a relying party; returns it with its secret in clear, to be shown once.

    Raises ClientRefused.
    """
    check_client(new, production=production)
    taken = db.get(Client, new.client_id) if new.client_id else None
    if taken:
        raise ClientRefused(
            f"There is a client {new.client_id} already.",
            zh=f"应用编号 {new.client_id} 已经有应用在使用",
            field="client_id",
        )
    client = Client(client_id=new.client_id or new_client_id(), created_at=now)
    secret = None
    if new.auth_method.startswith("client_secret"):
        secret = new.secret or new_token()
        client.secret_hash = hash_token(secret)
    apply_registration(client, new, now=now)
    db.add(client)
    db.flush()
    return client, secret


def apply_registration(client: Client, new: NewClient, *, now: datetime) -> None:
    """Write a checked registration into the row."""
    client.name = new.name
    client.auth_method = new.auth_method
    client.redirect_uris = list(new.redirect_uris)
    client.post_logout_redirect_uris = list(new.post_logout_redirect_uris)
    client.backchannel_logout_uri = new.backchannel_logout_uri
    client.grant_types = list(new.grant_types)
    client.scopes = list(new.scopes)
    client.id_token_alg = new.id_token_alg
    client.sector = new.sector or _own_sector(new) or client.client_id
    client.subject_type = new.subject_type
    client.full_phone = new.full_phone
    client.first_party = new.first_party
    _apply_security(client, new)
    client.default_acr_values = list(new.default_acr_values)
    client.default_max_age = new.default_max_age
    client.contacts, client.client_uri = list(new.contacts), new.client_uri
    client.registered_with, client.channel = new.registered_with, new.channel
    client.changed_at = now


def _own_sector(new: NewClient) -> str | None:
    """The redirect host (OpenID Connect Core §8.1); None for a sector of the client's own.

    Who registers himself could name anybody's host, and learn by the device grant, or by a page there that
    redirects on, under which `sub` it knows a person: for him the host proves nothing.
    """
    if not new.redirect_uris or new.registered_with:
        return None
    return urlsplit(new.redirect_uris[0]).hostname


def change_client(client: Client, new: NewClient, *, production: bool, now: datetime) -> str | None:
    """Write a changed registration into the row; the secret it needs now and had not, to be shown once.

    Raises ClientRefused.
    """
    check_client(new, production=production)
    secret = None
    if not new.auth_method.startswith("client_secret"):
        client.secret_hash = client.old_secret_hash = client.old_secret_until = None
    elif client.secret_hash is None:
        secret = new_token()
        client.secret_hash = hash_token(secret)
    apply_registration(client, new, now=now)
    return secret


def registration_of(client: Client) -> NewClient:
    """What stands in the row, as a registration; without its secret, which nobody knows."""
    kept: dict[str, Any] = {}
    for each in fields(NewClient):
        value = getattr(client, each.name, "")
        kept[each.name] = tuple(value) if isinstance(value, list) else value
    return NewClient(**kept)


def attach_profile(client: Client, name: str, *, production: bool, now: datetime) -> None:
    """Hold the client to the profile `name` from now on.

    Raises ClientRefused while its registration does not fit, with every reason.
    """
    check_client(replace(registration_of(client), profile=name), production=production)
    client.profile, client.changed_at = name, now


def _apply_security(client: Client, new: NewClient) -> None:
    client.profile = new.profile
    client.jwks, client.jwks_uri = new.jwks, new.jwks_uri
    client.assertion_alg, client.request_object_alg = fixed_assertion_alg(new), new.request_object_alg
    client.require_signed_requests = new.require_signed_requests
    client.require_par, client.dpop = new.require_par, new.dpop
    client.resources, client.serves = list(new.resources), list(new.serves)


def rotate_secret(client: Client, *, now: datetime) -> str:
    """Give the client a new secret, shown once; the old one keeps working for a day."""
    if not client.secret_hash:
        raise ClientRefused("This client has no secret.", zh="这个应用不使用密钥，不需要更换。")
    secret = new_token()
    client.old_secret_hash, client.old_secret_until = client.secret_hash, now + SECRET_OVERLAP
    client.secret_hash = hash_token(secret)
    client.changed_at = now
    return secret


def new_client_id() -> str:
    """An id that nobody has."""
    # Never with a dash in front: a command would take it for an option.
    return new_token(12).replace("-", "x").replace("_", "y")
