"""What certified clients and government profiles use, run by a client that shares no code with us."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.openid_client.conftest import CALLBACK, SIGNED_OUT, Surfer, a_private_key
from tests.openid_client.driver import Driver, OpenIdClient, OpenIdClientError
from tests.pages import FormReader
from tests.running_demo import RunningDemo

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def signed_in(
    client: OpenIdClient, surfer: Surfer, running_demo: RunningDemo, **sending: Any
) -> tuple[dict[str, Any], str]:
    """What the client kept, and the address the operator's browser comes back to."""
    sent = client("authorize", redirect_uri=CALLBACK, scope="openid profile entity offline_access", **sending)
    answer = surfer.sign_in_operator(surfer.open(sent["url"]), running_demo.account("operator"))
    return {name: sent[name] for name in ("state", "nonce", "code_verifier")}, answer.headers["Location"]


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_client_proves_itself_by_a_key_and_gets_its_algorithm(
    register: Callable[..., OpenIdClient], running_demo: RunningDemo, surfer: Surfer, alg: str
) -> None:
    client = register(
        "--id-token-alg", alg, "--assertion-alg", alg, auth="key", client_key=a_private_key(alg)
    )
    checks, callback = signed_in(client, surfer, running_demo)
    tokens = client("complete", callback_url=callback, **checks)
    assert client("introspect", token=tokens["access_token"])["active"] is True
    client("revoke", token=tokens["access_token"])
    assert client("introspect", token=tokens["access_token"]) == {"active": False}


@pytest.mark.parametrize("sent", ["pushed", "signed"])
def test_a_request_may_be_pushed_or_signed(
    register: Callable[..., OpenIdClient], running_demo: RunningDemo, surfer: Surfer, sent: str
) -> None:
    client = register(auth="key", client_key=a_private_key("ES256"))
    checks, callback = signed_in(client, surfer, running_demo, sent=sent)
    assert client("complete", callback_url=callback, **checks)["claims"]["role"] == "operator"


def test_a_fapi_client_uses_everything_at_once(
    register: Callable[..., OpenIdClient], running_demo: RunningDemo, surfer: Surfer
) -> None:
    client = register(
        *("--profile", "fapi2", "--id-token-alg", "PS256"),
        auth="key",
        client_key=a_private_key("PS256"),
        dpop_key=a_private_key("ES256"),
    )
    checks, callback = signed_in(client, surfer, running_demo, sent="pushed")
    tokens = client("complete", callback_url=callback, **checks)
    assert tokens["token_type"].lower() == "dpop"
    sub = tokens["claims"]["sub"]
    assert client("userinfo", access_token=tokens["access_token"], sub=sub)["role"] == "operator"
    with pytest.raises(OpenIdClientError):
        client("userinfo", access_token=tokens["access_token"], sub=sub, dpop_key=None)
    fresh = client("refresh", refresh_token=tokens["refresh_token"])
    assert client("introspect", token=fresh["access_token"])["cnf"]["jkt"]


def test_a_fapi_client_may_not_send_a_plain_request(
    register: Callable[..., OpenIdClient], surfer: Surfer
) -> None:
    client = register(
        *("--profile", "fapi2", "--id-token-alg", "ES256"), auth="key", client_key=a_private_key("ES256")
    )
    sent = client("authorize", redirect_uri=CALLBACK, scope="openid entity")
    back = surfer.open(sent["url"]).headers["Location"]
    assert "error=invalid_request" in back
    assert "code=" not in back


def test_the_answer_may_come_as_a_form(
    register: Callable[..., OpenIdClient], running_demo: RunningDemo, surfer: Surfer
) -> None:
    client = register()
    signed_in(client, surfer, running_demo)
    sent = client(
        "authorize",
        redirect_uri=CALLBACK,
        scope="openid entity",
        parameters={"response_mode": "form_post"},
    )
    reader = FormReader()
    reader.feed(surfer.open(sent["url"]).text)
    form = reader.forms[0]
    assert form["action"] == CALLBACK
    checks = {name: sent[name] for name in ("state", "nonce", "code_verifier")}
    tokens = client("complete", callback_url=CALLBACK, form=form["fields"], **checks)
    assert tokens["claims"]["role"] == "operator"


def test_a_client_gets_a_token_for_itself(register: Callable[..., OpenIdClient]) -> None:
    resource = "https://seal.example/api"
    client = register("--resource", resource, "--scope", "seal:verify", grants=("client_credentials",))
    answer = client("client-credentials", parameters={"scope": "seal:verify", "resource": resource})
    told = client("introspect", token=answer["access_token"])
    assert (told["active"], told["sub"], told["aud"]) == (True, client.settings["client_id"], resource)


def test_a_device_signs_in_by_a_code_typed_elsewhere(
    register: Callable[..., OpenIdClient], running_demo: RunningDemo, surfer: Surfer
) -> None:
    client = register(auth="none", grants=(DEVICE_GRANT, "refresh_token"), dpop_key=a_private_key("ES256"))
    device = client("device", parameters={"scope": "openid profile entity offline_access"})
    page = surfer.open(device["verification_uri"])
    page = surfer.submit(page, {"user_code": device["user_code"].lower()})
    page = surfer.sign_in_operator(page, running_demo.account("operator"))
    surfer.submit(page, {"decision": "allow"})
    # Nobody polled before, so nothing is too soon.
    tokens = client("device-poll", device=device | {"interval": 0})
    assert tokens["claims"]["role"] == "operator"
    # The library waits twice, as its first request only fetches the nonce of its proof: five seconds in all.
    with pytest.raises(OpenIdClientError, match="invalid_grant"):
        client("device-poll", device=device | {"interval": device["interval"] / 2})


def test_a_client_registers_itself(running_demo: RunningDemo, driver: Driver) -> None:
    invitation = running_demo.idp("client", "invite", "--label", "试接入")
    metadata = {
        "client_name": "自助接入",
        "redirect_uris": [CALLBACK],
        "post_logout_redirect_uris": [SIGNED_OUT],
        "token_endpoint_auth_method": "client_secret_basic",
    }
    nobody = OpenIdClient(driver, {"issuer": running_demo.issuer})
    made = nobody("register", token=invitation["token"], metadata=metadata)
    assert made["client_secret"]
    assert made["redirect_uris"] == [CALLBACK]
    with pytest.raises(OpenIdClientError, match="401"):
        nobody("register", token=invitation["token"], metadata=metadata)
