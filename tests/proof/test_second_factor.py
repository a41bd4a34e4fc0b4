"""The second step: tries counted before they are looked at, codes spent once (MISSION Y; SECURITY 8, 13)."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from sqlalchemy import select

from idp.accounts import factors
from idp.accounts.factors import TotpSecret
from idp.proof import recovery_codes, throttle
from idp.proof.second_factor import CodeRefused, Proven, attempt_at, check_code
from idp.proof.throttle import Throttled
from tests.adapters.arrange import at_once
from tests.world import World

ACCOUNT, OTHER = "person:00000000-0000-0000-0000-000000000001", "mandate:00000000-0000-0000-0000-000000000002"
START = datetime(2030, 1, 7, 9, tzinfo=UTC)


def tried(
    world: World, typed: str, *, account: str = ACCOUNT, browser: str | None = None, at: datetime = START
) -> Proven | str:
    """What came of one try in a transaction of its own: what was proved, or why not."""
    platform = world.platform
    attempt = attempt_at(account, known_browser=browser, address="203.0.113.7")
    try:
        with world.write() as db:
            return check_code(db, platform.store, world.settings, platform.vault, attempt, typed, now=at)
    except CodeRefused as refused:
        return str(refused)
    except Throttled:
        return "throttled"


def code_of(secret: str, at: datetime = START) -> str:
    return pyotp.TOTP(secret).at(at)


def wrong_for(*secrets: str, at: datetime = START) -> str:
    """Six digits that no app of these shows at or about `at`."""
    shown = {
        pyotp.TOTP(secret).at(at + timedelta(seconds=30 * drift))
        for secret in secrets
        for drift in (-1, 0, 1)
    }
    return next(code for code in ("000000", "111111", "222222", "333333", "444444") if code not in shown)


def with_codes(world: World, account: str = ACCOUNT) -> list[str]:
    with world.write() as db:
        return recovery_codes.renew(db, world.backends.vault, account, now=START)


def test_the_code_an_app_shows_is_proof_once(world: World) -> None:
    secret = world.a_totp(ACCOUNT)
    assert tried(world, code_of(secret)) == Proven("otp")
    assert "已经用过" in str(tried(world, code_of(secret)))
    later = START + timedelta(seconds=30)
    assert tried(world, code_of(secret, later), at=later) == Proven("otp")


def test_a_code_older_than_the_last_one_spent_is_refused_as_used(world: World) -> None:
    secret = world.a_totp(ACCOUNT)
    ahead = START + timedelta(seconds=30)
    assert tried(world, code_of(secret, ahead)) == Proven("otp")
    assert "已经用过" in str(tried(world, code_of(secret)))
    assert "已经用过" in str(tried(world, code_of(secret), at=ahead))


def test_of_many_who_send_one_code_at_once_one_comes_in(world: World) -> None:
    secret = world.a_totp(ACCOUNT)
    # Known browsers, so that the throttle is not what refuses.
    told = at_once(8, lambda number: tried(world, code_of(secret), browser=f"browser-{number}"))
    assert sum(isinstance(one, Proven) for one in told) == 1


def test_two_apps_each_prove_and_each_code_works_once(world: World) -> None:
    first, second = world.a_totp(ACCOUNT), world.a_totp(ACCOUNT, name="平板")
    assert tried(world, code_of(second)) == Proven("otp")
    assert tried(world, code_of(first)) == Proven("otp")
    assert [isinstance(tried(world, code_of(secret)), str) for secret in (first, second)] == [True, True]
    with world.reading() as db:
        used = db.scalars(select(TotpSecret.last_used_at).where(TotpSecret.account == ACCOUNT)).all()
    assert used == [START, START]


def test_what_was_set_up_for_one_account_opens_no_other(world: World) -> None:
    mine, theirs = world.a_totp(ACCOUNT), world.a_totp(OTHER)
    assert "不正确" in str(tried(world, code_of(theirs)))
    assert tried(world, code_of(mine)) == Proven("otp")
    assert tried(world, code_of(theirs), account=OTHER) == Proven("otp")


def test_a_recovery_code_is_proof_once_and_says_how_many_are_left(world: World) -> None:
    world.a_totp(ACCOUNT)
    codes = with_codes(world)
    assert tried(world, codes[0].upper()) == Proven("otp", codes_left=9)
    assert "每个恢复码只能用一次" in str(tried(world, codes[0]))
    assert tried(world, codes[1]) == Proven("otp", codes_left=8)


def test_an_account_without_factors_is_proved_by_nothing(world: World) -> None:
    assert "不正确" in str(tried(world, "123456"))
    assert "不正确" in str(tried(world, "abcde-fghjk"))


def test_five_wrong_tries_of_either_kind_are_looked_at_and_then_one_a_wait(world: World) -> None:
    secret = world.a_totp(ACCOUNT)
    wrong = wrong_for(secret)
    told = [tried(world, typed) for typed in (wrong, "abcde-fghjk", "", "rubbish", wrong)]
    assert "throttled" not in told
    # The right one is not looked at either: otherwise the wait would tell right from wrong.
    assert tried(world, code_of(secret)) == "throttled"
    later = START + timedelta(seconds=61)
    assert tried(world, code_of(secret, later), at=later) == Proven("otp")


def test_of_forty_guesses_at_once_no_more_than_five_are_looked_at(world: World) -> None:
    secret = world.a_totp(ACCOUNT)
    wrong = wrong_for(secret)
    told = Counter(at_once(40, lambda _: tried(world, wrong)))
    assert told["throttled"] >= 35
    assert tried(world, code_of(secret)) == "throttled"


def test_guesses_count_for_one_account_and_not_against_its_password(world: World) -> None:
    first, second = world.a_totp(ACCOUNT), world.a_totp(OTHER)
    for _ in range(6):
        tried(world, wrong_for(first, second))
    assert tried(world, code_of(first)) == "throttled"
    assert tried(world, code_of(second), account=OTHER) == Proven("otp")
    password = throttle.Try(ACCOUNT, None, "198.51.100.9")
    throttle.admit(world.platform.store, world.settings, password, now=START)


def test_strangers_guesses_do_not_slow_the_owner_in_a_known_browser(world: World) -> None:
    secret = world.a_totp(ACCOUNT)
    for _ in range(8):
        tried(world, wrong_for(secret))
    assert tried(world, code_of(secret), browser="the owner's browser") == Proven("otp")


def test_success_clears_the_count(world: World) -> None:
    secret = world.a_totp(ACCOUNT)
    for step in range(4):
        now = START + timedelta(seconds=30 * step)
        for _ in range(4):
            assert "不正确" in str(tried(world, wrong_for(secret, at=now), at=now))
        assert tried(world, code_of(secret, now), at=now) == Proven("otp")


def test_a_request_that_is_rolled_back_gives_no_try_back(world: World) -> None:
    secret, platform = world.a_totp(ACCOUNT), world.platform
    attempt = attempt_at(ACCOUNT, known_browser=None, address="203.0.113.7")
    for _ in range(5):
        with world.reading() as db, pytest.raises(CodeRefused):
            check_code(
                db, platform.store, world.settings, platform.vault, attempt, wrong_for(secret), now=START
            )
    assert tried(world, code_of(secret)) == "throttled"


def test_a_removed_app_proves_nothing(world: World) -> None:
    secret = world.a_totp(ACCOUNT)
    with world.write() as db:
        factors.remove_all(db, ACCOUNT)
    assert "不正确" in str(tried(world, code_of(secret)))


def test_rubbish_is_refused_with_a_sentence(world: World) -> None:
    world.a_totp(ACCOUNT)
    for number, typed in enumerate(("\0", "\ud800", "１" * 100_000, "' OR 1=1 --", "{}", "0" * 10)):
        said = str(tried(world, typed, browser=f"browser-{number}"))
        assert any(words in said for words in ("填写的不是动态口令", "恢复码不正确")), typed[:9]
