"""What a virtual browser and its portal do, one journey a function; every answer is looked at."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from bench.http import Answer, Connection, WrongAnswer
from bench.population import CALLBACK, Portal

SCOPE = "openid profile entity"
OFFLINE = SCOPE + " offline_access"


@dataclass(slots=True)
class Visitor:
    """A signed-in browser and the portal it visits, on one connection; `kept` is what it has in hand."""

    connection: Connection
    portal: Portal
    cookie: str
    kept: dict[str, str] = field(default_factory=dict)

    @property
    def as_client(self) -> str:
        """The header lines of the portal's server."""
        return f"Authorization: {self.portal.basic}\r\n"


Journey = Callable[[Visitor], Awaitable[None]]


async def sign_on(visitor: Visitor) -> None:
    """Authorize with a session, code, tokens with an RS256 ID token, userinfo."""
    tokens = await _tokens(visitor, SCOPE)
    await _userinfo(visitor, tokens)


async def refresh(visitor: Visitor) -> None:
    """A refresh token for tokens and its successor."""
    token = visitor.kept.pop("refresh_token", "")
    if not token:
        token = (await _tokens(visitor, OFFLINE))["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token}
    answer = await visitor.connection.post("/oauth/token", form, visitor.as_client)
    visitor.kept["refresh_token"] = json.loads(answer.expect(200).body)["refresh_token"]


async def introspection(visitor: Visitor) -> None:
    """Whether an access token counts."""
    if "access_token" not in visitor.kept:
        visitor.kept["access_token"] = (await _tokens(visitor, SCOPE))["access_token"]
    form = {"token": visitor.kept["access_token"]}
    answer = await visitor.connection.post("/oauth/introspect", form, visitor.as_client)
    if json.loads(answer.expect(200).body).get("active") is not True:
        raise WrongAnswer("a live token was called inactive")


def fetch(path: str) -> Journey:
    """A GET of `path`, which answers 200."""

    async def get(visitor: Visitor) -> None:
        (await visitor.connection.get(path)).expect(200)

    return get


def authorization_address(portal: Portal, scope: str, verifier: str) -> str:
    """The address a portal sends its user to."""
    return "/oauth/authorize?" + urlencode(request_values(portal.client_id, scope, verifier))


def request_values(client_id: str, scope: str, verifier: str) -> dict[str, str]:
    """The parameters of an authorization request."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": CALLBACK,
        "scope": scope,
        "state": "s-of-bench",
        "nonce": "n-of-bench",
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }


def code_in(location: str) -> str:
    """The code in the redirect to the portal. Raises WrongAnswer."""
    found = parse_qs(urlsplit(location).query).get("code")
    if not found or not location.startswith(CALLBACK):
        raise WrongAnswer(f"no code: {location[:300]}")
    return found[0]


def redemption(code: str, verifier: str) -> dict[str, str]:
    """The form that exchanges a code for tokens."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": CALLBACK,
        "code_verifier": verifier,
    }


async def _tokens(visitor: Visitor, scope: str) -> dict[str, Any]:
    verifier = secrets.token_urlsafe(48)
    address = authorization_address(visitor.portal, scope, verifier)
    answer = await visitor.connection.get(address, f"Cookie: {visitor.cookie}\r\n")
    code = code_in(answer.expect(303).headers["location"])
    answer = await visitor.connection.post("/oauth/token", redemption(code, verifier), visitor.as_client)
    tokens: dict[str, Any] = json.loads(answer.expect(200).body)
    return tokens


async def _userinfo(visitor: Visitor, tokens: dict[str, Any]) -> None:
    answer = await visitor.connection.get(
        "/oauth/userinfo", f"Authorization: Bearer {tokens['access_token']}\r\n"
    )
    check_subject(answer, tokens)


def check_subject(answer: Answer, tokens: dict[str, Any]) -> None:
    """Return if userinfo speaks of whom the ID token names. Raises WrongAnswer."""
    told = json.loads(answer.expect(200).body)
    payload = tokens["id_token"].split(".")[1]
    if told["sub"] != json.loads(base64.urlsafe_b64decode(payload + "=="))["sub"]:
        raise WrongAnswer("userinfo speaks of somebody else")
