"""The three password ways, each by every name that somebody may type (A05, A06, A08, A09, X1, X3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from idp.accounts.calendar import civil_day
from idp.accounts.models import Credential
from tests.login.acting import is_in, later, type_in
from tests.portals import Authorization
from tests.world import PASSWORD, ACompany, APerson, World


def full_width(text: str) -> str:
    return "".join(chr(ord(character) + 0xFEE0) for character in text)


def dialled(phone: str) -> str:
    return f"+86 {phone[:3]} {phone[3:7]}-{phone[7:]}"


COMPANY_NAMES: dict[str, Callable[[ACompany], str]] = {
    "account": lambda company: company.account,
    "account in capitals": lambda company: f" {company.account.upper()} ",
    "credit code": lambda company: company.uscc,
    "credit code, small": lambda company: company.uscc.lower(),
    "credit code, full width": lambda company: full_width(company.uscc),
    "credit code, spaced": lambda company: f"{company.uscc[:4]} {company.uscc[4:]}",
}
HUMAN_NAMES: dict[str, Callable[[APerson], str]] = {
    "phone": lambda person: person.phone,
    "phone with country": lambda person: dialled(person.phone),
    "phone, full width": lambda person: full_width(person.phone),
    "ID number": lambda person: person.id_number,
    "ID number, small x": lambda person: person.id_number.lower(),
    "ID number, spaced": lambda person: f"{person.id_number[:6]} {person.id_number[6:]}",
}
PERSON_NAMES: dict[str, Callable[[APerson], str]] = {
    **HUMAN_NAMES,
    "account": lambda person: person.account,
    "account in capitals": lambda person: person.account.upper(),
}
ENDS_IN_X = "99010019930105026X"


@pytest.fixture
def somebody(world: World) -> APerson:
    return world.a_person(id_number=ENDS_IN_X)


def test_a_company_signs_in_by_each_of_its_names(world: World) -> None:
    company = world.a_company()
    refused = [
        label
        for label, typed in COMPANY_NAMES.items()
        if not is_in(type_in(world.browser(), "legal", PASSWORD, account=typed(company)))
    ]
    assert not refused


def test_a_person_signs_in_by_each_of_his_names(world: World, somebody: APerson) -> None:
    refused = [
        label
        for label, typed in PERSON_NAMES.items()
        if not is_in(type_in(world.browser(), "person", PASSWORD, account=typed(somebody)))
    ]
    assert not refused


def test_an_operator_signs_in_by_company_code_or_account_and_phone_or_id_number(
    world: World, somebody: APerson
) -> None:
    operator = world.an_operator(person=somebody)
    company = COMPANY_NAMES["account"](operator.company)
    tried = [(company, typed(somebody)) for typed in HUMAN_NAMES.values()]
    tried += [(typed(operator.company), somebody.phone) for typed in COMPANY_NAMES.values()]
    refused = [
        pair
        for pair in tried
        if not is_in(type_in(world.browser(), "operator", PASSWORD, enterprise=pair[0], account=pair[1]))
    ]
    assert not refused


def test_an_operators_name_alone_is_not_an_account(world: World, somebody: APerson) -> None:
    operator = world.an_operator(person=somebody)
    page = type_in(
        world.browser(),
        "operator",
        PASSWORD,
        enterprise=operator.company.uscc,
        account=somebody.account,
    )
    assert not is_in(page)


def test_an_operator_is_known_by_the_phone_his_company_recorded(world: World) -> None:
    operator = world.an_operator()
    with world.write() as db:
        db.merge(operator.mandate).set_phone(world.backends.vault, "13700000099")
    at = operator.company.uscc
    browser = world.browser()
    assert not is_in(type_in(browser, "operator", PASSWORD, enterprise=at, account=operator.phone))
    assert is_in(type_in(browser, "operator", PASSWORD, enterprise=at, account="13700000099"))
    assert "137****0099" in browser.open("/center/operator").text


def test_a_mandates_password_opens_that_mandate_alone(world: World) -> None:
    person = world.a_person(password="My own secret 1")
    first, second = world.an_operator(person=person), world.an_operator(person=person)
    with world.write() as db:
        db.execute(
            update(Credential)
            .where(Credential.mandate_id == second.mandate.id)
            .values(password_hash=world.hash("The second one 2"))
        )
    assert not is_in(
        type_in(
            world.browser(),
            "operator",
            PASSWORD,
            enterprise=second.company.uscc,
            account=person.phone,
        )
    )
    assert not is_in(type_in(world.browser(), "person", PASSWORD, account=person.phone))
    assert is_in(
        type_in(world.browser(), "operator", PASSWORD, enterprise=first.company.uscc, account=person.phone)
    )


def test_a_bare_sign_in_ends_at_the_first_page_of_ones_centre(world: World) -> None:
    company, operator, person = world.a_company(), world.an_operator(), world.a_person()
    assert world.browser().sign_in_legal(company).url == "/center/enterprise"
    assert world.browser().sign_in_operator(operator).url == "/center/operator"
    assert world.browser().sign_in_person(person).url == "/center/person"


def test_whoever_is_signed_in_is_not_asked_again(world: World) -> None:
    browser = world.browser()
    browser.sign_in_person(world.a_person())
    assert browser.open("/login").url == "/center/person"


@pytest.mark.parametrize("way", ["legal", "operator", "person"])
def test_the_pages_own_form_is_the_first_and_the_three_ways_are_tabs(world: World, way: str) -> None:
    page = world.browser().open(f"/login/{way}")
    assert {"account", "password", "captcha", "captcha_id", "csrf_token"} <= set(page.form()["fields"])
    assert all(label in page.text for label in ("法人登录", "经办人登录", "个人登录"))


def test_a_password_is_taken_as_it_was_typed(world: World) -> None:
    exact = " Köder\0 42 好 "
    person = world.a_person(password=exact)
    company = world.a_company(password="A" * 70 + "1!" + "z")
    others = ("Köder\0 42 好 ", " Köder\0 42 好", " Köder 42 好 ", " Köder", " köder\0 42 好 ")
    refused = [type_in(world.browser(), "person", other, account=person.phone) for other in others[:4]]
    assert not any(is_in(page) for page in refused)
    assert is_in(type_in(world.browser(), "person", exact, account=person.phone))
    assert is_in(type_in(world.browser(), "person", " Ko\u0308der\0 42 好 ", account=person.phone))
    cut = "A" * 70 + "1!"
    assert not is_in(type_in(world.browser(), "legal", cut, account=company.account))
    assert not is_in(type_in(world.browser(), "legal", cut + "y", account=company.account))
    assert is_in(type_in(world.browser(), "legal", cut + "z", account=company.account))


def test_a_very_long_password_is_refused_without_being_hashed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = world.a_person()
    hashed: list[int] = []
    monkeypatch.setattr(
        "argon2.PasswordHasher.verify", lambda _self, _hash, password: hashed.append(len(password))
    )
    page = type_in(world.browser(), "person", "a1" * 50_000, account=person.phone)
    assert "密码太长" in page.text
    assert not hashed


def test_a_hint_of_the_portal_fills_the_name_only(world: World) -> None:
    browser = world.browser()
    page = browser.open(Authorization(world.a_client()).address(login_hint='"><b>hint'))
    assert page.form()["fields"]["account"] == '"><b>hint'
    assert "<b>hint" not in page.html


def test_what_a_mandate_may_not_open_today_it_opens_on_its_first_day(world: World) -> None:
    tomorrow = civil_day(world.now()) + timedelta(days=1)
    operator = world.an_operator(first_day=tomorrow, last_day=tomorrow)
    names = {"enterprise": operator.company.uscc, "account": operator.phone}
    assert not is_in(type_in(world.browser(), "operator", PASSWORD, **names))
    with later(days=1):
        assert is_in(type_in(world.browser(), "operator", PASSWORD, **names))
    with later(days=2):
        assert not is_in(type_in(world.browser(), "operator", PASSWORD, **names))


@pytest.mark.parametrize("kind", ["legal", "operator", "person"])
def test_a_sign_in_page_leads_to_the_reset_of_its_account_and_a_companys_to_its_activation(
    world: World, kind: str
) -> None:
    """A07; a company's to the appeal too, and registration is linked where it is offered."""
    html = world.browser().open(f"/login/{kind}").html
    assert f'href="/reset/{kind}"' in html
    assert ('href="/activate"' in html) is (kind == "legal")
    assert ('href="/appeal"' in html) is (kind == "legal")
    assert 'href="/register"' not in html
    with world.rewired(
        population_url="http://localhost:9/p", population_token="t", face_at_registration=False
    ) as there:
        assert 'href="/register"' in there.browser().open(f"/login/{kind}").html
