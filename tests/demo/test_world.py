"""The facts of the demo are nobody's, agree with themselves and with what the portals know."""

from __future__ import annotations

import json
from base64 import b32decode

import pytest

from idp.accounts.identifiers import parse_account, parse_phone, parse_resident_id, parse_uscc
from idp.accounts.models import EnterpriseStatus, EnterpriseType, IdType
from idp.accounts.passwords import check_new_password
from idp.accounts.staff import StaffRole
from idp.demo import world
from idp.demo.manifest import manifest
from tests.conftest import make_settings
from tests.house.tree import ROOT

MANIFEST = manifest(issuer="http://localhost:8000", port_base=8000)
ACCOUNTS = MANIFEST["accounts"]
RECORDS = json.loads((ROOT / "relying_parties/social_insurance/demo_records.json").read_text("utf-8"))
UNITS = {unit["uscc"]: unit for unit in RECORDS["units"]}
REGISTRIES = json.loads((ROOT / "relying_parties/simulators/demo_records.json").read_text("utf-8"))
COMPANIES = {company.uscc: company for company in world.COMPANIES}
PEOPLE = {person.id_number: person for person in world.PEOPLE}


def test_every_number_is_canonical_and_nobodys() -> None:
    for person in world.PEOPLE:
        assert parse_resident_id(person.id_number) == person.id_number
        assert person.id_number.startswith("990100")
        assert parse_phone(person.phone) == person.phone
    for company in world.COMPANIES:
        assert parse_uscc(company.uscc) == company.uscc
        assert company.uscc[2:8] == "990100"
        if company.account:
            assert parse_account(company.account, shortest=6, longest=20) == company.account


def test_nothing_is_there_twice() -> None:
    for values in (
        [person.key for person in world.PEOPLE]
        + [company.account for company in world.COMPANIES if company.account],
        [person.id_number for person in world.PEOPLE],
        [person.phone for person in world.PEOPLE],
        [company.uscc for company in world.COMPANIES],
        [(mandate.company, mandate.person) for mandate in world.MANDATES],
    ):
        assert len(values) == len(set(values))


@pytest.mark.parametrize("kind", ["legal", "operator", "person"])
def test_every_password_meets_the_policy(kind: str) -> None:
    for account in ACCOUNTS[kind]:
        if account["password"]:
            about = (account["account"], account["phone"], account["id_number"])
            check_new_password(account["password"], settings=make_settings(database_url="x"), about=about)


def test_the_social_insurance_portal_knows_the_same_companies_and_people() -> None:
    for uscc, unit in UNITS.items():
        company = COMPANIES[uscc]
        assert unit["name"] == company.name
        representative = world.person(company.representative)
        known = unit["legal_representative"]
        assert (known["name"], known["id_number"]) == (representative.name, representative.id_number)
        for operator in unit["operators"]:
            person = PEOPLE[operator["id_number"]]
            assert operator["name"] == person.name
            assert (company.key, person.key) in {(m.company, m.person) for m in world.MANDATES}


def test_the_people_registry_has_everybody_on_record_in_every_element() -> None:
    on_record = {person["id_number"]: person for person in REGISTRIES["people"]}
    for person in world.PEOPLE:
        until = person.id_valid_until
        assert on_record[person.id_number] == {
            "name": person.name,
            "id_type": IdType.RESIDENT,
            "id_number": person.id_number,
            "valid_from": person.id_valid_from.isoformat(),
            "valid_until": until.isoformat() if until else None,
            "phone": person.phone,
        }


def test_the_business_registry_has_every_company_on_record_in_every_element() -> None:
    on_record = {company["uscc"]: company for company in REGISTRIES["companies"]}
    for company in world.COMPANIES:
        representative = world.person(company.representative)
        assert on_record[company.uscc] == {
            "uscc": company.uscc,
            "name": company.name,
            "type": company.type.value,
            "representative_name": representative.name,
            "representative_id_type": IdType.RESIDENT,
            "representative_id_number": representative.id_number,
            "status": company.status.value,
        }


def test_one_company_is_known_to_the_registries_and_to_nobody_else() -> None:
    """It and its representative can be registered by hand, as docs/simulators.md says."""
    [company] = [known for known in REGISTRIES["companies"] if known["uscc"] not in COMPANIES]
    [person] = [known for known in REGISTRIES["people"] if known["id_number"] not in PEOPLE]
    assert parse_uscc(company["uscc"]) == company["uscc"]
    assert parse_resident_id(person["id_number"]) == person["id_number"]
    assert {company["uscc"][2:8], person["id_number"][:6]} == {"990100"}
    assert (company["type"], company["status"]) == (EnterpriseType.COMPANY, EnterpriseStatus.NORMAL)
    names = ("name", "id_type", "id_number")
    assert [company[f"representative_{name}"] for name in names] == [person[name] for name in names]
    assert parse_phone(person["phone"]) == person["phone"]
    assert person["phone"] not in {somebody.phone for somebody in world.PEOPLE}
    page = (ROOT / "docs/simulators.md").read_text("utf-8")
    for told in (
        company["uscc"],
        company["name"],
        *(person[name] for name in ("name", "id_number", "phone")),
    ):
        assert f"| {told} |" in page


def test_the_first_of_each_list_is_live_and_known_to_the_portal() -> None:
    legal, operator, person = (ACCOUNTS[kind][0] for kind in ("legal", "operator", "person"))
    assert {legal["case"], operator["case"], person["case"]} == {"live"}
    assert legal["uscc"] in UNITS
    listed = [known["id_number"] for known in UNITS[operator["uscc"]]["operators"]]
    assert operator["id_number"] in listed


def test_the_portal_refuses_one_of_the_companies_of_an_operator_of_two() -> None:
    mine = [account for account in ACCOUNTS["operator"] if account["case"] == "several"]
    lists = [
        any(known["id_number"] == account["id_number"] for known in UNITS[account["uscc"]]["operators"])
        for account in mine
    ]
    assert sorted(lists) == [False, True]


def test_the_manifest_covers_the_cases_of_the_contract() -> None:
    cases = {kind: {account["case"] for account in accounts} for kind, accounts in ACCOUNTS.items()}
    assert cases["legal"] >= {"live", "pending", "revoked", "deregistered"}
    assert cases["operator"] >= {"live", "several", "expired", "future", "first_use"}
    assert cases["person"] >= {"live", "several", "none"}
    rights = [
        (account["manage_operators"], account["manage_seals"])
        for account in ACCOUNTS["operator"]
        if account["uscc"] == ACCOUNTS["legal"][0]["uscc"] and account["case"] == "live"
    ]
    assert rights == [(True, True), (False, False)]


def test_there_is_a_staff_member_for_each_role_the_first_an_administrator() -> None:
    roles = [account["role"] for account in ACCOUNTS["staff"]]
    assert roles[0] == "administrator"
    assert sorted(roles) == sorted(StaffRole)
    assert {account["case"] for account in ACCOUNTS["staff"]} == {"live"}
    for account in ACCOUNTS["staff"]:
        about = (account["account"], account["name"])
        check_new_password(account["password"], settings=make_settings(database_url="x"), about=about)
        assert len(b32decode(account["totp_secret"])) == 20  # RFC 4226 §4: 160 bits


def test_a_company_not_yet_activated_has_neither_account_nor_password() -> None:
    [pending] = [account for account in ACCOUNTS["legal"] if account["case"] == "pending"]
    assert (pending["account"], pending["password"]) == (None, None)


def test_a_person_without_any_company_has_none() -> None:
    [alone] = [account for account in ACCOUNTS["person"] if account["case"] == "none"]
    assert alone["mandates"] == []
    assert alone["account"] not in {company.representative for company in world.COMPANIES}


def test_the_manifest_tells_no_secret_of_a_client() -> None:
    assert MANIFEST["clients"] == {
        "social_insurance": "social-insurance",
        "phone": "jishiban",
        "social_card": "social-card",
        "licence": "licence",
    }
    assert MANIFEST["apps"] == {
        "idp": "http://localhost:8000",
        "social_insurance": "http://localhost:8001",
        "phone": "http://localhost:8004",
    }
