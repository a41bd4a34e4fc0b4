"""`idp import`: bringing companies and people in from an older platform, all of a file or none of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic

import typer
from sqlalchemy.orm import Session

from idp.accounts.audit import Action, Event
from idp.accounts.import_companies import check_companies, claim_companies, read_companies
from idp.accounts.import_people import Arrival, check_people, claim_people_changed, read_people
from idp.accounts.import_tables import MAX_BYTES, Table, TableRefused, write_report
from idp.accounts.imports import ChangeT, OvertakenByOthers, Plan, Tick, chunks, digest_of, write
from idp.cli.desk import Desk, Failed, Json, Refused, opened, show
from idp.crypto import plain

group = typer.Typer(help="Companies and people of an older platform.")

_LINES_SHOWN = 50
_LONGEST_SOURCE = 40

File = Annotated[Path, typer.Argument(metavar="FILE.csv", exists=True, dir_okay=False, readable=True)]
SkipRefused = Annotated[bool, typer.Option("--skip-refused", help="Import the rows that are right.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check the file, write nothing.")]
Report = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.csv",
        dir_okay=False,
        help="Write the refused rows here, with why; personal data in clear, for the owner's eyes alone.",
    ),
]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be done with a file."""

    file: Path
    skip_refused: bool
    dry_run: bool
    report: Path | None
    as_json: bool


@dataclass(frozen=True, slots=True)
class Work(Generic[ChangeT]):
    """What differs between companies and people."""

    read: Callable[[bytes], Table]
    check: Callable[[Session, Table, Tick], Plan[ChangeT]]
    claim: Callable[[Session, Sequence[ChangeT]], None]
    action: Action
    detail: dict[str, str]


@group.callback()
def describe() -> None:
    """Companies and people of an older platform."""


@group.command("companies")
def import_companies(
    file: File,
    *,
    skip_refused: SkipRefused = False,
    dry_run: DryRun = False,
    report: Report = None,
    as_json: Json = False,
) -> None:
    """Import companies, to be activated by the phone of record; those still 待激活 are updated."""
    with opened() as desk:
        vault = desk.backends.vault
        work = Work(
            read_companies,
            lambda db, table, tick: check_companies(db, vault, table, now=desk.now, tick=tick),
            claim_companies,
            Action.COMPANIES_IMPORTED,
            {},
        )
        _import(desk, work, Wish(file, skip_refused, dry_run, report, as_json))


@group.command("people")
def import_people(
    file: File,
    *,
    source: Annotated[str, typer.Option("--from", help="What they are brought from.")] = "e-zhangtong",
    skip_refused: SkipRefused = False,
    dry_run: DryRun = False,
    report: Report = None,
    as_json: Json = False,
) -> None:
    """Import people without a password, who take their account over by their phone."""
    brought_from = plain(source)
    if not 0 < len(brought_from) <= _LONGEST_SOURCE or not brought_from.isprintable():
        raise Refused(f"--from must be 1 to {_LONGEST_SOURCE} printable characters.")
    with opened() as desk:
        vault, settings = desk.backends.vault, desk.settings
        arrival = Arrival(brought_from, settings.account_min, settings.account_max, desk.now)
        work = Work(
            read_people,
            lambda db, table, tick: check_people(db, vault, table, arrival, tick=tick),
            lambda db, changes: claim_people_changed(db, vault, changes, now=desk.now),
            Action.PEOPLE_IMPORTED,
            {"brought_from": brought_from},
        )
        _import(desk, work, Wish(file, skip_refused, dry_run, report, as_json))


def _import(desk: Desk, work: Work[ChangeT], wish: Wish) -> None:
    """Check the file, write it or not, and say what became of it. Raises Refused, Failed."""
    if wish.report and wish.report.exists():
        raise Refused("The file for the report is there already; name another one.")
    data = _bytes_of(wish.file)
    try:
        table = work.read(data)
    except TableRefused as refused:
        raise Refused(f"Nothing was imported. {refused}") from None
    if not table.lines:
        raise Refused("Nothing was imported: the file has no rows.")
    with _progress("Checking", table, wish) as tick, desk.backends.database.session() as db:
        plan = work.check(db, table, tick)
    imports = not wish.dry_run and (wish.skip_refused or not plan.refused)
    if imports:
        detail = {**work.detail, **plan.counts, "file_sha256": digest_of(data)}
        _write(desk, work, wish, table, plan, detail)
    else:
        _report(wish, table, plan)
    _tell(wish, table, plan, imported=imports)


def _write(
    desk: Desk,
    work: Work[ChangeT],
    wish: Wish,
    table: Table,
    plan: Plan[ChangeT],
    detail: dict[str, Any],
) -> None:
    try:
        with _progress("Writing", table, wish) as tick, desk.transaction() as db:
            write(db, plan, work.claim, tick=tick)
            for changes in chunks(plan.changes):
                desk.record_all(db, [_told(work.action, one.target, one.fields) for one in changes])
            for people in chunks(list(plan.validities)):
                # Beside the companies' own lines: whoever looks at the person finds them, too.
                desk.record_all(db, [_told(work.action, f"person:{one}", ("id_validity",)) for one in people])
            desk.record(db, Event(work.action, detail=detail))
            # Before the commit: rows must not go in whose companions can be told to nobody.
            _report(wish, table, plan)
    except OvertakenByOthers:
        raise Failed(
            "Nothing was imported: somebody registered, took over or changed one of these accounts while the "
            "file was written. Run it again."
        ) from None


def _told(action: Action, target: str, fields: Sequence[str]) -> Event:
    return Event(action, target=target, detail={"fields": list(fields)})


def _bytes_of(file: Path) -> bytes:
    try:
        with file.open("rb") as opened_file:
            return opened_file.read(MAX_BYTES + 1)
    except OSError as unreadable:
        raise Refused(f"The file cannot be read: {unreadable.strerror}.") from None


def _report(wish: Wish, table: Table, plan: Plan[ChangeT]) -> None:
    if not wish.report or not plan.refused:
        return
    refused = [
        (line, "；".join(f"{_heading(table, fault.column)}：{fault.sentence}" for fault in faults))
        for line in table.lines
        if (faults := plan.refused.get(line.number))
    ]
    try:
        descriptor = os.open(wish.report, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as written:
            written.write(write_report(table, refused))
    except OSError as unwritable:
        raise Refused(f"Nothing was imported: the report cannot be written: {unwritable.strerror}.") from None


def _tell(wish: Wish, table: Table, plan: Plan[ChangeT], *, imported: bool) -> None:
    """Say what became of the rows. Raises Refused if some of them kept the others out."""
    refusals = [
        {"line": line, "column": _heading(table, fault.column), "sentence": fault.sentence}
        for line, faults in sorted(plan.refused.items())
        for fault in faults
    ]
    counts = plan.counts
    kept_out = bool(refusals) and not wish.skip_refused
    told = {
        "imported": imported,
        **counts,
        "without_phone": plan.without_phone,
        "passed_over": table.passed_over,
        "refusals": refusals,
    }
    if not wish.as_json:
        for sentence in _first(refusals):
            sys.stderr.write(sentence + "\n")
    if wish.as_json or not kept_out:
        show(told, as_json=wish.as_json, lines=_lines(plan, table, imported=imported))
    if kept_out:
        raise Refused(
            f"Nothing was imported: {counts['refused']} of {len(table.lines)} rows are refused. "
            "--report FILE.csv writes them down, --skip-refused imports the others."
        )


def _lines(plan: Plan[ChangeT], table: Table, *, imported: bool) -> Iterator[str]:
    counts = plan.counts
    yield (
        f"{'Imported' if imported else 'Checked, nothing imported'}: {counts['added']} added, "
        f"{counts['updated']} updated, {counts['already_there']} already there, {counts['refused']} refused."
    )
    if plan.without_phone:
        yield f"{plan.without_phone} without a phone: they can be activated by an appeal only."
    if table.passed_over:
        yield f"Columns passed over: {', '.join(table.passed_over)}"


def _first(refusals: Sequence[dict[str, Any]]) -> Iterable[str]:
    for refusal in refusals[:_LINES_SHOWN]:
        yield f"line {refusal['line']}, {refusal['column']}: {refusal['sentence']}"
    if len(refusals) > _LINES_SHOWN:
        yield f"… and {len(refusals) - _LINES_SHOWN} more"


def _heading(table: Table, column: str) -> str:
    return table.heading(column) if column else "整行"


@contextmanager
def _progress(label: str, table: Table, wish: Wish) -> Iterator[Tick]:
    """A bar on a terminal; nothing where the output is read by a program."""
    if wish.as_json or not sys.stderr.isatty():
        yield lambda _rows: None
        return
    with typer.progressbar(length=len(table.lines), label=label, file=sys.stderr) as bar:
        yield bar.update
