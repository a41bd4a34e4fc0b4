"""Step-up (RFC 9470): how strong and how fresh a sign-in a client insists on, and how a person is asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from idp.access.clients import Client, announce_change
from tests.entering import enter
from tests.oauth.asking import (
    a_signed_in_operator,
    a_signed_in_person,
    claims_of,
    introspect,
    later,
    refused_with,
    tokens_for,
)
from tests.oauth.devices import ADevice, a_device_client
from tests.oauth.keyholders import ADpopKey
from tests.oauth.test_dpop import proof_of_use, redeemed, used
from tests.oauth.test_par import push
from tests.oauth.test_pending import transaction_of
from tests.portals import Authorization, get_with
from tests.world import AClient, Browser, Page, World

LOA_1, LOA_2, LOA_3 = "urn:idp:loa:1", "urn:idp:loa:2", "urn:idp:loa:3"
AGAIN = "为了办理这项业务，需要您重新登录"


def ask(browser: Browser, client: AClient, scope: str = "openid", **more: str) -> Page:
    """A new request of the client, followed to where the browser stops."""
    return browser.open(Authorization(client).address(scope, **more))


def tabs(page: Page) -> list[str]:
    """The ways to sign in that a page offers."""
    return [way for way in ("法人登录", "经办人登录", "个人登录") if way in page.text]


def change(world: World, client: AClient, **columns: Any) -> None:
    """Change the registration of a client, as an administrator does."""
    with world.write() as db:
        row = db.get_one(Client, client.client_id)
        for name, value in columns.items():
            setattr(row, name, value)
    announce_change(world.backends.store)


# ---- levels


def test_a_level_the_sign_in_has_is_answered_silently_and_said(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    tokens = tokens_for(browser, client, acr_values=f"{LOA_2} {LOA_1}", prompt="none")
    for token in (tokens["id_token"], tokens["access_token"]):
        assert claims_of(world, token)["acr"] == LOA_1
    assert introspect(world, client, tokens["access_token"])["acr"] == LOA_1


@pytest.mark.parametrize("wanted", [LOA_3, f"{LOA_3} nonsense"])
@pytest.mark.parametrize("prompt", ["", "none", "login"])
def test_a_level_nobody_can_reach_is_refused_before_any_password(
    world: World, wanted: str, prompt: str
) -> None:
    client = world.a_client()
    for browser in (world.browser(), a_signed_in_person(world)):
        page = ask(browser, client, acr_values=wanted, prompt=prompt, state="kept")
        assert refused_with(page) == ("unmet_authentication_requirements", True)
        assert page.query["state"] == "kept"
        assert page.query["error_uri"].endswith("#1307")


def test_a_pushed_request_hears_at_once_that_its_level_is_out_of_reach(world: World) -> None:
    answer = push(world, Authorization(world.a_client()), acr_values=LOA_3)
    assert answer.status_code == 400
    assert answer.get_json()["error"] == "unmet_authentication_requirements"


def test_a_device_hears_at_once_that_its_level_is_out_of_reach(world: World) -> None:
    device = ADevice(world, a_device_client(world))
    answer = device.asks(acr_values=LOA_3)
    assert answer.status_code == 400
    assert answer.get_json()["error"] == "unmet_authentication_requirements"
    assert device.asks(acr_values=f"{LOA_3} {LOA_2}").status_code == 200


def test_levels_of_nobodys_here_are_passed_over(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    assert "code" in ask(browser, client, acr_values="1 2", prompt="none").query


def test_one_reachable_level_among_others_is_enough(world: World) -> None:
    person, browser, client = world.a_person(), world.browser(), world.a_client()
    page = ask(browser, client, acr_values=f"urn:mace:incommon:iap:silver {LOA_3} {LOA_1}")
    assert tabs(page) == ["个人登录"]
    assert "code" in browser.sign_in_person(person, at=page.url).query


def test_a_level_asked_for_by_claims_is_insisted_on_where_it_is_essential(world: World) -> None:
    browser, plain = a_signed_in_person(world), world.a_client()
    unmet, strong = "unmet_authentication_requirements", world.a_client(default_acr_values=(LOA_3,))
    for client, level, essential, expected in (
        (plain, LOA_3, True, unmet),
        (plain, LOA_3, False, "code"),
        (plain, LOA_2, True, "interaction_required"),
        (strong, LOA_3, False, unmet),  # a wish undoes no default
        (strong, LOA_1, True, "code"),
    ):
        claims = json.dumps({"id_token": {"acr": {"value": level, "essential": essential}}})
        page = ask(browser, client, claims=claims, prompt="none")
        assert page.query.get("error", "code") == expected, (level, essential)


def test_acr_values_without_end_are_malformed(world: World) -> None:
    page = ask(world.browser(), world.a_client(), acr_values="x" * 501)
    assert refused_with(page) == ("invalid_request", True)


def test_a_level_taken_away_while_somebody_signs_in_is_said_to_the_portal(world: World) -> None:
    person, browser, client = world.a_person(), world.browser(), world.a_client()
    store = world.backends.store
    ask(browser, client, state="kept")
    key = f"pending:{transaction_of(browser)}"
    kept = json.loads(store.get(key) or b"")
    kept["params"]["acr_values"] = LOA_3
    store.put(key, json.dumps(kept).encode(), ttl=600)
    transaction = key.partition(":")[2]
    page = browser.open(f"/login?tx={transaction}")
    assert refused_with(page) == ("unmet_authentication_requirements", True)
    assert page.query["state"] == "kept"
    assert store.get(key) is None, "it was answered"
    assert browser.sign_in_person(person).status == 200


# ---- what a client registered


def test_registered_defaults_count_where_a_request_is_silent(world: World) -> None:
    browser = a_signed_in_person(world)
    old = world.a_client(default_max_age=60)
    strong = world.a_client(default_acr_values=(LOA_3,))
    with later(seconds=100):
        assert refused_with(ask(browser, old, prompt="none")) == ("login_required", True)
        assert "code" in ask(browser, old, prompt="none", max_age="200").query
        assert refused_with(ask(browser, strong))[0] == "unmet_authentication_requirements"
        assert "code" in ask(browser, strong, acr_values=LOA_1).query


@pytest.mark.parametrize("named", ["x", "", "1 urn:idp:loa:9"])
def test_a_request_that_names_no_level_of_ours_does_not_undo_the_default(world: World, named: str) -> None:
    strong = world.a_client(default_acr_values=(LOA_3,))
    assert refused_with(ask(a_signed_in_person(world), strong, acr_values=named))[0].startswith("unmet_")
    device = ADevice(world, a_device_client(world, default_acr_values=(LOA_3,)))
    assert device.asks(acr_values=named).get_json()["error"].startswith("unmet_")


# ---- asking again


def test_the_page_says_why_it_asks_again_and_whom(world: World) -> None:
    person, browser, client = world.a_person(name="林小满"), world.browser(), world.a_client()
    enter(browser, person)
    with later(minutes=5):
        asked = Authorization(client)
        page = browser.open(asked.address("openid", max_age="60"))
        assert AGAIN in page.text
        assert "林*满" in page.text
        assert person.phone not in page.html
        page = browser.sign_in_person(person, at=page.url)
        claims = claims_of(world, asked.redeem(browser, page.query["code"]).get_json()["id_token"])
        assert claims["iat"] - claims["auth_time"] < 10


def test_nobody_is_told_anything_who_was_not_signed_in(world: World) -> None:
    page = ask(world.browser(), world.a_client(), max_age="0", acr_values=LOA_1)
    assert AGAIN not in page.text
    assert "目前登录的是" not in page.text


def test_only_the_ways_of_whoever_is_signed_in_are_offered(world: World) -> None:
    operator, client = world.an_operator(), world.a_client()
    legal, acting, chosen = world.browser(), world.browser(), world.browser()
    enter(legal, operator.company)
    enter(acting, operator)
    enter(chosen, operator.person)
    assert "code" in ask(chosen, client, "openid entity").query
    with later(minutes=5):
        assert tabs(ask(legal, client, "openid entity", max_age="60")) == ["法人登录"]
        for browser in (acting, chosen):
            page = ask(browser, client, "openid entity", max_age="60")
            assert tabs(page) == ["经办人登录", "个人登录"]
        page = chosen.sign_in_person(operator.person, at=page.url.replace("operator", "person"))
        assert "code" in page.query, "he chose the company anew"


def test_another_persons_password_opens_nothing_until_the_first_has_signed_out(world: World) -> None:
    first, second, browser, client = world.a_person(), world.a_person(), world.browser(), world.a_client()
    enter(browser, first)
    held = tokens_for(browser, client)
    cookie = browser.cookie("idp_session")
    with later(minutes=5):
        asked = Authorization(client)
        page = browser.open(asked.address("openid", max_age="60"))
        page = browser.sign_in_person(second, at=page.url)
        assert not page.location
        assert "要换一个账号登录吗" in page.text
        assert browser.cookie("idp_session") == cookie
        assert get_with(world, held["access_token"]).status_code == 200
        page = browser.submit()
        assert AGAIN not in page.text
        page = browser.sign_in_person(second, at=page.url)
        claims = claims_of(world, asked.redeem(browser, page.query["code"]).get_json()["id_token"])
        assert claims["sub"] != claims_of(world, held["id_token"])["sub"]


def test_another_company_of_the_same_human_is_not_the_same_identity(world: World) -> None:
    person, client = world.a_person(), world.a_client()
    first, second = world.an_operator(person=person), world.an_operator(person=person)
    browser = a_signed_in_operator(world, first)
    with later(minutes=5):
        page = ask(browser, client, "openid entity", max_age="60")
        page = browser.sign_in_operator(second, at=page.url)
        assert "要换一个账号登录吗" in page.text
        page = browser.open(page.url.replace("/login/identity", "/login"))
        assert "code" in browser.sign_in_operator(first, at=page.url).query


def test_a_wrong_password_says_nothing_of_who_else_would_be_refused(world: World) -> None:
    first, second, browser = world.a_person(), world.a_person(), world.browser()
    enter(browser, first)
    with later(minutes=5):
        page = ask(browser, world.a_client(), max_age="60")
        browser.open(page.url)
        page = browser.submit_with_captcha({"account": second.account, "password": "Not-this-one 7"})
        assert "账号或密码不正确" in page.text
        assert AGAIN in page.text


def test_a_portal_that_asks_for_a_new_sign_in_takes_anybody(world: World) -> None:
    first, second, browser, client = world.a_person(), world.a_person(), world.browser(), world.a_client()
    enter(browser, first)
    with later(minutes=5):
        page = ask(browser, client, prompt="login", max_age="60")
        assert "也可以换一个账号登录" in page.text
        assert "code" in browser.sign_in_person(second, at=page.url).query


def test_an_identity_that_could_not_answer_is_not_asked_for_again(world: World) -> None:
    company, person, client = world.a_company(), world.a_person(), world.a_client()
    browser = world.browser()
    enter(browser, company)
    with later(minutes=5):
        page = ask(browser, client, "openid", max_age="60")
        assert AGAIN not in page.text
        assert "code" in browser.sign_in_person(person, at=page.url).query


def test_a_hint_for_somebody_else_asks_for_him(world: World) -> None:
    first, second, client = world.a_person(), world.a_person(), world.a_client()
    there, browser = world.browser(), world.browser()
    enter(there, first)
    hint = tokens_for(there, client)["id_token"]
    enter(browser, second)
    with later(minutes=5):
        page = ask(browser, client, max_age="60", id_token_hint=hint)
        assert AGAIN not in page.text
        assert "code" in browser.sign_in_person(first, at=page.url).query


# ---- userinfo as a resource


def test_userinfo_wants_a_fresh_sign_in_of_clients_that_registered_so(world: World) -> None:
    browser, strict, plain = a_signed_in_person(world), world.a_client(default_max_age=300), world.a_client()
    token, other = (tokens_for(browser, client)["access_token"] for client in (strict, plain))
    with later(seconds=300):
        assert get_with(world, token).status_code == 200
    with later(seconds=400):
        assert get_with(world, other).status_code == 200
        answer = get_with(world, token)
        assert answer.status_code == 401
        challenge = answer.headers["WWW-Authenticate"]
        assert 'error="insufficient_user_authentication"' in challenge
        assert 'max_age="300"' in challenge
        assert "acr_values" not in challenge
        assert answer.get_json()["error_uri"].endswith("#4020")
        assert "sub" not in answer.get_json()


def test_a_bound_token_is_challenged_in_its_own_scheme(world: World) -> None:
    key, client = ADpopKey(), world.a_client(default_max_age=300)
    token = redeemed(a_signed_in_person(world), client, key).get_json()["access_token"]
    with later(seconds=400):
        answer = used(world, token, proof_of_use(world, key, token))
        assert answer.status_code == 401
        challenge = answer.headers["WWW-Authenticate"]
        assert challenge.startswith("DPoP ")
        assert 'error="insufficient_user_authentication"' in challenge
        assert 'max_age="300"' in challenge


def test_a_new_sign_in_opens_userinfo_again(world: World) -> None:
    person, browser = world.a_person(), world.browser()
    client = world.a_client(default_max_age=0)
    enter(browser, person)
    with later(minutes=5):
        asked = Authorization(client)
        page = browser.open(asked.address("openid"))
        page = browser.sign_in_person(person, at=page.url)
        tokens = asked.redeem(browser, page.query["code"]).get_json()
        assert get_with(world, tokens["access_token"]).status_code == 200, "just asked for, never too old"


def test_userinfo_wants_the_level_a_client_registered(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    token = tokens_for(browser, client)["access_token"]
    change(world, client, default_acr_values=["urn:idp:loa:3", LOA_2])
    answer = get_with(world, token)
    assert answer.status_code == 401
    assert f'acr_values="urn:idp:loa:3 {LOA_2}"' in answer.headers["WWW-Authenticate"]
    assert answer.get_json()["error"] == "insufficient_user_authentication"
    change(world, client, default_acr_values=[LOA_2, LOA_1])
    assert get_with(world, token).status_code == 200


def test_registered_levels_that_are_none_of_ours_lock_nobody_out(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client()
    change(world, client, default_acr_values=["1", "urn:mace:incommon:iap:silver"])
    token = tokens_for(browser, client)["access_token"]
    assert get_with(world, token).status_code == 200
    change(world, client, default_acr_values=["1", LOA_2])
    challenge = get_with(world, token).headers["WWW-Authenticate"]
    assert f'acr_values="{LOA_2}"' in challenge
