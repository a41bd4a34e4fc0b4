"""The code a device shows: hard to guess, easy to type."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.access.user_codes import ALPHABET, LENGTH, new_user_code, parse_user_code, shown


def test_a_code_has_enough_bits_and_makes_no_word() -> None:
    assert math.log2(len(set(ALPHABET)) ** LENGTH) >= 34
    assert not set(ALPHABET) & set("AEIOUY0123456789")
    codes = {new_user_code() for _each in range(500)}
    assert len(codes) == 500
    assert set("".join(codes)) == set(ALPHABET), "every letter is used"


@given(st.text(ALPHABET, min_size=LENGTH, max_size=LENGTH), st.text("-–—－_ ·.　", max_size=4))
def test_what_is_shown_is_understood_however_it_is_parted(code: str, between: str) -> None:
    assert re.fullmatch(r"\w{4}-\w{4}", shown(code))
    for typed in (shown(code), between.join(code), between + code.lower() + between):
        assert parse_user_code(typed) == code


@given(st.text(max_size=200))
def test_anything_else_is_no_code(typed: str) -> None:
    parsed = parse_user_code(typed)
    assert parsed is None or (len(parsed) == LENGTH and set(parsed) <= set(ALPHABET))


@pytest.mark.parametrize(
    "typed", ["", "BCDFGHJ", "BCDFGHJKL", "ABCDFGHJ", "BCDF1GHJK", "字BCDFGHJK", "B" * 10**6]
)
def test_too_few_too_many_and_foreign_letters_are_none(typed: str) -> None:
    assert parse_user_code(typed) is None
