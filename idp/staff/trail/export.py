"""The audit trail as a file: CSV for spreadsheets, JSON lines for programs, written as it is read.

In CSV a cell that a spreadsheet would take for a formula begins with an apostrophe (SECURITY 70). A file
that does not hold everything says so in its last line, and a value that cannot be read says so in its place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from idp.accounts.audit_rows import Line
from idp.accounts.calendar import SHANGHAI
from idp.web.audit_words import UNREADABLE, action_words, printable
from idp.web.csv_files import BOM, inert, lines

Batches = Iterable[Sequence[Line]]
_PLAIN = ("actor", "on_behalf_of", "entity", "target", "address", "device", "request_id")
_COLUMNS = (
    "时间",
    "事项",
    "事项代码",
    "操作人",
    "代表",
    "企业",
    "对象",
    "地址",
    "浏览器",
    "请求编号",
    "封存批次",
    "详情",
    "记录编号",
)


def as_csv(batches: Batches, limit: int) -> Iterator[str]:
    """`limit` rows at most, with the mark by which spreadsheets know UTF-8; times are those of Shanghai."""
    yield BOM + lines([_COLUMNS])
    left = limit
    for rows in batches:
        yield lines([_cells(row) for row in rows[:left]])
        if len(rows) > left:
            yield lines([(f"未完：只含最新的 {limit} 条，请缩小日期范围再导出其余的",)])
            return
        left -= len(rows)


def as_json_lines(batches: Batches, limit: int) -> Iterator[str]:
    """The same, an object a line; times are UTC (RFC 3339)."""
    left = limit
    for rows in batches:
        yield "".join(_json(_object(row)) for row in rows[:left])
        if len(rows) > left:
            yield _json({"truncated": True, "rows": limit})
            return
        left -= len(rows)


FORMATS: dict[str, tuple[str, Callable[[Batches, int], Iterator[str]]]] = {
    "csv": ("text/csv", as_csv),
    "jsonl": ("application/jsonl", as_json_lines),
}
"""Ending of the file's name to its media type and what writes it."""


def _cells(row: Line) -> list[str]:
    cells = {
        "at": row.at and row.at.astimezone(SHANGHAI).isoformat(timespec="milliseconds"),
        "words": action_words(row.action) if row.action is not None else UNREADABLE,
        "action": row.action,
        **{name: getattr(row, name) for name in _PLAIN},
        "batch_number": "" if row.batch_number is None else str(row.batch_number),
        "detail": json.dumps(row.detail, ensure_ascii=False, sort_keys=True),
        "id": str(row.id),
    }
    return [inert(UNREADABLE if name in row.unreadable else printable(cell)) for name, cell in cells.items()]


def _object(row: Line) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in ("action", *_PLAIN, "detail", "batch_number")}
    unreadable = {"unreadable": row.unreadable} if row.unreadable else {}
    return {"id": str(row.id), "at": row.at and row.at.isoformat(), **told, **unreadable}


def _json(value: dict[str, Any]) -> str:
    return printable(json.dumps(value, ensure_ascii=False)) + "\n"
