"""private_key_jwt: a client is who signs, for us, now, once; and the cheap refusal of everything else."""

from __future__ import annotations

import hmac
import json
import time
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from idp.access.clients import Client, announce_change
from idp.crypto import b64url
from tests.oauth.asking import at_once, basic, call, encoded
from tests.oauth.keyholders import JWT_BEARER, AKeyholder, a_key, a_keyholder, public_jwk, signed
from tests.world import ISSUER, World

TOKEN = "/oauth/token"
ENDPOINTS = [TOKEN, "/oauth/introspect", "/oauth/revoke", "/oauth/par", "/oauth/device"]
# Authenticated, each endpoint answers this with something else than invalid_client.
HARMLESS = {"grant_type": "refresh_token", "refresh_token": "x", "token": "x"}


def sent(world: World, fields: dict[str, str], path: str = TOKEN, **more: Any) -> TestResponse:
    return call(world, path, {**HARMLESS, **fields}, **more)


def with_assertion(world: World, assertion: str, **more: str) -> TestResponse:
    return sent(world, {"client_assertion_type": JWT_BEARER, "client_assertion": assertion, **more})


def is_refused(answer: TestResponse) -> bool:
    body = answer.get_json()
    numbered = "/help/errors#20" in body.get("error_uri", "")
    return answer.status_code == 401 and body["error"] == "invalid_client" and numbered


def is_known(answer: TestResponse) -> bool:
    return bool(answer.get_json().get("error") != "invalid_client")


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_client_proves_itself_at_every_endpoint_by_its_signature(world: World, alg: str) -> None:
    client = a_keyholder(world, alg=alg)
    for path in ENDPOINTS:
        assert is_known(sent(world, client.proved(), path)), path


def test_ed25519_is_another_name_of_eddsa(world: World) -> None:
    client = a_keyholder(world, alg="EdDSA")
    assert is_known(with_assertion(world, client.assertion(header={"alg": "Ed25519"})))
    with world.write() as db:
        named = public_jwk(client.key, kid="first", alg="Ed25519")
        db.get_one(Client, client.client_id).jwks = {"keys": [named]}
    announce_change(world.backends.store)
    for alg in ("Ed25519", "EdDSA"):
        assert is_known(with_assertion(world, client.assertion(header={"alg": alg}))), alg
    assert is_refused(with_assertion(world, client.assertion(header={"alg": "Ed448"})))


def test_an_assertion_counts_once_and_of_many_at_once_one_wins(world: World) -> None:
    client = a_keyholder(world)
    fields = client.proved()
    assert is_known(sent(world, fields))
    assert is_refused(sent(world, fields))
    assert is_refused(sent(world, fields, "/oauth/introspect")), "spent at every endpoint alike"
    fresh = client.proved()
    answers = at_once(8, lambda _: sent(world, fresh))
    assert [is_known(answer) for answer in answers].count(True) == 1


def test_two_clients_may_have_chosen_the_same_jti(world: World) -> None:
    one, other = a_keyholder(world), a_keyholder(world)
    assert is_known(with_assertion(world, one.assertion(jti="same")))
    assert is_known(with_assertion(world, other.assertion(jti="same")))


def test_it_must_be_meant_for_this_provider(world: World) -> None:
    client = a_keyholder(world)
    for aud in (ISSUER, f"{ISSUER}/oauth/token", [ISSUER], [ISSUER, f"{ISSUER}/oauth/token"]):
        assert is_known(with_assertion(world, client.assertion(aud=aud))), aud
    other = "https://other.example"
    wrongs: list[Any] = [None, "", other, ISSUER + "/", f"{ISSUER}/oauth/revoke", 1, {}, []]
    for wrong in (*wrongs, [other], [ISSUER, other], [ISSUER, 1]):
        assert is_refused(with_assertion(world, client.assertion(aud=wrong))), wrong
    called = client.proved(aud=f"{ISSUER}/oauth/revoke")
    assert is_known(sent(world, called, "/oauth/revoke")), "the endpoint that is called"


def test_a_fapi_client_names_the_issuer_alone_as_a_string(world: World) -> None:
    client = a_keyholder(world, profile="fapi2", id_token_alg="ES256")
    assert is_known(with_assertion(world, client.assertion()))
    for wrong in (f"{ISSUER}/oauth/token", [ISSUER], [ISSUER, f"{ISSUER}/oauth/token"]):
        assert is_refused(with_assertion(world, client.assertion(aud=wrong))), wrong


def test_it_lasts_five_minutes_and_forgives_clocks_ten_seconds(world: World) -> None:
    client, moment = a_keyholder(world), int(time.time())
    for fine in (
        {"exp": moment + 295},
        {"exp": moment - 5},
        {"iat": moment + 7},
        {"nbf": moment + 7},
        {"iat": None},
        {"iat": moment - 250},
    ):
        assert is_known(with_assertion(world, client.assertion(**fine))), fine
    for wrong in (
        {"exp": None},
        {"exp": moment - 60},
        {"exp": moment + 360},
        {"exp": str(moment + 60)},
        {"exp": True},
        {"exp": 1e400},
        {"iat": moment + 60},
        {"nbf": moment + 60},
        {"nbf": "now"},
    ):
        assert is_refused(with_assertion(world, client.assertion(**wrong))), wrong


def test_it_names_the_client_and_nobody_else(world: World) -> None:
    client, other = a_keyholder(world), a_keyholder(world)
    for wrong in (
        {"iss": other.client_id},
        {"sub": other.client_id},
        {"iss": other.client_id, "sub": other.client_id},
        {"iss": None},
        {"iss": ["x"], "sub": ["x"]},
        {"iss": "nobody", "sub": "nobody"},
    ):
        assert is_refused(with_assertion(world, client.assertion(**wrong))), wrong
    assert is_refused(with_assertion(world, client.assertion(), client_id=other.client_id))
    assert is_known(with_assertion(world, client.assertion(), client_id=client.client_id))


def test_its_jti_is_there_and_short(world: World) -> None:
    client = a_keyholder(world)
    assert is_known(with_assertion(world, client.assertion(jti="x" * 128)))
    for wrong in (None, "", "x" * 129, 7, ["x"]):
        assert is_refused(with_assertion(world, client.assertion(jti=wrong))), wrong


def test_a_kid_is_a_name_among_the_clients_own_keys(world: World) -> None:
    client = a_keyholder(world)
    stranger = AKeyholder(client.client_id, a_key())
    assert is_known(with_assertion(world, client.assertion(header={"kid": None})))
    assert is_refused(with_assertion(world, stranger.assertion(header={"kid": None})))
    for kid in ("second", "../../etc/passwd", "https://keys.example/1", "' OR 1=1 --", "", "x" * 4000):
        assert is_refused(with_assertion(world, client.assertion(header={"kid": kid}))), kid


def test_a_key_in_the_token_itself_proves_nothing(world: World) -> None:
    client, own = a_keyholder(world), a_key()
    forger = AKeyholder(client.client_id, own)
    for header in (
        {"jwk": public_jwk(own)},
        {"jwk": public_jwk(own), "kid": None},
        {"jku": "https://keys.example/jwks"},
        {"x5u": "https://keys.example/cert"},
        {"x5c": ["MIIB"]},
    ):
        assert is_refused(with_assertion(world, forger.assertion(header=header))), header
        assert is_known(with_assertion(world, client.assertion(header=header))), "and harms nothing"


def test_typ_tells_it_from_other_tokens(world: World) -> None:
    client = a_keyholder(world)
    for typ in ("JWT", "jwt", "client-authentication+jwt", "application/client-authentication+jwt"):
        assert is_known(with_assertion(world, client.assertion(header={"typ": typ}))), typ
    for wrong in ("dpop+jwt", "oauth-authz-req+jwt", "at+jwt", "logout+jwt", 1, None):
        assert is_refused(with_assertion(world, client.assertion(header={"typ": wrong}))), wrong


def test_the_algorithm_is_the_registered_one(world: World) -> None:
    client = a_keyholder(world, alg="RS256")
    assert is_known(with_assertion(world, client.assertion()))
    pss = AKeyholder(client.client_id, client.key, "PS256")
    assert is_refused(with_assertion(world, pss.assertion())), "the same key, another algorithm"
    others: list[Any] = ["none", "NonE", "NONE", "", "HS256", "RS512", "ES256", "EdDSA", None, ["RS256"], {}]
    for alg in others:
        assert is_refused(with_assertion(world, client.assertion(header={"alg": alg}))), alg
    head, body = encoded({"alg": "none"}), client.assertion().split(".")[1]
    for unsigned in (f"{head}.{body}.", f"{head}.{body}", f"{head}.{body}.e30"):
        assert is_refused(with_assertion(world, unsigned))


def test_a_public_key_is_no_shared_secret(world: World) -> None:
    client = a_keyholder(world, alg="RS256")
    assert isinstance(client.key, RSAKey)
    pem = client.key.public_key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for secret in (pem, pem.strip(), b" " + pem, json.dumps(public_jwk(client.key)).encode(), b"0" * 32, b""):
        body = f"{encoded({'alg': 'HS256', 'kid': 'first'})}.{client.assertion().split('.')[1]}"
        forged = f"{body}.{b64url(hmac.digest(secret, body.encode(), 'sha256'))}"
        assert is_refused(with_assertion(world, forged))


def test_nonsense_is_refused_before_it_is_parsed(world: World) -> None:
    client = a_keyholder(world)
    head, body, signature = client.assertion().split(".")
    deep = b64url(b"[" * 3000 + b"]" * 3000)
    doubled = b64url(b'{"alg":"ES256","alg":"ES256","kid":"first"}')
    nonsense = [
        "",
        "x",
        "..",
        "é.é.é",
        f"{head}.{body}",
        f"{head}.{body}.{signature}.{signature}",
        f"{deep}.{body}.{signature}",
        f"{head}.{deep}.{signature}",
        f"{doubled}.{body}.{signature}",
        f"{head}.{b64url(b'[1]')}.{signature}",
        f"{head}.{body}.{signature[:-4]}",
        f"{head}.{body}.",
        f"{head}=.{body}.{signature}",
        f"{head}.{body}.{signature}\n",
        "a" * 9000,
        f"{head}.{body}.{'A' * 100_000}",
    ]
    for assertion in nonsense:
        assert is_refused(with_assertion(world, assertion)), assertion[:80]
    assert is_refused(with_assertion(world, client.assertion(header={"crit": ["exp"], "exp": 1})))
    assert is_refused(with_assertion(world, client.assertion(padding="x" * 9000)))
    started = time.monotonic()
    assert call(world, TOKEN, {**HARMLESS, "client_assertion": "a" * 1_000_000}).status_code == 413
    assert time.monotonic() - started < 5


def test_the_type_belongs_to_the_assertion(world: World) -> None:
    client = a_keyholder(world)
    fields = client.proved()
    assert is_refused(sent(world, {"client_assertion": fields["client_assertion"]}))
    assert is_refused(sent(world, {"client_assertion_type": JWT_BEARER, "client_id": client.client_id}))
    saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
    assert is_refused(sent(world, {**fields, "client_assertion_type": saml}))


def test_no_other_method_opens_a_client_of_keys_and_no_key_another_client(world: World) -> None:
    client = a_keyholder(world)
    assert not is_known(sent(world, {"client_id": client.client_id}))
    assert not is_known(sent(world, {}, headers=basic(f"{client.client_id}:")))
    assert not is_known(sent(world, {"client_id": client.client_id, "client_secret": ""}))
    by_secret = world.a_client()
    forged = AKeyholder(by_secret.client_id, a_key())
    assert is_refused(with_assertion(world, forged.assertion()))
    both = (
        sent(world, client.proved(), headers=by_secret.basic),
        sent(world, {**client.proved(), "client_secret": "x"}),
    )
    assert {answer.get_json()["error"] for answer in both} == {"invalid_request"}, "two methods at once"


def test_a_small_key_written_into_the_registration_by_hand_opens_nothing(world: World) -> None:
    client = a_keyholder(world, alg="RS256")
    with pytest.warns(UserWarning, match="2048"):
        small = RSAKey.generate_key(1024, private=True)
    with world.write() as db:
        row = db.get_one(Client, client.client_id)
        row.jwks = {"keys": [public_jwk(small, kid="first")]}
    announce_change(world.backends.store)
    forged = AKeyholder(client.client_id, small, "RS256")
    assert is_refused(with_assertion(world, forged.assertion()))


def test_a_key_taken_from_the_registration_is_gone_on_the_next_request(world: World) -> None:
    client, fresh = a_keyholder(world), a_key()
    assert is_known(with_assertion(world, client.assertion()))
    with world.write() as db:
        db.get_one(Client, client.client_id).jwks = {"keys": [public_jwk(fresh, kid="first")]}
    announce_change(world.backends.store)
    assert is_refused(with_assertion(world, client.assertion()))
    assert is_known(with_assertion(world, AKeyholder(client.client_id, fresh).assertion()))


def test_a_profile_put_on_a_client_later_forbids_its_old_method(world: World) -> None:
    by_secret, by_key = world.a_client(), a_keyholder(world, alg="RS256")
    with world.write() as db:
        for client_id in (by_secret.client_id, by_key.client_id):
            db.get_one(Client, client_id).profile = "fapi2"
    announce_change(world.backends.store)
    assert is_refused(sent(world, {}, headers=by_secret.basic))
    assert is_refused(with_assertion(world, by_key.assertion())), "RS256 is forbidden (FAPI 2.0 §5.4)"


def test_a_key_for_another_use_or_family_signs_nothing(world: World) -> None:
    client, other = a_keyholder(world), a_key("EdDSA")
    for jwk in (public_jwk(client.key, kid="first", use="enc"), public_jwk(other, kid="first")):
        with world.write() as db:
            db.get_one(Client, client.client_id).jwks = {"keys": [jwk]}
        announce_change(world.backends.store)
        assert is_refused(with_assertion(world, client.assertion()))
        forged = signed(other, {"alg": "ES256", "kid": "first"}, {"iss": client.client_id}, alg="EdDSA")
        assert is_refused(with_assertion(world, forged))
