"""What tokens and userinfo say: the human, and apart from him the company and the right (CONTRACT)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from idp.access.clients import RegisteredClient
from idp.access.grants import LiveGrant
from idp.access.subjects import subject
from idp.accounts.identifiers import mask_phone
from idp.accounts.models import Enterprise, Mandate
from idp.crypto import Vault


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
        "acr": session.acr,
        "amr": session.amr.split(),
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
    """The answer of the userinfo endpoint: what `scope` allows, and nothing a person did not give."""
    claims: dict[str, Any] = {"sub": subject(live.person, client)}
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
