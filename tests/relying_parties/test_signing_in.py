"""How a browser comes in, and what it sees then (MISSION A01, A02, I01, I02)."""

from pathlib import Path

import httpx2
import pytest

from relying_parties.social_insurance.app import create_app
from tests.relying_parties.browser import (
    Browser,
    a_mandate,
    a_person,
    a_representative,
    an_operator,
    settings_for,
)
from tests.relying_parties.stand_in import CLIENT_ID, StandIn, parameters


def test_the_home_page_has_the_unit_sign_in_on_the_right_and_at_the_top(browser: Browser) -> None:
    page = browser.get("/")
    assert page.status_code == 200
    assert page.text.count('href="/login/unit"') == 2
    assert page.text.count('href="/login/person"') == 2
    assert "单位登录" in page.text.split("</header>")[0]


def test_between_unit_sign_in_and_provider_stands_a_page_with_a_button(browser: Browser) -> None:
    page = browser.text("/login/unit")
    assert "去登录" in page
    assert 'href="/login"' in page


def test_login_goes_to_the_provider_at_once_and_asks_for_the_company(
    browser: Browser, provider: StandIn
) -> None:
    url = browser.begin("/login")
    query = parameters(url)
    assert url.startswith(provider.issuer + "/authorize?")
    assert query["response_type"] == "code"
    assert query["client_id"] == CLIENT_ID
    assert query["redirect_uri"] == "http://localhost:8001/callback"
    assert query["scope"] == "openid profile phone identity entity"
    assert query["code_challenge_method"] == "S256"
    assert "prompt" not in query


def test_the_personal_login_asks_for_no_company_and_no_document(browser: Browser) -> None:
    assert parameters(browser.begin("/login/person"))["scope"] == "openid profile phone"


def test_nothing_secret_is_used_twice_or_told_to_the_browser(browser: Browser) -> None:
    first, second = (parameters(browser.begin("/login")) for _ in range(2))
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]
        assert len(first[name]) == 43
    cookies = browser.get("/login").headers.getlist("Set-Cookie")
    assert all(first["state"] not in cookie for cookie in cookies)


def test_an_operator_sees_company_code_name_role_and_rights(browser: Browser) -> None:
    answer = browser.sign_in(an_operator())
    assert (answer.status_code, answer.location) == (303, "/")
    page = browser.text("/")
    for words in (
        "松原示例科技有限公司",
        "91990100MA0TX00115",
        "钱文博",
        "经办人",
        "人事部",
        "urn:idp:loa:1",
    ):
        assert words in page
    assert _row(page, "经办人管理") == "是"
    assert _row(page, "印章管理") == "否"


def test_the_identity_bar_masks_the_name(browser: Browser) -> None:
    browser.sign_in(an_operator())
    bar = browser.text("/").split('class="tx-idbar"')[1].split('class="tx-rp"')[0]
    assert "钱*博" in bar
    assert "钱文博" not in bar
    for words in ("切换身份", "经办人中心", "退出", "松原示例科技有限公司"):
        assert words in bar


def test_a_mandate_is_shown_as_days_in_shanghai_with_its_last_day(browser: Browser) -> None:
    mandate = a_mandate(valid_from="2021-03-03T16:00:00+00:00", valid_until="2098-12-31T16:00:00Z")
    browser.sign_in(an_operator(mandate=mandate))
    assert _row(browser.text("/"), "授权有效期") == "2021-03-04 至 2098-12-31"


def test_a_legal_representative_has_no_rights_to_list(browser: Browser) -> None:
    browser.sign_in(a_representative())
    page = browser.text("/")
    for words in (
        "松原示例科技有限公司",
        "91990100MA0TX00115",
        "赵晓岚",
        "法定代表人",
        "企业中心",
        "应用入口",
    ):
        assert words in page
    assert "授权有效期" not in page


def test_a_natural_person_sees_his_own_page_with_a_masked_phone(browser: Browser) -> None:
    browser.sign_in(a_person(), "/login/person")
    page = browser.text("/")
    assert "褚云" in page
    assert _row(page, "手机号码") == "138****0011"
    assert "统一社会信用代码" not in page


def test_a_full_phone_number_is_masked_before_it_is_kept(browser: Browser) -> None:
    browser.sign_in(a_person(phone_number="+8613800000011", phone_number_masked=None), "/login/person")
    assert _row(browser.text("/"), "手机号码") == "138****0011"


def test_what_the_provider_says_is_shown_as_text(browser: Browser) -> None:
    browser.sign_in(a_person(name="<b>褚云</b>"), "/login/person")
    assert "<b>褚云</b>" not in browser.text("/")


def test_a_token_signed_with_the_elliptic_key_is_as_good(browser: Browser, provider: StandIn) -> None:
    provider.alg = "ES256"
    browser.sign_in(an_operator())
    assert browser.is_signed_in()


def test_the_session_key_is_new_at_each_sign_in_and_the_old_one_is_dead(browser: Browser) -> None:
    browser.sign_in(an_operator())
    first = _session_cookie(browser)
    browser.sign_in(a_representative())
    assert _session_cookie(browser) != first
    browser.client.set_cookie("si_session", first)
    assert not browser.is_signed_in()


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: Browser) -> None:
    cookie = browser.sign_in(an_operator()).headers["Set-Cookie"]
    assert cookie.startswith("si_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Domain" not in cookie


def test_one_browser_holds_one_identity(browser: Browser) -> None:
    browser.sign_in(an_operator())
    browser.sign_in(a_person(), "/login/person")
    page = browser.text("/")
    assert "褚云" in page
    assert "松原示例科技有限公司" not in page


def test_switching_asks_the_provider_for_a_new_sign_in(browser: Browser) -> None:
    assert parameters(browser.begin("/switch/unit"))["prompt"] == "login"
    query = parameters(browser.begin("/switch/person"))
    assert (query["prompt"], query["scope"]) == ("login", "openid profile phone")


def test_a_protected_page_comes_back_after_the_sign_in(browser: Browser) -> None:
    way = browser.get("/record")
    assert way.location == "/login?next=/record"
    assert browser.sign_in(an_operator(), way.location).location == "/record"
    page = browser.text("/record")
    assert "周*明" in page
    assert "周启明" not in page
    assert "9901**********0195" in page


def test_a_natural_person_has_no_unit_record(browser: Browser) -> None:
    browser.sign_in(a_person(), "/login/person")
    assert browser.get("/record").location == "/"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "/\t/evil.example",
        "javascript:alert(1)",
        "record",
        "/record\r\nSet-Cookie: a=b",
        "/" + "a" * 2000,
        "/\u0000",
    ],
)
def test_a_sign_in_ends_on_this_portal_whatever_next_says(browser: Browser, target: str) -> None:
    begun = browser.client.get("/login", query_string={"next": target}, base_url="http://localhost:8001")
    browser._provider.signs_in_as = an_operator()
    assert browser.get(browser.at_provider(begun.location)).location == "/"


def _row(page: str, label: str) -> str:
    """The value beside `label` in a summary list."""
    value = page.split(f">{label}</dt>")[1].split("</dd>", maxsplit=1)[0]
    return value.split(">", 1)[1].strip()


def _session_cookie(browser: Browser) -> str:
    cookie = browser.client.get_cookie("si_session")
    assert cookie is not None
    return cookie.value


def test_on_another_address_of_its_own_the_portal_works_the_same(provider: StandIn, tmp_path: Path) -> None:
    other = "http://127.0.0.1:8001"
    app = create_app(settings_for(provider.issuer, tmp_path, other_base_urls=other))
    with httpx2.Client() as http:
        browser = Browser(app, provider, http, base_url=other)
        assert parameters(browser.begin())["redirect_uri"] == other + "/callback"
        browser.sign_in(an_operator())
        assert browser.is_signed_in()
        assert parameters(browser.sign_out().location)["post_logout_redirect_uri"] == other + "/signed-out"
    app.extensions["portal"].close()
