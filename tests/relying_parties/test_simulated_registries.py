"""The simulated registries as anybody outside meets them: asked rightly, wrongly, and about nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.relying_parties.simulating import Simulators, simulators
from tests.world import ISSUER

TOKENS = {"population_token": "of-the-people", "registry_token": "of-the-companies"}
PERSON = {
    "name": "田禾",
    "id_type": "resident_id",
    "id_number": "990100198404170542",
    "valid_from": "2020-01-01",
    "valid_until": "2040-01-01",
    "phone": "13800000020",
}
COMPANY = {
    "uscc": "91990100MA0TX00708",
    "name": "向海示例农业有限公司",
    "type": "企业法人",
    "representative_name": "田禾",
    "representative_id_type": "resident_id",
    "representative_id_number": "990100198404170542",
}
NOT_JSON = [b"", b"[]", b"{", b"\xff", b"[" * 5000, b"null"]


@pytest.fixture(scope="module")
def running() -> Iterator[Simulators]:
    with simulators(ISSUER, **TOKENS) as made:
        yield made


def people(running: Simulators, body: bytes, *, token: str = "of-the-people") -> httpx2.Response:
    """What the people registry says to this."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx2.post(running.population_url, content=body, headers=headers, trust_env=False)


def companies(running: Simulators, body: bytes, *, token: str = "of-the-companies") -> httpx2.Response:
    """What the business registry says to this."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx2.post(running.registry_url, content=body, headers=headers, trust_env=False)


def test_the_company_a_newcomer_can_register_is_on_record_with_its_representative(
    running: Simulators,
) -> None:
    assert people(running, json.dumps(PERSON).encode()).json() == {"matches": True}
    answer = companies(running, json.dumps(COMPANY).encode()).json()
    assert answer == {"matches": True, "status": "normal"}


def test_whoever_does_not_match_is_told_nothing_else(running: Simulators) -> None:
    assert people(running, json.dumps({**PERSON, "name": "田"}).encode()).json() == {"matches": False}
    assert companies(running, json.dumps({**COMPANY, "name": "田"}).encode()).json() == {"matches": False}


def test_the_token_of_one_registry_opens_no_other(running: Simulators) -> None:
    assert people(running, json.dumps(PERSON).encode(), token="of-the-companies").status_code == 401
    assert companies(running, json.dumps(COMPANY).encode(), token="of-the-people").status_code == 401


@pytest.mark.parametrize("body", NOT_JSON)
def test_a_text_that_is_no_question_is_refused(running: Simulators, body: bytes) -> None:
    assert people(running, body).status_code == 400
    assert companies(running, body).status_code == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"name": ""},
        {"name": 5},
        {"id_type": "library_card"},
        {"id_number": "9901001984041705 2"},
        {"id_number": 990100198404170542},
        {"valid_from": None},
        {"valid_from": "2020-02-30"},
        {"valid_until": "长期"},
        {"phone": None},
        {"phone": "0431"},
        {"sex": "female"},
    ],
)
def test_a_question_about_a_person_is_asked_to_the_letter(
    running: Simulators, changed: dict[str, Any]
) -> None:
    assert people(running, json.dumps({**PERSON, **changed}).encode()).status_code == 400


@pytest.mark.parametrize("missing", ["name", "id_type", "id_number", "valid_from", "valid_until"])
def test_what_a_person_claims_is_told_whole(running: Simulators, missing: str) -> None:
    told = {member: value for member, value in PERSON.items() if member != missing}
    assert people(running, json.dumps(told).encode()).status_code == 400


@pytest.mark.parametrize("changed", [{"uscc": "9199"}, {"name": ""}, {"type": None}, {"status": "normal"}])
def test_a_question_about_a_company_is_asked_to_the_letter(
    running: Simulators, changed: dict[str, Any]
) -> None:
    assert companies(running, json.dumps({**COMPANY, **changed}).encode()).status_code == 400


@pytest.mark.parametrize("missing", list(COMPANY))
def test_what_is_claimed_of_a_company_is_told_whole(running: Simulators, missing: str) -> None:
    told = {member: value for member, value in COMPANY.items() if member != missing}
    assert companies(running, json.dumps(told).encode()).status_code == 400
