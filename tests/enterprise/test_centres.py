"""企业中心 and 经办人中心 say what was granted (F04, H01 to H03)."""

from __future__ import annotations

import pytest

from tests.world import World


def test_the_companys_centre_shows_the_company_and_who_stands_for_it(world: World) -> None:
    company, browser = world.a_company(), world.browser()
    browser.sign_in_legal(company)
    text = browser.open("/center/enterprise").text
    assert all(words in text for words in (company.name, company.uscc, "企业法人", "法定代表人", "林*满"))


@pytest.mark.parametrize(("manages", "seals"), [(True, False), (False, True)])
def test_the_operators_centre_shows_the_mandate(world: World, manages: bool, seals: bool) -> None:
    operator = world.an_operator(manage_operators=manages, manage_seals=seals, department="财务<b>部")
    browser = world.browser()
    browser.sign_in_operator(operator)
    page = browser.open("/center/operator")
    mandate, yes_or_no = operator.mandate, {True: "是", False: "否"}
    assert operator.company.name in page.text
    assert mandate.first_day.isoformat() in page.text
    assert mandate.last_day.isoformat() in page.text
    assert f"经办人管理权限 {yes_or_no[manages]}" in page.text
    assert f"印章管理权限 {yes_or_no[seals]}" in page.text
    assert "财务<b>部" in page.text
    assert "<b>" not in page.html
