"""A browser without pictures and the certified client, both at the running provider."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2
import pytest
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.journeys.chrome import read_json
from tests.openid_client.driver import Driver, OpenIdClient, started
from tests.pages import FormReader
from tests.running_demo import RunningDemo

CALLBACK = "http://localhost:9/callback"
SIGNED_OUT = "http://localhost:9/signed-out"
METHODS = {
    "basic": "client_secret_basic",
    "post": "client_secret_post",
    "key": "private_key_jwt",
    "none": "none",
}
PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi"}


class Surfer:
    """A browser without pictures: it keeps cookies, follows redirects inside the provider, fills forms."""

    def __init__(self, issuer: str, http: httpx2.Client) -> None:
        self.issuer = issuer
        self._http = http

    def open(self, address: str) -> httpx2.Response:
        """Open an address; stops at the page, or at the redirect that leaves the provider."""
        return self._arrive(self._http.get(urljoin(self.issuer, address)))

    def sign_in_operator(self, page: httpx2.Response, operator: dict[str, Any]) -> httpx2.Response:
        """Sign in on the operator's tab; where that leads."""
        page = self.open(str(page.url).replace("/login/qr", "/login/operator"))
        reader = FormReader()
        reader.feed(page.text)
        fields = dict(reader.forms[0]["fields"])
        answer = read_json(f"{self.issuer}/demo/captcha/{fields['captcha_id']}.json")["answer"]
        typed = {
            "enterprise": operator["uscc"],
            "account": operator["id_number"],
            "password": operator["password"],
            "captcha": answer,
        }
        return self._arrive(self._http.post(str(page.url), data={**fields, **typed}))

    def submit(self, page: httpx2.Response, typed: dict[str, str]) -> httpx2.Response:
        """Fill the first form of the page that has these fields, or its first, and send it."""
        reader = FormReader()
        reader.feed(page.text)
        has_them = (form for form in reader.forms if typed.keys() <= form["fields"].keys())
        form = next(has_them, reader.forms[0])
        return self._arrive(
            self._http.post(urljoin(str(page.url), form["action"] or ""), data={**form["fields"], **typed})
        )

    def _arrive(self, answer: httpx2.Response) -> httpx2.Response:
        while answer.is_redirect and answer.headers["Location"].startswith(("/", self.issuer)):
            answer = self._http.get(urljoin(self.issuer, answer.headers["Location"]))
        return answer


@pytest.fixture
def surfer(running_demo: RunningDemo) -> Iterator[Surfer]:
    """A browser without pictures, at the running provider."""
    with httpx2.Client(follow_redirects=False, timeout=20) as http:
        yield Surfer(running_demo.issuer, http)


@pytest.fixture(scope="session")
def driver(node_path: str) -> Iterator[Driver]:
    """The outside client, started once a worker."""
    with started(node_path) as running:
        yield running


@pytest.fixture
def register(running_demo: RunningDemo, driver: Driver, tmp_path: Path) -> Callable[..., OpenIdClient]:
    """Registers a client with the `idp` command, as an integrator does, and hands it to openid-client."""

    def add(
        *options: str,
        auth: str = "basic",
        grants: tuple[str, ...] = ("authorization_code", "refresh_token"),
        client_key: dict[str, Any] | None = None,
        dpop_key: dict[str, Any] | None = None,
    ) -> OpenIdClient:
        if client_key:
            keys = tmp_path / "jwks.json"
            keys.write_text(json.dumps({"keys": [public_half(client_key)]}), encoding="utf-8")
            options = (*options, "--jwks", str(keys))
        made = running_demo.idp(
            *("client", "add", "--name", "外部客户端", "--first-party", "--auth-method", METHODS[auth]),
            *("--redirect-uri", CALLBACK, "--post-logout-redirect-uri", SIGNED_OUT),
            *(word for grant in grants for word in ("--grant", grant)),
            *options,
        )
        settings = {
            "issuer": running_demo.issuer,
            "client_id": made["client_id"],
            "client_secret": made.get("client_secret"),
            "auth_method": auth,
            "id_token_alg": made["id_token_signed_response_alg"],
            "client_key": client_key,
            "dpop_key": dpop_key,
        }
        return OpenIdClient(driver, settings)

    return add


def a_private_key(alg: str) -> dict[str, Any]:
    """A private JWK that signs with `alg`."""
    kinds: dict[str, Any] = {"ES256": (ECKey, "P-256"), "EdDSA": (OKPKey, "Ed25519")}
    kind, size = kinds.get(alg, (RSAKey, 2048))
    key = kind.generate_key(size, private=True)
    return {**key.as_dict(private=True), "alg": alg, "kid": key.thumbprint()}


def public_half(jwk: dict[str, Any]) -> dict[str, Any]:
    """What is registered of a private JWK."""
    return {name: value for name, value in jwk.items() if name not in PRIVATE_MEMBERS}
