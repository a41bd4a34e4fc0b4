"""As whom a person may act who proved that he is himself, and what he hears where he may not."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from idp.access import endings
from idp.accounts import locks, obstacles
from idp.accounts.calendar import civil_day
from idp.accounts.identity import Role
from idp.accounts.models import Enterprise, EnterpriseStatus, Mandate, Person
from idp.accounts.standing import HIMSELF, NoSuchStanding, Standing, find_standing, standings
from tests.world import ACompany, AnOperator, APerson, World


def all_of(world: World, person: APerson) -> list[str]:
    """The keys of all that the person may be now."""
    with world.reading() as db:
        return [found.key for found in standings(db, db.get_one(Person, person.row.id), now=world.now())]


def found_by(world: World, person: APerson, key: str) -> Standing:
    """What a key opens for the person."""
    with world.reading() as db:
        return find_standing(db, db.get_one(Person, person.row.id), key, now=world.now())


def legal(company: ACompany) -> str:
    """The key of a company's representative."""
    return f"legal:{company.row.id}"


def mandate(operator: AnOperator) -> str:
    """The key of a mandate."""
    return f"mandate:{operator.mandate.id}"


def refusal(world: World, person: APerson, key: str) -> str:
    """The sentence the person hears instead."""
    with pytest.raises(NoSuchStanding) as refused:
        found_by(world, person, key)
    return str(refused.value)


def test_a_person_is_his_companies_representative_his_mandates_operator_and_himself(world: World) -> None:
    company, other = world.a_company(), world.a_company()
    person = company.representative
    operator = world.an_operator(other, person)
    assert all_of(world, person) == [legal(company), mandate(operator), HIMSELF]


def test_each_key_opens_its_own_identity(world: World) -> None:
    company, other = world.a_company(), world.a_company()
    person = company.representative
    operator = world.an_operator(other, person)
    as_legal = found_by(world, person, legal(company)).identity
    assert (as_legal.role, as_legal.enterprise_id) == (Role.LEGAL_REPRESENTATIVE, company.row.id)
    assert as_legal.legal_account_id is not None
    as_operator = found_by(world, person, mandate(operator)).identity
    assert (as_operator.role, as_operator.mandate_id) == (Role.OPERATOR, operator.mandate.id)
    assert found_by(world, person, HIMSELF).identity.role is Role.NATURAL_PERSON


def test_what_is_somebody_elses_does_not_exist(world: World) -> None:
    stranger, company = world.a_person(), world.a_company()
    operator = world.an_operator(company)
    assert all_of(world, stranger) == [HIMSELF]
    unknown = refusal(world, stranger, mandate(operator))
    assert unknown == refusal(world, stranger, f"mandate:{uuid4()}")
    assert refusal(world, stranger, legal(company)) == refusal(world, stranger, f"legal:{uuid4()}")


@pytest.mark.parametrize(
    "key", ["", "legal:", "mandate:x", "staff:1", "person:", "mandate:\0", "legal:" + "9" * 500]
)
def test_a_key_that_is_none_is_refused(world: World, key: str) -> None:
    assert "请重新选择" in refusal(world, world.a_person(), key)


@pytest.mark.parametrize("status", [EnterpriseStatus.REVOKED, EnterpriseStatus.DEREGISTERED])
def test_a_company_that_is_no_more_is_not_offered_and_says_why(
    world: World, status: EnterpriseStatus
) -> None:
    company = world.a_company(status=status)
    assert all_of(world, company.representative) == [HIMSELF]
    assert "不能登录" in refusal(world, company.representative, legal(company))


def test_a_company_still_to_be_activated_is_not_offered_and_says_why(world: World) -> None:
    company = world.a_company(active=False)
    assert all_of(world, company.representative) == [HIMSELF]
    assert "待激活" in refusal(world, company.representative, legal(company))


def test_a_suspended_company_opens_neither_to_its_representative_nor_to_its_operators(world: World) -> None:
    company = world.a_company()
    operator = world.an_operator(company)
    with world.write() as db:
        db.get_one(Enterprise, company.row.id).suspended_at = world.now()
    assert all_of(world, company.representative) == [HIMSELF]
    assert all_of(world, operator.person) == [HIMSELF]
    assert "已停用" in refusal(world, company.representative, legal(company))
    assert "已停用" in refusal(world, operator.person, mandate(operator))


def test_the_representative_of_yesterday_represents_it_no_more(world: World) -> None:
    company, successor = world.a_company(), world.a_person()
    with world.write() as db:
        db.get_one(Enterprise, company.row.id).representative_id = successor.row.id
    assert all_of(world, company.representative) == [HIMSELF]
    assert "不是这家企业的法定代表人" in refusal(world, company.representative, legal(company))
    assert all_of(world, successor) == [legal(company), HIMSELF]


def test_an_ended_mandate_is_not_offered_and_says_so(world: World) -> None:
    operator = world.an_operator()
    with world.write() as db:
        db.get_one(Mandate, operator.mandate.id).ended_at = world.now()
    assert all_of(world, operator.person) == [HIMSELF]
    assert "已结束对您的授权" in refusal(world, operator.person, mandate(operator))


@pytest.mark.parametrize(("begins", "ends", "said"), [(-30, -1, "到期"), (1, 30, "起生效")])
def test_a_mandate_counts_on_its_days_alone(world: World, begins: int, ends: int, said: str) -> None:
    today = civil_day(world.now())
    operator = world.an_operator(
        first_day=today + timedelta(days=begins), last_day=today + timedelta(days=ends)
    )
    assert all_of(world, operator.person) == [HIMSELF]
    assert said in refusal(world, operator.person, mandate(operator))


def test_an_account_whose_owner_said_not_me_opens_to_its_representatives_own_proof_neither(
    world: World,
) -> None:
    company = world.a_company()
    person = company.representative
    with world.write() as db:
        locks.lock(db, endings.key_of(db, company.row), now=world.now())
    assert all_of(world, person) == [HIMSELF]
    assert refusal(world, person, legal(company)) == obstacles.LOCKED
