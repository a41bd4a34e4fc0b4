"""What a stranger may learn from a refusal: nothing; what the owner is told: what to do (SECURITY 1, 5)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import argon2
import pytest
from sqlalchemy import select

from idp.access import endings
from idp.accounts.audit import AuditEvent, Origin
from idp.accounts.calendar import civil_day
from idp.accounts.models import EnterpriseStatus
from tests.login.acting import VAGUE, WRONG, is_in, names_of, type_in, what_a_stranger_sees
from tests.world import PASSWORD, ACompany, AnOperator, APerson, World, a_credit_code, error_sentences

Case = tuple[str, APerson | ACompany | AnOperator, str]


def suspend(world: World, row: Any) -> None:
    with world.write() as db:
        backends = world.backends
        endings.suspend(
            db, backends.vault, backends.trail, db.merge(row), Origin(), reason="a test", now=world.now()
        )


def end_mandate(world: World, operator: AnOperator) -> None:
    with world.write() as db:
        backends = world.backends
        mandate = db.merge(operator.mandate)
        endings.end_mandate(db, backends.vault, backends.trail, mandate, Origin(), now=world.now())


def suspended_person(world: World) -> APerson:
    person = world.a_person()
    suspend(world, person.row)
    return person


def suspended_company(world: World) -> ACompany:
    company = world.a_company()
    suspend(world, company.row)
    return company


def of_a_suspended_company(world: World) -> AnOperator:
    return world.an_operator(suspended_company(world))


def with_a_suspended_representative(world: World) -> ACompany:
    company = world.a_company()
    suspend(world, company.representative.row)
    return company


def ended(world: World) -> AnOperator:
    operator = world.an_operator()
    end_mandate(world, operator)
    return operator


def expired(world: World) -> AnOperator:
    last = civil_day(world.now()) - timedelta(days=1)
    return world.an_operator(first_day=last - timedelta(days=9), last_day=last)


def future(world: World) -> AnOperator:
    first = civil_day(world.now()) + timedelta(days=1)
    return world.an_operator(first_day=first)


OBSTACLES: dict[str, tuple[Callable[[World], APerson | ACompany | AnOperator], str]] = {
    "a suspended person": (suspended_person, "您的账号已停用。请拨打服务热线了解原因。"),
    "a suspended company": (suspended_company, "该企业的账号已停用。请拨打服务热线了解原因。"),
    "an operator of a suspended company": (of_a_suspended_company, "该企业的账号已停用"),
    "a suspended representative": (with_a_suspended_representative, "您的账号已停用"),
    "吊销": (lambda world: world.a_company(status=EnterpriseStatus.REVOKED), "营业执照已被吊销"),
    "注销": (lambda world: world.a_company(status=EnterpriseStatus.DEREGISTERED), "该企业已注销"),
    "an operator of a company 吊销": (
        lambda world: world.an_operator(world.a_company(status=EnterpriseStatus.REVOKED)),
        "营业执照已被吊销",
    ),
    "an ended mandate": (ended, "企业已结束对您的授权"),
    "an expired mandate": (expired, "日到期。请联系企业的法定代表人续期"),
    "a future mandate": (future, "日起生效，到那天再登录"),
}


@pytest.mark.parametrize("case", OBSTACLES)
def test_why_it_does_not_open_is_said_after_the_right_password_alone(world: World, case: str) -> None:
    make, sentence = OBSTACLES[case]
    way, names = names_of(somebody := make(world))
    wrong = type_in(world.browser(), way, WRONG, **names)
    right = type_in(world.browser(), way, PASSWORD, **names)
    assert error_sentences(wrong) == [VAGUE], somebody
    assert sentence in error_sentences(right)[0]
    assert "idp_session=" not in right.response.headers.get("Set-Cookie", "")


def strangers_tries(world: World) -> dict[str, tuple[str, dict[str, str]]]:
    """Wrong passwords for somebody, for nobody, for the wrong kind, for what may not come in."""
    person, company, operator = world.a_person(), world.a_company(), world.an_operator()
    code = company.uscc
    nobody = {"account": "13812345678"}
    return {
        "person": ("person", {"account": person.phone}),
        "nobody": ("person", nobody),
        "no name at all": ("person", {"account": "%"}),
        "suspended person": ("person", {"account": suspended_person(world).phone}),
        "company as a person": ("person", {"account": company.account}),
        "operator as a person, without a password of his own": (
            "person",
            {"account": world.a_person(password=None).phone},
        ),
        "company": ("legal", {"account": code}),
        "no company": ("legal", {"account": a_credit_code(9_999_999)}),
        "company 吊销": ("legal", {"account": world.a_company(status=EnterpriseStatus.REVOKED).uscc}),
        "suspended company": ("legal", {"account": suspended_company(world).uscc}),
        "person as a company": ("legal", {"account": person.account}),
        "operator": ("operator", {"enterprise": operator.company.uscc, "account": operator.phone}),
        "nobody of a company": ("operator", {"enterprise": code, **nobody}),
        "nobody of no company": ("operator", {"enterprise": a_credit_code(9_999_999), **nobody}),
        "somebody of another company": ("operator", {"enterprise": code, "account": operator.phone}),
        "expired operator": names_of(expired(world)),
        "ended operator": names_of(ended(world)),
    }


def test_a_stranger_sees_the_same_answer_whatever_exists(world: World) -> None:
    seen: dict[str, dict[tuple[int, str, str], str]] = {}
    for label, (way, names) in strangers_tries(world).items():
        page = type_in(world.browser(), way, WRONG, **names)
        seen.setdefault(way, {})[what_a_stranger_sees(page, *names.values())] = label
        assert error_sentences(page) == [VAGUE], label
    assert {way: len(answers) for way, answers in seen.items()} == {"person": 1, "legal": 1, "operator": 1}


def test_every_refusal_costs_exactly_one_hash(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    real = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, stored: str, password: str) -> bool:
        hashed.append(stored.rsplit("$", 2)[0])
        return real(self, stored, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    tries = strangers_tries(world)
    for way, names in tries.values():
        type_in(world.browser(), way, WRONG, **names)
    assert len(hashed) == len(tries)
    assert len(set(hashed)) == 1, "a dummy of other parameters takes another time"


def test_a_wrong_captcha_says_nothing_of_the_account(world: World) -> None:
    pending = world.a_company(active=False)
    for known in (world.a_company(), pending):
        browser = world.browser()
        browser.open("/login/legal")
        page = browser.submit({"account": known.uscc, "password": PASSWORD, "captcha": "0000"})
        assert error_sentences(page) == ["图形验证码不正确，请填写新的一张"]


@pytest.mark.parametrize("password", [PASSWORD, WRONG])
def test_a_company_to_be_activated_is_told_so_whatever_the_password(world: World, password: str) -> None:
    company = world.a_company(active=False)
    page = type_in(world.browser(), "legal", password, account=company.uscc.lower())
    (told,) = error_sentences(page)
    assert "待激活" in told
    assert world.settings.hotline in told
    assert 'href="/activate"' in page.html.partition("去激活")[0], "C01"
    assert page.status == 200


def test_a_refused_try_leaves_a_trace_without_names(world: World) -> None:
    person = world.a_person()
    type_in(world.browser(address="203.0.113.7"), "person", WRONG, account=person.phone)
    type_in(world.browser(), "person", WRONG, account="13812345678")
    with world.reading() as db:
        traces = {event.target: event for event in db.scalars(select(AuditEvent))}
    assert set(traces) == {f"person:{person.row.id}", "nobody"}
    assert traces[f"person:{person.row.id}"].address == "203.0.113.7"


def test_a_mandate_that_ends_while_the_password_is_looked_at_opens_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator, browser = world.an_operator(), world.browser()
    # Signed in already, the request holds the very rows that change.
    browser.sign_in_operator(operator)
    meanwhile(world, monkeypatch, lambda: end_mandate(world, operator))
    page = browser.sign_in_operator(operator, follow=False)
    assert "企业已结束对您的授权" in error_sentences(page)[0]


@pytest.mark.parametrize("make", [suspended_person, suspended_company])
def test_an_account_suspended_while_the_password_is_looked_at_opens_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, make: Callable[[World], APerson | ACompany]
) -> None:
    somebody = world.a_person() if make is suspended_person else world.a_company()
    meanwhile(world, monkeypatch, lambda: suspend(world, somebody.row))
    way, names = names_of(somebody)
    page = type_in(world.browser(), way, PASSWORD, **names)
    assert not is_in(page)
    assert "已停用" in error_sentences(page)[0]


def meanwhile(world: World, monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Let `act` happen once, between the reading of an account and the end of its hash."""
    real = argon2.PasswordHasher.verify

    def slow(self: argon2.PasswordHasher, stored: str, password: str) -> bool:
        monkeypatch.setattr(argon2.PasswordHasher, "verify", real)
        act()
        return real(self, stored, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", slow)
