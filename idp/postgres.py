"""What belongs to PostgreSQL alone, so that only who uses it loads its driver (8 MB)."""

from __future__ import annotations

from typing import Any

import psycopg


class LeanCursor(psycopg.Cursor[Any]):
    """psycopg's cursor with a `description` as short as SQLAlchemy reads it: name and type of each column.

    psycopg's own tells all of PEP 249 and looks each type up for it, at every statement: ten times the work.
    """

    @property
    def description(self) -> list[tuple[str, int]] | None:  # type: ignore[override]
        """The name and the type of each column of the result; None where there is none."""
        result: Any = self.pgresult
        if result is None or not result.nfields:
            return None
        return [(result.fname(place).decode(), result.ftype(place)) for place in range(result.nfields)]
