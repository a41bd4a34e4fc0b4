"""Nobody is ever sent to an address that was not registered, character for character."""

from __future__ import annotations

from contextlib import nullcontext
from urllib.parse import urlencode

import pytest

from idp.access.clients import ClientRefused
from idp.access.registration import NewClient, RedirectRefused, check_client, check_redirects_leave
from tests.oauth.asking import a_signed_in_person
from tests.portals import Authorization
from tests.world import CALLBACK, AClient, Page, World

HOSTILE = [
    "",
    "https://evil.example/callback",
    "https://portal.example/callbac",
    "https://portal.example/callbackx",
    "https://portal.example/callback/",
    "https://portal.example/callback?",
    "https://portal.example/callback?x=1",
    "https://portal.example/callback#",
    "https://portal.example/callback#fragment",
    "https://portal.example/Callback",
    "https://PORTAL.example/callback",
    "HTTPS://portal.example/callback",
    "http://portal.example/callback",
    "https://portal.example:443/callback",
    "https://portal.example:8443/callback",
    "https://portal.example./callback",
    "https://portal.example/x/../callback",
    "https://portal.example/./callback",
    "https://portal.example//callback",
    "https://portal.example/%63allback",
    "https://portal.example/callback%00",
    "https://portal.example/callback%20",
    " https://portal.example/callback",
    "https://portal.example/callback ",
    "https://portal.example/callback\n",
    "https://portal.example\\@evil.example/callback",
    "https://portal.example@evil.example/callback",
    "https://user@portal.example/callback",
    "https://portal.example.evil.example/callback",
    "https://evil.example/https://portal.example/callback",
    "https://xn--portal-.example/callback",
    "https://sub.portal.example/callback",
    "//portal.example/callback",
    "/callback",
    "javascript:alert(1)//https://portal.example/callback",
    "data:text/html,<script>1</script>",
    "https://portal.example/callback\u3002",
    "https://portal.example/callback\u202e",
    "*",
]


def stays_here(page: Page) -> bool:
    """Whether the answer is a page of ours that leads nowhere else."""
    return page.status == 400 and not page.location and "这个登录请求不能继续" in page.text


def test_no_variant_of_a_redirect_address_is_followed(world: World) -> None:
    client = world.a_client()
    for browser in (world.browser(), a_signed_in_person(world)):
        for uri in HOSTILE:
            page = browser.open(
                Authorization(AClient(client.client_id, client.secret, uri)).address("openid"), follow=False
            )
            assert stays_here(page), uri


def test_no_other_mistake_makes_an_unregistered_address_a_target(world: World) -> None:
    client = world.a_client()
    evil = AClient(client.client_id, client.secret, "https://evil.example/callback")
    mistakes = [
        {"response_type": "token"},
        {"response_type": ""},
        {"prompt": "none"},
        {"prompt": "none login"},
        {"code_challenge": ""},
        {"request_uri": "https://evil.example/r"},
        {"request": "eyJhbGciOiJub25lIn0.e30."},
        {"max_age": "x"},
        {"id_token_hint": "x"},
        {"response_mode": "form_post"},
    ]
    for browser in (world.browser(), a_signed_in_person(world)):
        for more in mistakes:
            assert stays_here(browser.open(Authorization(evil).address("openid", **more), follow=False)), more


def test_doubled_or_missing_client_and_address_stay_here(world: World) -> None:
    client, other = world.a_client(), world.a_client()
    browser = a_signed_in_person(world)
    address = Authorization(client).address("openid")
    evil = urlencode({"redirect_uri": "https://evil.example/"})
    good = urlencode({"redirect_uri": CALLBACK})
    query = address.partition("?")[2]
    for asked in (
        f"{address}&{evil}",
        f"/oauth/authorize?{evil}&{query}",
        f"{address}&{good}",
        f"{address}&client_id={client.client_id}",
        f"{address}&client_id={other.client_id}",
        f"/oauth/authorize?client_id={other.client_id}&{query}",
        address.replace(client.client_id, ""),
        address.replace(client.client_id, client.client_id + "x"),
        address.replace(client.client_id, client.client_id[:-1]),
        address.replace(client.client_id, client.client_id.swapcase()),
        address.replace(client.client_id, "x" * 65),
        address.replace(client.client_id, "%C3%A9"),
        "/oauth/authorize?" + "&".join(p for p in query.split("&") if not p.startswith("redirect_uri")),
        "/oauth/authorize?" + "&".join(p for p in query.split("&") if not p.startswith("client_id")),
    ):
        assert stays_here(browser.open(asked, follow=False)), asked


def test_another_clients_address_does_not_count(world: World) -> None:
    client = world.a_client()
    world.a_client(redirect_uris=("https://other.example/callback",))
    asked = Authorization(AClient(client.client_id, client.secret, "https://other.example/callback"))
    assert stays_here(a_signed_in_person(world).open(asked.address("openid"), follow=False))


UNREGISTRABLE = [
    "http://portal.example/cb",
    "http://localhost:8001/cb",
    "http://127.0.0.1.evil.example/cb",
    "http://127.0.0.1:80@evil.example/cb",
    "https://user:pass@portal.example/cb",
    "https://portal.example/cb#f",
    "https://portal.example/cb#",
    "https://*.portal.example/cb",
    "https://portal.example/*",
    "https://portal.example/c b",
    "https://portal.example/cb\n",
    "https://portal.example\\cb",
    "https://[::1/cb",
    "https://portal.example:99999/cb",
    "https:///cb",
    "javascript:alert(1)",
    "cn.example.app://cb",
    "portal.example/cb",
    "https://portal.example/" + "c" * 2000,
    "https://pörtal.example/cb",
    "https://a.example;frame-ancestors/cb",
    "https://a.example,b/cb",
    "https://a'.example/cb",
    "https://(evil)/cb",
    "https://$&+=;/cb",
    "https://a_b.example/cb",
    "https://x%2eexample/cb",
    "https://a..example/cb",
    "https://.example/cb",
    "https://portal.example./cb",
    "https://..../cb",
    "https://-a.example/cb",
    "https://a-.example/cb",
    f"https://{'a' * 64}.example/cb",
    "https://portal.example:/cb",
    "https://portal.example:x/cb",
    "https://[1.2.3.4]/cb",
    "https://[::1]x/cb",
    "https://2130706433/cb",
    "https://intranet/cb",
    "https://0x7f000001/cb",
    "https://127.1/cb",
    "https://0177.0.0.1/cb",
    "https://portal.7/cb",
    "https://999.1.1.1/cb",
]


@pytest.mark.parametrize("uri", UNREGISTRABLE)
def test_such_an_address_cannot_be_registered(uri: str) -> None:
    for given in (
        {"redirect_uris": (uri,)},
        {"redirect_uris": (CALLBACK,), "post_logout_redirect_uris": (uri,)},
        {"redirect_uris": (CALLBACK,), "backchannel_logout_uri": uri},
    ):
        with pytest.raises(ClientRefused):
            check_client(NewClient(name="示例", **given), production=True)


@pytest.mark.parametrize(
    "uri",
    [
        f"https://{'a' * 63}.example/cb",
        "https://xn--fiqs8s.example:8443/cb",
        "https://9.9.9.9/cb",
        "https://[2620:fe::fe]:8443/cb",
        "https://portal.example/cb;v=1,2?a=(b)",
    ],
)
def test_any_host_that_is_a_name_or_an_ip_address_can_be_registered(uri: str) -> None:
    check_client(NewClient(name="示例", redirect_uris=(uri,)), production=True)


@pytest.mark.parametrize(
    ("uri", "issuer", "ours"),
    [
        ("https://idp.example/cb", "https://idp.example", True),
        ("https://IDP.example:8443/cb", "https://idp.example", True),
        ("https://portal.idp.example/cb", "https://idp.example", False),
        ("http://localhost:8000/cb", "http://localhost:8000", True),
        ("http://localhost:8001/cb", "http://localhost:8000", False),
    ],
)
def test_nobody_registers_a_redirect_to_this_provider(uri: str, issuer: str, *, ours: bool) -> None:
    new = NewClient(name="示例", redirect_uris=(CALLBACK, uri))
    with pytest.raises(RedirectRefused) if ours else nullcontext():
        check_redirects_leave(new, issuer)


@pytest.mark.parametrize("uri", ["http://localhost:8001/cb", "http://127.0.0.1:8001/cb", "http://[::1]/cb"])
def test_a_demo_may_register_plain_http_on_loopback_only(uri: str) -> None:
    check_client(NewClient(name="示例", redirect_uris=(uri,)), production=False)
    with pytest.raises(ClientRefused):
        check_client(
            NewClient(name="示例", redirect_uris=("http://127.0.0.1.evil.example/cb",)), production=False
        )
