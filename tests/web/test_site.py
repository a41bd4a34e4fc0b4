"""What stands around every page: A20, A22, A23."""

from __future__ import annotations

from tests.world import World


def test_the_foot_of_a_page_names_the_hotline_and_the_fax(world: World) -> None:
    text = world.browser().open("/login/legal").text
    assert world.settings.hotline in text
    assert world.settings.hotline_hours in text
    assert world.settings.fax in text


def test_the_foot_of_a_page_leads_to_the_texts_of_the_site(world: World) -> None:
    browser = world.browser()
    page = browser.open("/login/legal")
    for name, title in (("sitemap", "网站地图"), ("notices", "网站通告"), ("about", "关于我们")):
        assert f'href="/pages/{name}"' in page.html
        assert title in world.browser().open(f"/pages/{name}").text


def test_a_page_of_a_centre_says_where_one_is(world: World) -> None:
    browser = world.browser()
    browser.sign_in_person(world.a_person())
    assert "当前位置" in browser.open("/center/person/sessions").text
