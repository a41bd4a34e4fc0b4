"""`idp audit`: whether the trail is whole."""

from __future__ import annotations

from typing import Annotated

import typer

from idp.accounts import audit_checks
from idp.accounts.audit_verification import Anchor, Verification, parse_anchor
from idp.cli.desk import Failed, Json, Refused, opened, show

group = typer.Typer(help="The audit trail.")


@group.callback()
def describe() -> None:
    """The audit trail: rows with a MAC each, in sealed and chained batches."""


@group.command("verify")
def verify(
    *,
    expect: Annotated[
        str,
        typer.Option(help="NUMBER:DIGEST, an anchor kept outside the database: the trail must contain it."),
    ] = "",
    as_json: Json = False,
) -> None:
    """Recompute every MAC and seal; exit code 1 if a row was changed, removed or slipped in.

    The trail is compared with what every earlier check saw, and with --expect. Prints its own anchor: keep it
    where whoever can change the database cannot.
    """
    expected = [_anchor(expect)] if expect else []
    with opened() as desk, desk.transaction() as db:
        anchors, faults = audit_checks.known(db, desk.backends.trail)
        verification = Verification(db, desk.backends.trail, [*expected, *anchors])
        faults += verification.faults()
    anchor = str(verification.head)
    lines = [*(faults or ["The trail is whole."]), f"Anchor: {anchor}"]
    told = {"whole": not faults, "faults": faults, "events": verification.rows, "anchor": anchor}
    show(told, as_json=as_json, lines=lines)
    if faults:
        raise Failed(f"{len(faults)} faults in the audit trail.")


def _anchor(typed: str) -> Anchor:
    try:
        return parse_anchor(typed)
    except ValueError:
        raise Refused("--expect must be NUMBER:DIGEST, as `idp audit verify` prints it.") from None
