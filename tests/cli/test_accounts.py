"""`idp account`: looking at accounts, suspending and resuming them, taking away their second factors."""

from __future__ import annotations

import pyotp
import pytest

from idp.access import endings
from idp.accounts.audit import Origin
from tests.cli.conftest import Command
from tests.cli.test_clients import audited
from tests.login.acting import is_in, names_of, type_in
from tests.security.telling import key_of, texts
from tests.world import PASSWORD, ACompany, AnOperator, APerson, World


def test_a_suspended_person_is_out_and_comes_back_when_resumed(idp: Command, world: World) -> None:
    person = world.a_person()
    browser = world.browser()
    browser.sign_in_person(person)
    assert idp.does("account", "show", person.account)["live_sign_ins"] == 1
    told = idp.does("account", "suspend", person.phone, "--reason", "报失")
    assert (told["live_sign_ins"], bool(told["suspended_at"])) == (0, True)
    assert "/login" in browser.open("/center/person").url
    assert "already" in idp.refuses("account", "suspend", person.account)
    assert idp.does("account", "resume", person.account)["suspended_at"] is None
    assert "not suspended" in idp.refuses("account", "resume", person.account)
    assert "/center/person" in world.browser().sign_in_person(person).url
    actions = [action for action, actor in audited(world, f"person:{person.row.id}") if actor == "cli"]
    assert actions == ["account_suspended", "account_resumed"]


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", ["person", "legal"])
def test_the_owner_is_told_that_the_account_is_suspended_and_resumed(
    idp: Command, world: World, kind: str
) -> None:
    """MISSION Y: what happens to an account is told to the phone of record."""
    _, named = somebody_of(world, kind)
    idp.does("account", "suspend", *named)
    idp.does("account", "resume", *named)
    suspended, resumed = texts(world)
    assert "已停用，全部登录已退出" in suspended["text"]
    assert "已恢复使用" in resumed["text"]


@pytest.mark.parametrize("by", ["uscc", "account"])
def test_a_company_is_found_by_credit_code_and_by_account(idp: Command, world: World, by: str) -> None:
    company = world.a_company()
    told = idp.does("account", "show", getattr(company, by))
    assert (told["uscc"], told["name"], told["state"]) == (company.uscc, company.name, "active")
    assert company.representative.name not in str(told)


def test_a_suspended_company_ends_the_sign_ins_of_its_operators(idp: Command, world: World) -> None:
    operator = world.an_operator()
    browser = world.browser()
    browser.sign_in_operator(operator)
    idp.does("account", "suspend", operator.company.uscc)
    assert "/login" in browser.open("/center/operator").url


def test_a_company_not_yet_activated_is_shown_as_pending(idp: Command, world: World) -> None:
    company = world.a_company(active=False)
    told = idp.does("account", "show", company.uscc)
    assert (told["state"], told["account"]) == ("pending", None)


@pytest.mark.parametrize("command", ["show", "suspend", "resume"])
@pytest.mark.parametrize("name", ["nobody", "", "\udcff", "9" * 5000, "91990100MA0TX00115", "13800000001"])
def test_a_name_nobody_has_is_refused(embedded: Command, command: str, name: str) -> None:
    assert "No account" in embedded.refuses("account", command, name)


def test_a_reason_that_cannot_be_shown_is_refused(embedded: Command) -> None:
    assert "printable" in embedded.refuses("account", "suspend", "somebody", "--reason", "a\x07b")


def test_no_personal_data_come_into_the_trail_with_a_reason(idp: Command, world: World) -> None:
    """A reason that is typed is read as at the console (SECURITY 76, 81)."""
    person, operator = world.a_person(name="欧阳小明"), world.an_operator()
    of_operator = (operator.company.uscc, "--operator", operator.person.phone)
    for arguments in (
        ("suspend", person.account, "--reason", "欧阳 小明 报失"),
        ("suspend", person.account, "--reason", "来电 138 0013 8000"),
        ("suspend", operator.company.uscc, "--reason", f"{operator.company.representative.name}来电"),
        ("reset-factors", person.account, "--reason", f"证件 {person.id_number}"),
        ("resume", *of_operator, "--reason", f"{operator.person.name}来电"),
    ):
        assert "no name, phone or ID number" in idp.refuses("account", *arguments)


def lock(world: World, somebody: APerson | ACompany | AnOperator) -> None:
    """Somebody said 不是我."""
    here = world.platform
    with world.write() as db:
        key = key_of(world, somebody)
        endings.lock(db, here.vault, here.trail, here.notifier, key, Origin("notice:x"), now=world.now())


def somebody_of(world: World, kind: str) -> tuple[APerson | ACompany | AnOperator, list[str]]:
    """An account and the arguments that name it."""
    if kind == "person":
        person = world.a_person()
        return person, [person.account]
    if kind == "legal":
        company = world.a_company()
        return company, [company.uscc]
    operator = world.an_operator()
    return operator, [operator.company.uscc, "--operator", operator.phone]


@pytest.mark.parametrize("kind", ["person", "legal", "mandate"])
def test_a_locked_account_is_shown_as_such_and_opens_again_when_resumed(
    idp: Command, world: World, kind: str
) -> None:
    somebody, named = somebody_of(world, kind)
    assert idp.does("account", "show", *named)["locked_at"] is None
    lock(world, somebody)
    assert idp.does("account", "show", *named)["locked_at"]
    way, names = names_of(somebody)
    assert not is_in(type_in(world.browser(), way, PASSWORD, **names))
    assert idp.does("account", "resume", *named, "--reason", "核实了身份")["locked_at"] is None
    assert is_in(type_in(world.browser(), way, PASSWORD, **names))
    assert "not locked" in idp.refuses("account", "resume", *named)
    assert audited(world, key_of(world, somebody))[-2][0] == "account_unlocked"


def test_whoever_resumes_a_locked_account_is_told_that_its_password_is_the_old_one(
    idp: Command, world: World
) -> None:
    person = world.a_person()
    lock(world, person)
    assert "password it had" in idp("account", "resume", person.account).out


def test_a_company_and_its_operator_are_resumed_apart(idp: Command, world: World) -> None:
    operator = world.an_operator()
    lock(world, operator)
    lock(world, operator.company)
    idp.does("account", "resume", operator.company.account)
    assert idp.does("account", "show", operator.company.uscc, "--operator", operator.phone)["locked_at"]


@pytest.mark.parametrize("kind", ["person", "legal", "mandate"])
def test_factors_are_counted_by_kind_and_all_taken_away(idp: Command, world: World, kind: str) -> None:
    somebody, named = somebody_of(world, kind)
    key = key_of(world, somebody)
    browser = world.browser()
    way, names = names_of(somebody)
    page = type_in(browser, way, PASSWORD, **names)
    assert is_in(page)
    secrets = [world.a_totp(key), world.a_totp(key)]
    assert idp.does("account", "show", *named)["factors"] == {"totp": 2}
    assert "2 totp" in idp("account", "show", *named).out
    told = idp.does("account", "reset-factors", *named, "--reason", "手机丢失")
    assert (told["factors"], told["live_sign_ins"]) == ({}, 0)
    assert "/login" in browser.open("/center/person").url
    assert ("factor_removed", "cli") in audited(world, key)
    assert texts(world)[-1]["purpose"] == "factor_removed"
    assert pyotp.TOTP(secrets[0]).now() not in str(texts(world))
    assert is_in(type_in(world.browser(), way, PASSWORD, **names)), "its password opens it alone"
    assert "no second factor" in idp.refuses("account", "reset-factors", *named, "--reason", "again")


def test_factors_are_taken_away_for_a_reason_alone(idp: Command, world: World) -> None:
    person = world.a_person()
    world.a_totp(f"person:{person.row.id}")
    assert "--reason" in idp.refuses("account", "reset-factors", person.account)
    assert "--reason" in idp.refuses("account", "reset-factors", person.account, "--reason", " ")
    assert idp.does("account", "show", person.account)["factors"] == {"totp": 1}


@pytest.mark.parametrize("typed", ["13811112222", "nobody", "%", "9" * 5000, "\udcff"])
def test_an_operator_nobody_has_is_refused(idp: Command, world: World, typed: str) -> None:
    company = world.a_company()
    for command in ("show", "resume", "reset-factors"):
        reason = () if command == "show" else ("--reason", "a test")
        said = idp.refuses("account", command, company.uscc, "--operator", typed, *reason)
        assert "operator" in said


def test_a_person_has_no_operators(idp: Command, world: World) -> None:
    operator = world.an_operator()
    said = idp.refuses("account", "show", operator.person.account, "--operator", operator.phone)
    assert "No company" in said


def test_what_is_printed_of_an_operator_is_masked(idp: Command, world: World) -> None:
    operator = world.an_operator()
    for answer in (
        idp("account", "show", operator.company.uscc, "--operator", operator.person.id_number),
        idp("account", "show", operator.company.uscc, "--operator", operator.phone, "--json"),
    ):
        assert operator.company.uscc in answer.out
        for private in (operator.person.name, operator.phone, operator.person.id_number):
            assert private not in answer.out
