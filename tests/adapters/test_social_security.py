"""The social insurance records: the adapter against the simulator, and against records that misbehave."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest

from idp.adapters.party import AT_ONCE
from idp.adapters.social_security import (
    MOST_COMPANIES,
    CardHolder,
    SocialSecurity,
    SocialSecurityCrowded,
    SocialSecurityUnavailable,
    social_security_of,
)
from idp.config import Settings, SettingsRefused
from tests.adapters.answering import answering
from tests.conftest import SECRETS
from tests.relying_parties.simulating import simulators
from tests.world import ISSUER, a_credit_code, a_resident_number

TOKEN = "a-token-of-the-records"
A, B = a_credit_code(1), a_credit_code(2)
KNOWN, NOT_ACTIVATED, NOWHERE = (a_resident_number(number) for number in (7, 8, 9))


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the simulated records are asked."""
    with simulators(ISSUER, cards_token=TOKEN) as running:
        yield f"{running.address}/cards/holder"


def settings(**given: Any) -> Settings:
    """Settings of an installation that asks these records."""
    return Settings(**{"database_url": "postgresql://db.example/idp", **SECRETS, **given})


@pytest.mark.parametrize(
    ("id_number", "holder"),
    [
        (KNOWN, CardHolder(activated=True, recorded=frozenset({A, B}))),
        (NOT_ACTIVATED, CardHolder(activated=False, recorded=frozenset())),
        (NOWHERE, CardHolder(activated=True, recorded=frozenset())),
    ],
)
def test_the_records_say_whose_card_is_activated_and_for_whom_he_acts(
    address: str, id_number: str, holder: CardHolder
) -> None:
    assert SocialSecurity(address, TOKEN).holder("resident_id", id_number, [A, B, A]) == holder


def test_somebody_without_companies_is_asked_about_too(address: str) -> None:
    assert SocialSecurity(address, TOKEN).holder("resident_id", KNOWN, []) == CardHolder(
        activated=True, recorded=frozenset()
    )


def test_nobody_asks_without_the_token(address: str) -> None:
    with pytest.raises(SocialSecurityUnavailable, match="answered 401"):
        SocialSecurity(address, "another").holder("resident_id", KNOWN, [A])
    with simulators(ISSUER) as open_to_nobody:
        where = f"{open_to_nobody.address}/cards/holder"
        for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": f"Bearer {TOKEN}"}):
            assert httpx2.post(where, json={}, headers=headers, trust_env=False).status_code == 401


@pytest.mark.parametrize(
    "asked",
    [
        b"",
        b"[]",
        b"[" * 5000,
        b'{"id_type": "resident_id", "id_number": 7, "companies": []}',
        b'{"id_type": "resident_id", "id_number": "7", "companies": []}',
        json.dumps({"id_type": "resident_id", "id_number": KNOWN}).encode(),
        json.dumps({"id_type": "resident_id", "id_number": KNOWN, "companies": "x"}).encode(),
        json.dumps({"id_type": "resident_id", "id_number": KNOWN, "companies": [1]}).encode(),
        json.dumps({"id_type": None, "id_number": KNOWN, "companies": []}).encode(),
    ],
)
def test_a_question_that_is_none_is_said_to_be_wrong(address: str, asked: bytes) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert httpx2.post(address, content=asked, headers=headers, trust_env=False).status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"not json",
        b"[" * 50_000,
        b'{"activated": true}',
        b'{"recorded": []}',
        b'{"activated": 1, "recorded": []}',
        b'{"activated": "true", "recorded": []}',
        b'{"activated": true, "recorded": "x"}',
        b'{"activated": true, "recorded": [1]}',
        b'{"activated": true, "recorded": [["x"]]}',
        json.dumps({"activated": True, "recorded": [a_credit_code(3)]}).encode(),
        json.dumps({"activated": True, "recorded": [], "more": "x" * 70_000}).encode(),
    ],
)
def test_what_cannot_be_believed_is_no_answer(body: bytes) -> None:
    with answering(200, body) as where, pytest.raises(SocialSecurityUnavailable) as refused:
        SocialSecurity(where, TOKEN).holder("resident_id", KNOWN, [A])
    assert KNOWN not in str(refused.value)


@pytest.mark.parametrize("status", [201, 302, 404, 429, 500, 503])
def test_only_200_is_an_answer(status: int) -> None:
    body = b'{"activated": true, "recorded": []}'
    with answering(status, body, Location=ISSUER) as where, pytest.raises(SocialSecurityUnavailable):
        SocialSecurity(where, TOKEN).holder("resident_id", KNOWN, [A])


def test_records_that_are_away_are_unavailable() -> None:
    with answering(200, b"") as where:
        pass
    with pytest.raises(SocialSecurityUnavailable):
        SocialSecurity(where, TOKEN).holder("resident_id", KNOWN, [A])


def test_one_question_names_a_bounded_number_of_companies(address: str) -> None:
    many = [a_credit_code(number) for number in range(MOST_COMPANIES + 1)]
    assert len(SocialSecurity(address, TOKEN).holder("resident_id", KNOWN, many).recorded) == MOST_COMPANIES


@pytest.mark.parametrize(
    "url", ["http://records.example/x", "records.example", "ftp://localhost/x", "https:///x"]
)
def test_an_address_that_would_tell_it_to_others_is_refused(url: str) -> None:
    with pytest.raises(SettingsRefused, match="IDP_SOCIAL_SECURITY_URL must be"):
        SocialSecurity(url, TOKEN)


def test_records_need_a_token_and_are_none_without_an_address() -> None:
    with pytest.raises(SettingsRefused, match="IDP_SOCIAL_SECURITY_TOKEN"):
        social_security_of(settings(social_security_url="https://records.example"))
    assert social_security_of(settings()) is None


def test_no_more_questions_are_under_way_at_once_than_may_be(address: str) -> None:
    records = SocialSecurity(address, TOKEN)
    places = records._records._places
    with ExitStack() as held:
        for _ in range(AT_ONCE):
            held.enter_context(places)
        with pytest.raises(SocialSecurityCrowded):
            records.holder("resident_id", KNOWN, [A])
    assert records.holder("resident_id", KNOWN, [A]).activated
