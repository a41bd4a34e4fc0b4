"""Arranging and reading relying parties at the console."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import select

from idp.access.clients import Client, RegisteredClient
from idp.accounts.audit import AuditEvent
from tests.oauth.keyholders import a_key, public_jwk
from tests.world import CALLBACK, AClient, Browser, Page, World

KEYS = {"keys": [public_jwk(a_key("ES256"))]}
EVERYTHING: dict[str, Any] = {
    "name": '引号"与<b>网厅',
    "redirect_uris": (CALLBACK, "https://portal.example/another?x=1"),
    "post_logout_redirect_uris": ("https://portal.example/signed-out",),
    "backchannel_logout_uri": "https://portal.example/logout",
    "auth_method": "private_key_jwt",
    "grant_types": ("refresh_token", "authorization_code", "client_credentials"),
    "scopes": ("seal:verify", "openid", "identity", "offline_access"),
    "id_token_alg": "PS256",
    "sector": "joint.example",
    "subject_type": "public",
    "full_phone": True,
    "first_party": False,
    "profile": "fapi2",
    "jwks": KEYS,
    "assertion_alg": "ES256",
    "request_object_alg": "ES256",
    "require_signed_requests": True,
    "require_par": True,
    "dpop": True,
    "resources": ("https://seal.example/api",),
    "serves": ("https://portal.example/api",),
    "default_acr_values": ("urn:idp:loa:2", "urn:idp:loa:1"),
    "default_max_age": 3600,
    "contacts": ("信息中心值班室", "ops@portal.example"),
    "client_uri": "https://portal.example/",
}


def row(world: World, client_id: str) -> Client:
    """The client as stored."""
    with world.reading() as db:
        return db.get_one(Client, client_id)


def known(world: World, client_id: str) -> RegisteredClient:
    """The client as the running application sees it."""
    found = world.platform.clients.find(client_id)
    assert found is not None
    return found


def trail(world: World, client_id: str) -> list[AuditEvent]:
    """What the trail tells of a client."""
    with world.reading() as db:
        of_client = select(AuditEvent).where(AuditEvent.target == f"client:{client_id}")
        return list(db.scalars(of_client.order_by(AuditEvent.id)))


def editing(world: World, client: AClient) -> Browser:
    """An administrator with the form of a client before him."""
    browser = world.at_the_console()
    assert browser.open(f"/staff/clients/edit?id={client.client_id}").status == 200
    return browser


def copied(page: Page) -> list[str]:
    """What the page shows to be copied."""
    return re.findall(r'tx-copied">([^<]*)<', page.html)
