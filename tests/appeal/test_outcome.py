"""What an approval would change: what was told beside our own rows, and what forbids it (E17, X21)."""

from __future__ import annotations

from typing import Any

from idp.accounts import locks
from idp.accounts.models import EnterpriseStatus, EnterpriseType
from idp.appeal.models import Statement
from idp.appeal.outcome import CHANGE_WORDS, Change, Plan
from tests.appeal.approving import planned, without_account
from tests.appeal.builders import an_appeal, told_of
from tests.security.telling import key_of
from tests.world import ACompany, World, a_resident_number


def plan_of(world: World, told: Statement, company: ACompany | None = None) -> Plan:
    return planned(world, an_appeal(world, told=told, company=company))


def changes(world: World, company: ACompany, **told: Any) -> tuple[Change, ...]:
    found = plan_of(world, told_of(company, **told), company)
    assert not found.obstacles
    return found.changes


def test_a_company_nobody_knows_is_registered_after_a_second_approval(world: World) -> None:
    found = plan_of(world, told_of())
    assert (found.changes, found.obstacles, found.remarks) == ((Change.REGISTER,), (), ())
    assert found.needs_second


def test_a_taken_account_name_is_no_obstacle_and_is_said(world: World) -> None:
    taken = world.a_person().account
    for plan in (
        plan_of(world, told_of(account=taken)),
        plan_of(world, told_of(pending := world.a_company(active=False), account=taken), pending),
    ):
        assert not plan.obstacles
        assert f"填写的法人账号 {taken} 已被使用" in plan.remarks[0]


def test_a_company_that_is_here_is_not_registered_anew(world: World) -> None:
    for company, way in (
        (world.a_company(), "直接登录或重置密码"),
        (world.a_company(active=False), "激活账号"),
    ):
        found = plan_of(world, told_of(company))
        assert found.changes == ()
        assert way in found.obstacles[0]


def test_a_company_that_is_not_here_cannot_be_corrected(world: World) -> None:
    company = world.a_company()
    told = told_of(uscc=told_of().claim.uscc)
    found = planned(world, an_appeal(world, told=told, company=company))
    assert found.changes == ()
    assert "辅助企业注册申诉" in found.obstacles[0]


def test_what_differs_is_changed_and_what_weighs_is_approved_twice(world: World) -> None:
    company, other = world.a_company(), a_resident_number(90_001)
    without_account(world, company.representative)
    name = company.name
    for told, expected, twice in (
        ({}, (), False),
        ({"name": f" {name}".replace("有", " 有")}, (), False),
        ({"name": f"新{name}"}, (Change.COMPANY_NAME,), False),
        ({"phone": "13500000001"}, (Change.PHONE,), True),
        ({"representative_name": "林大满"}, (Change.NAME,), True),
        ({"id_number": other, "representative_name": "新法人"}, (Change.REPRESENTATIVE,), True),
        (
            {"id_number": other, "phone": "13500000001", "name": f"新{name}"},
            (Change.PHONE, Change.REPRESENTATIVE, Change.COMPANY_NAME),
            True,
        ),
    ):
        found = plan_of(world, told_of(company, **told), company)
        assert (found.changes, found.obstacles) == ((*expected, Change.PASSWORD), ()), told
        assert found.needs_second is twice, told
    assert set(CHANGE_WORDS) == set(Change)


def test_an_account_that_waits_is_activated_and_one_without_a_phone_gets_one(world: World) -> None:
    company = world.a_company(active=False)
    assert changes(world, company) == (Change.ACTIVATE, Change.PHONE)


def test_what_is_told_and_never_changed_is_said(world: World) -> None:
    company = world.a_company()
    told = told_of(company, account="another_name", type=EnterpriseType.INSTITUTION.value)
    found = plan_of(world, told, company)
    assert found.changes == (Change.PASSWORD,)
    assert [f"平台上的是 {company.account}" in found.remarks[0], "类型不会更改" in found.remarks[1]] == [
        True
    ] * 2


def test_who_has_a_password_of_his_own_is_not_renamed_by_a_company(world: World) -> None:
    company, stranger = world.a_company(), world.a_person(name="周末")
    for plan in (
        plan_of(world, told_of(company, representative_name="林大满"), company),
        plan_of(world, told_of(company, id_number=stranger.id_number), company),
        plan_of(world, told_of(id_number=stranger.id_number)),
    ):
        assert Change.NAME not in plan.changes
        assert "已经注册了个人账号" in plan.obstacles[0]


def test_who_represents_a_company_already_under_a_misspelt_name_is_corrected_with_it(world: World) -> None:
    holder = world.a_person(name="林小曼")
    without_account(world, holder)
    told = told_of(id_number=holder.id_number, representative_name="林小满")
    assert plan_of(world, told).changes == (Change.REGISTER, Change.NAME)


def test_who_may_not_act_is_not_let_in_by_an_appeal(world: World) -> None:
    company, now = world.a_company(), world.now()
    for status, suspended, words in (
        (EnterpriseStatus.REVOKED, None, "营业执照已被吊销，不能由申诉恢复"),
        (EnterpriseStatus.DEREGISTERED, None, "已注销，不能由申诉恢复"),
        (EnterpriseStatus.NORMAL, now, "已停用，不能由申诉恢复"),
    ):
        with world.write() as db:
            row = db.merge(company.row)
            row.status, row.suspended_at = status.value, suspended
        assert words in plan_of(world, told_of(company), company).obstacles[0]
    with world.write() as db:
        db.merge(company.row).suspended_at = None
        db.merge(company.representative.row).suspended_at = now
    for told, about in (
        (told_of(company), company),
        (told_of(id_number=company.representative.id_number), None),
    ):
        assert "个人账号已停用" in plan_of(world, told, about).obstacles[0]


def test_an_account_its_owner_locked_may_be_opened_by_an_appeal(world: World) -> None:
    company = world.a_company()
    with world.write() as db:
        assert locks.lock(db, key_of(world, company), now=world.now())
    assert changes(world, company) == (Change.PASSWORD,)
