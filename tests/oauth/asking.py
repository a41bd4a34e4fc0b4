"""What the tests of the protocol do again and again: asking as a portal does, reading and forging tokens."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import time_machine
from joserfc import jwt
from joserfc.jwk import KeySet
from werkzeug.test import TestResponse

from idp.access.keys import ALGORITHMS, Signatures
from tests.entering import has_entered
from tests.portals import Authorization, post_as
from tests.world import ISSUER, AClient, AnOperator, Browser, Page, World

Result = TypeVar("Result")

UNIT = "openid profile phone identity entity"
FOR_LATER = "openid offline_access"


def later(**after: float) -> AbstractContextManager[Any]:
    """The same world, `after` (as timedelta takes it) from now."""
    return time_machine.travel(datetime.now(UTC) + timedelta(**after), tick=True)


def a_signed_in_person(world: World) -> Browser:
    """A browser in which somebody is signed in as himself."""
    return has_entered(world, world.a_person())


def a_signed_in_operator(world: World, operator: AnOperator | None = None) -> Browser:
    """A browser in which an operator is signed in."""
    return has_entered(world, operator or world.an_operator())


def code_for(browser: Browser, asked: Authorization, scope: str = "openid", **more: str) -> str:
    """The code a signed-in browser brings back."""
    page = browser.open(asked.address(scope, **more))
    assert "code" in page.query, (page.status, page.location, page.text)
    return page.query["code"]


def tokens_for(browser: Browser, client: AClient, scope: str = FOR_LATER, **more: str) -> dict[str, Any]:
    """The tokens of one whole sign-on of a signed-in browser."""
    asked = Authorization(client)
    answer = asked.redeem(browser, code_for(browser, asked, scope, **more))
    assert answer.status_code == 200, answer.get_json()
    tokens: dict[str, Any] = answer.get_json()
    return tokens


def refresh(world: World, client: AClient, token: str, **more: str) -> TestResponse:
    """A refresh request of the client's server."""
    values = {"grant_type": "refresh_token", "refresh_token": token, **more}
    return post_as(world, client, "/oauth/token", values)


def introspect(world: World, client: AClient, token: str, **more: str) -> dict[str, Any]:
    """What introspection says of a token."""
    found: dict[str, Any] = post_as(world, client, "/oauth/introspect", {"token": token, **more}).get_json()
    return found


def call(
    world: World, path: str, data: Mapping[str, Any] | bytes | str | None = None, **more: Any
) -> TestResponse:
    """A call by a program that authenticates as it likes."""
    return world.app.test_client(use_cookies=False).post(path, base_url=ISSUER, data=data, **more)


def basic(pair: str) -> dict[str, str]:
    """An Authorization header for `name:secret`."""
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def published(world: World) -> KeySet:
    """The keys as the outside sees them."""
    return KeySet.import_key_set(world.app.test_client().get("/oauth/jwks", base_url=ISSUER).get_json())


def claims_of(world: World, token: str) -> dict[str, Any]:
    """The claims of a token of ours, verified with the published keys."""
    registry = Signatures(algorithms=ALGORITHMS)
    return dict(jwt.decode(token, published(world), registry=registry).claims)


def header_of(token: str) -> dict[str, Any]:
    """The header of a token, as it stands."""
    found: dict[str, Any] = json.loads(_decoded(token.partition(".")[0]))
    return found


def payload_of(token: str) -> dict[str, Any]:
    """The claims of a token, as they stand."""
    found: dict[str, Any] = json.loads(_decoded(token.split(".")[1]))
    return found


def encoded(part: Mapping[str, Any]) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def at_once(count: int, act: Callable[[int], Result]) -> list[Result]:
    """What `act` gives to so many threads that begin together."""
    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(act, range(count)))


def refused_with(page: Page) -> tuple[str, bool]:
    """The error a redirect brings back to the portal, and whether the issuer stands beside it."""
    return page.query.get("error", ""), page.query.get("iss") == ISSUER


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
