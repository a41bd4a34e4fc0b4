"""Registering relying parties: what may be registered, and who may change it.

The names are those of RFC 7591 §2 where it has them. Everything here is checked before it is
written; what a profile forbids is refused here and, again, at each request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy.orm import Session

from idp.access.addresses import check_outside, check_uri, is_on_host_of
from idp.access.assurance import LEVELS
from idp.access.client_keys import check_jwks
from idp.access.clients import Client, ClientRefused
from idp.access.profiles import AUTH_METHODS, DEVICE_GRANT, GRANT_TYPES, PROFILES, SIGNING_ALGS
from idp.crypto import hash_token, new_token

SCOPES = ("openid", "profile", "phone", "identity", "entity", "offline_access")
DEFAULT_SCOPES = ("openid", "profile", "phone", "entity", "offline_access")
RESOURCE_SCOPE = re.compile(r"[a-z][a-z0-9_-]{0,30}(?:[:.][a-z0-9_-]{1,30}){1,3}")
"""What a resource's own scope looks like, such as `seal:verify`: never one of ours."""
SECRET_OVERLAP = timedelta(hours=24)
MOST_ADDRESSES = 50
"""Of one kind, in one registration."""
SHORT_SECRET = 16
"""Characters. We make 43; a shorter one comes from another provider, and is said to be short."""
_SECTOR = re.compile(r"[A-Za-z0-9._-]{0,255}")
_ID = re.compile(r"[\x21-\x7e]{0,64}")
_KEY_TYPES = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}


class RedirectRefused(ClientRefused):
    """A redirect URI cannot be registered (RFC 7591 §3.2.2, invalid_redirect_uri)."""


class ProfileForbids(ClientRefused):
    """The registration does not keep what its security profile promises; every reason, a line each."""


@dataclass(frozen=True, slots=True)
class NewClient:
    """What a registration says (RFC 7591 §2 where the names are shared)."""

    name: str
    redirect_uris: tuple[str, ...]
    client_id: str = ""
    secret: str = ""
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    auth_method: str = "client_secret_basic"
    grant_types: tuple[str, ...] = ("authorization_code",)
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    id_token_alg: str = "RS256"  # noqa: S105 - an algorithm's name
    sector: str = ""
    subject_type: str = "pairwise"
    full_phone: bool = False
    first_party: bool = False
    profile: str = "basic"
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    assertion_alg: str | None = None
    request_object_alg: str | None = None
    require_signed_requests: bool = False
    require_par: bool = False
    dpop: bool = False
    resources: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()
    default_acr_values: tuple[str, ...] = ()
    default_max_age: int | None = None
    contacts: tuple[str, ...] = ()
    client_uri: str | None = None
    registered_with: UUID | None = None


def add_client(db: Session, new: NewClient, *, production: bool, now: datetime) -> tuple[Client, str | None]:
    """Register a relying party; returns it with its secret in clear, to be shown once.

    Raises ClientRefused.
    """
    check_client(new, production=production)
    taken = db.get(Client, new.client_id) if new.client_id else None
    if taken:
        msg = f"There is a client {new.client_id} already."
        raise ClientRefused(msg)
    client = Client(client_id=new.client_id or _new_client_id(), created_at=now)
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
    client.registered_with = new.registered_with
    client.changed_at = now


def _own_sector(new: NewClient) -> str | None:
    """The redirect host (OpenID Connect Core §8.1); None for a sector of the client's own.

    Who registers himself could name anybody's host, and learn by the device grant, or by a page there that
    redirects on, under which `sub` it knows a person: for him the host proves nothing.
    """
    if not new.redirect_uris or new.registered_with:
        return None
    return urlsplit(new.redirect_uris[0]).hostname


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


def fixed_assertion_alg(new: NewClient) -> str | None:
    """The one algorithm this client signs assertions with: named, or what its first key is for."""
    if new.assertion_alg or new.auth_method != "private_key_jwt":
        return new.assertion_alg
    first = new.jwks["keys"][0] if new.jwks else {}
    of_rsa = "PS256" if "RS256" not in PROFILES[new.profile].signing_algs else "RS256"
    by_type = {"EC": "ES256", "OKP": "EdDSA"}.get(str(first.get("kty")), of_rsa)
    return str(first["alg"]) if first.get("alg") in SIGNING_ALGS else by_type


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
        msg = "This client has no secret."
        raise ClientRefused(msg)
    secret = new_token()
    client.old_secret_hash, client.old_secret_until = client.secret_hash, now + SECRET_OVERLAP
    client.secret_hash = hash_token(secret)
    client.changed_at = now
    return secret


def check_client(new: NewClient, *, production: bool) -> None:
    """Return if the registration may stand. Raises ClientRefused with the reason."""
    _check_texts(new)
    _one_of("auth method", new.auth_method, AUTH_METHODS)
    _one_of("ID token algorithm", new.id_token_alg, SIGNING_ALGS)
    _one_of("subject type", new.subject_type, ("pairwise", "public"))
    for grant in new.grant_types:
        _one_of("grant", grant, GRANT_TYPES)
    for scope in new.scopes:
        if not RESOURCE_SCOPE.fullmatch(scope):
            _one_of("scope", scope, SCOPES)
    _one_of("profile", new.profile, tuple(PROFILES))
    _check_grants(new)
    _check_addresses(new, production=production)
    _check_keys(new)
    broken = list(_broken_promises(new))
    if broken:
        raise ProfileForbids("\n".join(broken))


def check_redirects_leave(new: NewClient, issuer: str) -> None:
    """Return if no redirect URI leads back to this provider. Raises RedirectRefused.

    A code or an error that came to a page of ours would be handed on from there.
    """
    for uri in new.redirect_uris:
        if is_on_host_of(uri, issuer):
            raise RedirectRefused(f"{uri[:200]!r} is on the host of this provider.")


def _check_texts(new: NewClient) -> None:
    if not new.name.strip() or len(new.name) > 120:
        raise ClientRefused("A client needs a name of at most 120 characters.")
    if not new.name.isprintable():
        raise ClientRefused("A client's name is printable text.")
    if not _ID.fullmatch(new.client_id):
        raise ClientRefused("A client id is at most 64 printable ASCII characters without spaces.")
    if not _SECTOR.fullmatch(new.sector):
        raise ClientRefused("A sector is at most 255 characters of a host name.")
    if len(new.contacts) > 10 or not all(0 < len(c) <= 200 and c.isprintable() for c in new.contacts):
        raise ClientRefused("Contacts are at most 10 printable texts of at most 200 characters.")
    # A level that is none would be one that no sign-in ever has.
    if len(new.default_acr_values) > 10 or not set(new.default_acr_values) <= set(LEVELS):
        raise ClientRefused(f"default_acr_values are at most 10 of {', '.join(LEVELS)}.")
    if new.default_max_age is not None and not 0 <= new.default_max_age <= 10 * 366 * 86400:
        raise ClientRefused("default_max_age is a number of seconds, at most ten years.")


def _check_grants(new: NewClient) -> None:
    interactive = {"authorization_code", DEVICE_GRANT} & set(new.grant_types)
    if not new.grant_types:
        raise ClientRefused("A client needs at least one grant.")
    if "authorization_code" in new.grant_types and not new.redirect_uris:
        raise RedirectRefused("A client that redirects people needs at least one redirect URI.")
    if "refresh_token" in new.grant_types and not interactive:
        raise ClientRefused("refresh_token needs authorization_code or the device grant beside it.")
    if interactive and "openid" not in new.scopes:
        raise ClientRefused("The scopes of a client that signs people in must contain openid.")
    if "client_credentials" in new.grant_types and new.auth_method == "none":
        raise ClientRefused("client_credentials needs client authentication (RFC 6749 §4.4).")


def _check_addresses(new: NewClient, *, production: bool) -> None:
    for some in (new.redirect_uris, new.post_logout_redirect_uris, new.resources, new.serves):
        if len(some) > MOST_ADDRESSES:
            raise ClientRefused(f"At most {MOST_ADDRESSES} addresses of a kind can be registered.")
    _check_redirects(new, production=production)
    called = [uri for uri in (new.backchannel_logout_uri, new.jwks_uri) if uri]
    shown = [new.client_uri] if new.client_uri else []
    for uri in (*new.post_logout_redirect_uris, *new.resources, *new.serves, *called, *shown):
        check_uri(uri, production=production)
    for uri in called if production else ():
        check_outside(uri)


def _check_redirects(new: NewClient, *, production: bool) -> None:
    try:
        for uri in new.redirect_uris:
            check_uri(uri, production=production)
    except ClientRefused as refused:
        raise RedirectRefused(str(refused)) from None
    hosts = {urlsplit(uri).hostname for uri in new.redirect_uris}
    if len(hosts) > 1 and not new.sector and new.subject_type == "pairwise":
        raise RedirectRefused("Redirect URIs on several hosts need a sector (OpenID Connect Core §8.1).")


def _check_keys(new: NewClient) -> None:
    if new.jwks is not None and new.jwks_uri:
        raise ClientRefused("Give jwks or jwks_uri, not both (RFC 7591 §2).")
    needs_keys = new.auth_method == "private_key_jwt" or new.request_object_alg or new.require_signed_requests
    if needs_keys and new.jwks is None and not new.jwks_uri:
        raise ClientRefused("private_key_jwt and signed requests need jwks or jwks_uri.")
    if new.jwks is not None:
        check_jwks(new.jwks)
    for what, alg in (("assertion", new.assertion_alg), ("request object", new.request_object_alg)):
        if alg is None:
            continue
        _one_of(f"{what} algorithm", alg, SIGNING_ALGS)
        if new.jwks is not None and not any(_fits(jwk, alg) for jwk in new.jwks["keys"]):
            raise ClientRefused(f"jwks holds no key for the {what} algorithm {alg}.")


def _fits(jwk: dict[str, Any], alg: str) -> bool:
    return jwk.get("kty") == _KEY_TYPES[alg] and jwk.get("alg", alg) == alg


def _broken_promises(new: NewClient) -> Iterator[str]:
    """What the profile promises and the registration does not keep (FAPI 2.0 §5.3, §5.4)."""
    profile = PROFILES[new.profile]
    if new.auth_method not in profile.auth_methods:
        allowed = ", ".join(profile.auth_methods)
        yield f"The profile {profile.name} takes only the auth method {allowed}, not {new.auth_method}."
    algs = {
        "ID tokens": new.id_token_alg,
        "assertions": fixed_assertion_alg(new),
        "request objects": new.request_object_alg,
    }
    for what, alg in algs.items():
        if alg is not None and alg not in profile.signing_algs:
            allowed = ", ".join(profile.signing_algs)
            yield f"The profile {profile.name} takes only {allowed} for {what}, not {alg}."


def _new_client_id() -> str:
    # Never with a dash in front: a command would take it for an option.
    return new_token(12).replace("-", "x").replace("_", "y")


def _one_of(what: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        msg = f"Unknown {what} {value[:60]!r}: choose from {', '.join(allowed)}."
        raise ClientRefused(msg)
