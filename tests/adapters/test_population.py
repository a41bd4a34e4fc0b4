"""The people registry: the adapter against the simulator, and against a registry that misbehaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from typing import Any

import httpx2
import pytest
from stdnum.cn import ric

from idp.adapters.party import AT_ONCE
from idp.adapters.population import (
    Claimed,
    Population,
    PopulationCrowded,
    PopulationUnavailable,
    population_of,
)
from idp.config import SettingsRefused
from idp.demo import world as demo
from tests.adapters.answering import answering
from tests.conftest import make_settings
from tests.relying_parties.simulating import simulators
from tests.world import ISSUER, a_resident_number

TOKEN = "a-token-of-the-registry"
ZHAO = demo.person("zhaoxl")
KNOWN = Claimed(ZHAO.name, "resident_id", ZHAO.id_number, ZHAO.id_valid_from, ZHAO.id_valid_until, ZHAO.phone)
UNKNOWN = Claimed(
    "林小满", "resident_id", a_resident_number(7), date(2021, 3, 4), date(2041, 3, 4), "13900000001"
)

BORN_NEVER = "990100" + "19501340" + "001"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the simulated registry is asked."""
    with simulators(ISSUER, population_token=TOKEN) as running:
        yield running.population_url


@pytest.mark.parametrize(
    ("changed", "matches"),
    [
        ({}, True),
        ({"phone": None}, True),
        ({"name": "赵晓"}, False),
        ({"valid_from": date(2020, 1, 2)}, False),
        ({"valid_until": date(2030, 1, 1)}, False),
        ({"valid_until": None}, False),
        ({"phone": "13800000002"}, False),
    ],
)
def test_somebody_on_record_matches_in_every_element_or_not_at_all(
    address: str, changed: dict[str, Any], matches: bool
) -> None:
    """G10: name, document, validity and phone are compared; the phone only where it is asked about."""
    assert Population(address, TOKEN).matches(replace(KNOWN, **changed)) is matches


@pytest.mark.parametrize(
    ("changed", "matches"),
    [
        ({}, True),
        ({"valid_until": None}, True),
        ({"id_type": "passport", "id_number": "E12345678"}, True),
        ({"id_number": UNKNOWN.id_number[:-1] + ("1" if UNKNOWN.id_number[-1] != "1" else "2")}, False),
        ({"id_number": BORN_NEVER + ric.calc_check_digit(BORN_NEVER + "-")}, False),
        ({"id_number": "12345"}, False),
        ({"name": "林不符"}, False),
        ({"name": "人脸故障"}, True),
    ],
)
def test_anybody_else_matches_unless_his_number_or_his_name_says_otherwise(
    address: str, changed: dict[str, Any], matches: bool
) -> None:
    assert Population(address, TOKEN).matches(replace(UNKNOWN, **changed)) is matches


@pytest.mark.parametrize("name", ["林故障", "林沉默"])
def test_a_registry_out_of_order_or_too_slow_is_neither_yes_nor_no(address: str, name: str) -> None:
    with pytest.raises(PopulationUnavailable):
        Population(address, TOKEN).matches(replace(UNKNOWN, name=name))


def test_it_is_told_what_was_claimed_and_nothing_else() -> None:
    heard: list[bytes] = []
    with answering(200, b'{"matches": false}', heard) as where:
        registry = Population(where, TOKEN)
        assert not registry.matches(replace(KNOWN, valid_until=None))
        assert not registry.matches(replace(KNOWN, phone=None))
    document = {"name": ZHAO.name, "id_type": "resident_id", "id_number": ZHAO.id_number}
    assert [json.loads(body) for body in heard] == [
        {**document, "valid_from": "2020-01-01", "valid_until": None, "phone": ZHAO.phone},
        {**document, "valid_from": "2020-01-01", "valid_until": "2040-01-01"},
    ]


def test_nobody_asks_without_the_token(address: str) -> None:
    with pytest.raises(PopulationUnavailable, match="answered 401"):
        Population(address, "another").matches(KNOWN)
    with simulators(ISSUER) as open_to_nobody:
        for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": f"Bearer {TOKEN}"}):
            asked = httpx2.post(open_to_nobody.population_url, json={}, headers=headers, trust_env=False)
            assert asked.status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"true",
        b"[true]",
        b"not json",
        b"[" * 2_000,
        b"{}",
        b'{"matches": null}',
        b'{"matches": 1}',
        b'{"matches": "true"}',
        b'{"matches": [true]}',
        b'{"Matches": true}',
        json.dumps({"matches": True, "more": "x" * 4_000}).encode(),
    ],
)
def test_what_cannot_be_believed_is_no_answer(body: bytes) -> None:
    with answering(200, body) as where, pytest.raises(PopulationUnavailable) as refused:
        Population(where, TOKEN).matches(KNOWN)
    for told in (KNOWN.name, KNOWN.id_number, KNOWN.phone, TOKEN):
        assert str(told) not in str(refused.value)


@pytest.mark.parametrize("status", [201, 204, 302, 400, 404, 429, 500, 503])
def test_only_200_is_an_answer(status: int) -> None:
    body = b"" if status == 204 else b'{"matches": true}'
    with answering(status, body, Location=ISSUER) as where, pytest.raises(PopulationUnavailable):
        Population(where, TOKEN).matches(KNOWN)


def test_a_registry_that_is_away_is_unavailable() -> None:
    with answering(200, b"") as where:
        pass
    with pytest.raises(PopulationUnavailable):
        Population(where, TOKEN).matches(KNOWN)


@pytest.mark.parametrize(
    "url", ["http://registry.example/x", "registry.example", "ftp://localhost/x", "https:///x"]
)
def test_an_address_that_would_tell_it_to_others_is_refused(url: str) -> None:
    with pytest.raises(SettingsRefused, match="IDP_POPULATION_URL must be"):
        Population(url, TOKEN)
    with pytest.raises(SettingsRefused, match="IDP_POPULATION_URL must be"):
        make_settings(database_url="sqlite://", population_url=url)


def test_a_registry_needs_a_token_and_is_none_without_an_address() -> None:
    named = make_settings(database_url="sqlite://", population_url="https://registry.example")
    with pytest.raises(SettingsRefused, match="IDP_POPULATION_TOKEN"):
        population_of(named)
    assert population_of(make_settings(database_url="sqlite://")) is None


def test_no_more_questions_are_under_way_at_once_than_may_be(address: str) -> None:
    registry = Population(address, TOKEN)
    places = registry._records._places
    with ExitStack() as held:
        for _ in range(AT_ONCE):
            held.enter_context(places)
        with pytest.raises(PopulationCrowded):
            registry.matches(KNOWN)
    assert registry.matches(KNOWN)
