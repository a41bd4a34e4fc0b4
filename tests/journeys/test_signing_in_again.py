"""Signed in, and asked to prove oneself again: the page says why and whom, at every width (RFC 9470)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from tests.journeys.chrome import Person
from tests.running_demo import RunningDemo


def asks_for_a_fresh_sign_in(demo: RunningDemo, portal: str, scope: str) -> str:
    """The address a portal sends somebody to who must have signed in just now."""
    values = {
        "response_type": "code",
        "client_id": demo.manifest["clients"]["social_insurance"],
        "redirect_uri": f"{portal}/callback",
        "scope": scope,
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
        "max_age": "0",
    }
    return f"{demo.issuer}/oauth/authorize?{urlencode(values)}"


def test_a_person_is_told_why_he_signs_in_again_and_goes_on(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    portal, person = running_demo.url("social_insurance"), somebody(at_every_width=True, script=True)
    himself, other = running_demo.account("person"), running_demo.account("person", "several")
    person.open(f"{person.issuer}/login/person")
    person.sign_in("个人登录", account=himself["account"], password=himself["password"])
    person.open(asks_for_a_fresh_sign_in(running_demo, portal, "openid"))
    assert "为了办理这项业务，需要您重新登录" in person.reads()
    assert himself["phone"] not in person.reads()
    person.looks_over()
    person.sign_in("个人登录", account=other["account"], password=other["password"])
    assert "要换一个账号登录吗" in person.reads()
    person.looks_over()
    person.press("用目前的账号重新登录")
    person.sign_in("个人登录", account=himself["account"], password=himself["password"])
    assert person.page.url.startswith(f"{portal}/callback?code=")


def test_a_company_is_named_where_somebody_acts_for_one(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    portal, person = running_demo.url("social_insurance"), somebody(at_every_width=True, script=True)
    company = running_demo.account("legal")
    person.open(f"{person.issuer}/login/legal")
    person.sign_in("法人登录", account=company["uscc"], password=company["password"])
    person.open(asks_for_a_fresh_sign_in(running_demo, portal, "openid entity"))
    assert company["name"] in person.reads()
    person.looks_over()
    person.prefers_a_password()
    assert "经办人登录" not in person.reads()
    person.looks_over()
    person.press("换一个账号登录")
    person.press("退出并换账号登录")
    person.prefers_a_password()
    assert "经办人登录" in person.reads()
    assert "需要您重新登录" not in person.reads()
