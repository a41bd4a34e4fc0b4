"""What a portal does: it asks for somebody, redeems the code, and calls with the token."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from werkzeug.test import TestResponse

from idp.crypto import b64url
from tests.inhabitants import AClient
from tests.world import ISSUER, Browser, World


@dataclass(frozen=True)
class Authorization:
    """One authorization request of a client, with its PKCE pair, and the way to its tokens."""

    client: AClient
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(12))

    def address(self, scope: str = "openid profile entity", **more: str) -> str:
        """The address a portal sends its user to."""
        challenge = b64url(hashlib.sha256(self.verifier.encode()).digest())
        values = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uri,
            "scope": scope,
            "state": self.state,
            "nonce": self.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **more,
        }
        return "/oauth/authorize?" + urlencode({name: value for name, value in values.items() if value})

    def redeem(self, browser: Browser, code: str, **more: str) -> TestResponse:
        """Exchange the code for tokens, as the portal's server does."""
        values = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uri,
            "code_verifier": self.verifier,
            **more,
        }
        return post_as(browser.world, self.client, "/oauth/token", values)


def post_as(world: World, client: AClient, path: str, values: Mapping[str, str]) -> TestResponse:
    """A call of a client's server to an endpoint, authenticated by HTTP Basic."""
    return world.app.test_client(use_cookies=False).post(
        path, base_url=ISSUER, data=dict(values), headers=client.basic
    )


def get_with(world: World, access_token: str, path: str = "/oauth/userinfo") -> TestResponse:
    """A call with an access token."""
    headers = {"Authorization": f"Bearer {access_token}"}
    return world.app.test_client(use_cookies=False).get(path, base_url=ISSUER, headers=headers)
