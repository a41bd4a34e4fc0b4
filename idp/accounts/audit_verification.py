"""Whether the trail is whole: every MAC and seal recomputed, and what was known of it before still there.

The chain alone cannot tell that its end was cut off, because what is left of it is whole. So its last seal is
kept with each check as an anchor, and written to the worker's log, where whoever changes the database does
not reach it: a trail that is shorter than an anchor, or another, has a fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, literal, select
from sqlalchemy.orm import Session

from idp.accounts import audit_rows
from idp.accounts.audit import GENESIS, AuditBatch, AuditEvent, Trail
from idp.accounts.audit_rows import Line
from idp.crypto import same

_ANCHOR = re.compile(r"(0|[1-9]\d{0,17}):([A-Za-z0-9_-]{43})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Anchor:
    """How far the trail went once: its last batch and that one's seal, and how many rows there were.

    `known_by` says who knows it. The anchor of a trail without batches is 0 and no seal.
    """

    number: int = 0
    digest: str = ""
    events: int = 0
    known_by: str = "the anchor given"

    def __str__(self) -> str:
        """NUMBER:DIGEST, as :func:`parse_anchor` reads it."""
        return f"{self.number}:{self.digest}"


def parse_anchor(text: str) -> Anchor:
    """An anchor that was kept elsewhere. Raises ValueError."""
    found = _ANCHOR.fullmatch(text.strip())
    if not found or (found[1] == "0") is not (found[2] is None):
        msg = f"not an anchor: {text[:80]!r}"
        raise ValueError(msg)
    return Anchor(int(found[1]), found[2] or "")


class Verification:
    """One walk over the whole trail; `rows` and `head` say how far it came.

    `anchors` are what is known of the trail. `progress` is told how many rows were looked at with each batch;
    what it raises ends the verification.
    """

    def __init__(
        self,
        db: Session,
        trail: Trail,
        anchors: Iterable[Anchor] = (),
        *,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self._db, self._trail, self._anchors = db, trail, list(anchors)
        self._told = progress or (lambda _rows: None)
        self._said = False
        self._number, self._digest = 0, GENESIS
        self.rows = 0

    @property
    def head(self) -> Anchor:
        """The last batch that was looked at."""
        digest = self._digest.decode(errors="replace") if self._number else ""
        return Anchor(self._number, digest, self.rows)

    def faults(self) -> Iterator[str]:
        """One sentence for each fault found; none if the trail is whole."""
        yield from self._sealed()
        loose = self._read(AuditEvent.batch_number.is_(None))
        yield from self._changed(loose)
        self._looked_at(len(loose))
        # What was sealed since the batches were listed is counted once, and never left out.
        yield from self._sealed(counted={line.id for line in loose})
        yield from self._stray()
        yield from self._less_than_known()

    def _sealed(self, counted: Container[object] = ()) -> Iterator[str]:
        digest = audit_rows.octets(self._db, AuditBatch.digest).label("digest")
        listed = select(AuditBatch.number, AuditBatch.events, digest).where(AuditBatch.number > self._number)
        for batch in self._db.execute(listed.order_by(AuditBatch.number)).all():
            if batch.number != self._number + 1:
                yield f"Batches {self._number + 1} to {batch.number - 1} are missing."
            rows, seal = (
                self._read(AuditEvent.batch_number == batch.number),
                audit_rows.as_bytes(batch.digest),
            )
            if len(rows) != batch.events:
                yield f"Batch {batch.number} has {len(rows)} rows, {batch.events} were sealed."
            digest_of_rows = self._trail.digest_of(
                self._digest, (audit_rows.as_bytes(row.mac) for row in rows)
            )
            if not same(digest_of_rows, seal.decode(errors="replace")):
                yield f"Batch {batch.number} does not match its seal."
            yield from self._changed(rows)
            self._number, self._digest = batch.number, seal
            yield from self._other_than_known()
            self._looked_at(sum(row.id not in counted for row in rows))

    def _read(self, which: ColumnElement[bool]) -> list[Line]:
        return audit_rows.read(self._db, AuditEvent, which, order=[AuditEvent.id.asc()])

    def _changed(self, rows: Sequence[Line]) -> Iterator[str]:
        for line in rows:
            named = str(line.id) if line.id else "without a readable id"
            if line.unreadable:
                yield f"Event {named} cannot be read: {', '.join(line.unreadable)}."
            elif not self._trail.is_as_written(line):
                yield f"Event {named} of {line.at.isoformat()} was changed."

    def _looked_at(self, rows: int) -> None:
        self.rows += rows
        self._told(rows)

    def _other_than_known(self) -> Iterator[str]:
        if self._said:  # a batch that was replaced changes every one after it
            return
        for anchor in self._anchors:
            if anchor.number == self._number and not same(anchor.digest, self.head.digest):
                self._said = True
                yield f"Batch {anchor.number} is not the one {anchor.known_by} knows."
                return

    def _stray(self) -> Iterator[str]:
        outside = (AuditEvent.batch_number < 1) | (AuditEvent.batch_number > self._number)
        # Asked in one statement: a batch sealed this moment is there with its rows.
        there = select(AuditBatch.number).where(AuditBatch.number == AuditEvent.batch_number).exists()
        if self._db.execute(select(literal(1)).where(outside, ~there).limit(1)).first():
            yield "Rows stand in batches that are not there."

    def _less_than_known(self) -> Iterator[str]:
        furthest = max(self._anchors, key=lambda anchor: anchor.number, default=self.head)
        if furthest.number > self._number:
            known = f"{furthest.known_by} knows batch {furthest.number}"
            yield f"The trail ends with batch {self._number}, {known}."
        most = max(self._anchors, key=lambda anchor: anchor.events, default=self.head)
        if most.events > self.rows:
            yield f"The trail has {self.rows} rows, {most.known_by} knows {most.events}."
