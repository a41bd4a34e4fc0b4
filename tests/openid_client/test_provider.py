"""A certified client that shares no code with us judges the running provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin

import httpx2
import pytest

from tests.journeys.chrome import read_json
from tests.openid_client.driver import OpenIdClient, OpenIdClientError
from tests.running_demo import RunningDemo
from tests.world import FormReader

CALLBACK = "http://localhost:9/callback"
SIGNED_OUT = "http://localhost:9/signed-out"


class Surfer:
    """A browser without pictures: it keeps cookies, follows redirects inside the provider, fills forms."""

    def __init__(self, issuer: str, http: httpx2.Client) -> None:
        self.issuer = issuer
        self._http = http

    def open(self, address: str) -> httpx2.Response:
        """Open an address; stops at the page, or at the redirect that leaves the provider."""
        return self._arrive(self._http.get(address))

    def sign_in_operator(self, page: httpx2.Response, operator: dict[str, Any]) -> str:
        """Sign in on the operator's tab and return the address the provider sends the browser to."""
        page = self.open(str(page.url).replace("/login/legal", "/login/operator"))
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
        return self._arrive(self._http.post(str(page.url), data={**fields, **typed})).headers["Location"]

    def _arrive(self, answer: httpx2.Response) -> httpx2.Response:
        while answer.is_redirect and answer.headers["Location"].startswith(("/", self.issuer)):
            answer = self._http.get(urljoin(self.issuer, answer.headers["Location"]))
        return answer


@pytest.fixture
def surfer(running_demo: RunningDemo) -> Iterator[Surfer]:
    """A browser without pictures, at the running provider."""
    with httpx2.Client(follow_redirects=False, timeout=20) as http:
        yield Surfer(running_demo.issuer, http)


@pytest.fixture
def register(running_demo: RunningDemo, node_path: str) -> Callable[..., OpenIdClient]:
    """Registers a client with the `idp` command, as an integrator does, and hands it to openid-client."""

    def add(*options: str, auth: str = "basic") -> OpenIdClient:
        method = {"basic": "client_secret_basic", "post": "client_secret_post", "none": "none"}[auth]
        made = running_demo.idp(
            *("client", "add", "--name", "外部客户端", "--first-party", "--auth-method", method),
            *("--redirect-uri", CALLBACK, "--post-logout-redirect-uri", SIGNED_OUT),
            *("--grant", "authorization_code", "--grant", "refresh_token"),
            *options,
        )
        settings = {
            "issuer": running_demo.issuer,
            "client_id": made["client_id"],
            "client_secret": made.get("client_secret"),
            "auth_method": auth,
            "id_token_alg": made["id_token_signed_response_alg"],
        }
        return OpenIdClient(node_path, settings)

    return add


@pytest.mark.parametrize(
    ("auth", "options"), [("basic", ()), ("post", ("--id-token-alg", "ES256")), ("none", ())]
)
def test_openid_client_completes_every_feature(
    register: Callable[..., OpenIdClient],
    running_demo: RunningDemo,
    surfer: Surfer,
    auth: str,
    options: tuple[str, ...],
) -> None:
    client = register(*options, auth=auth)
    operator = running_demo.account("operator")
    sent = client("authorize", redirect_uri=CALLBACK, scope="openid profile entity offline_access")
    callback = surfer.sign_in_operator(surfer.open(sent["url"]), operator)
    checks = {name: sent[name] for name in ("state", "nonce", "code_verifier")}

    tokens = client("complete", callback_url=callback, **checks)
    assert tokens["claims"]["role"] == "operator"
    assert tokens["claims"]["entity"]["uscc"] == operator["uscc"]
    info = client("userinfo", access_token=tokens["access_token"], sub=tokens["claims"]["sub"])
    assert info["mandate"]["manage_seals"] is operator["manage_seals"]
    assert client("introspect", token=tokens["access_token"])["active"] is True

    fresh = client("refresh", refresh_token=tokens["refresh_token"])
    assert fresh["claims"]["sub"] == tokens["claims"]["sub"]
    again = client("refresh", refresh_token=tokens["refresh_token"])
    assert again["refresh_token"] == fresh["refresh_token"], "a repeated refresh gets the same successor"
    newest = client("refresh", refresh_token=fresh["refresh_token"])
    with pytest.raises(OpenIdClientError, match="invalid_grant"):
        client("refresh", refresh_token=tokens["refresh_token"])
    assert client("introspect", token=newest["access_token"]) == {"active": False}

    assert "error=interaction_required" in _silently(surfer, client)
    sent = client("authorize", redirect_uri=CALLBACK, scope="openid entity")
    callback = surfer.open(sent["url"]).headers["Location"]
    checks = {name: sent[name] for name in ("state", "nonce", "code_verifier")}
    tokens = client("complete", callback_url=callback, **checks)
    with pytest.raises(OpenIdClientError, match="invalid_grant"):
        client("complete", callback_url=callback, **checks)
    assert client("introspect", token=tokens["access_token"]) == {"active": False}, (
        "a replayed code ends its tokens"
    )

    sent = client("authorize", redirect_uri=CALLBACK, scope="openid entity")
    checks = {name: sent[name] for name in ("state", "nonce", "code_verifier")}
    tokens = client("complete", callback_url=surfer.open(sent["url"]).headers["Location"], **checks)
    client("revoke", token=tokens["access_token"])
    assert client("introspect", token=tokens["access_token"]) == {"active": False}

    leaving = client(
        "logout-url", id_token_hint=tokens["id_token"], post_logout_redirect_uri=SIGNED_OUT, state="bye"
    )
    assert surfer.open(leaving["url"]).headers["Location"] == f"{SIGNED_OUT}?state=bye"
    assert "/login" in str(surfer.open(f"{surfer.issuer}/center/operator").url)


def _silently(surfer: Surfer, client: OpenIdClient) -> str:
    """Where an operator's browser is sent when a personal service asks without a page."""
    sent = client("authorize", redirect_uri=CALLBACK, scope="openid", parameters={"prompt": "none"})
    return str(surfer.open(sent["url"]).headers["Location"])
