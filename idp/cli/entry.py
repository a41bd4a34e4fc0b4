"""The commands put together, and what their failures become: a sentence and an exit code, never a trace."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from idp.access.clients import ClientRefused
from idp.access.key_life import RotationRefused
from idp.accounts.passwords import PasswordRefused
from idp.accounts.staff_roster import RosterRefused
from idp.adapters.ephemeral import StoreUnavailable
from idp.cli import (
    accounts,
    audits,
    clients,
    database,
    demo,
    errors,
    imports,
    keys,
    mandates,
    people,
    serving,
    settings,
    staff,
    waiting,
    worker,
)
from idp.cli.desk import Failed, Refused
from idp.config import SettingsRefused
from idp.crypto import SealBroken
from idp.db import is_outage

WRONG_INPUT = 2
OUTAGE = 1

app = typer.Typer(
    name="idp",
    help="通行 统一身份认证平台: the provider and what administers it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command("serve")(serving.serve)
app.command("wait")(waiting.wait)
app.command("worker")(worker.work)
app.command("demo")(demo.run_demo)
app.command("settings")(settings.print_settings)
app.command("errors")(errors.print_errors)
for name, group in {
    "db": database.group,
    "client": clients.group,
    "key": keys.group,
    "person": people.group,
    "account": accounts.group,
    "import": imports.group,
    "mandate": mandates.group,
    "staff": staff.group,
    "audit": audits.group,
}.items():
    app.add_typer(group, name=name, no_args_is_help=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit: 0 done, 1 outage or fault found, 2 wrong input."""
    try:
        app(args=None if arguments is None else list(arguments), prog_name="idp")
    except Exception as error:
        code, sentence = _explain(error)
        if not sentence:
            raise
        sys.stderr.write(f"idp: {sentence}\n")
        sys.exit(code)


def _explain(error: Exception) -> tuple[int, str]:
    """Exit code and sentence for what was foreseen; an empty sentence for what was not."""
    if isinstance(
        error, Refused | SettingsRefused | ClientRefused | PasswordRefused | RotationRefused | RosterRefused
    ):
        return WRONG_INPUT, str(error)
    if isinstance(error, SealBroken):
        return WRONG_INPUT, "IDP_DATA_KEYS does not open what is in this database: it belongs to another one."
    if isinstance(error, Failed):
        return OUTAGE, str(error)
    if isinstance(error, StoreUnavailable):
        return OUTAGE, f"The ephemeral store cannot be used: {error}."
    if is_outage(error):
        return OUTAGE, "The database does not answer. Is it running, and is IDP_DATABASE_URL right?"
    return OUTAGE, ""
