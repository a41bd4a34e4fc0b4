"""The business registry: the adapter against the simulator, and against a registry that misbehaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import Any

import httpx2
import pytest

from idp.accounts.models import EnterpriseStatus
from idp.adapters.party import AT_ONCE
from idp.adapters.registry import (
    Company,
    Registered,
    Registry,
    RegistryCrowded,
    RegistryUnavailable,
    registry_of,
)
from idp.config import SettingsRefused
from idp.demo import world as demo
from tests.adapters.answering import answering
from tests.conftest import make_settings
from tests.relying_parties.simulating import simulators
from tests.world import ISSUER, a_credit_code, a_resident_number

TOKEN = "a-token-of-the-registry"
NORMAL = Registered(matches=True, status="normal")
NO_MATCH = Registered(matches=False, status="")


def known(key: str) -> Company:
    """A company of the demo as it claims to be."""
    company = demo.company(key)
    representative = demo.person(company.representative)
    return Company(
        company.uscc,
        company.name,
        company.type.value,
        representative.name,
        "resident_id",
        representative.id_number,
    )


KNOWN = known("A")
UNKNOWN = Company(
    a_credit_code(7), "向阳示例有限公司", "企业法人", "林小满", "resident_id", a_resident_number(7)
)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where the simulated registry is asked."""
    with simulators(ISSUER, registry_token=TOKEN) as running:
        yield running.registry_url


@pytest.mark.parametrize(("key", "status"), [("A", "normal"), ("E", "revoked"), ("F", "deregistered")])
def test_a_company_on_record_matches_and_its_status_is_said(address: str, key: str, status: str) -> None:
    assert Registry(address, TOKEN).check(known(key)) == Registered(matches=True, status=status)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "松原示例科技公司"},
        {"type": "个体工商户"},
        {"representative_name": "赵晓"},
        {"representative_id_type": "passport"},
        {"representative_id_number": a_resident_number(7)},
        {"uscc": demo.company("B").uscc},
    ],
)
def test_a_company_on_record_matches_in_everything_or_not_at_all(
    address: str, changed: dict[str, str]
) -> None:
    assert Registry(address, TOKEN).check(replace(KNOWN, **changed)) == NO_MATCH


@pytest.mark.parametrize(
    ("name", "registered"),
    [
        (UNKNOWN.name, NORMAL),
        ("不符示例有限公司", NO_MATCH),
        ("吊销示例有限公司", Registered(matches=True, status="revoked")),
        ("注销示例有限公司", Registered(matches=True, status="deregistered")),
    ],
)
def test_any_other_company_is_what_its_name_says(address: str, name: str, registered: Registered) -> None:
    assert Registry(address, TOKEN).check(replace(UNKNOWN, name=name)) == registered


def test_a_registry_out_of_order_is_neither_yes_nor_no(address: str) -> None:
    with pytest.raises(RegistryUnavailable, match="answered 503"):
        Registry(address, TOKEN).check(replace(UNKNOWN, name="故障示例有限公司"))


def test_it_is_told_what_was_claimed_and_nothing_else() -> None:
    heard: list[bytes] = []
    with answering(200, b'{"matches": false}', heard) as where:
        assert Registry(where, TOKEN).check(KNOWN) == NO_MATCH
    assert [json.loads(body) for body in heard] == [asdict(KNOWN)]


def test_nobody_asks_without_the_token(address: str) -> None:
    with pytest.raises(RegistryUnavailable, match="answered 401"):
        Registry(address, "another").check(KNOWN)
    with simulators(ISSUER) as open_to_nobody:
        for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": f"Bearer {TOKEN}"}):
            asked = httpx2.post(open_to_nobody.registry_url, json={}, headers=headers, trust_env=False)
            assert asked.status_code == 401


@pytest.mark.parametrize("status", list(EnterpriseStatus))
def test_every_status_a_company_can_have_is_understood(status: str) -> None:
    with answering(200, json.dumps({"matches": True, "status": status}).encode()) as where:
        assert Registry(where, TOKEN).check(KNOWN) == Registered(matches=True, status=status)


@pytest.mark.parametrize("status", ["normal", "revoked", 7, None])
def test_of_a_company_that_is_another_nothing_is_known(status: Any) -> None:
    with answering(200, json.dumps({"matches": False, "status": status}).encode()) as where:
        assert Registry(where, TOKEN).check(KNOWN) == NO_MATCH


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"not json",
        b"[" * 2_000,
        b'{"status": "normal"}',
        b'{"matches": 1, "status": "normal"}',
        b'{"matches": "true", "status": "normal"}',
        b'{"matches": null, "status": "normal"}',
        b'{"matches": true}',
        b'{"matches": true, "status": null}',
        b'{"matches": true, "status": ""}',
        b'{"matches": true, "status": "NORMAL"}',
        b'{"matches": true, "status": "dissolved"}',
        b'{"matches": true, "status": ["normal"]}',
        json.dumps({"matches": True, "status": "normal", "more": "x" * 4_000}).encode(),
    ],
)
def test_what_cannot_be_believed_is_no_answer(body: bytes) -> None:
    with answering(200, body) as where, pytest.raises(RegistryUnavailable) as refused:
        Registry(where, TOKEN).check(KNOWN)
    for told in (KNOWN.name, KNOWN.representative_name, KNOWN.representative_id_number, TOKEN):
        assert told not in str(refused.value)


@pytest.mark.parametrize("status", [201, 302, 400, 404, 429, 500, 503])
def test_only_200_is_an_answer(status: int) -> None:
    body = b'{"matches": true, "status": "normal"}'
    with answering(status, body, Location=ISSUER) as where, pytest.raises(RegistryUnavailable):
        Registry(where, TOKEN).check(KNOWN)


def test_a_registry_that_is_away_is_unavailable() -> None:
    with answering(200, b"") as where:
        pass
    with pytest.raises(RegistryUnavailable):
        Registry(where, TOKEN).check(KNOWN)


@pytest.mark.parametrize(
    "url", ["http://registry.example/x", "registry.example", "ftp://localhost/x", "https:///x"]
)
def test_an_address_that_would_tell_it_to_others_is_refused(url: str) -> None:
    with pytest.raises(SettingsRefused, match="IDP_REGISTRY_URL must be"):
        Registry(url, TOKEN)
    with pytest.raises(SettingsRefused, match="IDP_REGISTRY_URL must be"):
        make_settings(database_url="sqlite://", registry_url=url)


def test_a_registry_needs_a_token_and_is_none_without_an_address() -> None:
    named = make_settings(database_url="sqlite://", registry_url="https://registry.example")
    with pytest.raises(SettingsRefused, match="IDP_REGISTRY_TOKEN"):
        registry_of(named)
    assert registry_of(make_settings(database_url="sqlite://")) is None


def test_no_more_questions_are_under_way_at_once_than_may_be(address: str) -> None:
    registry = Registry(address, TOKEN)
    places = registry._records._places
    with ExitStack() as held:
        for _ in range(AT_ONCE):
            held.enter_context(places)
        with pytest.raises(RegistryCrowded):
            registry.check(KNOWN)
    assert registry.check(KNOWN) == NORMAL


def test_a_record_is_given_whole_to_whoever_reviews_an_appeal(address: str) -> None:
    record = Registry(address, TOKEN).record(KNOWN.uscc)
    assert record is not None
    assert asdict(record) == {**asdict(KNOWN), "status": "normal"}
    assert Registry(address, TOKEN).record(UNKNOWN.uscc) is None


def test_a_record_that_is_not_whole_or_is_anothers_is_no_answer() -> None:
    whole = {**asdict(KNOWN), "status": "normal"}
    answers: list[Any] = [
        {},
        {"company": []},
        {"company": {**whole, "uscc": UNKNOWN.uscc}},
        {"company": {**whole, "status": "open"}},
        *({"company": {**whole, name: bad}} for name in whole for bad in (None, "", 5, "甲\n乙", "甲" * 201)),
        *({"company": {key: value for key, value in whole.items() if key != name}} for name in whole),
    ]
    for said in answers:
        body = json.dumps(said, ensure_ascii=False).encode()
        with answering(200, body) as where, pytest.raises(RegistryUnavailable):
            Registry(where, TOKEN).record(KNOWN.uscc)
