"""The main job: somebody signs in, and a portal learns who he is, for which company, by what right."""

from __future__ import annotations

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from tests.entering import enter
from tests.portals import Authorization, get_with
from tests.world import ISSUER, World

UNIT = "openid profile phone identity entity"


def claims_of(world: World, id_token: str) -> dict[str, object]:
    """The claims of an ID token, verified with the published keys."""
    keys = KeySet.import_key_set(world.app.test_client().get("/oauth/jwks", base_url=ISSUER).get_json())
    return dict(jwt.decode(id_token, keys, algorithms=["RS256", "ES256"]).claims)


def test_a_legal_representative_signs_in_and_the_portal_learns_all_three(world: World) -> None:
    company, client, browser = world.a_company(), world.a_client(), world.browser()
    asked = Authorization(client)
    page = browser.open(asked.address(UNIT))
    page = browser.sign_in_legal(company, at=page.url)
    assert page.location.startswith(client.redirect_uri)
    assert page.query["state"] == asked.state
    assert page.query["iss"] == ISSUER
    tokens = asked.redeem(browser, page.query["code"]).get_json()
    claims = claims_of(world, tokens["id_token"])
    assert claims["role"] == "legal_representative"
    assert claims["nonce"] == asked.nonce
    assert claims["entity"] == {
        "uscc": company.uscc,
        "name": company.name,
        "type": "企业法人",
        "status": "normal",
    }
    info = get_with(world, tokens["access_token"]).get_json()
    assert info["sub"] == claims["sub"]
    assert info["name"] == company.representative.name
    assert info["id_number"] == company.representative.id_number
    assert info["preferred_username"] == company.account
    assert "mandate" not in info


def test_an_operator_signs_in_with_his_mandate(world: World) -> None:
    operator = world.an_operator(manage_seals=True, department="人事部")
    asked, browser = Authorization(world.a_client()), world.browser()
    page = browser.open(asked.address(UNIT))
    page = browser.sign_in_operator(operator, at=page.url.replace("legal", "operator"))
    tokens = asked.redeem(browser, page.query["code"]).get_json()
    info = get_with(world, tokens["access_token"]).get_json()
    assert info["role"] == "operator"
    assert info["entity"]["uscc"] == operator.company.uscc
    assert info["mandate"]["manage_seals"] is True
    assert info["mandate"]["manage_operators"] is False
    assert info["mandate"]["department"] == "人事部"
    assert info["mandate"]["valid_until"].endswith("+08:00")


def test_a_person_signs_in_for_himself_and_no_company_is_told(world: World) -> None:
    person, asked, browser = world.a_person(), Authorization(world.a_client()), world.browser()
    page = browser.open(asked.address("openid profile phone"))
    page = browser.sign_in_person(person, at=page.url)
    tokens = asked.redeem(browser, page.query["code"]).get_json()
    claims = claims_of(world, tokens["id_token"])
    assert claims["role"] == "natural_person"
    assert "entity" not in claims
    info = get_with(world, tokens["access_token"]).get_json()
    assert info["phone_number_masked"] == f"{person.phone[:3]}****{person.phone[-4:]}"
    assert "phone_number" not in info


@pytest.mark.parametrize("way", ["legal", "operator", "person"])
def test_a_signed_in_browser_is_answered_without_a_page(world: World, way: str) -> None:
    operator, browser, client = world.an_operator(), world.browser(), world.a_client()
    scope = "openid" if way == "person" else "openid entity"
    if way == "legal":
        enter(browser, operator.company)
    elif way == "operator":
        enter(browser, operator)
    else:
        enter(browser, operator.person)
    page = browser.open(Authorization(client).address(scope))
    assert "code" in page.query
