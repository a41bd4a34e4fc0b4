"""What a registration promises, and what its profile makes of that."""

from __future__ import annotations

from typing import Any

import pytest

from idp.access.client_rules import broken_rules
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


INSIDE = [
    "https://localhost/x",
    "https://app.localhost/x",
    "https://localhost.localdomain/x",
    "https://printer.local/x",
    "https://metadata.google.internal/x",
    "https://127.0.0.1/x",
    "https://10.1.2.3/x",
    "https://172.16.0.1/x",
    "https://192.168.0.1:8443/x",
    "https://100.100.100.200/latest",
    "https://169.254.169.254/latest",
    "https://0.0.0.0/x",
    "https://224.0.0.1/x",
    "https://[::1]/x",
    "https://[::]/x",
    "https://[fe80::1]/x",
    "https://[fd00:ec2::254]/x",
    "https://[::ffff:10.0.0.1]/x",
    "https://[::ffff:7f00:1]/x",
    "https://[::7f00:1]/x",
    "https://[64:ff9b::a00:1]/x",
    "https://[2002:a00:1::]/x",
    "https://[fec0::1]/x",
    "https://[64:ff9b:1::10.0.0.1]/x",
    "https://[::ffff:0:a00:1]/x",
    "https://intranet/x",
    "https://redis:6379/x",
    "https://localdomain/x",
    "https://ip6-localhost/x",
    "https://ROUTER.lan/x",
    "https://nas.home.arpa/x",
    "https://home.arpa/x",
    "https://mail.corp/x",
    "https://redis.default.svc/x",
]


def leading_to(address: str) -> list[dict[str, Any]]:
    """Each way by which a registration can lead to an address."""
    return [
        {"redirect_uris": (address,)},
        {"post_logout_redirect_uris": (address,)},
        {"backchannel_logout_uri": address},
        {"jwks": None, "jwks_uri": address},
    ]


@pytest.mark.parametrize("address", INSIDE)
def test_no_address_leads_into_the_network_in_production(address: str) -> None:
    for given in leading_to(address):
        with pytest.raises(ClientRefused, match="public network") as refused:
            check_client(a_registration(**given), production=True)
        assert refused.value.field in given
        assert "内部网络" in refused.value.zh
        check_client(a_registration(**given), production=False)


def test_what_is_only_a_name_may_lie_inside() -> None:
    inside = "https://api.hr.svc/v1"
    names = {"client_uri": inside, "resources": (inside,), "serves": (inside,)}
    check_client(a_registration(**names), production=True)


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "10.0.0.0x1", "0x7f.1"])
def test_a_number_that_browsers_read_as_an_address_is_refused_everywhere(host: str) -> None:
    for given in leading_to(f"https://{host}/x"):
        for production in (True, False):
            with pytest.raises(ClientRefused, match="Not an acceptable address"):
                check_client(a_registration(**given), production=production)


@pytest.mark.parametrize(
    "host", ["1.1.1.1", "[2606:4700::1111]", "portal.example", "a1.2b.example", "corp.home-lan.example"]
)
def test_a_public_address_may_be_registered(host: str) -> None:
    for given in leading_to(f"https://{host}/x"):
        check_client(a_registration(**given), production=True)


def test_a_key_set_holds_only_what_every_page_can_show() -> None:
    """From a file, which nobody read as a program's metadata are read."""
    halved = {"keys": [{**KEYS["ES256"]["keys"][0], "kid": "\ud800"}]}
    with pytest.raises(ClientRefused, match="surrogate"):
        check_client(a_registration(jwks=halved), production=True)


def test_every_refusal_speaks_chinese_and_names_its_field() -> None:
    wrong = a_registration(
        name="",
        client_id="编号",
        sector="a b",
        contacts=("",),
        default_acr_values=("none",),
        default_max_age=-1,
        auth_method="x",
        id_token_alg="x",
        subject_type="x",
        grant_types=("refresh_token", "x"),
        scopes=("X",),
        assertion_alg="x",
        redirect_uris=("x",),
        post_logout_redirect_uris=("x",),
        backchannel_logout_uri="x",
        jwks_uri="x",
        client_uri="x",
        resources=("x",),
        serves=("x",),
    )
    unfit = a_registration(jwks={"keys": []}, jwks_uri="https://portal.example/jwks", grant_types=())
    told = [*broken_rules(wrong, production=True), *broken_rules(unfit, production=True)]
    assert len(told) > 20
    for refused in told:
        assert refused.field in NewClient.__dataclass_fields__, refused
        assert any("\u4e00" <= letter <= "\u9fff" for letter in refused.zh), refused


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
