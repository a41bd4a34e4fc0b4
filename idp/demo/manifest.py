"""The demo world as tools read it: addresses, client ids, and accounts with their passwords."""

from __future__ import annotations

from typing import Any

from idp.demo import addresses, world

CLIENTS = {
    "social_insurance": "social-insurance",
    "phone": "jishiban",
    "social_card": "social-card",
    "licence": "licence",
}
"""Name of an application to its client id; secrets never stand in the manifest."""


def manifest(*, issuer: str, port_base: int) -> dict[str, Any]:
    """What ``/demo/manifest.json`` says (the first of each list is live and known to every portal)."""
    return {
        "issuer": issuer,
        "apps": addresses.app_urls(port_base),
        "accounts": {
            "legal": [_legal(company) for company in world.COMPANIES],
            "operator": [_operator(mandate) for mandate in world.MANDATES],
            "person": [_person(person) for person in world.PEOPLE],
            "staff": [_staff(member) for member in world.STAFF],
        },
        "clients": CLIENTS,
    }


def _legal(company: world.DemoCompany) -> dict[str, Any]:
    representative = world.person(company.representative)
    return {
        "case": company.case,
        "account": company.account,
        "uscc": company.uscc,
        "password": world.LEGAL_PASSWORD if company.account else None,
        "name": company.name,
        "type": company.type.value,
        "representative": representative.name,
        "phone": company.phone,
        **_document(representative),
    }


def _operator(mandate: world.DemoMandate) -> dict[str, Any]:
    company, person = world.company(mandate.company), world.person(mandate.person)
    return {
        "case": mandate.case,
        "enterprise": company.account,
        "uscc": company.uscc,
        "enterprise_name": company.name,
        "account": person.phone,
        "phone": person.phone,
        **_document(person),
        "name": person.name,
        "password": mandate.password,
        "must_change": mandate.must_change,
        "manage_operators": mandate.manage_operators,
        "manage_seals": mandate.manage_seals,
    }


def _person(person: world.DemoPerson) -> dict[str, Any]:
    return {
        "case": person.case,
        "account": person.key,
        "phone": person.phone,
        **_document(person),
        "name": person.name,
        "password": world.PERSON_PASSWORD,
        "mandates": [
            {"uscc": world.company(mandate.company).uscc, "case": mandate.case}
            for mandate in world.MANDATES
            if mandate.person == person.key
        ],
    }


def _document(person: world.DemoPerson) -> dict[str, str | None]:
    until = person.id_valid_until
    return {
        "id_number": person.id_number,
        "id_valid_from": person.id_valid_from.isoformat(),
        "id_valid_until": until.isoformat() if until else None,
    }


def _staff(member: world.DemoStaff) -> dict[str, Any]:
    return {
        "case": member.case,
        "account": member.account,
        "password": world.STAFF_PASSWORD,
        "totp_secret": member.totp_secret,
        "role": member.role.value,
        "name": member.name,
    }
