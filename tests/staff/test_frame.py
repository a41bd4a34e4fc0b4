"""What the console refuses it refuses in its own frame, and the ways out lead back into it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from idp.accounts.staff import StaffRole
from idp.config import child_environment
from tests.quick import variables_of
from tests.world import Browser, Page, World

# What a page looks like does not depend on where things are stored.
pytestmark = pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
ROOT = Path(__file__).parents[2]
FRAME = 'class="tx-header tx-staff"'
BUILD = """
import sys
from idp.app import create_app
rules = [rule.rule for rule in create_app().url_map.iter_rules() if rule.rule.startswith("/staff")]
print(len(rules), sorted(name for name in sys.modules if name.startswith("idp.staff")))
"""


def is_of_the_console(page: Page, status: int) -> bool:
    """Whether this refusal stands in the console's frame and leads back into it."""
    return page.status == status and FRAME in page.html and 'href="/login"' not in page.html


def refusals(console: Browser) -> dict[str, tuple[Page, int]]:
    """A refusal of each kind that a signed-in customer service clerk can meet."""
    return {
        "no such page": (console.open("/staff/nothing"), 404),
        "not his": (console.open("/staff/keys"), 403),
        "no such method": (console.post("/staff/me/recovery"), 404),
        "another method": (console.open("/staff/sign-out"), 405),
        "too much": (console.post("/staff/me/security/password", {"x": "x" * 200_000}), 413),
        "another site's form": (console.post("/staff/me/security/password", {"old_password": "x"}), 400),
    }


def test_refusals_stand_in_the_consoles_frame(world: World) -> None:
    console = world.at_the_console(StaffRole.SERVICE)
    seen = refusals(console)
    assert [name for name, found in seen.items() if not is_of_the_console(*found)] == []
    assert 'href="/staff"' in seen["no such page"][0].html
    assert 'href="/staff"' in seen["not his"][0].html
    assert is_of_the_console(world.browser().open("/staff/nothing"), 404)
    stranger = world.browser().open("/staffing")
    assert stranger.status == 404
    assert FRAME not in stranger.html


def test_the_address_with_a_slash_leads_to_the_console(world: World) -> None:
    assert world.at_the_console().open("/staff/").url == "/staff"
    assert world.browser().open("/staff/").url.startswith("/staff/sign-in")


def test_who_is_signed_in_already_goes_where_he_wanted(world: World) -> None:
    console = world.at_the_console()
    assert console.open("/staff/sign-in?next=/staff/keys").url == "/staff/keys"
    assert console.open("/staff/sign-in?next=https://evil.example/").url == "/staff"


def test_an_address_cannot_make_a_page_say_what_was_not_done(world: World) -> None:
    person, client, console = world.a_person(), world.a_client(), world.at_the_console()
    assert "已停用" not in console.open(f"/staff/accounts/{person.row.id}?done=suspend").text
    assert "已保存" not in console.open(f"/staff/clients/client?id={client.client_id}&saved=1").text


def test_a_process_without_the_console_has_no_address_of_it(world: World) -> None:
    with world.rewired(console=False) as outside:
        page = outside.browser().open("/staff/sign-in")
        assert page.status == 404
        assert FRAME not in page.html
        assert outside.browser().open("/login").status == 200


def test_a_process_without_the_console_imports_nothing_of_it(world: World) -> None:
    variables = variables_of(replace(world.settings, console=False))
    built: Any = subprocess.run(
        [sys.executable, "-c", BUILD],
        env=child_environment(variables),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert built.stdout.strip() == "0 []"
