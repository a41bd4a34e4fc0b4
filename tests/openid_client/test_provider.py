"""A certified client that shares no code with us judges the running provider."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.openid_client.conftest import CALLBACK, SIGNED_OUT, Surfer
from tests.openid_client.driver import OpenIdClient, OpenIdClientError
from tests.running_demo import RunningDemo


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
    callback = surfer.sign_in_operator(surfer.open(sent["url"]), operator).headers["Location"]
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
