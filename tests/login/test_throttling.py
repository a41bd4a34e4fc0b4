"""Guessing over HTTP: slowed for strangers, never for the owner, whatever name is typed (SECURITY 7–14)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import argon2
import pytest

from idp.proof import captcha
from tests.adapters.arrange import at_once
from tests.login.acting import (
    TOO_MANY,
    WRONG,
    change_password,
    is_in,
    later,
    names_of,
    type_in,
    what_a_stranger_sees,
)
from tests.world import PASSWORD, APerson, Browser, Page, World, a_credit_code, a_resident_number


def try_names(world: World, way: str, typed: Iterable[dict[str, str]]) -> list[int]:
    """The status of a wrong try for each of `typed`, each in a browser and from an address of its own."""
    return [
        type_in(world.browser(address=f"198.51.100.{number}"), way, WRONG, **names).status
        for number, names in enumerate(typed, 1)
    ]


def lock(world: World, person: APerson) -> None:
    """Strangers guess until they have to wait."""
    assert try_names(world, "person", [{"account": person.phone}] * 6) == [200] * 5 + [429]


def test_after_five_wrong_tries_even_the_right_password_waits_a_minute(world: World) -> None:
    person = world.a_person()
    lock(world, person)
    page = type_in(world.browser(), "person", PASSWORD, account=person.phone)
    assert page.status == 429
    assert f"{TOO_MANY}，请过 1 分钟再试" in page.text
    assert "账号没有被锁定" in page.text
    with later(seconds=61):
        assert is_in(type_in(world.browser(), "person", PASSWORD, account=person.phone))


def test_a_further_failure_waits_longer(world: World) -> None:
    person = world.a_person()
    lock(world, person)
    with later(seconds=61):
        assert type_in(world.browser(), "person", WRONG, account=person.phone).status == 200
        page = type_in(world.browser(), "person", PASSWORD, account=person.phone)
    assert "请过 2 分钟再试" in page.text


def spelt(world: World) -> dict[str, tuple[str, list[dict[str, str]]]]:
    """Six spellings each of names that somebody has."""
    person, company = world.a_person(), world.a_company()
    operator = world.an_operator(company)
    humans = [person.phone, f"+86{person.phone}", f"{person.phone[:3]} {person.phone[3:]}"]
    humans += [person.id_number, person.account, person.account.upper()]
    code, account, phone = company.uscc, company.account, operator.phone
    number = operator.person.id_number
    return {
        "person": ("person", [{"account": name} for name in humans]),
        "company": ("legal", [{"account": name} for name in (code, code.lower(), account) * 2]),
        "operator": (
            "operator",
            [
                {"enterprise": name, "account": mine}
                for name in (code, account)
                for mine in (phone, number, f"+86{phone}")
            ],
        ),
    }


def test_all_names_of_an_account_share_one_counter(world: World) -> None:
    for label, (way, typed) in spelt(world).items():
        assert try_names(world, way, typed) == [200] * 5 + [429], label


def test_a_name_nobody_has_is_slowed_the_same_however_it_is_spelt(world: World) -> None:
    phone, code, number = "13812345678", a_credit_code(8_888_888), a_resident_number(777)
    phones = [phone, f"+86{phone}", f"0086 {phone}", f"{phone[:3]} {phone[3:]}", f"{phone[:3]}-{phone[3:]}"]
    codes = [code, code.lower(), f" {code}", f"{code[:2]} {code[2:]}", code.lower(), code]
    names = ["No_such_name", "no_such_name", "NO_SUCH_NAME ", " no_such_name", "no_such_name", "No_such_name"]
    numbers = [number, number.lower(), f"{number[:6]} {number[6:]}", f" {number}", number, number]
    company = world.a_company()
    at = (company.uscc, company.account, company.uscc.lower())
    for way, typed in (
        ("person", [{"account": name} for name in [*phones, phone]]),
        ("person", [{"account": name} for name in names]),
        ("person", [{"account": name} for name in numbers]),
        ("legal", [{"account": name} for name in codes]),
        ("operator", [{"enterprise": name, "account": phone} for name in at * 2]),
        ("operator", [{"enterprise": name, "account": phone} for name in codes]),
    ):
        assert try_names(world, way, typed) == [200] * 5 + [429], typed


def test_the_waiting_looks_the_same_for_a_name_nobody_has(world: World) -> None:
    person = world.a_person()
    for name in (person.phone, "13812345678"):
        try_names(world, "person", [{"account": name}] * 5)
    mine = type_in(world.browser(), "person", WRONG, account=person.phone)
    nobodys = type_in(world.browser(), "person", WRONG, account="13812345678")
    assert what_a_stranger_sees(mine, person.phone) == what_a_stranger_sees(nobodys, "13812345678")


def test_forty_tries_at_once_hash_no_more_than_five_passwords(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = world.a_person()
    ready = [prepared(world, person) for _ in range(40)]
    hashed: list[str] = []
    real = argon2.PasswordHasher.verify

    def counted(self: argon2.PasswordHasher, stored: str, password: str) -> bool:
        hashed.append(password)
        return real(self, stored, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", counted)
    answers = at_once(40, lambda number: ready[number]().status)
    assert 1 <= len(hashed) <= 5
    assert answers.count(200) == len(hashed)
    assert answers.count(429) == 40 - len(hashed)


def prepared(world: World, person: APerson) -> Callable[[], Page]:
    """A filled form with a solved captcha, to be sent later."""
    browser = world.browser()
    fields = browser.open("/login/person").form()["fields"]
    answer = captcha.answer(world.backends.store, fields["captcha_id"]) or ""
    filled = {**fields, "account": person.phone, "password": WRONG, "captcha": answer}
    return lambda: browser.post("/login/person", filled, follow=False)


@pytest.fixture
def owner(world: World) -> tuple[APerson, Browser]:
    """Somebody in a browser he signed in with before."""
    person, browser = world.a_person(), world.browser()
    browser.sign_in_person(person)
    browser.client.delete_cookie("idp_session")
    return person, browser


def test_the_owner_in_a_known_browser_comes_in_while_strangers_wait(
    world: World, owner: tuple[APerson, Browser]
) -> None:
    person, browser = owner
    lock(world, person)
    assert is_in(type_in(browser, "person", PASSWORD, account=person.id_number))
    assert type_in(world.browser(), "person", PASSWORD, account=person.phone).status == 429


def test_a_known_browser_is_slowed_too_even_if_it_forgets_who_it_is(
    owner: tuple[APerson, Browser],
) -> None:
    person, browser = owner
    statuses = []
    for _ in range(6):
        browser.client.delete_cookie("idp_browser")
        statuses.append(type_in(browser, "person", WRONG, account=person.phone).status)
    assert statuses == [200] * 5 + [429]


def test_a_copied_or_changed_cookie_makes_no_second_browser(
    world: World, owner: tuple[APerson, Browser]
) -> None:
    person, browser = owner
    value = browser.cookie("idp_known") or ""
    thief, forger, other = world.browser(), world.browser(), world.browser()
    thief.client.set_cookie("idp_known", value)
    forger.client.set_cookie("idp_known", "x" + value)
    other.sign_in_person(world.a_person())
    assert [type_in(b, "person", WRONG, account=person.phone).status for b in (browser, thief) * 3][5] == 429
    lock(world, person)
    for stranger in (forger, other):
        assert type_in(stranger, "person", PASSWORD, account=person.phone).status == 429


def test_a_browser_is_known_to_the_accounts_that_signed_in_there(
    world: World, owner: tuple[APerson, Browser]
) -> None:
    first, browser = owner
    company = world.a_company()
    browser.sign_in_legal(company)
    lock(world, first)
    try_names(world, "legal", [{"account": company.uscc}] * 6)
    assert is_in(type_in(browser, "legal", PASSWORD, account=company.account))
    assert is_in(type_in(browser, "person", PASSWORD, account=first.account))


def test_a_changed_password_makes_every_browser_a_stranger(
    world: World, owner: tuple[APerson, Browser]
) -> None:
    person, browser = owner
    change_password(world, person, "Another one 43")
    lock(world, person)
    assert type_in(browser, "person", "Another one 43", account=person.phone).status == 429


def test_a_browser_is_known_for_half_a_year(world: World, owner: tuple[APerson, Browser]) -> None:
    person, browser = owner
    with later(days=181):
        lock(world, person)
        assert type_in(browser, "person", PASSWORD, account=person.phone).status == 429


def test_the_right_password_from_elsewhere_ends_the_counting(world: World) -> None:
    person = world.a_person()
    try_names(world, "person", [{"account": person.phone}] * 4)
    assert is_in(type_in(world.browser(), "person", PASSWORD, account=person.phone))
    lock(world, person)


def test_another_account_from_the_same_address_is_not_slowed(world: World) -> None:
    person, other = world.a_person(), world.a_person()
    browser = world.browser(address="198.51.100.1")
    for _ in range(6):
        page = type_in(browser, "person", WRONG, account=person.phone)
    assert page.status == 429
    assert is_in(type_in(browser, "person", PASSWORD, account=other.phone))
    for _ in range(2):
        assert type_in(world.browser(), "person", PASSWORD, account=person.phone).status == 429


def test_one_password_over_many_accounts_is_slowed_by_address(world: World) -> None:
    sprayer, person = world.browser(address="198.51.100.9"), world.a_person()
    statuses = [
        type_in(sprayer, "person", WRONG, account=f"139999{number:05d}").status for number in range(22)
    ]
    assert statuses == [200] * 21 + [429]
    assert type_in(sprayer, "person", PASSWORD, account=person.phone).status == 429
    elsewhere = world.browser(address="198.51.100.10")
    assert is_in(type_in(elsewhere, "person", PASSWORD, account=person.phone))
    with later(seconds=61):
        at_home = world.browser(address="198.51.100.9")
        assert is_in(type_in(at_home, "person", PASSWORD, account=person.phone))


@pytest.mark.parametrize("trusted", ["", "127.0.0.1"], ids=["a stranger's header", "a proxy's header"])
def test_x_forwarded_for_counts_from_trusted_proxies_alone(world: World, trusted: str) -> None:
    with world.rewired(trusted_proxies=trusted, throttle_spray=2) as behind:
        statuses = [
            spray_once(behind, number, {"X-Forwarded-For": f"198.51.100.{number}"}) for number in range(1, 6)
        ]
    assert statuses == ([200] * 5 if trusted else [200, 200, 200, 429, 429])


def test_who_changes_the_line_within_an_ipv6_site_is_slowed_as_well(world: World) -> None:
    with world.rewired(trusted_proxies="127.0.0.1", throttle_spray=1) as behind:
        lines = [{"X-Forwarded-For": f"2001:db8:1:{number:x}::7"} for number in range(10)]
        statuses = [spray_once(behind, number, line) for number, line in enumerate(lines)]
        elsewhere = spray_once(behind, 10, {"X-Forwarded-For": "2001:db8:2::7"})
    assert statuses == [200] * 9 + [429]
    assert elsewhere == 200


def test_ipv4_inside_ipv6_is_no_network_of_its_own(world: World) -> None:
    """A socket for both kinds shows every IPv4 caller so; without a proxy that is what is counted."""
    with world.rewired(throttle_spray=1) as behind:
        statuses = [
            type_in(behind.browser(address=address), "person", WRONG, account=f"1399998{number:04d}").status
            for number, address in enumerate(f"::ffff:198.51.100.{last}" for last in (1, 2, 3, 3, 3))
        ]
    assert statuses == [200] * 4 + [429]


@pytest.mark.parametrize("header", ["198.51.100.1", "x, 198.51.100.1", "127.0.0.1, 198.51.100.1"])
def test_a_forged_list_of_proxies_moves_nothing(world: World, header: str) -> None:
    with world.rewired(trusted_proxies="127.0.0.1", throttle_spray=2) as behind:
        statuses = [
            spray_once(behind, number, {"X-Forwarded-For": f"203.0.113.{number}, {header}"})
            for number in range(4)
        ]
    assert statuses == [200, 200, 200, 429]


def spray_once(world: World, number: int, headers: dict[str, str]) -> int:
    """A wrong try on a name of its own, with these headers; its status."""
    browser = world.browser()
    fields = browser.open("/login/person").form()["fields"]
    answer = captcha.answer(world.backends.store, fields["captcha_id"]) or ""
    filled = {**fields, "account": f"1399999{number:04d}", "password": WRONG, "captcha": answer}
    return browser.post("/login/person", filled, follow=False, headers=headers).status


def test_a_request_that_breaks_off_has_still_used_its_try(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = world.a_person()

    def breaks(_self: argon2.PasswordHasher, _hash: str, _password: str) -> bool:
        raise MemoryError

    with monkeypatch.context() as broken:
        broken.setattr(argon2.PasswordHasher, "verify", breaks)
        assert try_names(world, "person", [{"account": person.phone}] * 5) == [500] * 5
    assert type_in(world.browser(), "person", PASSWORD, account=person.phone).status == 429


def test_a_restart_forgets_no_try(world: World) -> None:
    person = world.a_person()
    lock(world, person)
    with world.rewired() as restarted:
        assert type_in(restarted.browser(), "person", PASSWORD, account=person.phone).status == 429


def test_what_does_not_open_is_slowed_as_well(world: World) -> None:
    operator = world.an_operator()
    way, names = names_of(replace(operator, password=WRONG))
    assert try_names(world, way, [names] * 6) == [200] * 5 + [429]
    other = world.an_operator(operator.company)
    assert is_in(type_in(world.browser(), *(way,), PASSWORD, **names_of(other)[1]))
