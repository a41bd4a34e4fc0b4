"""What people type to name themselves, folded to one form, or nothing (SECURITY 21, 58; M, X1)."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from idp.accounts.directory import canonical_name
from idp.accounts.identifiers import (
    mask_id_number,
    mask_name,
    mask_phone,
    mask_uscc,
    parse_account,
    parse_phone,
    parse_resident_id,
    parse_uscc,
)
from tests.world import a_credit_code, a_resident_number

CODE = "91990100MA0TX00115"
NUMBER = "99010019930105026X"
PHONE = "13800000001"
FULL_WIDTH = "".join(chr(ord(digit) + 0xFEE0) for digit in PHONE)
PARSERS: dict[str, Callable[[str], str | None]] = {
    "uscc": parse_uscc,
    "resident": parse_resident_id,
    "phone": parse_phone,
    "account": lambda text: parse_account(text, shortest=6, longest=20),
}
# Text that looks like what the parsers read: digits of many scripts, letters that change when folded.
_NEAR = st.text(alphabet="0123456789+-() 　１９９ＸxXſKİıß٣۳①\u200b\0;=extABCwz_", max_size=40)


@settings(deadline=None)  # a busy machine is no fault
@given(st.one_of(st.text(max_size=200), _NEAR, st.from_regex(r"\+?(00)?86 ?1[3-9][0-9 -]{9,14}")))
@example("1" * 5000)
@example("+86" * 400)
@example("\ud800")
def test_whatever_is_typed_is_parsed_to_one_form_or_nothing(typed: str) -> None:
    for name, parse in PARSERS.items():
        found = parse(typed)
        assert found is None or parse(found) == found, name
        assert found is None or found.isascii(), name
    once = canonical_name(typed)
    assert canonical_name(once) == once or not once.isascii()


@settings(deadline=None)  # a busy machine is no fault
@given(st.integers(0, 9_999_999), st.integers(0, 999_999))
def test_valid_numbers_come_through_however_they_are_typed(code: int, number: int) -> None:
    made, resident = a_credit_code(code), a_resident_number(number)
    for typed in (made, made.lower(), f" {made[:8]} {made[8:]} ", f"{made[:2]}-{made[2:]}"):
        assert parse_uscc(typed) == made
    assert parse_resident_id(resident.lower()) == resident
    assert parse_resident_id(f"{resident[:6]} {resident[6:]}") == resident


def test_the_check_digit_is_that_of_the_standard() -> None:
    # GB 11643-1999: weights and check characters as its table gives them, not as a library does.
    weights, characters = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), "10X98765432"
    for number in range(50):
        body = a_resident_number(number)[:17]
        total = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True))
        right = body + characters[total % 11]
        assert parse_resident_id(right) == right
        wrong = body + characters[(total + 1) % 11]
        assert parse_resident_id(wrong) is None


@settings(deadline=None)  # a busy machine is no fault
@given(st.sampled_from([CODE, NUMBER]), st.integers(0, 17), st.sampled_from("0123456789ACX"))
def test_one_wrong_character_is_noticed(right: str, place: int, other: str) -> None:
    wrong = right[:place] + other + right[place + 1 :]
    parse = parse_uscc if right == CODE else parse_resident_id
    assert parse(wrong) == (right if wrong == right else None)


@pytest.mark.parametrize(
    "typed",
    [
        PHONE,
        f"+86{PHONE}",
        "+86 138-0000-0001",
        f"0086 {PHONE}",
        f"86{PHONE}",
        f"+86 (0){PHONE}",
        FULL_WIDTH,
        "(138) 0000 0001",
    ],
)
def test_a_mobile_number_is_eleven_digits_however_it_is_typed(typed: str) -> None:
    assert parse_phone(typed) == PHONE


@pytest.mark.parametrize("start", ["130", "165", "170", "171", "191", "199"])
def test_every_mobile_prefix_is_taken(start: str) -> None:
    assert parse_phone(f"{start}00000001") == f"{start}00000001"


@pytest.mark.parametrize(
    "typed",
    [
        *("+1 202 555 0101", "+852 5123 4567", "0431-80767550", "12800000001", "1380000000", "138000000012"),
        *("1380000CALL", f"{PHONE};ext=5", f"{PHONE}x5", f"tel:{PHONE}", f"{PHONE}{' ' * 200}", "+86", ""),
    ],
)
def test_other_numbers_are_none(typed: str) -> None:
    assert parse_phone(typed) is None


@pytest.mark.parametrize("typed", ["abcdef", "ABCDEF", " abcdef ", "ａｂｃｄｅｆ"])
def test_an_account_name_is_lower_case(typed: str) -> None:
    assert parse_account(typed, shortest=6, longest=20) == "abcdef"


@pytest.mark.parametrize("typed", ["abcde", "a" * 21, "1abcdef", "_abcdef", "abc-def", "abc def", "赵晓岚ab"])
def test_other_account_names_are_none(typed: str) -> None:
    assert parse_account(typed, shortest=6, longest=20) is None


def test_an_account_name_never_looks_like_a_credit_code() -> None:
    assert parse_account("ya990100ma0tx00115", shortest=6, longest=20) is None


def test_what_follows_far_behind_is_not_cut_off() -> None:
    assert parse_uscc(CODE + " " * 200 + "x") is None
    assert parse_account("abcdef" + " " * 200 + "x", shortest=6, longest=20) is None


def test_masks_hide_what_they_should() -> None:
    assert mask_phone(PHONE) == "138****0001"
    assert mask_id_number(NUMBER) == "9901**********026X"
    assert mask_uscc(CODE) == "9199***********115"
    assert [mask_name(name) for name in ("张小明", "赵岚", "欧阳某某")] == ["张*明", "赵*", "欧**某"]
    assert (mask_phone(None), mask_id_number(None)) == ("", "")


@settings(deadline=None)  # a busy machine is no fault
@given(st.text(alphabet="0123456789ABCXYZ", min_size=5, max_size=20))
def test_of_any_document_at_least_half_stays_hidden(number: str) -> None:
    masked = mask_id_number(number)
    assert len(masked) == len(number)
    assert masked.count("*") * 2 >= len(number)
