"""`idp audit`: whether the trail is whole."""

from __future__ import annotations

import typer

from idp.cli.desk import Failed, Json, opened, show

group = typer.Typer(help="The audit trail.")


@group.callback()
def describe() -> None:
    """The audit trail: rows with a MAC each, in sealed and chained batches."""


@group.command("verify")
def verify(*, as_json: Json = False) -> None:
    """Recompute every MAC and seal; exit code 1 if a row was changed, removed or slipped in."""
    with opened() as desk, desk.transaction() as db:
        faults = list(desk.backends.trail.verify(db))
    show({"whole": not faults, "faults": faults}, as_json=as_json, lines=faults or ["The trail is whole."])
    if faults:
        raise Failed(f"{len(faults)} faults in the audit trail.")
