"""Guesses are slowed, owners are not locked out (MISSION Y, SECURITY 7 to 14); on both stores."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from idp.adapters.ephemeral import EphemeralStore
from idp.adapters.ephemeral.redis import RedisEphemeralStore
from idp.adapters.ephemeral.sql import SqlEphemeralStore
from idp.proof.throttle import Throttled, Try, admit, failed, places, succeeded
from tests.adapters.arrange import at_once
from tests.conftest import make_settings

SETTINGS = make_settings(database_url="sqlite://")
START = datetime(2030, 1, 7, 9, tzinfo=UTC)
STRANGER = Try("person:1", None, "203.0.113.7")
OWNER = Try("person:1", "the owner's browser", "203.0.113.7")


@pytest.fixture(params=["sql", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EphemeralStore]:
    made: EphemeralStore
    if request.param == "sql":
        made = SqlEphemeralStore(tmp_path / "ephemeral.db")
    else:
        made = RedisEphemeralStore(*map(request.getfixturevalue, ("redis_url",)), prefix=prefix_of(request))
    yield made
    made.close()


def prefix_of(request: pytest.FixtureRequest) -> str:
    prefix: str = request.getfixturevalue("redis_prefix")
    return prefix


def waits(store: EphemeralStore, attempt: Try, *, at: datetime = START) -> float:
    """Try once and fail; the seconds to wait if the try was not looked at, else 0."""
    try:
        admit(store, SETTINGS, attempt, now=at)
    except Throttled as throttled:
        return throttled.wait.total_seconds()
    failed(store, attempt)
    return 0


def test_five_tries_are_looked_at_and_the_sixth_waits_a_minute(store: EphemeralStore) -> None:
    assert [waits(store, STRANGER) for _ in range(8)] == [0, 0, 0, 0, 0, 60, 60, 60]


def test_each_further_failure_doubles_the_wait_up_to_a_quarter_of_an_hour(store: EphemeralStore) -> None:
    at = START
    for _ in range(5):
        waits(store, STRANGER, at=at)
    asked = []
    for _ in range(7):
        asked.append(waits(store, STRANGER, at=at))
        at += timedelta(seconds=asked[-1])
        assert waits(store, STRANGER, at=at - timedelta(seconds=1)) == 1
        assert waits(store, STRANGER, at=at) == 0
    assert asked == [60, 120, 240, 480, 900, 900, 900]


def test_being_refused_does_not_lengthen_the_wait(store: EphemeralStore) -> None:
    for _ in range(50):
        waits(store, STRANGER)
    assert waits(store, STRANGER, at=START + timedelta(seconds=60)) == 0
    assert waits(store, STRANGER, at=START + timedelta(seconds=60)) == 120


def test_forty_at_once_are_looked_at_no_more_than_five_times(store: EphemeralStore) -> None:
    assert at_once(40, lambda _number: waits(store, STRANGER)).count(0) <= 5


def test_when_the_wait_is_over_one_of_many_is_looked_at(store: EphemeralStore) -> None:
    for _ in range(5):
        waits(store, STRANGER)
    over = START + timedelta(seconds=60)
    assert at_once(20, lambda _number: waits(store, STRANGER, at=over)).count(0) == 1


def test_strangers_slow_strangers_and_not_the_owners_browser(store: EphemeralStore) -> None:
    for _ in range(6):
        waits(store, STRANGER)
    assert waits(store, OWNER) == 0
    assert waits(store, STRANGER)


def test_a_known_browser_is_slowed_by_its_own_tries_alone(store: EphemeralStore) -> None:
    assert [waits(store, OWNER) for _ in range(6)] == [0, 0, 0, 0, 0, 60]
    assert waits(store, Try("person:1", "another known browser", OWNER.address)) == 0
    assert waits(store, STRANGER) == 0


def test_a_right_password_clears_its_own_bucket_only(store: EphemeralStore) -> None:
    for _ in range(5):
        waits(store, STRANGER)
    for _ in range(4):
        waits(store, OWNER)
    succeeded(store, OWNER, at_home=False)
    assert [waits(store, OWNER) for _ in range(6)] == [0, 0, 0, 0, 0, 60]
    assert waits(store, STRANGER) == 60


def test_another_account_is_not_slowed_by_this_one(store: EphemeralStore) -> None:
    for _ in range(9):
        waits(store, STRANGER)
    assert waits(store, Try("person:2", None, STRANGER.address)) == 0


def spray(store: EphemeralStore, address: str, accounts: int) -> list[float]:
    """One failed try on each of `accounts` from one address."""
    return [waits(store, Try(f"person:{number}", None, address)) for number in range(accounts)]


def test_an_address_that_failed_on_twenty_accounts_is_slowed_on_new_ones(store: EphemeralStore) -> None:
    asked = spray(store, "203.0.113.7", 25)
    assert asked[:20] == [0] * 20
    # One try a wait goes through, so that an office is slowed and not shut out.
    assert asked[20] == 0
    assert all(60 >= wait > 0 for wait in asked[21:])
    assert waits(store, Try("person:99", None, "203.0.113.7"), at=START + timedelta(seconds=60)) == 0


def sign_in(store: EphemeralStore, attempt: Try, *, at: datetime = START) -> None:
    """Try once with the right password."""
    at_home = admit(store, SETTINGS, attempt, now=at)
    succeeded(store, attempt, at_home=at_home)


@pytest.mark.parametrize("address", ["203.0.113.7", "2001:db8:1:2::7"])
def test_an_honest_sign_in_gives_the_address_its_next_try_back_once(
    store: EphemeralStore, address: str
) -> None:
    spray(store, address, 25)
    honest = Try("person:honest", None, address)
    later = START + timedelta(seconds=60)
    sign_in(store, honest, at=later)
    assert waits(store, Try("person:first", None, address), at=later) == 0
    sign_in(store, honest, at=later)
    assert waits(store, Try("person:second", None, address), at=later) > 0


def test_sign_ins_at_once_give_the_next_try_back_once(store: EphemeralStore) -> None:
    address = "203.0.113.7"
    honest = Try("person:honest", None, address)
    # All of them were admitted before any of them succeeded.
    at_home = [admit(store, SETTINGS, honest, now=START) for _ in range(4)]
    spray(store, address, 25)
    asked = []
    for number, known in enumerate(at_home):
        succeeded(store, honest, at_home=known)
        asked.append(waits(store, Try(f"person:new-{number}", None, address)))
    assert asked == [0, 60, 60, 60]


def test_who_signed_in_from_there_before_is_not_slowed_by_the_spraying(store: EphemeralStore) -> None:
    regular = Try("person:regular", None, "203.0.113.7")
    succeeded(store, regular, at_home=False)
    spray(store, "203.0.113.7", 25)
    assert waits(store, regular) == 0
    assert waits(store, Try("person:travelling", "a known browser", "203.0.113.7")) == 0
    assert waits(store, Try("person:elsewhere", None, "203.0.113.8")) == 0


def test_failing_on_one_account_or_succeeding_on_many_is_no_spraying(store: EphemeralStore) -> None:
    for number in range(30):
        failed(store, STRANGER)
        succeeded(store, Try(f"person:{number}", None, STRANGER.address), at_home=False)
    assert waits(store, Try("person:new", None, STRANGER.address)) == 0


def test_who_has_every_line_of_an_ipv6_site_is_slowed_after_eight_times_as_many(
    store: EphemeralStore,
) -> None:
    lines = [f"2001:db8:1:{number:x}::7" for number in range(165)]
    asked = [waits(store, Try(f"person:{number}", None, line)) for number, line in enumerate(lines)]
    assert asked[:161] == [0] * 161
    assert all(asked[161:])
    # What an account gives back to its line, it does not give back to all lines.
    sign_in(store, Try("person:mine", None, lines[0]), at=START + timedelta(seconds=60))
    assert waits(store, Try("person:200", None, lines[1]), at=START + timedelta(seconds=60)) > 0
    assert waits(store, Try("person:201", None, "2001:db8:2::7")) == 0


def test_ipv4_inside_ipv6_counts_as_what_it_is() -> None:
    for address, known_as in (
        ("::ffff:198.51.100.7", ["198.51.100.7"]),
        ("198.51.100.7", ["198.51.100.7"]),
        ("2001:db8:1:2:3::4", ["2001:db8:1:2::/64", "2001:db8:1::/48"]),
        ("unix:", ["unix:"]),
    ):
        assert [place.name for place in places(address)] == known_as, address


def test_ipv6_addresses_of_one_line_count_as_one(store: EphemeralStore) -> None:
    for number in range(22):
        waits(store, Try(f"person:{number}", None, f"2001:db8:1:2::{number:x}"))
    assert waits(store, Try("person:99", None, "2001:db8:1:2:ffff::1")) > 0
    assert waits(store, Try("person:98", None, "2001:db8:1:3::1")) == 0
