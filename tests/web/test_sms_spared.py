"""What strangers and outages take from nobody: the codes of a day, that in his hand (SECURITY 16, 23)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from tests.login.resetting import a_minute_goes_by, asks_for_a_code, comes_to_the_password, identity_of, tells
from tests.messages import last_code, waiting
from tests.world import World, error_sentences

REGISTERING = {
    "population_url": "http://127.0.0.1:9/",
    "population_token": "t",
    "face_at_registration": False,
}
"""Settings of an installation where people register; the registry is not asked for a code."""


def test_whoever_knows_a_phone_cannot_keep_its_owner_from_a_reset(world: World) -> None:
    """SECURITY 16."""
    with world.rewired(**REGISTERING) as here:
        victim = here.a_person()
        for number in range(6):
            stranger = here.browser(address=f"203.0.113.{number}")
            stranger.open("/register/person")
            page = stranger.submit_with_captcha({"phone": victim.phone, "send": "1"})
            a_minute_goes_by(here, victim.phone)
        assert error_sentences(page) == ["这个手机号今天获取验证码的次数已用完，请明天再试"]
        assert len(waiting(here, victim.phone)) == 5
        comes_to_the_password(here, here.browser(address="198.51.100.7"), victim)


def test_a_database_that_is_away_uses_up_neither_the_day_nor_the_code_in_hand(world: World) -> None:
    """SECURITY 23."""
    person = world.a_person()
    with world.rewired(sms_a_day=2) as here:
        browser = here.browser()
        url = tells(browser, *identity_of(person)).url
        asks_for_a_code(browser)
        code = last_code(here, person.phone)
        for _ in range(3):
            a_minute_goes_by(here, person.phone)
            browser.open(url)
            with nothing_is_committed(here):
                assert browser.submit_with_captcha({"send": "1"}).status == 503
        assert len(waiting(here, person.phone)) == 1
        other = here.browser(address="198.51.100.7")
        tells(other, *identity_of(person))
        assert not error_sentences(asks_for_a_code(other))
        browser.open(url)
        assert browser.submit({"code": code}).url.startswith("/reset/password?")


@contextmanager
def nothing_is_committed(world: World) -> Iterator[None]:
    """The database goes away before any commit of a request."""
    sessions = world.platform.database.session

    def fail(_session: object) -> None:
        raise OperationalError("", {}, Exception("the server closed the connection"))

    event.listen(sessions, "before_commit", fail)
    try:
        yield
    finally:
        event.remove(sessions, "before_commit", fail)
