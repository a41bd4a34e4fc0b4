"""What the tokens say, how they are signed, and which forgeries are refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import select, update

from idp.accounts.calendar import civil_day, day_begins
from idp.accounts.sessions import SigninSession
from tests.entering import enter
from tests.oauth.asking import (
    FOR_LATER,
    a_signed_in_operator,
    a_signed_in_person,
    claims_of,
    code_for,
    encoded,
    header_of,
    introspect,
    later,
    payload_of,
    refresh,
    refused_with,
    tokens_for,
)
from tests.portals import Authorization, get_with
from tests.world import ISSUER, Browser, World


def signed_in_as(world: World, role: str) -> Browser:
    browser, operator = world.browser(), world.an_operator()
    if role == "legal_representative":
        enter(browser, operator.company)
    elif role == "operator":
        enter(browser, operator)
    else:
        enter(browser, operator.person)
    return browser


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
@pytest.mark.parametrize("role", ["legal_representative", "operator", "natural_person"])
def test_an_id_token_says_what_the_contract_promises(world: World, role: str, alg: str) -> None:
    browser, client = signed_in_as(world, role), world.a_client(id_token_alg=alg)
    asked = Authorization(client)
    scope = "openid" if role == "natural_person" else "openid entity"
    tokens = asked.redeem(browser, code_for(browser, asked, scope)).get_json()
    header, claims = header_of(tokens["id_token"]), claims_of(world, tokens["id_token"])
    assert (header["alg"], header["typ"]) == (alg, "JWT")
    assert (claims["iss"], claims["aud"], claims["azp"]) == (ISSUER, client.client_id, client.client_id)
    assert (claims["nonce"], claims["role"]) == (asked.nonce, role)
    assert (claims["acr"], claims["amr"]) == ("urn:idp:loa:1", ["pwd"])
    digest = hashlib.sha256(tokens["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    assert claims["exp"] - claims["iat"] == tokens["expires_in"] == 600
    assert claims["iat"] - 5 <= claims["auth_time"] <= claims["iat"]
    assert ("entity" in claims) == (role != "natural_person")
    assert "mandate" not in claims
    with world.reading() as db:
        session = db.scalars(select(SigninSession).where(SigninSession.ended_at.is_(None))).one()
    assert claims["sid"] == session.sid
    assert str(session.id) not in json.dumps(claims)


def test_an_id_token_names_no_personal_data(world: World) -> None:
    browser, client = world.browser(), world.a_client()
    person = world.a_person()
    enter(browser, person)
    tokens = tokens_for(browser, client, "openid profile phone identity")
    told = json.dumps([payload_of(tokens["id_token"]), payload_of(tokens["access_token"])])
    for secret in (person.name, person.phone, person.id_number, person.account, str(person.row.id)):
        assert secret not in told


def test_without_a_nonce_there_is_none(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(world.a_client(), nonce="")
    claims = claims_of(world, asked.redeem(browser, code_for(browser, asked)).get_json()["id_token"])
    assert "nonce" not in claims


def test_an_access_token_is_of_its_own_type_and_every_one_differs(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    made = [tokens_for(browser, client, "openid")["access_token"] for _ in range(4)]
    assert {header_of(token)["typ"] for token in made} == {"at+jwt"}
    assert len({payload_of(token)["jti"] for token in made}) == 4
    claims = claims_of(world, made[0])
    assert (claims["aud"], claims["client_id"], claims["scope"]) == (ISSUER, client.client_id, "openid")


def test_an_answer_of_the_token_endpoint_may_not_be_kept(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(world.a_client())
    answer = asked.redeem(browser, code_for(browser, asked))
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.mimetype == "application/json"
    assert answer.get_json()["token_type"] == "Bearer"
    assert "refresh_token" not in answer.get_json()


def test_the_kinds_of_tokens_do_not_pass_for_one_another(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    tokens = tokens_for(browser, client)
    page = browser.open(Authorization(client).address("openid", id_token_hint=tokens["access_token"]))
    assert refused_with(page) == ("invalid_request", True)
    assert get_with(world, tokens["id_token"]).status_code == 401
    assert introspect(world, client, tokens["id_token"]) == {"active": False}
    assert refresh(world, client, tokens["access_token"]).get_json()["error"] == "invalid_grant"
    page = browser.open(f"/oauth/logout?id_token_hint={tokens['access_token']}")
    assert "没有退出登录" in page.text
    assert "code" in browser.open(Authorization(client).address("openid")).query


def test_the_type_in_the_header_alone_keeps_kinds_apart(world: World) -> None:
    browser, client, keys = a_signed_in_person(world), world.a_client(), world.platform.keys
    tokens = tokens_for(browser, client)
    access, identity = payload_of(tokens["access_token"]), payload_of(tokens["id_token"])
    assert get_with(world, keys.sign(access, alg="ES256", typ="at+jwt")).status_code == 200
    for typ in ("JWT", "logout+jwt", "", "AT+JWT"):
        assert get_with(world, keys.sign(access, alg="ES256", typ=typ)).status_code == 401, typ
    for typ in ("at+jwt", "logout+jwt", "", "jwt"):
        hint = keys.sign(identity, alg="RS256", typ=typ)
        page = browser.open(Authorization(client).address("openid", id_token_hint=hint))
        assert refused_with(page) == ("invalid_request", True), typ


def test_another_clients_id_token_is_no_hint(world: World) -> None:
    browser, mine, other = a_signed_in_person(world), world.a_client(), world.a_client()
    hint = tokens_for(browser, other)["id_token"]
    page = browser.open(Authorization(mine).address("openid", id_token_hint=hint))
    assert refused_with(page) == ("invalid_request", True)


def forgeries(world: World, real: str) -> dict[str, str]:
    """Tokens that say what `real` says and were not signed by us."""
    head, payload = header_of(real), payload_of(real)
    public = {
        key["alg"]: key
        for key in world.app.test_client().get("/oauth/jwks", base_url=ISSUER).get_json()["keys"]
    }
    own = ECKey.generate_key("P-256", private=True)
    own_rsa = RSAKey.generate_key(2048, private=True)
    signature = real.rsplit(".", 1)[1]
    body = encoded(payload)

    def hs256(key: bytes) -> str:
        signing = f"{encoded({**head, 'alg': 'HS256'})}.{body}"
        mac = hmac.digest(key, signing.encode(), "sha256")
        return f"{signing}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    def signed(header: dict[str, Any], key: Any, alg: str) -> str:
        return jwt.encode({**header, "alg": alg}, payload, key, algorithms=[alg])

    pem = RSAKey.import_key(public["RS256"]).as_pem(private=False)
    made = {
        "changed claims": f"{encoded(head)}.{encoded({**payload, 'scope': 'openid identity'})}.{signature}",
        "HS256 with nothing": hs256(b""),
        "HS256 with the PEM": hs256(pem),
        "HS256 with a prefixed PEM": hs256(b"\n" + pem),
        "HS256 with the JWK": hs256(json.dumps(public["ES256"]).encode()),
        "our kid, another key": signed(head, own, "ES256"),
        "our kid, another RSA key": signed({**head, "kid": public["RS256"]["kid"]}, own_rsa, "RS256"),
        "a foreign kid": signed({**head, "kid": "foreign"}, own, "ES256"),
        "no kid": signed({name: head[name] for name in ("typ",)}, own, "ES256"),
        "its own key inside": signed({**head, "jwk": own.as_dict(private=False)}, own, "ES256"),
        "its own key elsewhere": signed({**head, "jku": "https://evil.example/jwks"}, own, "ES256"),
        "a certificate elsewhere": signed({**head, "x5u": "https://evil.example/x"}, own, "ES256"),
        "an unknown crit": f"{encoded({**head, 'crit': ['x'], 'x': 1})}.{body}.{signature}",
        "four parts": real + ".x",
        "two parts": real.rsplit(".", 1)[0],
        "no signature": real.rsplit(".", 1)[0] + ".",
        "padding": real + "=",
        "oversized": real + "A" * 9000,
        "a deep header": base64.urlsafe_b64encode(b"[" * 5000).decode() + "." + body + ".x",
        "a JSON serialisation": json.dumps({"payload": body, "signatures": []}),
        "not ASCII": real + "é",
    }
    for name in ("none", "NonE", "NONE", "nOne"):
        made[f"alg {name}"] = f"{encoded({**head, 'alg': name})}.{body}."
        made[f"alg {name} with a signature"] = f"{encoded({**head, 'alg': name})}.{body}.{signature}"
    return made


def test_no_forged_access_token_counts(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    real = tokens_for(browser, client)["access_token"]
    for case, forged in forgeries(world, real).items():
        if forged.isascii():
            assert get_with(world, forged).status_code == 401, case
        assert introspect(world, client, forged) == {"active": False}, case
    assert get_with(world, real).status_code == 200


@pytest.mark.parametrize("alg", ["RS256", "ES256"])
def test_no_forged_id_token_is_a_hint(world: World, alg: str) -> None:
    browser, client = a_signed_in_person(world), world.a_client(id_token_alg=alg)
    real = tokens_for(browser, client)["id_token"]
    for case, forged in forgeries(world, real).items():
        page = browser.open(Authorization(client).address("openid", id_token_hint=forged), follow=False)
        assert refused_with(page) == ("invalid_request", True), case
        page = browser.post("/oauth/logout", {"id_token_hint": forged})
        assert "没有退出登录" in page.text, case
    assert "code" in browser.open(Authorization(client).address("openid", id_token_hint=real)).query


def test_an_access_token_ends_with_its_time(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    token = tokens_for(browser, client)["access_token"]
    with later(seconds=590):
        assert get_with(world, token).status_code == 200
    with later(seconds=601):
        assert get_with(world, token).status_code == 401
        assert introspect(world, client, token) == {"active": False}


def test_no_token_outlives_its_mandate(world: World) -> None:
    today = civil_day(world.now())
    midnight = day_begins(today + timedelta(days=1))
    with later(seconds=(midnight - world.now()).total_seconds() - 120):
        operator = world.an_operator(last_day=today)
        browser, client = a_signed_in_operator(world, operator), world.a_client()
        tokens = tokens_for(browser, client, "openid entity offline_access")
        assert claims_of(world, tokens["id_token"])["exp"] == int(midnight.timestamp())
        assert payload_of(tokens["access_token"])["exp"] == int(midnight.timestamp())
        assert tokens["expires_in"] <= 120
        again = refresh(world, client, tokens["refresh_token"]).get_json()
        assert payload_of(again["access_token"])["exp"] == int(midnight.timestamp())
        assert introspect(world, client, again["refresh_token"])["exp"] == int(midnight.timestamp())
    with later(seconds=(midnight - world.now()).total_seconds() + 1):
        assert refresh(world, client, again["refresh_token"]).get_json()["error"] == "invalid_grant"
        assert get_with(world, again["access_token"]).status_code == 401


def test_no_token_outlives_its_sign_in(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    end = world.now() + timedelta(seconds=100)
    with world.write() as db:
        db.execute(update(SigninSession).values(expires_at=end))
    tokens = tokens_for(browser, client, FOR_LATER)
    assert payload_of(tokens["access_token"])["exp"] == int(end.timestamp())
    assert payload_of(tokens["id_token"])["exp"] == int(end.timestamp())
    with later(seconds=101):
        assert refresh(world, client, tokens["refresh_token"]).get_json()["error"] == "invalid_grant"
