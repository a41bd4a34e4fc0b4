"""Tables for spreadsheets: CSV whose cells no spreadsheet computes (SECURITY 70)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Final

BOM: Final = "\ufeff"
"""The mark by which spreadsheets know UTF-8."""
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def inert(cell: str) -> str:
    """The text of a cell that no spreadsheet computes."""
    return "'" + cell if cell.startswith(_FORMULA) else cell


def lines(rows: Iterable[Iterable[str]]) -> str:
    """The rows as they stand in the file; each cell is already as it is to be."""
    written = io.StringIO()
    csv.writer(written).writerows(rows)
    return written.getvalue()
