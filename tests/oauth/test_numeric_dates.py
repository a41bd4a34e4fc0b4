"""Instants that others wrote down: a number too large to reckon with is refused, and no error of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from idp.crypto import b64url
from tests.oauth.asking import a_signed_in_person, call, tokens_for
from tests.oauth.keyholders import ADpopKey, AKeyholder, a_keyholder
from tests.world import ISSUER, World

GIANT = 10**400
GIANTS = (GIANT, -GIANT, 2**53 + 1, 1e308, -1e308)
TOKEN, USERINFO = "/oauth/token", "/oauth/userinfo"
FORM = {"grant_type": "refresh_token", "refresh_token": "x"}


def proofs(world: World, value: Any, claim: str) -> list[int]:
    """What a proof with such a claim is answered with at each endpoint that takes one."""
    client, key = world.a_client(), ADpopKey()
    token = tokens_for(a_signed_in_person(world), client, "openid")["access_token"]
    answers = []
    for path in (TOKEN, "/oauth/par", "/oauth/device"):
        headers = {**client.basic, "DPoP": key.proof("POST", ISSUER + path, **{claim: value})}
        answers.append(call(world, path, FORM, headers=headers).status_code)
    bound = {"Authorization": f"DPoP {token}", "DPoP": key.proof("GET", ISSUER + USERINFO, **{claim: value})}
    answers.append(world.app.test_client().get(USERINFO, base_url=ISSUER, headers=bound).status_code)
    return answers


def test_a_proof_made_at_no_time_is_refused(world: World) -> None:
    for giant in GIANTS:
        assert set(proofs(world, giant, "iat")) <= {400, 401}, giant


def asserted(holder: AKeyholder, claim: str, value: Any) -> tuple[str, dict[str, str]]:
    """A call to the token endpoint by an assertion with this claim."""
    return TOKEN, {**FORM, **holder.proved(**{claim: value})}


def requested(holder: AKeyholder, claim: str, value: Any) -> tuple[str, dict[str, str]]:
    """A pushed request object with this claim."""
    params = {"response_type": "code", "redirect_uri": holder.redirect_uri, "scope": "openid"}
    request = holder.signed_request(params, **{claim: value})
    return "/oauth/par", {"client_id": holder.client_id, "request": request, **holder.proved()}


@pytest.mark.parametrize("claim", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    ("made", "error"), [(asserted, "invalid_client"), (requested, "invalid_request_object")]
)
def test_an_assertion_or_request_of_no_time_is_refused(
    world: World,
    made: Callable[[AKeyholder, str, float], tuple[str, dict[str, str]]],
    error: str,
    claim: str,
) -> None:
    holder = a_keyholder(world)
    for giant in GIANTS:
        path, values = made(holder, claim, giant)
        answer = call(world, path, values)
        assert (answer.get_json()["error"], answer.status_code < 500) == (error, True), giant


@pytest.mark.parametrize("literal", ["1e999", "-1e999", "NaN", "Infinity", "1" + "0" * 5000])
def test_what_no_number_can_hold_is_refused_before_any_signature(world: World, literal: str) -> None:
    header, claims, signature = ADpopKey().proof("POST", ISSUER + TOKEN).split(".")
    claims = b64url(f'{{"jti": "x", "htm": "POST", "iat": {literal}}}'.encode())
    headers = {**world.a_client().basic, "DPoP": f"{header}.{claims}.{signature}"}
    answer = call(world, TOKEN, FORM, headers=headers)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_dpop_proof")
