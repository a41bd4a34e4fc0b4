"""A portal that does all that the FAPI 2.0 Security Profile asks, and what happens when it does not.

What the plan asks beyond the tests of each part: docs/conformance.md has them side by side.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from werkzeug.test import TestResponse

from tests.oauth.asking import a_signed_in_person, call, claims_of, header_of, later, refused_with
from tests.oauth.keyholders import ADpopKey, AKeyholder, a_key, a_keyholder
from tests.oauth.test_dpop import TOKEN, USERINFO, error_of, nonce_of, proof_of_use, used
from tests.oauth.test_par import asked_by, is_a_page, opened
from tests.portals import Authorization
from tests.running_demo import RunningDemo
from tests.world import ISSUER, AClient, Browser, Page, World

PAR = "/oauth/par"
SCOPE = "openid profile offline_access"


@dataclass(frozen=True)
class Portal:
    """A client of profile fapi2 with the key of its tokens, and one request of it."""

    world: World
    holder: AKeyholder
    key: ADpopKey = field(default_factory=ADpopKey)

    @property
    def client(self) -> AClient:
        return AClient(self.holder.client_id, "", self.holder.redirect_uri)

    def send(
        self,
        path: str,
        values: dict[str, Any],
        *,
        key: ADpopKey | None = None,
        proof: dict[str, Any] | None = None,
        assertion: dict[str, Any] | None = None,
    ) -> TestResponse:
        """A call with a fresh assertion and a fresh proof; `proof` and `assertion` change what they say."""
        made = (key or self.key).proof("POST", ISSUER + path, nonce=nonce_of(self.world), **(proof or {}))
        fields = {**values, **self.holder.proved(**(assertion or {}))}
        return call(self.world, path, fields, headers={"DPoP": made})

    def push(self, asked: Authorization, more: dict[str, str] | None = None, **sending: Any) -> TestResponse:
        return self.send(PAR, asked_by(asked, **{"scope": SCOPE, **(more or {})}), **sending)

    def open(self, browser: Browser, pushed: TestResponse, **beside: str) -> Page:
        """What the browser brings back of a pushed request."""
        assert pushed.status_code == 201, pushed.get_json()
        return browser.open(opened(self.client.client_id, pushed.get_json()["request_uri"], **beside))

    def code(self, browser: Browser, asked: Authorization) -> str:
        return self.open(browser, self.push(asked)).query["code"]

    def form(self, asked: Authorization, code: str) -> dict[str, str]:
        return {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uri,
            "code_verifier": asked.verifier,
        }

    def tokens(self, browser: Browser) -> dict[str, Any]:
        """The tokens of a whole sign-on."""
        asked = Authorization(self.client)
        answer = self.send(TOKEN, self.form(asked, self.code(browser, asked)))
        assert answer.status_code == 200, answer.get_json()
        found: dict[str, Any] = answer.get_json()
        return found


def a_portal(world: World, *, alg: str = "ES256", **given: Any) -> Portal:
    return Portal(world, a_keyholder(world, alg=alg, profile="fapi2", id_token_alg="ES256", **given))


def refusal(answer: TestResponse) -> tuple[int, str]:
    """Status and error of an endpoint's answer, which is JSON."""
    assert answer.mimetype == "application/json"
    return answer.status_code, error_of(answer)


@pytest.mark.parametrize("alg", ["PS256", "ES256", "EdDSA"])
def test_a_portal_that_does_everything_signs_people_in(world: World, alg: str) -> None:
    portal = a_portal(world, alg=alg, redirect_uris=("https://portal.example/back?dummy1=a&dummy2=b",))
    browser, asked = a_signed_in_person(world), Authorization(portal.client)
    pushed = portal.push(asked)
    assert 5 <= pushed.get_json()["expires_in"] <= 600
    page = portal.open(browser, pushed)
    assert (page.query["iss"], page.query["state"], page.query["dummy2"]) == (ISSUER, asked.state, "b")
    tokens = portal.send(TOKEN, portal.form(asked, page.query["code"])).get_json()
    assert tokens["token_type"] == "DPoP"
    assert tokens["expires_in"] > 0
    assert header_of(tokens["id_token"])["alg"] == "ES256"
    assert claims_of(world, tokens["id_token"])["nonce"] == asked.nonce
    assert claims_of(world, tokens["access_token"])["cnf"] == {"jkt": portal.key.jkt}
    proof = proof_of_use(world, portal.key, tokens["access_token"])
    assert used(world, tokens["access_token"], proof).status_code == 200


@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "dPOp", "DPOP"])
def test_the_scheme_of_a_token_has_no_case(world: World, scheme: str) -> None:
    portal = a_portal(world)
    token = portal.tokens(a_signed_in_person(world))["access_token"]
    assert used(world, token, proof_of_use(world, portal.key, token), scheme=scheme).status_code == 200


@pytest.mark.parametrize("seconds", [-10, 8, 10])
def test_a_proof_of_a_clock_ten_seconds_off_counts_everywhere(world: World, seconds: int) -> None:
    portal, browser = a_portal(world), a_signed_in_person(world)
    asked = Authorization(portal.client)

    def off() -> dict[str, int]:
        return {"iat": int(time.time()) + seconds}

    page = portal.open(browser, portal.push(asked, proof=off()))
    answer = portal.send(TOKEN, portal.form(asked, page.query["code"]), proof=off())
    assert answer.status_code == 200, answer.get_json()
    token = answer.get_json()["access_token"]
    assert used(world, token, proof_of_use(world, portal.key, token, **off())).status_code == 200


def test_an_assertion_of_a_clock_ten_seconds_ahead_counts_and_of_a_minute_does_not(world: World) -> None:
    portal = a_portal(world)
    asked = Authorization(portal.client)
    for seconds in (8, 10):
        ahead = int(time.time()) + seconds
        assert portal.push(asked, assertion={"iat": ahead, "nbf": ahead}).status_code == 201, seconds
    ahead = int(time.time()) + 62
    answer = portal.push(asked, assertion={"iat": ahead, "nbf": ahead, "exp": ahead + 60})
    assert refusal(answer) == (401, "invalid_client")


def test_a_proof_may_say_more_than_it_must(world: World) -> None:
    portal, browser = a_portal(world), a_signed_in_person(world)
    asked, moment = Authorization(portal.client), int(time.time())
    more = {"nbf": moment, "exp": moment + 300, "extra": {"a": 1}, "header": {"extra": "b"}}
    page = portal.open(browser, portal.push(asked, proof=more))
    answer = portal.send(TOKEN, portal.form(asked, page.query["code"]), proof=more)
    token = answer.get_json()["access_token"]
    assert used(world, token, proof_of_use(world, portal.key, token, **more)).status_code == 200


def test_only_the_issuer_as_one_text_is_whom_an_assertion_is_for(world: World) -> None:
    portal = a_portal(world)
    asked = Authorization(portal.client)
    assert portal.push(asked, assertion={"aud": ISSUER}).status_code == 201
    for wrong in (ISSUER + PAR, ISSUER + TOKEN, [ISSUER], [ISSUER + PAR], ISSUER + "/", "https://x.example"):
        assert refusal(portal.push(asked, assertion={"aud": wrong})) == (401, "invalid_client"), wrong


@pytest.mark.parametrize("by", ["the proof", "dpop_jkt"])
def test_a_code_pushed_with_a_key_is_redeemed_with_that_key_alone(world: World, by: str) -> None:
    portal, browser = a_portal(world), a_signed_in_person(world)
    asked = Authorization(portal.client)

    def code() -> str:
        if by == "the proof":
            return portal.code(browser, asked)
        form = {**asked_by(asked), "dpop_jkt": portal.key.jkt, **portal.holder.proved()}
        return portal.open(browser, call(world, PAR, form)).query["code"]

    answer = portal.send(TOKEN, portal.form(asked, code()), key=ADpopKey())
    assert refusal(answer) == (400, "invalid_grant")
    assert portal.send(TOKEN, portal.form(asked, code())).status_code == 200
    mismatched = portal.push(asked, {"dpop_jkt": ADpopKey().jkt})
    assert refusal(mismatched) == (400, "invalid_request")


def test_state_and_nonce_are_optional_and_come_back_whole(world: World) -> None:
    portal, browser = a_portal(world), a_signed_in_person(world)
    asked = Authorization(portal.client)
    for name, length in (("state", 0), ("nonce", 0), ("nonce", 64), ("nonce", 384), ("state", 1000)):
        page = portal.open(browser, portal.push(asked, {name: "n" * length}))
        tokens = portal.send(TOKEN, portal.form(asked, page.query["code"])).get_json()
        came = page.query if name == "state" else claims_of(world, tokens["id_token"])
        assert came.get(name, "") == "n" * length, name
        assert (name in came) == bool(length)
        assert "s_hash" not in claims_of(world, tokens["id_token"])


def test_what_stands_beside_a_pushed_request_counts_for_nothing(world: World) -> None:
    portal, browser = a_portal(world), a_signed_in_person(world)
    asked = Authorization(portal.client)
    page = portal.open(browser, portal.push(asked, {"state": ""}), state="outside", nonce="outside")
    assert "state" not in page.query
    tokens = portal.send(TOKEN, portal.form(asked, page.query["code"])).get_json()
    assert claims_of(world, tokens["id_token"])["nonce"] == asked.nonce


def test_a_request_uri_may_be_opened_until_it_is_answered_and_by_its_portal_alone(world: World) -> None:
    person, portal, other = world.a_person(), a_portal(world), a_portal(world)
    browser, pushed = world.browser(), portal.push(Authorization(portal.client))
    assert portal.open(browser, pushed).url.startswith("/login"), "looked at and left"
    assert is_a_page(other.open(browser, pushed))
    page = portal.open(browser, pushed)
    page = browser.sign_in_person(person, at=page.url)
    assert "code" in page.query
    assert is_a_page(portal.open(browser, pushed)), "answered"
    late = portal.push(Authorization(portal.client))
    with later(seconds=late.get_json()["expires_in"] + 1):
        assert is_a_page(portal.open(browser, late))


WRONG_REQUESTS = {
    "an unregistered address": ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
    "no address": ({"redirect_uri": ""}, "invalid_request"),
    "hybrid": ({"response_type": "code id_token"}, "unsupported_response_type"),
    "implicit": ({"response_type": "token"}, "unsupported_response_type"),
    "no challenge": ({"code_challenge": "", "code_challenge_method": ""}, "invalid_request"),
    "plain": ({"code_challenge_method": "plain"}, "invalid_request"),
}


def test_a_wrong_request_is_refused_when_it_is_pushed(world: World) -> None:
    portal = a_portal(world)
    for case, (more, error) in WRONG_REQUESTS.items():
        assert refusal(portal.push(Authorization(portal.client), more)) == (400, error), case


def test_a_request_that_was_not_pushed_goes_back_as_an_error(world: World) -> None:
    portal = a_portal(world)
    asked = Authorization(portal.client)
    page = a_signed_in_person(world).open(asked.address(SCOPE))
    assert refused_with(page) == ("invalid_request", True)
    assert page.query["state"] == asked.state
    assert "code" not in page.query


def test_a_person_who_refuses_sends_the_portal_access_denied(world: World) -> None:
    portal, browser = a_portal(world, first_party=False), a_signed_in_person(world)
    portal.open(browser, portal.push(Authorization(portal.client)))
    assert refused_with(browser.submit({"decision": "deny"})) == ("access_denied", True)


def test_at_the_token_endpoint_only_the_portals_own_fresh_assertion_counts(world: World) -> None:
    portal, other, browser = a_portal(world, alg="PS256"), a_portal(world), a_signed_in_person(world)
    asked, moment = Authorization(portal.client), int(time.time())
    form, holder = portal.form(asked, portal.code(browser, asked)), portal.holder
    rs256 = AKeyholder(holder.client_id, holder.key, "RS256").proved()
    by_other_key = AKeyholder(holder.client_id, a_key("PS256", number=1), "PS256").proved()
    wrong: dict[str, dict[str, str]] = {
        "no assertion": {"client_id": holder.client_id},
        "RS256": rs256,
        "another key": by_other_key,
        "long over": holder.proved(exp=moment - 300),
        "for another server": holder.proved(aud="https://other.example"),
        "no sub": holder.proved(sub=None),
        "as another client": {**holder.proved(), "client_id": other.holder.client_id},
        "another client's name": holder.proved(iss=other.holder.client_id, sub=other.holder.client_id),
    }
    for case, fields in wrong.items():
        proof = portal.key.proof("POST", ISSUER + TOKEN, nonce=nonce_of(world))
        answer = call(world, TOKEN, {**form, **fields}, headers={"DPoP": proof})
        assert refusal(answer) == (401, "invalid_client"), case
    assert portal.send(TOKEN, form).status_code == 200, "nobody spent the code"


def test_a_token_is_given_to_whoever_holds_a_key(world: World) -> None:
    portal, browser = a_portal(world), a_signed_in_person(world)
    asked = Authorization(portal.client)
    form = portal.form(asked, portal.code(browser, asked))
    answer = call(world, TOKEN, {**form, **portal.holder.proved()})
    assert refusal(answer) == (400, "invalid_dpop_proof")


def test_codes_and_refresh_tokens_of_one_portal_are_nothing_to_another(world: World) -> None:
    portal, other, browser = a_portal(world), a_portal(world), a_signed_in_person(world)
    asked = Authorization(portal.client)
    form = portal.form(asked, portal.code(browser, asked))
    assert refusal(other.send(TOKEN, form)) == (400, "invalid_grant")
    token = portal.tokens(browser)["refresh_token"]
    refreshing = {"grant_type": "refresh_token", "refresh_token": token}
    assert refusal(other.send(TOKEN, refreshing)) == (400, "invalid_grant")
    assert portal.send(TOKEN, refreshing).status_code == 200


def test_the_verifier_is_there_and_right_or_the_grant_is_invalid(world: World) -> None:
    portal, browser = a_portal(world), a_signed_in_person(world)
    asked = Authorization(portal.client)
    for verifier in ({}, {"code_verifier": ""}, {"code_verifier": "w" * 43}, {"code_verifier": "short"}):
        form = portal.form(asked, portal.code(browser, asked))
        del form["code_verifier"]
        assert refusal(portal.send(TOKEN, {**form, **verifier})) == (400, "invalid_grant"), verifier


def test_a_code_used_again_ends_what_it_gave(world: World) -> None:
    portal, browser = a_portal(world), a_signed_in_person(world)
    asked = Authorization(portal.client)
    form = portal.form(asked, portal.code(browser, asked))
    token = portal.send(TOKEN, form).get_json()["access_token"]
    with later(seconds=1):
        assert refusal(portal.send(TOKEN, form)) == (400, "invalid_grant")
        answer = used(world, token, proof_of_use(world, portal.key, token))
        assert refusal(answer) == (401, "invalid_token")


def test_no_code_lives_longer_than_a_minute_whatever_the_installation_allows(world: World) -> None:
    with world.rewired(code_lifetime=600) as patient:
        portal, browser = a_portal(patient), a_signed_in_person(patient)
        asked = Authorization(portal.client)
        form = portal.form(asked, portal.code(browser, asked))
        with later(seconds=61):
            assert refusal(portal.send(TOKEN, form)) == (400, "invalid_grant")


def test_a_refresh_may_be_repeated_with_another_key_and_needs_all_proofs(world: World) -> None:
    portal = a_portal(world)
    tokens = portal.tokens(a_signed_in_person(world))
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], "scope": SCOPE}
    for _lost_answer in range(2):
        answer = portal.send(TOKEN, form, key=ADpopKey())
        assert answer.status_code == 200, answer.get_json()
        assert answer.get_json()["token_type"] == "DPoP"
        form["refresh_token"] = tokens["refresh_token"]
    proof = portal.key.proof("POST", ISSUER + TOKEN, nonce=nonce_of(world))
    unproved = call(world, TOKEN, {**form, "client_id": portal.holder.client_id}, headers={"DPoP": proof})
    assert refusal(unproved) == (401, "invalid_client")
    bare = call(world, TOKEN, {**form, **portal.holder.proved()})
    assert refusal(bare) == (400, "invalid_dpop_proof")


def test_a_refresh_token_stays_what_it_is(world: World) -> None:
    portal, browser = a_portal(world), a_signed_in_person(world)
    token = portal.tokens(browser)["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token}
    for minutes in (0, 5, 25):
        with later(minutes=minutes):
            assert portal.send(TOKEN, form).get_json()["refresh_token"] == token
    browser.open("/center/person")
    browser.submit()
    assert refusal(portal.send(TOKEN, form)) == (400, "invalid_grant")


def test_the_server_dates_what_a_resource_answers(running_demo: RunningDemo) -> None:
    assert httpx2.get(running_demo.issuer + USERINFO).headers["Date"].endswith("GMT")
