"""DPoP: tokens bound to a key, proofs that count once, and whoever holds the token alone holds nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from idp.crypto import b64url
from tests.oauth.asking import (
    FOR_LATER,
    a_signed_in_person,
    at_once,
    call,
    claims_of,
    code_for,
    introspect,
    later,
    tokens_for,
)
from tests.oauth.keyholders import ADpopKey, a_key, a_keyholder, public_jwk, with_nonce
from tests.portals import Authorization
from tests.world import ISSUER, AClient, Browser, World

TOKEN, USERINFO = "/oauth/token", "/oauth/userinfo"


def fields_for(asked: Authorization, code: str) -> dict[str, str]:
    """The form that redeems a code."""
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": asked.client.redirect_uri,
        "code_verifier": asked.verifier,
        "client_id": asked.client.client_id,
    }


def authenticated(client: AClient) -> dict[str, Any]:
    return {"headers": client.basic} if client.secret else {}


def redeemed(
    browser: Browser, client: AClient, key: ADpopKey, scope: str = FOR_LATER, **more: str
) -> TestResponse:
    """A whole sign-on whose code is redeemed with a proof."""
    asked = Authorization(client)
    fields = fields_for(asked, code_for(browser, asked, scope, **more))
    return with_nonce(browser.world, TOKEN, key, fields, **authenticated(client))


def refreshed(world: World, client: AClient, token: str, key: ADpopKey) -> TestResponse:
    fields = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client.client_id}
    return with_nonce(world, TOKEN, key, fields, **authenticated(client))


def nonce_of(world: World) -> str:
    """A nonce that is valid now."""
    answer = call(world, TOKEN, {"grant_type": "x"}, headers={"DPoP": "x"})
    return answer.headers["DPoP-Nonce"]


def used(
    world: World, token: str, proof: str | None, *, scheme: str = "DPoP", method: str = "GET"
) -> TestResponse:
    """A call of userinfo."""
    headers = {"Authorization": f"{scheme} {token}", **({"DPoP": proof} if proof else {})}
    return world.app.test_client(use_cookies=False).open(
        USERINFO, method=method, base_url=ISSUER, headers=headers
    )


def proof_of_use(world: World, key: ADpopKey, token: str, **changed: Any) -> str:
    return key.proof("GET", ISSUER + USERINFO, **{"nonce": nonce_of(world), "access_token": token, **changed})


def error_of(answer: TestResponse) -> str:
    body: Mapping[str, str] = answer.get_json()
    return body["error"]


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_token_asked_for_with_a_proof_is_bound_to_its_key(world: World, alg: str) -> None:
    key, client = ADpopKey(a_key(alg), alg), world.a_client()
    answer = redeemed(a_signed_in_person(world), client, key)
    assert answer.status_code == 200
    tokens = answer.get_json()
    assert tokens["token_type"] == "DPoP"
    assert claims_of(world, tokens["access_token"])["cnf"] == {"jkt": key.jkt}
    assert introspect(world, client, tokens["access_token"])["cnf"] == {"jkt": key.jkt}
    answer = used(world, tokens["access_token"], proof_of_use(world, key, tokens["access_token"]))
    assert answer.status_code == 200
    assert answer.get_json()["sub"]


def test_without_a_proof_nothing_changes(world: World) -> None:
    client = world.a_client()
    tokens = tokens_for(a_signed_in_person(world), client)
    assert tokens["token_type"] == "Bearer"
    assert "cnf" not in claims_of(world, tokens["access_token"])
    plain = call(world, TOKEN, {"grant_type": "x"}, headers=client.basic)
    assert "DPoP-Nonce" not in plain.headers


def test_a_client_registered_for_it_gets_no_token_without_a_proof(world: World) -> None:
    client, browser = world.a_client(dpop=True), a_signed_in_person(world)
    asked = Authorization(client)
    code = code_for(browser, asked, FOR_LATER)
    assert error_of(asked.redeem(browser, code)) == "invalid_dpop_proof"
    answer = with_nonce(world, TOKEN, ADpopKey(), fields_for(asked, code), headers=client.basic)
    assert answer.status_code == 200, "and the code was not spent by the refusal"
    fields = {"grant_type": "refresh_token", "refresh_token": answer.get_json()["refresh_token"]}
    assert error_of(call(world, TOKEN, fields, headers=client.basic)) == "invalid_dpop_proof"


def test_the_first_proof_earns_a_nonce_and_the_code_still_counts(world: World) -> None:
    client, browser, key = world.a_client(), a_signed_in_person(world), ADpopKey()
    asked = Authorization(client)
    fields = fields_for(asked, code_for(browser, asked))

    def redeem(**given: Any) -> TestResponse:
        proof = key.proof("POST", ISSUER + TOKEN, **given)
        return call(world, TOKEN, fields, headers={**client.basic, "DPoP": proof})

    refused = redeem()
    assert (refused.status_code, error_of(refused)) == (400, "use_dpop_nonce")
    assert refused.headers["Cache-Control"] == "no-store"
    for wrong in ("", "made up", 7, refused.headers["DPoP-Nonce"] + "x"):
        assert error_of(redeem(nonce=wrong)) == "use_dpop_nonce", wrong
    answer = redeem(nonce=refused.headers["DPoP-Nonce"])
    assert answer.status_code == 200
    assert answer.headers["DPoP-Nonce"], "for the next one"


def test_a_nonce_lasts_some_minutes_and_for_every_process(world: World) -> None:
    key, form = ADpopKey(), {"grant_type": "refresh_token", "refresh_token": "x"}
    client, nonce = world.a_client(), nonce_of(world)

    def asked(there: World) -> str:
        proof = key.proof("POST", ISSUER + TOKEN, nonce=nonce)
        return error_of(call(there, TOKEN, form, headers={**client.basic, "DPoP": proof}))

    assert asked(world) == "invalid_grant"
    with world.rewired() as other_process:
        assert asked(other_process) == "invalid_grant"
    with later(seconds=149):
        assert asked(world) == "invalid_grant"
    with later(seconds=301):
        assert asked(world) == "use_dpop_nonce"
    with world.rewired(secret_key="another secret key: 0123456789 abcdefghijk") as stranger:
        assert asked(stranger) == "use_dpop_nonce"


def wrong_proofs(
    key: ADpopKey, method: str, url: str, nonce: str, access_token: str | None = None
) -> dict[str, str]:
    """Proofs each of which is wrong in one way."""

    def proof(**changed: Any) -> str:
        right: dict[str, Any] = {"nonce": nonce, "access_token": access_token}
        return key.proof(changed.pop("method", method), changed.pop("to", url), **right, **changed)

    moment, private = int(time.time()), key.key.as_dict(private=True)
    other = a_key()
    assert url.startswith("http://localhost:8000/")
    return {
        "no JWS": "x",
        "empty": "",
        "three dots": "...",
        "too long": proof(padding="x" * 4096),
        "deep": f"{b64url(b'[' * 1500)}.e30.e30",
        "typ": proof(header={"typ": "JWT"}),
        "no typ": proof(header={"typ": None}),
        "an assertion's typ": proof(header={"typ": "client-authentication+jwt"}),
        "none": proof(header={"alg": "none"}),
        "NonE": proof(header={"alg": "NonE"}),
        "HS256": proof(header={"alg": "HS256"}),
        "another family": proof(header={"alg": "RS256"}),
        "alg as a list": proof(header={"alg": ["ES256"]}),
        "no key": proof(header={"jwk": None}),
        "a private key": proof(header={"jwk": private}),
        "a private member": proof(header={"jwk": {**public_jwk(key.key), "p": "AQ"}}),
        "a shared key": proof(header={"jwk": {"kty": "oct", "k": "AAAA"}}),
        "another key": proof(header={"jwk": public_jwk(other)}),
        "an encryption key": proof(header={"jwk": public_jwk(key.key, use="enc")}),
        "a key named only": proof(header={"jwk": None, "jku": "https://keys.example/jwks", "kid": "1"}),
        "a broken key": proof(header={"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}),
        "a key of an odd kind": proof(header={"jwk": {**public_jwk(key.key), "kty": []}}),
        "a key as text": proof(header={"jwk": "x"}),
        "an address of half a character": proof(htu="\ud800"),
        "another curve": proof(header={"jwk": {**public_jwk(key.key), "crv": "P-384"}}),
        "crit": proof(header={"crit": ["x"], "x": 1}),
        "signature": proof()[:-6] + "AAAAAA",
        "two": f"{proof()},{proof()}",
        "method": proof(method="PUT"),
        "method's case": proof(method=method.lower()),
        "no method": proof(htm=None),
        "address": proof(to=ISSUER + "/oauth/revoke"),
        "host": proof(to=url.replace("localhost", "evil.example")),
        "port": proof(to=url.replace(":8000", ":8001")),
        "scheme": proof(to=url.replace("http:", "https:")),
        "path's case": proof(to=url.replace("oauth", "OAUTH")),
        "a slash more": proof(to=url + "/"),
        "a user": proof(to=url.replace("//", "//evil@")),
        "no address": proof(htu=None),
        "a list of addresses": proof(htu=[url]),
        "no port": proof(to=url.replace(":8000", ":x")),
        "no time": proof(iat=None),
        "time as text": proof(iat=str(moment)),
        "old": proof(iat=moment - 61),
        "early": proof(iat=moment + 60),
        "endless": proof(iat=1e400),
        "no jti": proof(jti=None),
        "empty jti": proof(jti=""),
        "long jti": proof(jti="x" * 129),
        "jti as a number": proof(jti=7),
    }


def test_a_wrong_proof_is_refused_at_the_token_endpoint(world: World) -> None:
    client, key, form = world.a_client(), ADpopKey(), {"grant_type": "refresh_token", "refresh_token": "x"}
    for name, proof in wrong_proofs(key, "POST", ISSUER + TOKEN, nonce_of(world)).items():
        answer = call(world, TOKEN, form, headers={**client.basic, "DPoP": proof})
        assert (answer.status_code, error_of(answer)) == (400, "invalid_dpop_proof"), name
        assert "/help/errors#30" in answer.get_json()["error_uri"]


def test_a_wrong_proof_is_refused_at_userinfo(world: World) -> None:
    client, key = world.a_client(), ADpopKey()
    token = redeemed(a_signed_in_person(world), client, key).get_json()["access_token"]
    wrong = wrong_proofs(key, "GET", ISSUER + USERINFO, nonce_of(world), token)
    wrong |= {
        "no ath": proof_of_use(world, key, token, ath=None, access_token=None),
        "another token's ath": proof_of_use(world, key, token, access_token=token + "x"),
        "another key with its own": proof_of_use(world, ADpopKey(), token),
    }
    for name, proof in wrong.items():
        answer = used(world, token, proof)
        assert (answer.status_code, error_of(answer)) == (401, "invalid_dpop_proof"), name
        assert answer.headers["WWW-Authenticate"].startswith("DPoP "), name
        assert 'error="invalid_dpop_proof"' in answer.headers["WWW-Authenticate"], name


def test_addresses_are_compared_as_addresses(world: World) -> None:
    client, key, nonce = world.a_client(), ADpopKey(), nonce_of(world)
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    for same in (
        f"{ISSUER}{TOKEN}?a=b",
        f"{ISSUER}{TOKEN}#x",
        f"{ISSUER}{TOKEN}".replace("http://localhost", "HTTP://LocalHost"),
    ):
        proof = key.proof("POST", same, nonce=nonce)
        assert error_of(call(world, TOKEN, form, headers={**client.basic, "DPoP": proof})) == "invalid_grant"


def test_the_present_is_a_minute_long(world: World) -> None:
    client, key, nonce = world.a_client(), ADpopKey(), nonce_of(world)
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    for seconds in (7, 0, -50):
        proof = key.proof("POST", ISSUER + TOKEN, nonce=nonce, iat=int(time.time()) + seconds)
        assert error_of(call(world, TOKEN, form, headers={**client.basic, "DPoP": proof})) == "invalid_grant"


def test_two_headers_are_refused(world: World) -> None:
    client, key, nonce = world.a_client(), ADpopKey(), nonce_of(world)
    proofs = [("DPoP", key.proof("POST", ISSUER + TOKEN, nonce=nonce)) for _ in range(2)]
    headers = [*client.basic.items(), *proofs]
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    assert error_of(call(world, TOKEN, form, headers=headers)) == "invalid_dpop_proof"


def test_a_proof_counts_once_and_of_many_at_once_one_wins(world: World) -> None:
    client, key = world.a_client(), ADpopKey()
    token = redeemed(a_signed_in_person(world), client, key).get_json()["access_token"]
    proof = proof_of_use(world, key, token)
    answers = [answer.status_code for answer in at_once(8, lambda _: used(world, token, proof))]
    assert answers.count(200) == 1
    assert used(world, token, proof).status_code == 401
    jti = {"jti": "the same"}
    assert used(world, token, proof_of_use(world, key, token, **jti)).status_code == 200
    assert used(world, token, proof_of_use(world, key, token, **jti)).status_code == 401


def test_two_keys_may_have_chosen_the_same_jti(world: World) -> None:
    client, browser = world.a_client(), a_signed_in_person(world)
    for key in (ADpopKey(), ADpopKey()):
        token = redeemed(browser, client, key).get_json()["access_token"]
        assert used(world, token, proof_of_use(world, key, token, jti="the same")).status_code == 200


def test_a_small_rsa_key_proves_nothing(world: World) -> None:
    with pytest.warns(UserWarning, match="2048"):
        key = ADpopKey(RSAKey.generate_key(1024, private=True), "RS256")
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    proof = key.proof("POST", ISSUER + TOKEN, nonce=nonce_of(world))
    answer = call(world, TOKEN, form, headers={**world.a_client().basic, "DPoP": proof})
    assert error_of(answer) == "invalid_dpop_proof"


def test_a_code_asked_for_with_a_key_is_redeemed_with_that_key(world: World) -> None:
    client, browser, key = world.a_client(), a_signed_in_person(world), ADpopKey()
    assert redeemed(browser, client, key, dpop_jkt=key.jkt).status_code == 200
    assert error_of(redeemed(browser, client, ADpopKey(), dpop_jkt=key.jkt)) == "invalid_grant"
    asked = Authorization(client)
    code = code_for(browser, asked, dpop_jkt=key.jkt)
    assert error_of(asked.redeem(browser, code)) == "invalid_grant", "no proof at all"


def test_a_public_clients_refresh_token_is_bound_to_its_key(world: World) -> None:
    client, key = world.a_client(auth_method="none"), ADpopKey()
    token = redeemed(a_signed_in_person(world), client, key).get_json()["refresh_token"]
    assert error_of(refreshed(world, client, token, ADpopKey())) == "invalid_grant"
    bare = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client.client_id}
    assert error_of(call(world, TOKEN, bare)) == "invalid_grant"
    answer = refreshed(world, client, token, key)
    assert answer.status_code == 200, "the thief spent nothing"
    assert claims_of(world, answer.get_json()["access_token"])["cnf"] == {"jkt": key.jkt}
    successor = answer.get_json()["refresh_token"]
    assert error_of(refreshed(world, client, successor, ADpopKey())) == "invalid_grant"


def test_a_confidential_client_may_change_its_key(world: World) -> None:
    client, fresh = world.a_client(), ADpopKey()
    token = redeemed(a_signed_in_person(world), client, ADpopKey()).get_json()["refresh_token"]
    answer = refreshed(world, client, token, fresh)
    assert claims_of(world, answer.get_json()["access_token"])["cnf"] == {"jkt": fresh.jkt}


def test_a_bound_token_is_no_bearer_and_a_bearer_needs_no_proof(world: World) -> None:
    client, key, browser = world.a_client(), ADpopKey(), a_signed_in_person(world)
    bound = redeemed(browser, client, key).get_json()["access_token"]
    plain = tokens_for(browser, client)["access_token"]
    for proof in (None, proof_of_use(world, key, bound)):
        answer = used(world, bound, proof, scheme="Bearer")
        assert (answer.status_code, error_of(answer)) == (401, "invalid_token")
        challenge = answer.headers["WWW-Authenticate"]
        assert challenge.startswith("Bearer ")
        assert "DPoP " in challenge
    posted = call(world, USERINFO, {"access_token": bound})
    assert (posted.status_code, error_of(posted)) == (401, "invalid_token")
    answer = used(world, plain, proof_of_use(world, key, plain))
    assert (answer.status_code, error_of(answer)) == (401, "invalid_token")
    assert error_of(used(world, bound, None)) == "invalid_dpop_proof"


def test_userinfo_asks_for_a_nonce_too(world: World) -> None:
    client, key = world.a_client(), ADpopKey()
    token = redeemed(a_signed_in_person(world), client, key).get_json()["access_token"]
    answer = used(world, token, proof_of_use(world, key, token, nonce=None))
    assert (answer.status_code, error_of(answer)) == (401, "use_dpop_nonce")
    assert 'error="use_dpop_nonce"' in answer.headers["WWW-Authenticate"]
    fresh = answer.headers["DPoP-Nonce"]
    answer = used(world, token, proof_of_use(world, key, token, nonce=fresh))
    assert (answer.status_code, answer.headers["DPoP-Nonce"]) == (200, fresh)


def test_without_a_token_both_schemes_are_offered(world: World) -> None:
    challenge = world.app.test_client().get(USERINFO, base_url=ISSUER).headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="userinfo", DPoP ')
    assert 'algs="RS256 PS256 ES256 EdDSA"' in challenge
    assert "error" not in challenge


def test_a_fapi_client_signs_no_proof_with_rs256(world: World) -> None:
    client = a_keyholder(world, profile="fapi2", id_token_alg="ES256")
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    rsa = ADpopKey(a_key("RS256"), "RS256")
    assert error_of(client.post(world, TOKEN, form, dpop=rsa)) == "invalid_dpop_proof"
    pss = ADpopKey(a_key("PS256"), "PS256")
    assert error_of(client.post(world, TOKEN, form, dpop=pss)) == "invalid_grant"
