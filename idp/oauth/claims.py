"""What tokens and userinfo say: the human, and apart from him the company and the right."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from idp.access.clients import RegisteredClient
from idp.access.grants import LiveGrant
from idp.access.subjects import subject
from idp.accounts.identifiers import mask_phone
from idp.accounts.models import Enterprise, Mandate
from idp.crypto import Vault
from idp.oauth.claims_request import IN_ID_TOKEN, scopes_of


def id_token_claims(
    live: LiveGrant,
    client: RegisteredClient,
    scope: tuple[str, ...],
    *,
    issuer: str,
    nonce: str | None,
    until: datetime,
    now: datetime,
) -> dict[str, Any]:
    """The claims of an ID token (OIDC Core §2), `role` always, `entity` when asked for."""
    session = live.session
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": subject(live.person, client),
        "aud": client.client_id,
        "azp": client.client_id,
        "iat": int(now.timestamp()),
        "exp": int(until.timestamp()),
        "auth_time": int(session.auth_time.timestamp()),
        "acr": live.acr,
        "amr": live.amr,
        "sid": session.sid,
        "role": session.role,
    }
    if nonce is not None:
        claims["nonce"] = nonce
    if "entity" in scope and live.enterprise:
        claims["entity"] = entity_claim(live.enterprise)
    return claims


def userinfo(
    vault: Vault, live: LiveGrant, client: RegisteredClient, scope: tuple[str, ...]
) -> dict[str, Any]:
    """The answer of the userinfo endpoint: what `scope` allows, and the single claims the grant holds."""
    asked = [name for name in live.grant.claims or () if not name.startswith(IN_ID_TOKEN)]
    return {
        **_single(vault, live, client, scope, asked),
        **_of_scope(vault, live, client, scope),
        "sub": subject(live.person, client),
    }


def asked_in_id_token(
    vault: Vault, live: LiveGrant, client: RegisteredClient, scope: tuple[str, ...]
) -> dict[str, Any]:
    """What was asked for in the ID token by the `claims` parameter (OIDC Core §5.5), and is granted still."""
    names = [name for name in live.grant.claims or () if name.startswith(IN_ID_TOKEN)]
    return _single(vault, live, client, scope, [name.removeprefix(IN_ID_TOKEN) for name in names])


def _single(
    vault: Vault, live: LiveGrant, client: RegisteredClient, scope: tuple[str, ...], names: list[str]
) -> dict[str, Any]:
    """Some claims by name, as far as their scopes are still the client's and the grant's company stays."""
    if not names or "openid" not in scope or _is_narrowed(live, client, scope):
        return {}
    allowed = (scopes_of(names) & client.scopes) - ({"entity"} - set(scope))
    there = _of_scope(vault, live, client, tuple(allowed))
    return {name: there[name] for name in names if name in there}


def _is_narrowed(live: LiveGrant, client: RegisteredClient, scope: tuple[str, ...]) -> bool:
    """Whether a refresh asked for less than the grant gives this client now.

    Claims asked for one by one stand beside the scope, and a refresh names scopes alone: it has no word
    for keeping some of them. RFC 6749 §6 lets it narrow so that a token can be given to somebody who may
    know less, so a narrowed token keeps none of them; the next refresh of the whole grant has them again.
    """
    # Leaving offline_access out takes nothing from what a token tells.
    return not set(live.grant.scope.split()) & client.scopes <= {*scope, "offline_access"}


def _of_scope(
    vault: Vault, live: LiveGrant, client: RegisteredClient, scope: tuple[str, ...]
) -> dict[str, Any]:
    """The claims that `scope` opens, and nothing a person did not give."""
    claims: dict[str, Any] = {}
    if "profile" in scope:
        claims["name"] = live.person.name(vault)
        if live.username:
            claims["preferred_username"] = live.username
    phone = live.person.phone(vault)
    if "phone" in scope and phone:
        claims |= (
            {"phone_number": f"+86{phone}"}
            if client.full_phone
            else {"phone_number_masked": mask_phone(phone)}
        )
    number = live.person.id_number(vault)
    if "identity" in scope and number:
        claims |= {"id_type": live.person.id_type, "id_number": number}
    if "entity" in scope:
        claims["role"] = live.session.role
        if live.enterprise:
            claims["entity"] = entity_claim(live.enterprise)
        if live.mandate:
            claims["mandate"] = mandate_claim(live.mandate)
    return claims


def entity_claim(enterprise: Enterprise) -> dict[str, str]:
    """The company acted for."""
    return {
        "uscc": enterprise.uscc,
        "name": enterprise.name,
        "type": enterprise.type,
        "status": enterprise.status,
    }


def mandate_claim(mandate: Mandate) -> dict[str, Any]:
    """By what right an operator acts; `valid_*` are instants, the end exclusive."""
    return {
        "id": str(mandate.id),
        "valid_from": mandate.valid_from.isoformat(),
        "valid_until": mandate.valid_until.isoformat(),
        "manage_operators": mandate.manage_operators,
        "manage_seals": mandate.manage_seals,
        "department": mandate.department,
    }
