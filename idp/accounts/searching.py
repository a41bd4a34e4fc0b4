"""Lists that the console searches: what may be looked for, and one page of what is found, within bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from idp.crypto import plain

PAGE: Final = 20
MOST: Final = 1000
"""More than so many matches are not counted nor paged through: the search has to say more."""
LONGEST: Final = 100
"""Characters of a text that is looked for."""
Row = TypeVar("Row")


class SearchRefused(Exception):
    """Nothing was looked up; the message is the sentence to show (Chinese)."""


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """One page of what was found; `more` where there are more than MOST."""

    rows: Sequence[Row]
    total: int
    more: bool
    number: int
    pages: int


def check_text(supplied: str) -> str:
    """The text to look for, as typed. Raises SearchRefused."""
    text = supplied.strip()
    if len(text) > LONGEST:
        raise SearchRefused(f"查找内容最多 {LONGEST} 个字符，请写短一些再查")
    # NUL, which PostgreSQL refuses, and marks that turn the direction of writing are in no name.
    if not plain(text).isprintable():
        raise SearchRefused("查找内容里有不能显示的字符，请重新填写")
    return text


def one_page(db: Session, ids: Select[Any], rows: Select[Row], number: int) -> Listing[Row]:
    """The page `number`, from 1, of `rows`, which are in order; a page beyond the last is the last.

    `ids` selects one column of the same matches, by which they are counted.
    """
    total = db.scalar(select(func.count()).select_from(ids.limit(MOST + 1).subquery())) or 0
    reachable = min(total, MOST)
    pages = max(1, -(-reachable // PAGE))
    number = min(max(number, 1), pages)
    found = db.scalars(rows.limit(PAGE).offset((number - 1) * PAGE)).all()
    return Listing(found, reachable, total > MOST, number, pages)
