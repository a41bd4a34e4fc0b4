"""Identity documents: their numbers, their last day, whether they are valid (B07–B10)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.accounts.documents import (
    NAMES,
    TERMS,
    Document,
    Term,
    end_of,
    ends_of,
    parse_number,
    term_of,
)
from idp.accounts.models import IdType
from tests.inhabitants import a_resident_number

RESIDENT = a_resident_number(60_001)
days = st.dates(date(1984, 4, 6), date(2100, 1, 1))


def test_there_are_five_kinds_and_four_terms_each_with_its_name() -> None:
    assert set(NAMES) == set(IdType)
    assert list(TERMS.values()) == ["5 年", "10 年", "20 年", "长期有效"]


@pytest.mark.parametrize(
    ("kind", "typed", "number"),
    [
        (IdType.RESIDENT, RESIDENT, RESIDENT),
        (IdType.RESIDENT, f" {RESIDENT[:6]} {RESIDENT[6:14]} {RESIDENT[14:].lower()} ", RESIDENT),
        (IdType.RESIDENT, RESIDENT[:17] + ("1" if RESIDENT[17] != "1" else "2"), None),
        (IdType.RESIDENT, RESIDENT[:17], None),
        (IdType.RESIDENT, "E12345678", None),
        (IdType.HK_MACAO, "h 1234-5678", "H12345678"),
        (IdType.HK_MACAO, "Ｍ１２３４５６７８", "M12345678"),
        (IdType.TAIWAN, "01234567", "01234567"),
        (IdType.FOREIGN_PR, "xaa 123456789012", "XAA123456789012"),
        (IdType.PASSPORT, "e12345678", "E12345678"),
        (IdType.PASSPORT, "1234", None),
        (IdType.PASSPORT, "E" * 21, None),
        (IdType.PASSPORT, "E" * 5000, None),
        (IdType.PASSPORT, "护照12345", None),
        (IdType.PASSPORT, "E1234567/8", None),
        (IdType.PASSPORT, "١٢٣٤٥٦٧", None),
        (IdType.PASSPORT, "\ud800\ud800\ud800\ud800\ud800", None),
        (IdType.PASSPORT, "", None),
    ],
)
def test_a_number_is_understood_as_its_kind_has_it(kind: IdType, typed: str, number: str | None) -> None:
    assert parse_number(kind, typed) == number


@pytest.mark.parametrize(
    ("first", "term", "last"),
    [
        (date(2019, 3, 8), Term.FIVE, date(2024, 3, 8)),
        (date(2019, 3, 8), Term.TEN, date(2029, 3, 8)),
        (date(2019, 3, 8), Term.TWENTY, date(2039, 3, 8)),
        (date(2019, 3, 8), Term.LONG, None),
        (date(2020, 2, 29), Term.FIVE, date(2025, 2, 28)),
        (date(2020, 2, 29), Term.TEN, date(2030, 2, 28)),
        (date(2020, 2, 29), Term.TWENTY, date(2040, 2, 29)),
        (date(2020, 2, 29), Term.LONG, None),
        (date(2019, 12, 31), Term.FIVE, date(2024, 12, 31)),
    ],
)
def test_the_last_day_is_the_same_day_so_many_years_on(first: date, term: Term, last: date | None) -> None:
    """B10."""
    assert end_of(first, term) == last


def test_of_a_card_of_29_february_both_last_days_are_printed() -> None:
    leap = date(2020, 2, 29)
    assert ends_of(leap, Term.FIVE) == {date(2025, 2, 28), date(2025, 3, 1)}
    assert ends_of(leap, Term.TWENTY) == {date(2040, 2, 29)}
    assert ends_of(date(2019, 2, 28), Term.FIVE) == {date(2024, 2, 28)}
    assert ends_of(leap, Term.LONG) == set()


@given(days, st.sampled_from(Term))
def test_the_term_follows_from_the_two_days(first: date, term: Term) -> None:
    """X26: who comes back finds the term that he chose."""
    assert term_of(first, end_of(first, term)) is term
    assert all(term_of(first, last) is term for last in ends_of(first, term))


@pytest.mark.parametrize(
    ("first", "last"), [(None, None), (None, date(2024, 3, 8)), (date(2019, 3, 8), date(2024, 3, 9))]
)
def test_days_that_make_no_term_have_none(first: date | None, last: date | None) -> None:
    assert term_of(first, last) is None


def test_a_document_is_valid_from_its_first_to_its_last_day() -> None:
    first, last, day = date(2019, 3, 8), date(2024, 3, 8), timedelta(days=1)
    five = Document(IdType.PASSPORT, "E12345678", first, last)
    valid = [five.is_valid_on(when) for when in (first - day, first, last, last + day)]
    assert valid == [False, True, True, False]
    forever = Document(IdType.RESIDENT, RESIDENT, first, None)
    assert [forever.is_valid_on(when) for when in (first - day, first, date(2099, 1, 1))] == [
        False,
        True,
        True,
    ]
