"""`idp key`: the signing keys, without their private halves."""

from __future__ import annotations

import typer

from idp.access.keys import list_keys
from idp.cli.desk import Json, opened, show, table

group = typer.Typer(help="Signing keys.")


@group.callback()
def describe() -> None:
    """Signing keys: the active ones sign, the retired ones still verify."""


@group.command("list")
def list_all(*, as_json: Json = False) -> None:
    """List the keys, the oldest first."""
    with opened() as desk, desk.transaction() as db:
        keys = [
            {
                "kid": key.kid,
                "alg": key.alg,
                "state": key.state,
                "created_at": key.created_at.isoformat(),
                "retired_at": key.retired_at.isoformat() if key.retired_at else None,
            }
            for key in list_keys(db)
        ]
    rows = [(str(key["kid"]), str(key["alg"]), str(key["state"]), str(key["created_at"])) for key in keys]
    show(keys, as_json=as_json, lines=table(("kid", "alg", "state", "created at"), rows))
