"""Signing in to the phone app: a sign-in of its own, beside the browser's, ended by what ends the account."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from idp.access import endings
from idp.access.app_sessions import open_app_session
from idp.access.endings import end_client_grants
from idp.access.grants import CodeRecord
from idp.accounts.audit import AuditEvent, Origin
from idp.accounts.models import Person
from idp.accounts.sessions import SigninSession
from idp.db import begin_write
from tests.entering import enter
from tests.oauth.asking import at_once, later
from tests.oauth.keyholders import ADpopKey, with_nonce
from tests.person.test_sign_ins import LIST, end
from tests.portals import Authorization
from tests.scan.phones import ANDROID, SCOPE, APhone, an_app, app_code
from tests.security.test_password import changes, elsewhere
from tests.world import APerson, Browser, World

TOKEN = "/oauth/token"


def a_phone(world: World, person: APerson | None = None) -> tuple[APhone, Browser]:
    """A phone that is signed in, and the browser it was signed in through."""
    person = person or world.a_person()
    browser = world.browser(user_agent=ANDROID)
    return APhone.of(world, person, browser=browser), browser


def rows(world: World) -> list[SigninSession]:
    """The sign-ins of phones, the latest last."""
    with world.reading() as db:
        of_apps = select(SigninSession).where(SigninSession.app.is_not(None))
        return list(db.scalars(of_apps.order_by(SigninSession.id)))


def refreshed(phone: APhone) -> TestResponse:
    """A refresh, whatever comes of it."""
    fields = {
        "grant_type": "refresh_token",
        "refresh_token": phone.refresh_token,
        "client_id": phone.client.client_id,
    }
    return with_nonce(phone.world, TOKEN, phone.key, fields)


def is_signed_in(phone: APhone) -> bool:
    """Whether userinfo answers the phone."""
    return phone.call("GET", "/oauth/userinfo").status_code == 200


def revoked(phone: APhone) -> int:
    """What an app does that signs out."""
    fields = {"token": phone.refresh_token, "client_id": phone.client.client_id}
    return with_nonce(phone.world, "/oauth/revoke", phone.key, fields).status_code


def redeem(phone_client: Any, asked: Authorization, code: str, key: ADpopKey, world: World) -> TestResponse:
    """Redeem a code of the app."""
    fields = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": phone_client.redirect_uri,
        "code_verifier": asked.verifier,
        "client_id": phone_client.client_id,
    }
    return with_nonce(world, TOKEN, key, fields)


def person_in(world: World, person: APerson, act: Callable[[Session, Person], object]) -> None:
    """Let staff do something to a person's account."""
    with world.write() as db:
        act(db, db.get_one(Person, person.row.id))


def suspend(world: World, person: APerson) -> None:
    here = world.platform
    person_in(
        world,
        person,
        lambda db, row: endings.suspend(
            db, here.vault, here.trail, row, Origin("cli:x"), reason="x", now=world.now()
        ),
    )


def end_all(world: World, person: APerson) -> None:
    here = world.platform
    person_in(
        world,
        person,
        lambda db, row: endings.end_all_sessions(
            db, here.vault, here.trail, row, Origin("cli:x"), reason="x", now=world.now()
        ),
    )


def deny(world: World, person: APerson) -> None:
    """不是我."""
    here = world.platform
    with world.write() as db:
        key = f"person:{person.row.id}"
        endings.lock(db, here.vault, here.trail, here.notifier, key, Origin("notice:x"), now=world.now())


def change_password(world: World, person: APerson) -> None:
    """As his other browser does it, in which everything else ends."""
    browser = elsewhere(world, person)
    assert changes(browser).status == 200


def test_a_phone_has_a_sign_in_of_its_own_beside_the_browsers(world: World) -> None:
    person = world.a_person()
    a_phone(world, person)
    (own,) = rows(world)
    with world.reading() as db:
        (browsers,) = db.scalars(select(SigninSession).where(SigninSession.app.is_(None)))
    assert (own.app, own.role, own.person_id) == ("app-jishiban", "natural_person", person.row.id)
    for name in ("account", "amr", "acr", "auth_time", "browser", "address"):
        assert getattr(own, name) == getattr(browsers, name), name
    assert own.sid != browsers.sid
    assert own.browser_key == ""
    assert own.expires_at - own.created_at == timedelta(days=180)


def test_signing_out_of_the_browser_leaves_the_phone_signed_in(world: World) -> None:
    phone, browser = a_phone(world)
    browser.open("/center/person")
    browser.submit()
    assert is_signed_in(phone)
    phone.refresh()
    assert is_signed_in(phone)


def test_a_phone_stays_signed_in_when_the_browsers_sign_in_has_long_run_out(world: World) -> None:
    phone, _ = a_phone(world)
    with later(days=20):
        phone.refresh()
    with later(days=40):
        phone.refresh()
        assert is_signed_in(phone)


def test_a_phone_unused_for_thirty_days_is_signed_out_for_good(world: World) -> None:
    phone, _ = a_phone(world)
    with later(days=30, minutes=1):
        answer = refreshed(phone)
        assert answer.get_json()["error"] == "invalid_grant"
        assert answer.get_json()["error_uri"].endswith("#2204")
    (own,) = rows(world)
    assert (own.ended_at is not None, own.end_reason) == (True, "app_unused")
    # Whoever sets the clock back does not open it again.
    assert not is_signed_in(phone)
    assert refreshed(phone).get_json()["error"] == "invalid_grant"


def test_no_phone_stays_signed_in_longer_than_its_lifetime(world: World) -> None:
    phone, _ = a_phone(world)
    for days in range(25, 180, 25):
        with later(days=days):
            phone.refresh()
    with later(days=180, minutes=1):
        assert refreshed(phone).get_json()["error_uri"].endswith("#2111")


def test_use_is_noted_at_most_once_a_minute(world: World) -> None:
    phone, _ = a_phone(world)
    first = rows(world)[0].seen_at
    with later(seconds=50):
        phone.refresh()
    assert rows(world)[0].seen_at == first
    with later(seconds=70):
        phone.refresh()
    assert rows(world)[0].seen_at > first


@pytest.mark.parametrize("ending", [suspend, end_all, deny, change_password], ids=lambda one: one.__name__)
def test_what_ends_everything_ends_the_phone(world: World, ending: Callable[[World, APerson], None]) -> None:
    person = world.a_person()
    phone, _ = a_phone(world, person)
    ending(world, person)
    assert not is_signed_in(phone)
    assert refreshed(phone).get_json()["error"] == "invalid_grant"
    assert rows(world)[0].ended_at is not None


def test_an_ended_mandate_does_not_end_the_phone(world: World) -> None:
    operator = world.an_operator()
    phone, _ = a_phone(world, operator.person)
    here = world.platform
    with world.write() as db:
        mandate = db.merge(operator.mandate)
        endings.end_mandate(db, here.vault, here.trail, mandate, Origin("cli:x"), now=world.now())
    assert is_signed_in(phone)


def test_a_person_ends_his_phone_from_the_list_of_sign_ins(world: World) -> None:
    phone, browser = a_phone(world)
    assert "吉事办 App，Android，Chrome 130" in browser.open(LIST).text
    end(browser, session=str(rows(world)[0].id))
    assert not is_signed_in(phone)
    assert "App" not in browser.open(LIST).text
    assert "在别处退出" in browser.open("/center/person/security/sign-ins").text


def test_a_phone_that_lay_idle_for_an_hour_still_stands_in_the_list(world: World) -> None:
    person = world.a_person()
    a_phone(world, person)
    with later(hours=5):
        browser = world.browser()
        enter(browser, person)
        assert "吉事办 App" in browser.open(LIST).text


def test_revoking_its_refresh_token_signs_the_phone_out(world: World) -> None:
    phone, browser = a_phone(world)
    assert revoked(phone) == 200
    (own,) = rows(world)
    assert (own.ended_at is not None, own.end_reason) == (True, "signed_out")
    assert not is_signed_in(phone)
    assert browser.open("/center/person").status == 200
    with world.reading() as db:
        ended = db.scalars(select(AuditEvent).where(AuditEvent.action == "signed_out")).one()
    assert ended.target == f"person:{phone.person.row.id}"
    assert ended.detail["client"] == phone.client.client_id


def test_a_stolen_refresh_token_ends_the_phones_sign_in(world: World) -> None:
    phone, _ = a_phone(world)
    stolen = phone.refresh_token
    phone.refresh()
    phone.refresh()
    phone.refresh_token = stolen
    assert refreshed(phone).get_json()["error_uri"].endswith("#2202")
    assert rows(world)[0].ended_at is not None


def test_a_code_that_comes_back_ends_the_phones_sign_in(world: World) -> None:
    client, key = an_app(world), ADpopKey()
    asked = Authorization(client)
    code = app_code(world.browser(), asked, world.a_person())
    assert redeem(client, asked, code, key, world).status_code == 200
    assert redeem(client, asked, code, key, world).status_code == 400
    assert rows(world)[0].ended_at is not None


def test_of_eight_that_redeem_at_once_none_keeps_more_than_one_sign_in(world: World) -> None:
    client, key = an_app(world), ADpopKey()
    asked = Authorization(client)
    code = app_code(world.browser(), asked, world.a_person())
    answers = at_once(8, lambda _: redeem(client, asked, code, key, world).status_code)
    assert sorted(answers)[:1] in ([200], [400])
    assert answers.count(200) <= 1
    assert sum(one.ended_at is None for one in rows(world)) == 0


def test_a_code_whose_sign_in_has_ended_opens_no_phone(world: World) -> None:
    client, browser = an_app(world), world.browser()
    asked = Authorization(client)
    code = app_code(browser, asked, world.a_person())
    browser.open("/center/person")
    browser.submit()
    answer = redeem(client, asked, code, ADpopKey(), world)
    assert answer.get_json()["error_uri"].endswith("#2111")
    assert rows(world) == []


def test_removing_the_app_ends_its_sign_ins(world: World) -> None:
    phone, _ = a_phone(world)
    with world.write() as db:
        end_client_grants(db, world.platform.vault, phone.client.client_id, now=world.now())
    assert rows(world)[0].end_reason == "client_removed"


def test_an_app_that_is_no_phone_keeps_hanging_on_the_browser(world: World) -> None:
    person = world.a_person()
    browser = world.browser()
    enter(browser, person)
    phone = APhone.of(world, person, browser=browser, scope="openid offline_access")
    assert rows(world) == []
    browser.open("/center/person")
    browser.submit()
    assert not is_signed_in(phone)


def test_the_sign_in_of_a_phone_is_remembered_once(world: World) -> None:
    phone, _ = a_phone(world)
    phone.refresh()
    with world.reading() as db:
        event = db.scalars(select(AuditEvent).where(AuditEvent.action == "app_signed_in")).one()
    assert event.actor == event.target == f"person:{phone.person.row.id}"
    assert event.detail == {"client": phone.client.client_id, "amr": ["pwd"]}


def test_no_cookie_is_made_of_a_phones_sign_in(world: World) -> None:
    """What a cookie is compared with is the hash of a token that was thrown away."""
    phone, browser = a_phone(world)
    (own,) = rows(world)
    for guess in (str(own.id), own.sid, own.token_hash.hex(), phone.token, phone.refresh_token):
        stranger = world.browser()
        stranger.client.set_cookie("idp_session", guess, domain="localhost")
        assert "/login" in stranger.open("/center/person", follow=False).location
    assert browser.open("/center/person").status == 200


# Two transactions that wait for each other are a matter of PostgreSQL; SQLite lets one write at a time.
@pytest.mark.parametrize("installation", ["postgres"], indirect=True)
@pytest.mark.parametrize("ending", [suspend, end_all, deny], ids=lambda one: one.__name__)
def test_an_ending_and_a_redemption_never_pass_each_other(
    world: World, ending: Callable[[World, APerson], None]
) -> None:
    person, browser = world.a_person(), world.browser()
    enter(browser, person)
    with world.reading() as db:
        source = db.scalars(select(SigninSession)).one()
    record = CodeRecord(str(source.id), "app-jishiban", "", SCOPE, "", None, 0, 0)
    ends = threading.Thread(target=ending, args=(world, person))
    with world.write() as db:
        begin_write(db)
        # Opened, and not committed yet: whoever ends everything began before he can see it.
        open_app_session(db, record, source, lifetime=timedelta(days=1), now=world.now())
        ends.start()
        wait_until_somebody_waits(world)
    ends.join(10)
    assert [one.ended_at is not None for one in rows(world)] == [True]


def wait_until_somebody_waits(world: World) -> None:
    """Return once a transaction of this database waits for another one's rows."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with world.reading() as db:
            if db.scalar(waiting):
                return
    raise AssertionError("nobody waits")
