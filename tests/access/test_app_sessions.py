"""What a phone's sign-in is opened out of, asked at the very moment of its opening."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from idp.access import endings
from idp.access.app_sessions import open_app_session
from idp.access.grants import CodeRecord, SignInEnded
from idp.accounts.sessions import SigninSession
from tests.entering import enter
from tests.world import Browser, World


def source_of(world: World, browser: Browser) -> SigninSession:
    """The sign-in of the only browser that is signed in."""
    assert browser.cookie("idp_session")
    with world.reading() as db:
        return db.scalars(select(SigninSession)).one()


def opens(world: World, source: SigninSession, **given: Any) -> SigninSession:
    """A phone's sign-in out of this one. Raises SignInEnded."""
    record = CodeRecord(str(source.id), "app-jishiban", "", "openid app", "", None, 0, 0, **given)
    with world.write() as db:
        return open_app_session(db, record, source, lifetime=timedelta(days=180), now=world.now())


def phones(world: World) -> list[SigninSession]:
    with world.reading() as db:
        return list(db.scalars(select(SigninSession).where(SigninSession.app.is_not(None))))


def test_a_sign_in_that_ended_a_moment_ago_opens_no_phone(world: World) -> None:
    browser = world.browser()
    enter(browser, world.a_person())
    # Read while it lived, as the redemption reads it.
    source = source_of(world, browser)
    with world.write() as db:
        endings.end_session(db, world.backends.vault, source.id, reason="x", now=world.now())
    with pytest.raises(SignInEnded):
        opens(world, source)
    assert phones(world) == []


def test_whoever_acts_for_a_company_opens_no_phone(world: World) -> None:
    browser = world.browser()
    enter(browser, world.an_operator())
    with pytest.raises(SignInEnded):
        opens(world, source_of(world, browser))
    assert phones(world) == []


def test_a_later_proof_in_the_browser_lifts_no_phone(world: World) -> None:
    browser = world.browser()
    enter(browser, world.a_person())
    source = source_of(world, browser)
    with world.write() as db:
        lifted = db.get_one(SigninSession, source.id)
        lifted.acr, lifted.amr = "urn:idp:loa:2", "pwd otp"
    opens(world, source, acr="urn:idp:loa:1", amr="pwd")
    (phone,) = phones(world)
    assert (phone.acr, phone.amr) == ("urn:idp:loa:1", "pwd")
