"""Identity documents: their kinds in words, what numbers they have, how long they are valid (B07–B10)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from idp.accounts.identifiers import parse_resident_id
from idp.accounts.models import IdType
from idp.crypto import plain

NAMES: Final = {
    IdType.RESIDENT: "居民身份证",
    IdType.HK_MACAO: "港澳居民来往内地通行证",
    IdType.TAIWAN: "台湾居民来往大陆通行证",
    IdType.FOREIGN_PR: "外国人永久居留身份证",
    IdType.PASSPORT: "护照",
}
_LONGEST_TYPED = 64


class Term(StrEnum):
    """How long a document is valid (B09); the value is years, or `long` for 长期有效."""

    FIVE = "5"
    TEN = "10"
    TWENTY = "20"
    LONG = "long"


TERMS: Final = {Term.FIVE: "5 年", Term.TEN: "10 年", Term.TWENTY: "20 年", Term.LONG: "长期有效"}


@dataclass(frozen=True, slots=True)
class Document:
    """A document as its holder told it, in canonical form; `valid_until` None is 长期有效."""

    id_type: IdType
    id_number: str
    valid_from: date
    valid_until: date | None

    def is_valid_on(self, day: date) -> bool:
        """Whether `day` is one of its days, both ends included."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


def parse_number(id_type: IdType, supplied: str) -> str | None:
    """The number of a document of this kind in canonical form; check digits only where the kind has them."""
    if id_type is IdType.RESIDENT:
        return parse_resident_id(supplied)
    other = (
        plain(supplied).replace(" ", "").replace("-", "").upper() if len(supplied) <= _LONGEST_TYPED else ""
    )
    return other if 5 <= len(other) <= 20 and other.isalnum() and other.isascii() else None


def end_of(first: date, term: Term) -> date | None:
    """The last day of a document that is valid from `first` for `term`; None for 长期有效.

    The same day of the year, as it is printed; of 29 February the 28th where the year has none.
    """
    if term is Term.LONG:
        return None
    year = first.year + int(term)
    try:
        return first.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def ends_of(first: date, term: Term) -> set[date]:
    """The last days such a document may say; none for 长期有效.

    Of one that begins on 29 February some print 28 February, some 1 March.
    """
    last = end_of(first, term)
    if last is None:
        return set()
    return {last} if last.day == first.day else {last, last + timedelta(days=1)}


def term_of(first: date | None, last: date | None) -> Term | None:
    """Which term the two days make, where they make one."""
    if first is None:
        return None
    if last is None:
        return Term.LONG
    return next((term for term in Term if last in ends_of(first, term)), None)
