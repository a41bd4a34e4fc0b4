"""What a registration promises, and what its profile makes of that."""

from __future__ import annotations

from typing import Any

import pytest

from idp.access.clients import Client, ClientRefused
from idp.access.registration import (
    NewClient,
    ProfileForbids,
    RedirectRefused,
    attach_profile,
    check_client,
    registration_of,
)
from tests.oauth.keyholders import a_key, public_jwk
from tests.world import CALLBACK, World

KEYS = {
    alg: {"keys": [public_jwk(a_key(alg))]}
    for alg in ("ES256", "EdDSA", "RS256")  # of RSA one for both of its algorithms
}


def a_registration(**given: Any) -> NewClient:
    """A valid one with a key, of the profile fapi2."""
    fields: dict[str, Any] = {
        "name": "示例",
        "redirect_uris": (CALLBACK,),
        "profile": "fapi2",
        "auth_method": "private_key_jwt",
        "id_token_alg": "PS256",
        "jwks": KEYS["ES256"],
    }
    return NewClient(**{**fields, **given})


def test_what_fapi2_takes() -> None:
    for alg, keys in KEYS.items():
        check_client(a_registration(jwks=keys, id_token_alg=alg.replace("RS", "PS")), production=True)
    check_client(a_registration(jwks=None, jwks_uri="https://portal.example/jwks"), production=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"auth_method": "client_secret_basic"},
        {"auth_method": "none"},
        {"id_token_alg": "RS256"},
        {"assertion_alg": "RS256", "jwks": KEYS["RS256"]},
        {"request_object_alg": "RS256", "jwks": KEYS["RS256"]},
        {"jwks": {"keys": [{**KEYS["RS256"]["keys"][0], "alg": "RS256"}]}},
    ],
    ids="-".join,
)
def test_what_fapi2_forbids(wrong: dict[str, Any]) -> None:
    with pytest.raises(ProfileForbids):
        check_client(a_registration(**wrong), production=True)
    check_client(a_registration(**{**wrong, "profile": "basic"}), production=True)


def test_every_broken_promise_is_named() -> None:
    with pytest.raises(ProfileForbids) as refused:
        check_client(a_registration(auth_method="none", id_token_alg="RS256"), production=True)
    assert len(str(refused.value).splitlines()) == 2


@pytest.mark.parametrize("alg", ["PS256", "RS256", "EdDSA"])
def test_an_algorithm_needs_a_key_of_its_kind(alg: str) -> None:
    for field in ("assertion_alg", "request_object_alg"):
        with pytest.raises(ClientRefused, match="no key for the"):
            check_client(a_registration(profile="basic", **{field: alg}), production=True)


@pytest.mark.parametrize(
    "address",
    [
        "https://localhost/x",
        "https://app.localhost/x",
        "https://127.0.0.1/x",
        "https://10.1.2.3/x",
        "https://192.168.0.1:8443/x",
        "https://169.254.169.254/latest",
        "https://0.0.0.0/x",
        "https://[::1]/x",
        "https://[fe80::1]/x",
        "https://[::ffff:10.0.0.1]/x",
    ],
)
def test_an_address_inside_is_never_called_in_production(address: str) -> None:
    for given in ({"backchannel_logout_uri": address}, {"jwks": None, "jwks_uri": address}):
        with pytest.raises(ClientRefused, match="public network"):
            check_client(a_registration(**given), production=True)
        check_client(a_registration(**given), production=False)


def test_a_host_name_has_a_length() -> None:
    with pytest.raises(RedirectRefused):
        check_client(a_registration(redirect_uris=("https://" + "a." * 130 + "example/",)), production=True)


def test_a_profile_changes_nothing_but_itself(world: World) -> None:
    made = world.a_client(auth_method="private_key_jwt", jwks=KEYS["ES256"], id_token_alg="ES256")
    with world.write() as db:
        client = db.get_one(Client, made.client_id)
        before = registration_of(client)
        attach_profile(client, "fapi2", production=True, now=world.now())
        attach_profile(client, "basic", production=True, now=world.now())
        assert registration_of(client) == before
