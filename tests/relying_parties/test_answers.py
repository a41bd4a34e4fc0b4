"""What the portal does not believe: every check of a sign-in has a provider here that fails it."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from joserfc import jwk, jwt

from tests.relying_parties.browser import Browser, a_mandate, a_person, a_representative, an_operator
from tests.relying_parties.stand_in import CLIENT_ID, StandIn, by_hand, half_hash, parameters

Spoil = Callable[[StandIn], None]


def _refused(browser: Browser, who: dict[str, Any], path: str = "/login") -> None:
    answer = browser.sign_in(who, path)
    assert answer.status_code == 400
    assert "登录没有完成" in answer.text
    assert "si_session" not in answer.headers.get("Set-Cookie", "")
    assert not browser.is_signed_in()


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": ["another-client"]},
        {"aud": [CLIENT_ID, "another-client"]},
        {"aud": None},
        {"azp": "another-client"},
        {"nonce": "another"},
        {"nonce": None},
        {"exp": 0},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": 1e300},
        {"iat": None},
        {"iat": 2**40},
        {"at_hash": half_hash("another token")},
        {"acr": None},
        {"acr": "urn:idp:loa:0"},
        {"acr": ["urn:idp:loa:1"]},
        {"sub": None},
        {"sub": 7},
        {"role": None},
        {"role": "natural_person"},
        {"role": "emperor"},
        {"entity": None},
        {"entity": "91990100MA0TX00115"},
    ],
    ids=str,
)
def test_an_id_token_that_says_something_else_is_refused(
    browser: Browser, provider: StandIn, claims: dict[str, Any]
) -> None:
    provider.faults.claims = claims
    _refused(browser, an_operator())


def test_an_id_token_may_leave_out_what_only_confirms(browser: Browser, provider: StandIn) -> None:
    provider.faults.claims = {"azp": None, "at_hash": None, "aud": [CLIENT_ID]}
    browser.sign_in(an_operator())
    assert browser.is_signed_in()


@pytest.mark.parametrize(
    ("claim", "seconds", "good"),
    [("exp", -6, True), ("exp", -10, False), ("iat", 6, True), ("iat", 10, False)],
)
def test_clocks_may_differ_by_eight_seconds(
    browser: Browser, provider: StandIn, claim: str, seconds: int, good: bool
) -> None:
    provider.faults.claims = {claim: int(time.time()) + seconds}
    browser.sign_in(an_operator())
    assert browser.is_signed_in() is good


def _without_signature(provider: StandIn) -> None:
    provider.faults.sign = lambda claims: by_hand({"alg": "none"}, claims)


def _without_signature_but_with_key(provider: StandIn) -> None:
    provider.faults.sign = lambda claims: by_hand({"alg": "none", "kid": "rsa-1"}, claims)


def _hmac_with_the_public_key(provider: StandIn) -> None:
    pem = provider.rsa.as_pem(private=False)
    provider.faults.sign = lambda claims: by_hand({"alg": "HS256", "kid": "rsa-1"}, claims, pem)


def _hmac_with_the_client_secret(provider: StandIn) -> None:
    secret = b"a secret with + and : in it"
    provider.faults.sign = lambda claims: by_hand({"alg": "HS256", "kid": "rsa-1"}, claims, secret)


def _with_another_key_of_the_same_name(provider: StandIn) -> None:
    forged = jwk.generate_key("RSA", 2048)
    provider.faults.sign = lambda claims: jwt.encode({"alg": "RS256", "kid": "rsa-1"}, claims, forged)


def _with_a_key_in_the_header(provider: StandIn) -> None:
    forged = jwk.generate_key("RSA", 2048)
    header = {"alg": "RS256", "kid": "own", "jwk": forged.as_dict(private=False)}
    provider.faults.sign = lambda claims: jwt.encode(header, claims, forged)


def _with_an_algorithm_not_agreed_on(provider: StandIn) -> None:
    header = {"alg": "RS512", "kid": "rsa-2"}
    provider.faults.sign = lambda claims: jwt.encode(header, claims, provider.plain, algorithms=["RS512"])


def _with_an_algorithm_the_key_is_not_for(provider: StandIn) -> None:
    provider.faults.keys = [dict(provider.rsa.as_dict(private=False)) | {"alg": "PS256"}]


def _with_an_encryption_key(provider: StandIn) -> None:
    provider.faults.keys = [dict(provider.rsa.as_dict(private=False)) | {"use": "enc"}]


def _with_an_unknown_key(provider: StandIn) -> None:
    provider.faults.header = {"kid": "unknown"}


def _without_a_key_name(provider: StandIn) -> None:
    provider.faults.header = {"kid": None}


def _as_a_logout_token(provider: StandIn) -> None:
    provider.faults.header = {"typ": "logout+jwt"}


def _with_an_unknown_critical_header(provider: StandIn) -> None:
    good = {"alg": "RS256", "kid": "rsa-1"}

    def sign(claims: dict[str, Any]) -> str:
        _, payload, signature = jwt.encode(good, claims, provider.rsa).split(".")
        return ".".join([by_hand(good | {"crit": ["x"], "x": 1}, {}).split(".")[0], payload, signature])

    provider.faults.sign = sign


def _as_no_token_at_all(provider: StandIn) -> None:
    provider.faults.tokens = {"id_token": "一.二.三"}


def _as_a_list_of_claims(provider: StandIn) -> None:
    provider.faults.sign = lambda claims: by_hand({"alg": "RS256", "kid": "rsa-1"}, [claims])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "spoil",
    [
        _without_signature,
        _without_signature_but_with_key,
        _hmac_with_the_public_key,
        _hmac_with_the_client_secret,
        _with_another_key_of_the_same_name,
        _with_a_key_in_the_header,
        _with_an_algorithm_not_agreed_on,
        _with_an_algorithm_the_key_is_not_for,
        _with_an_encryption_key,
        _with_an_unknown_key,
        _without_a_key_name,
        _as_a_logout_token,
        _with_an_unknown_critical_header,
        _as_no_token_at_all,
        _as_a_list_of_claims,
    ],
)
def test_an_id_token_signed_otherwise_is_refused(browser: Browser, provider: StandIn, spoil: Spoil) -> None:
    spoil(provider)
    _refused(browser, an_operator())


@pytest.mark.parametrize(
    "response", [{"iss": None}, {"iss": "https://elsewhere.example"}, {"iss": ""}], ids=str
)
def test_an_answer_that_does_not_name_the_provider_is_refused_before_its_code_is_used(
    browser: Browser, provider: StandIn, response: dict[str, Any]
) -> None:
    provider.faults.response = response
    _refused(browser, an_operator())
    assert "/token" not in provider.asked


@pytest.mark.parametrize("code", [None, "", "c" * 5000], ids=["none", "empty", "too long"])
def test_an_answer_without_a_usable_code_is_refused_without_asking_for_tokens(
    browser: Browser, provider: StandIn, code: str | None
) -> None:
    provider.faults.response = {"code": code}
    _refused(browser, an_operator())
    assert "/token" not in provider.asked


def test_an_answer_with_another_code_is_refused(browser: Browser, provider: StandIn) -> None:
    provider.faults.response = {"code": "another"}
    _refused(browser, an_operator())


@pytest.mark.parametrize(
    "tokens",
    [{"id_token": None}, {"access_token": None}, {"access_token": 7}, {"token_type": "mac"}],
    ids=str,
)
def test_a_token_answer_without_both_tokens_is_refused(
    browser: Browser, provider: StandIn, tokens: dict[str, Any]
) -> None:
    provider.faults.tokens = tokens
    _refused(browser, an_operator())


@pytest.mark.parametrize(
    "userinfo",
    [
        {"sub": "somebody-else"},
        {"sub": None},
        {"name": None},
        {"name": ""},
        {"entity": None},
        {"entity": {"uscc": "91990100MA0TX002XW", "name": "长白示例贸易有限公司"}},
        {"role": "legal_representative"},
        {"mandate": None},
        {"mandate": "both rights"},
        {"mandate": a_mandate(manage_seals="yes")},
        {"mandate": a_mandate(valid_until="2099-04-01T00:00:00")},
        {"mandate": a_mandate(valid_until="2021-04-01T00:00:00+08:00")},
        {"mandate": a_mandate(valid_from="2098-04-01T00:00:00+08:00")},
    ],
    ids=str,
)
def test_userinfo_that_does_not_fit_the_id_token_is_refused(
    browser: Browser, provider: StandIn, userinfo: dict[str, Any]
) -> None:
    provider.faults.userinfo = userinfo
    _refused(browser, an_operator())


def test_a_company_is_no_answer_to_a_personal_sign_in(browser: Browser) -> None:
    _refused(browser, a_representative(), "/login/person")


def test_a_natural_person_for_a_company_is_no_answer_to_a_personal_sign_in(browser: Browser) -> None:
    _refused(browser, a_person(entity=a_representative()["entity"]), "/login/person")


def test_a_natural_person_is_no_answer_to_a_unit_sign_in(browser: Browser) -> None:
    _refused(browser, a_person())


@pytest.mark.parametrize("auth_time", [int(time.time()) - 3600, None], ids=["an hour ago", "none"])
def test_a_new_sign_in_that_was_asked_for_cannot_be_an_old_one(
    browser: Browser, provider: StandIn, auth_time: int | None
) -> None:
    provider.faults.claims = {"auth_time": auth_time}
    browser.sign_in(an_operator())
    assert browser.is_signed_in()
    browser.sign_out()
    _refused(browser, an_operator(), "/switch/unit")


def test_an_answer_opened_in_another_browser_is_worth_nothing(
    browser: Browser, other_browser: Browser, provider: StandIn
) -> None:
    answer = browser.answer_to(an_operator())
    other_browser.begin("/login")
    refused = other_browser.get(answer)
    assert refused.status_code == 400
    assert "没有找到这次登录" in refused.text
    assert "/token" not in provider.asked
    assert not other_browser.is_signed_in()


def test_an_answer_counts_once(browser: Browser, provider: StandIn) -> None:
    answer = browser.answer_to(an_operator())
    assert browser.get(answer).status_code == 303
    asked = provider.asked.count("/token")
    assert browser.get(answer).status_code == 400
    assert provider.asked.count("/token") == asked


def test_an_answer_that_failed_counts_too(browser: Browser, provider: StandIn) -> None:
    provider.faults.claims = {"acr": None}
    answer = browser.answer_to(an_operator())
    browser.get(answer)
    assert "没有找到这次登录" in browser.text(answer)


@pytest.mark.parametrize(("minutes", "status"), [(9, 303), (11, 400)])
def test_an_answer_has_ten_minutes_to_come(browser: Browser, minutes: int, status: int) -> None:
    answer = browser.answer_to(an_operator())
    with time_machine.travel(time.time() + minutes * 60):
        assert browser.get(answer).status_code == status


def test_two_tabs_can_sign_in_side_by_side(browser: Browser) -> None:
    first, second = browser.answer_to(an_operator()), browser.answer_to(an_operator())
    assert browser.get(first).status_code == 303
    assert browser.get(second).status_code == 303


def test_an_answer_nobody_asked_for_is_refused(browser: Browser) -> None:
    assert browser.get("/callback?code=a&state=b").status_code == 400
    assert browser.get("/callback").status_code == 400


@pytest.mark.parametrize("name", ["state", "code", "iss", "error"])
def test_an_answer_with_a_doubled_parameter_is_refused(browser: Browser, name: str) -> None:
    answer = browser.answer_to(an_operator())
    value = parameters(answer).get(name, "access_denied")
    assert browser.get(f"{answer}&{name}={value}&{name}={value}").status_code == 400
    assert not browser.is_signed_in()


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        ("access_denied", 403, "您取消了登录"),
        ("login_required", 400, "需要重新登录"),
        ("interaction_required", 403, "需要换一个身份登录"),
        ("temporarily_unavailable", 503, "暂时无法办理"),
        ("invalid_scope", 400, "对接有误"),
        ("<script>alert(1)</script>", 400, "对接有误"),
    ],
)
def test_an_error_of_the_provider_is_a_sentence_and_a_way_on(
    browser: Browser, provider: StandIn, error: str, status: int, sentence: str
) -> None:
    provider.faults.response = {"code": None, "error": error, "error_description": "internal words"}
    answer = browser.sign_in(an_operator())
    assert answer.status_code == status
    assert sentence in answer.text
    assert "登录</a>" in answer.text
    assert "请求编号" in answer.text
    assert "internal words" not in answer.text
    assert "<script" not in answer.text


def test_an_error_too_must_name_the_provider(browser: Browser, provider: StandIn) -> None:
    provider.faults.response = {"code": None, "error": "access_denied", "iss": "https://elsewhere.example"}
    assert "您取消了登录" not in browser.sign_in(an_operator()).text


def test_another_identity_is_asked_for_where_the_one_at_the_provider_does_not_fit(
    browser: Browser, provider: StandIn
) -> None:
    provider.faults.response = {"code": None, "error": "interaction_required"}
    assert 'href="/switch/person"' in browser.sign_in(a_person(), "/login/person").text
