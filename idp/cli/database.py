"""`idp db`: bring the database to this program's schema, or compare the two."""

from __future__ import annotations

import typer

from idp import migrations
from idp.access.keys import ensure_keys
from idp.accounts.audit import Action, Event
from idp.cli.desk import Failed, Json, connected, show

group = typer.Typer(help="The database: its schema and its signing keys.")


@group.command("upgrade")
def upgrade(*, as_json: Json = False) -> None:
    """Bring the schema to the newest revision, and make signing keys where there are none."""
    with connected() as desk:
        with desk.backends.database.engine.connect() as connection:
            before = migrations.revision_of(connection)
        migrations.upgrade(desk.settings.effective_database_url())
        with desk.transaction() as db:
            for key in ensure_keys(db, desk.backends.vault, now=desk.now):
                desk.record(db, Event(Action.KEY_MADE, target=f"key:{key.kid}", detail={"alg": key.alg}))
    told = {"before": before, "revision": migrations.head()}
    show(told, as_json=as_json, lines=[f"The database is at revision {told['revision']}."])


@group.command("check")
def check(*, as_json: Json = False) -> None:
    """Compare the database with the models; exit code 1 if they differ."""
    with connected() as desk:
        with desk.backends.database.engine.connect() as connection:
            revision = migrations.revision_of(connection)
        found = [str(found) for found in migrations.differences(desk.settings.effective_database_url())]
    told = {"revision": revision, "newest": migrations.head(), "differences": found}
    lines = [f"revision  {revision or 'none'}", f"newest    {told['newest']}", *found]
    show(told, as_json=as_json, lines=lines)
    if migrations.is_behind(revision):
        raise Failed("The database is behind this program. Run `idp db upgrade`.")
    if found:
        raise Failed(f"The database and the models differ in {len(found)} places.")
