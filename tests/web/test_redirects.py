"""A browser is sent to our own paths and nowhere else."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.web.redirects import own_path
from tests.world import ISSUER, World

FOREIGN = [
    "https://evil.example/",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n//evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "/ok\r\nSet-Cookie: a=b",
    "http:evil.example",
    "@evil.example",
    "",
    "/" + "x" * 4001,
]
OWN = [
    "/",
    "/login?tx=a%20b",
    "/center/person/sessions?x=https://evil.example",
    "/%2f%2fevil.example",
    "/a//b",
]
_ODD = st.text(alphabet="/\\:@?#%.\t\n\r a0é<\u2028", max_size=12)


@pytest.mark.parametrize("claimed", FOREIGN)
def test_other_sites_in_any_disguise_are_refused(claimed: str) -> None:
    assert own_path(claimed) is None


@pytest.mark.parametrize("claimed", OWN)
def test_own_paths_are_kept(claimed: str) -> None:
    assert own_path(claimed) == claimed


@settings(deadline=None)  # a busy machine is no fault
@given(st.one_of(st.text(max_size=40), _ODD, _ODD.map(lambda text: "/" + text)))
def test_whatever_is_kept_stays_on_this_site(claimed: str) -> None:
    path = own_path(claimed)
    if path is not None:
        assert path == claimed
        assert urlsplit(urljoin(ISSUER, path)).netloc == urlsplit(ISSUER).netloc
        assert path.isprintable()


def test_large_text_leads_back_to_a_page_of_ours(world: World) -> None:
    browser = world.browser()
    for claimed in FOREIGN:
        page = browser.open("/help")
        sent = browser.submit({"next": claimed, "large": "1"}, number=page.form_count - 1, follow=False)
        assert sent.location == "/", claimed


def test_large_text_keeps_the_page_and_is_remembered(world: World) -> None:
    browser = world.browser()
    page = browser.open("/login/person?x=1")
    back = browser.submit(number=page.form_count - 1)
    assert back.url == "/login/person?x=1"
    assert "tx-large" in back.html
    assert "tx-large" in browser.open("/help").html
    assert "tx-large" not in browser.submit(number=browser.page.form_count - 1).html  # type: ignore[union-attr]  # just opened
