"""A table somebody exported, from bytes to cells, whatever program wrote it; and back, for what was refused.

UTF-8 with or without a mark and GBK (as GB 18030) are told apart by trying; any line ending is read. A cell
is cleaned of what spreadsheets need to keep a number a text: a leading apostrophe, or ``="…"``.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from idp.crypto import plain

MAX_BYTES = 64 * 1024 * 1024
WHY = "原因"
"""The column a report adds; it is passed over when the corrected report is read."""
_NEWLINE = re.compile(rb"\r\n|\r|\n")
_AS_FORMULA = re.compile(r'="([^"]*)"\Z')
# What a spreadsheet takes for a formula (CWE-1236), and numbers of more digits than it keeps exactly.
_MISREAD = re.compile(r"[=+\-@＝＋－＠]|[0-9]{12,}")


class TableRefused(Exception):
    """The file is no table of the columns asked for; the message is a sentence for whoever named the file."""


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table: the number of its (first) line in the file, its cells as they stand there."""

    number: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a file. `columns` says which cell is which; an empty name is a column nobody asked for."""

    header: list[str]
    columns: list[str]
    lines: list[Line]

    @property
    def passed_over(self) -> list[str]:
        """Headings of columns that nobody asked for."""
        pairs = zip(self.header, self.columns, strict=True)
        return [head.strip() for head, name in pairs if not name and head.strip() not in {"", WHY}]

    def heading(self, column: str) -> str:
        """How the file calls a column; our name if the file has none."""
        return self.header[self.columns.index(column)].strip() if column in self.columns else column

    def named(self, line: Line) -> dict[str, str]:
        """The cleaned cells of a row that were asked for and are filled, by our names of their columns."""
        pairs = zip(self.columns, line.cells, strict=False)
        return {name: cell for name, raw in pairs if name and (cell := _cleaned(raw))}

    def overflows(self, line: Line) -> bool:
        """Whether the row has cells beyond the last heading."""
        return any(cell.strip() for cell in line.cells[len(self.header) :])


def read_table(data: bytes, names: Mapping[str, Iterable[str]], *, required: Iterable[str]) -> Table:
    """The table in `data`. `names` gives the headings each column may have, beside its own name.

    Raises TableRefused.
    """
    records = _records(_text(data))
    _, header = next(records, (0, []))
    if len(header) == 1 and re.search(r"[\t;]", header[0]):
        raise TableRefused("The columns must be separated by commas.")
    columns = _columns(header, names)
    missing = [f"{name} ({next(iter(names[name]))})" for name in required if name not in columns]
    if missing:
        raise TableRefused(f"The first line must name the columns; missing: {', '.join(missing)}.")
    lines = [Line(number, cells) for number, cells in records if any(cell.strip() for cell in cells)]
    return Table(header, columns, lines)


def write_report(table: Table, refused: Iterable[tuple[Line, str]]) -> bytes:
    """The refused rows with why, as a table that a spreadsheet opens unharmed and an import reads again."""
    reasoned = [number for number, head in enumerate(table.header) if head.strip() != WHY]
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow([*(_harmless(table.header[number]) for number in reasoned), WHY])
    for line, why in refused:
        cells = [*line.cells, *[""] * len(table.header)]
        writer.writerow([*(_harmless(cells[number]) for number in reasoned), _harmless(why)])
    return codecs.BOM_UTF8 + written.getvalue().encode()


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise TableRefused(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Split it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        reached = wrong.start
    if data.startswith(codecs.BOM_UTF8) or _is_damaged_utf8(data):
        raise TableRefused(f"Line {_line_at(data, reached)} is not UTF-8, and the rest is.")
    try:
        return data.decode("gb18030")
    except UnicodeDecodeError as wrong:
        # The encoding that got farther is the one that was meant.
        line = _line_at(data, max(reached, wrong.start))
        raise TableRefused(f"Line {line} is neither UTF-8 nor GBK. Save the file as CSV UTF-8.") from None


def _is_damaged_utf8(data: bytes) -> bool:
    """Whether this is UTF-8 with a few wrong bytes: read as GBK it would become other words, unnoticed."""
    read = data.decode("utf-8", "replace")
    wrong = read.count("\ufffd")
    return sum(character > "\u07ff" for character in read) > 2 * wrong


def _line_at(data: bytes, position: int) -> int:
    return len(_NEWLINE.findall(data, 0, position)) + 1


def _records(text: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the number of its first line. Raises TableRefused at one that is not CSV."""
    # A StringIO of newline=None makes one kind of line ending of all of them.
    reader = csv.reader(io.StringIO(text, newline=None), strict=True)
    while True:
        number = reader.line_num + 1
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error:
            raise TableRefused(
                f'Line {number} is not CSV (RFC 4180): a cell with a comma, a line break or " stands in "…", '
                'each " inside it doubled.'
            ) from None


def _columns(header: list[str], names: Mapping[str, Iterable[str]]) -> list[str]:
    known = {_heading(alias): name for name, aliases in names.items() for alias in (name, *aliases)}
    columns = [known.get(_heading(head), "") for head in header]
    for name in filter(None, columns):
        if columns.count(name) > 1:
            raise TableRefused(f"Two columns are {name} ({next(iter(names[name]))}).")
    return columns


def _heading(typed: str) -> str:
    # Forms mark what must be filled with an asterisk.
    return re.sub(r"[\s*_]", "", plain(_cleaned(typed))).lower()


def _cleaned(raw: str) -> str:
    cell = raw.strip()
    if quoted := _AS_FORMULA.match(cell):
        return quoted[1].strip()
    return cell.removeprefix("'").strip()


def _harmless(cell: str) -> str:
    text = cell.strip()
    if quoted := _AS_FORMULA.match(text):
        return f"'{quoted[1]}"
    return f"'{text}" if _MISREAD.match(text) else text
