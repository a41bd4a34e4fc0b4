"""What stands around every page: A20, A22, A23."""

from __future__ import annotations

from tests.entering import enter
from tests.world import World


def test_the_foot_of_a_page_names_the_hotline_and_the_fax(world: World) -> None:
    text = world.browser().open("/login/legal").text
    assert world.settings.hotline in text
    assert world.settings.hotline_hours in text
    assert world.settings.fax in text


def test_the_hotline_is_a_number_that_a_phone_dials(world: World) -> None:
    """Wherever somebody is told to call: the foot of every page, the pages of the site, one that says no."""
    dialled = f'href="tel:{world.settings.hotline}"'
    for address, times in (("/login/legal", 1), ("/help", 2), ("/nowhere", 2)):
        assert world.browser().open(address).html.count(dialled) == times


def test_help_is_one_step_away_in_a_centre_on_a_narrow_window_too(world: World) -> None:
    browser = world.browser()
    enter(browser, world.a_person())
    footer = browser.open("/center/person").html.partition("<footer")[2]
    assert 'href="/help">帮助</a>' in footer


def test_the_foot_of_a_page_leads_to_the_texts_of_the_site(world: World) -> None:
    browser = world.browser()
    page = browser.open("/login/legal")
    for name, title in (("sitemap", "网站地图"), ("notices", "网站通告"), ("about", "关于我们")):
        assert f'href="/pages/{name}"' in page.html
        assert title in world.browser().open(f"/pages/{name}").text


def test_the_map_of_the_site_leads_to_the_registrations_that_are_offered(world: World) -> None:
    """B21, B22."""
    for address, led in (("", False), ("http://127.0.0.1:1/match", True)):
        token = "a-token-of-the-tests" if address else ""
        told = {"registry_url": address, "registry_token": token}
        told |= {"population_url": address, "population_token": token}
        with world.rewired(**told, face_at_registration=False) as there:
            shown = there.browser().open("/pages/sitemap").html
        for way in ("/register/enterprise", "/register/person"):
            assert (f'href="{way}"' in shown) is led, (address, way)


def test_a_page_of_a_centre_says_where_one_is(world: World) -> None:
    browser = world.browser()
    enter(browser, world.a_person())
    assert "当前位置" in browser.open("/center/person/sessions").text
