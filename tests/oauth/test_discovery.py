"""What the provider publishes of itself: bytes made once, for anybody."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from tests.entering import enter
from tests.oauth.asking import claims_of, header_of, tokens_for
from tests.world import ISSUER, World

CONFIGURATION = "/.well-known/openid-configuration"
PUBLIC = [CONFIGURATION, "/.well-known/oauth-authorization-server", "/oauth/jwks"]


def fetched(world: World, path: str, **headers: str) -> TestResponse:
    return world.app.test_client(use_cookies=False).get(path, base_url=ISSUER, headers=headers)


@pytest.mark.parametrize("path", PUBLIC)
def test_it_may_be_kept_and_read_by_any_origin(world: World, path: str) -> None:
    answer = fetched(world, path, Origin="https://anywhere.example")
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", PUBLIC)
def test_whoever_has_it_is_told_that_nothing_changed(world: World, path: str) -> None:
    first = fetched(world, path)
    again = fetched(world, path, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert fetched(world, path, **{"If-None-Match": '"another"'}).status_code == 200


def test_both_addresses_serve_the_same_bytes_each_time(world: World) -> None:
    bodies = {fetched(world, path).data for path in (CONFIGURATION, PUBLIC[1], CONFIGURATION)}
    assert len(bodies) == 1


def test_every_endpoint_it_names_exists_and_lies_under_the_issuer(world: World) -> None:
    document = fetched(world, CONFIGURATION).get_json()
    assert document["issuer"] == ISSUER
    routes = {str(rule) for rule in world.app.url_map.iter_rules()}
    named = {name: uri for name, uri in document.items() if name.endswith(("_endpoint", "jwks_uri"))}
    known = {"token_endpoint", "registration_endpoint", "device_authorization_endpoint", "jwks_uri"}
    assert known <= set(named)
    for uri in named.values():
        assert uri.startswith(ISSUER)
        assert urlsplit(uri).path in routes


def test_it_promises_only_what_is_there(world: World) -> None:
    document = fetched(world, CONFIGURATION).get_json()
    assert document["response_types_supported"] == ["code"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["authorization_response_iss_parameter_supported"] is True
    assert set(document["id_token_signing_alg_values_supported"]) == {"RS256", "PS256", "ES256", "EdDSA"}
    for endpoint in ("token", "introspection", "revocation"):
        assert "private_key_jwt" in document[f"{endpoint}_endpoint_auth_methods_supported"]
        assert "none" not in document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
    assert set(document["dpop_signing_alg_values_supported"]) == {"RS256", "PS256", "ES256", "EdDSA"}
    assert document["response_modes_supported"] == ["query", "form_post"]
    assert document["claims_parameter_supported"] is True
    assert document["request_parameter_supported"] is True
    assert set(document["request_object_signing_alg_values_supported"]) == {
        "RS256",
        "PS256",
        "ES256",
        "EdDSA",
    }
    assert document["require_pushed_authorization_requests"] is False
    assert document["request_uri_parameter_supported"] is False, "nothing is fetched"


def test_a_request_cannot_change_the_issuer(world: World) -> None:
    answer = fetched(world, CONFIGURATION, **{"X-Forwarded-Host": "evil.example"})
    assert b"evil.example" not in answer.data
    strange = world.app.test_client().get(CONFIGURATION, base_url="http://evil.example")
    assert strange.status_code == 421
    assert b"evil.example" not in strange.data


def test_the_published_keys_are_public_halves_only(world: World) -> None:
    keys = fetched(world, "/oauth/jwks").get_json()["keys"]
    assert {key["alg"] for key in keys} == {"RS256", "PS256", "ES256", "EdDSA"}
    assert len({key["kid"] for key in keys}) == len(keys)
    for key in keys:
        assert key["use"] == "sig"
        assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & set(key)


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "EdDSA"])
def test_tokens_are_verified_with_the_published_key_they_name(world: World, alg: str) -> None:
    browser, client = world.browser(), world.a_client(id_token_alg=alg)
    enter(browser, world.a_person())
    tokens = tokens_for(browser, client, "openid")
    kids = {key["kid"]: key["alg"] for key in json.loads(fetched(world, "/oauth/jwks").data)["keys"]}
    header = header_of(tokens["id_token"])
    assert (header["alg"], kids[header["kid"]]) == (alg, alg)
    assert claims_of(world, tokens["id_token"])["aud"] == client.client_id


def test_it_is_the_same_for_every_browser(world: World) -> None:
    for path in ("/.well-known/openid-configuration", "/oauth/jwks"):
        assert "Cookie" not in world.browser().open(path).response.headers.get("Vary", "")
