"""Codes of an authenticator app (MISSION Y; RFC 4226, RFC 6238)."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.proof import totp

# RFC 6238 appendix B gives eight digits; an app of six shows the last six of them.
RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
VECTORS = (
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
    (20000000000, "353130"),
)
NOW = datetime(2030, 1, 7, 9, 0, 15, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    assert totp.matching_step(RFC_SECRET, code, now=at(seconds)) == seconds // 30


def test_one_step_of_drift_is_allowed_either_way_and_two_are_not() -> None:
    secret = totp.new_secret()
    current = int(NOW.timestamp()) // 30
    app = pyotp.TOTP(secret)
    drifted = {
        steps: totp.matching_step(secret, app.generate_otp(current + steps), now=NOW)
        for steps in range(-3, 4)
    }
    assert drifted == {-3: None, -2: None, -1: current - 1, 0: current, 1: current + 1, 2: None, 3: None}


def test_a_step_begins_and_ends_on_the_second() -> None:
    secret, start = totp.new_secret(), at(int(NOW.timestamp()) // 30 * 30)
    code, step = pyotp.TOTP(secret).at(start), int(start.timestamp()) // 30
    first, last = start - timedelta(seconds=30), start + timedelta(seconds=59.999)
    assert [totp.matching_step(secret, code, now=moment) for moment in (first, last)] == [step, step]
    beyond = (first - timedelta(milliseconds=1), start + timedelta(seconds=60))
    assert [totp.matching_step(secret, code, now=moment) for moment in beyond] == [None, None]


@pytest.mark.parametrize("typed", ["１２３４５６", "123 456", " 123456\n", "12 34 56", "1\u30002\u30003 456"])
def test_full_width_digits_and_spaces_are_forgiven(typed: str) -> None:
    assert totp.normalise(typed) == "123456"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "12345",
        "1234567",
        "12345a",
        "-12345",
        "+12345",
        "1e5000",
        "١٢٣٤٥٦",
        "12345\0",
        "\ud800",
        "0x1234",
    ],
)
def test_anything_else_is_no_code(typed: str) -> None:
    assert totp.normalise(typed) == ""
    assert totp.matching_step(RFC_SECRET, typed, now=NOW) is None


@given(st.text(max_size=60))
def test_whatever_is_typed_is_six_digits_or_nothing(typed: str) -> None:
    read = totp.normalise(typed)
    assert read == "" or (len(read) == 6 and read.isascii() and read.isdigit())


@given(st.integers(min_value=300, max_value=4_000_000_000), st.integers(min_value=-9, max_value=9))
def test_a_code_counts_exactly_when_an_app_shows_it_within_a_step(seconds: int, drift: int) -> None:
    app, current = pyotp.TOTP(RFC_SECRET), seconds // 30
    code = app.generate_otp(current + drift)
    # Once in a million two steps have the same code.
    shown = {app.generate_otp(current + allowed) for allowed in (-1, 0, 1)}
    assert (totp.matching_step(RFC_SECRET, code, now=at(seconds)) is not None) == (code in shown)


def test_a_million_characters_are_read_as_the_first_few() -> None:
    assert totp.normalise("1" * 1_000_000) == ""


def test_a_secret_has_160_bits_and_is_nobody_elses() -> None:
    made = {totp.new_secret() for _ in range(50)}
    assert len(made) == 50
    assert {len(base64.b32decode(secret)) for secret in made} == {20}


def test_the_address_says_to_the_app_whose_and_where_and_keeps_signs_apart() -> None:
    address = urlsplit(totp.address(RFC_SECRET, account="a:b&c?d 林", site="通行 & 平台"))
    asked = parse_qs(address.query)
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert unquote(address.path) == "/通行 & 平台:a:b&c?d 林"
    assert (asked["secret"], asked["issuer"]) == ([RFC_SECRET], ["通行 & 平台"])
