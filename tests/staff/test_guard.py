"""One table says who may open what at the console: every address, every method, every role (SECURITY 74)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import Rule
from werkzeug.routing.converters import AnyConverter, UUIDConverter

from idp.accounts.audit import Action, AuditEvent
from idp.accounts.staff import StaffRole, StaffSession
from idp.db import Base
from idp.web.staff_rights import MENU, RIGHTS, granted
from tests.world import Browser, World

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
NOBODYS = "00000000-0000-7000-8000-000000000000"
REFUSED = "没有这项权限"
# What a look at a page writes anyway, and what tells of refusals.
NOT_COMPARED = {"audit_events"}


def rules(world: World) -> list[Rule]:
    """Every rule of the console."""
    found = [rule for rule in world.app.url_map.iter_rules() if (rule.rule + "/").startswith("/staff/")]
    assert len(found) >= 12
    return found


def filled(rule: Rule) -> str:
    """An address of the rule, made up where it has arguments."""
    values: dict[str, Any] = {}
    for name, converter in rule._converters.items():
        if isinstance(converter, UUIDConverter):
            values[name] = NOBODYS
        elif isinstance(converter, AnyConverter):
            values[name] = min(converter.items)
        else:
            values[name] = "1" if converter.regex.startswith("\\d") else "made-up"
    built = rule.build(values)
    assert built is not None
    return built[1]


def cells(world: World, role: StaffRole | None, *, open_to_him: bool) -> Iterator[tuple[str, str, str]]:
    """Endpoint, address and method of each cell that is granted to `role` (None: nobody), or is not."""
    map_ = world.app.url_map.bind("localhost:8000")
    for address in dict.fromkeys(filled(rule) for rule in rules(world)):
        for method in METHODS:
            try:
                endpoint, _ = map_.match(address, method=method)
            except MethodNotAllowed:
                endpoint = "nothing"
            roles = granted(endpoint, method)
            is_open = roles is None or role in roles
            if is_open is open_to_him:
                yield endpoint, address, method


def ask(browser: Browser, method: str, address: str, token: str) -> tuple[int, str, str]:
    """Status, Location and body of a call that carries the token of the browser's own page."""
    page = browser._request(method, address, follow=False, data={"csrf_token": token})
    return page.status, page.location, page.html


def a_token(browser: Browser, at: str) -> str:
    token: str = browser.open(at).form()["fields"]["csrf_token"]
    return token


def denials(world: World) -> int:
    """How many refusals stand in the trail."""
    lines = select(func.count()).where(AuditEvent.action == Action.ACCESS_DENIED.value)
    with world.reading() as db:
        return db.scalar(lines) or 0


def stored(world: World) -> dict[str, list[Any]]:
    """Everything that is in the database."""
    with world.reading() as db:
        return {
            name: sorted(map(repr, db.execute(table.select()).all()))
            for name, table in Base.metadata.tables.items()
            if name not in NOT_COMPARED
        }


def test_every_address_has_a_row_and_every_row_an_address(world: World) -> None:
    endpoints = {rule.endpoint for rule in rules(world)}
    assert endpoints - set(RIGHTS) == set()
    assert set(RIGHTS) - endpoints == set()


def test_every_method_of_a_row_is_one_of_its_address(world: World) -> None:
    taken: dict[str, set[str]] = {}
    for rule in rules(world):
        taken.setdefault(rule.endpoint, set()).update(rule.methods or ())
    named = {endpoint: set(row) for endpoint, row in RIGHTS.items()}
    assert {name: methods - taken[name] for name, methods in named.items() if methods - taken[name]} == {}
    left_out = {name: taken[name] - {"HEAD", "OPTIONS"} - named[name] for name in named}
    assert {name: methods for name, methods in left_out.items() if methods} == {}


def test_the_menu_leads_to_pages_that_somebody_may_open() -> None:
    assert [endpoint for _, endpoint in MENU if not granted(endpoint, "GET")] == []


def test_nobody_is_led_to_the_sign_in_and_changes_nothing(world: World) -> None:
    world.a_staff_member()
    browser = world.browser()
    token = a_token(browser, "/staff/sign-in")
    before = stored(world)
    wrong = []
    for endpoint, address, method in cells(world, None, open_to_him=False):
        status, location, _ = ask(browser, method, address, token)
        led = status == 302 and location.startswith("/staff/sign-in?next=")
        if not (led if method in {"GET", "HEAD"} and status != 405 else status in {403, 405}):
            wrong.append((endpoint, method, status, location))
    assert wrong == []
    assert stored(world) == before
    assert denials(world) == 0


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize("role", list(StaffRole))
def test_what_a_role_is_not_granted_is_refused_noted_and_changes_nothing(
    world: World, role: StaffRole
) -> None:
    browser = world.at_the_console(role)
    token = a_token(browser, "/staff")
    before, wrong, noted = stored(world), [], denials(world)
    for endpoint, address, method in cells(world, role, open_to_him=False):
        status, _, _ = ask(browser, method, address, token)
        expected, noted = noted + (status == 403), denials(world)
        if status not in {403, 405} or noted != expected:
            wrong.append((endpoint, method, status))
    assert wrong == []
    assert stored(world) == before


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize("role", list(StaffRole))
def test_what_a_role_is_granted_is_not_refused(world: World, role: StaffRole) -> None:
    member, wrong = world.a_staff_member(role), []
    looks_on, token = world.at_the_console(role, member=member), ""
    for endpoint, address, method in cells(world, role, open_to_him=True):
        browser = looks_on
        if method not in {"GET", "HEAD"}:
            # Each with a sign-in of its own: some of these calls end it.
            browser = world.at_the_console(role, member=member)
            token = a_token(browser, "/staff")
        status, location, body = ask(browser, method, address, token)
        if REFUSED in body or status >= 500 or "/staff/sign-in?next" in location:
            wrong.append((endpoint, method, status))
    assert wrong == []
    assert denials(world) == 0


def test_a_refusal_says_who_was_refused_what(world: World) -> None:
    browser = world.at_the_console(StaffRole.SERVICE)
    page = browser.open("/staff/keys")
    assert page.status == 403
    assert REFUSED in page.text
    with world.reading() as db:
        [line] = db.scalars(select(AuditEvent).where(AuditEvent.action == Action.ACCESS_DENIED.value))
        session = db.scalars(select(StaffSession)).one()
    assert line.actor == f"staff:{session.staff_id}"
    assert line.detail == {"address": "staff_keys.index", "method": "GET", "role": "customer_service"}


def test_an_address_without_a_row_is_closed_to_everybody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(RIGHTS, "staff_overview.index")
    assert world.at_the_console(StaffRole.ADMIN).open("/staff").status == 403
    assert world.browser().open("/staff", follow=False).status == 302


def test_a_page_offers_only_what_is_granted(world: World) -> None:
    shown = {role: world.at_the_console(role).open("/staff").text for role in StaffRole}
    for label, endpoint in MENU:
        roles = granted(endpoint, "GET") or frozenset()
        assert {role for role, text in shown.items() if f" {label} " in text} >= roles
