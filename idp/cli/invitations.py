"""`idp client invite`: initial access tokens, by which integrators register clients themselves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from idp.access import registration_tokens
from idp.access.client_metadata import split_scopes
from idp.access.registration import DEFAULT_SCOPES
from idp.access.registration_tokens import LONGEST, MOST_USES, Invitation, RegistrationToken
from idp.accounts.audit import Action, Event
from idp.cli.client_add import ProfileName, Scope
from idp.cli.desk import Desk, Json, Refused, fields, opened, parsed_uuid, show, table


def invite(
    *,
    label: Annotated[str, typer.Option(help="To whom it is handed.")],
    uses: Annotated[int, typer.Option(min=1, max=MOST_USES, help="How many clients.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=LONGEST.days, help="How long it counts.")] = 7,
    profile: ProfileName = "basic",
    scope: Scope = None,
    as_json: Json = False,
) -> None:
    """Make an initial access token for /oauth/register; it is printed once and never again."""
    scopes = split_scopes(scope) if scope else DEFAULT_SCOPES
    invitation = Invitation(label, uses, timedelta(days=days), profile, scopes)
    with opened() as desk:
        with desk.transaction() as db:
            row, token = registration_tokens.invite(db, invitation, now=desk.now)
            told = _told(row, now=desk.now)
            _record(desk, db, Action.CLIENT_INVITED, row)
        endpoint = f"{desk.settings.issuer}/oauth/register"
        told = {"id": told.pop("id"), "token": token, "registration_endpoint": endpoint, **told}
        show(told, as_json=as_json, lines=fields(told))


def list_all(*, as_json: Json = False) -> None:
    """List the initial access tokens, the latest first; what they are is known to nobody."""
    with opened() as desk, desk.transaction() as db:
        told = [_told(row, now=desk.now) for row in registration_tokens.list_invitations(db)]
    columns = ("id", "label", "state", "uses_left", "profile", "expires_at")
    rows = [tuple(str(each[column]) for column in columns) for each in told]
    heads = ("id", "label", "state", "uses left", "profile", "expires at")
    show(told, as_json=as_json, lines=table(heads, rows))


def uninvite(
    invitation_id: Annotated[str, typer.Argument(metavar="ID")],
    *,
    as_json: Json = False,
) -> None:
    """End an initial access token; the clients registered with it stay."""
    with opened() as desk:
        with desk.transaction() as db:
            row = db.get(RegistrationToken, parsed_uuid(invitation_id, "invitation"))
            if row is None:
                raise Refused(f"There is no invitation {invitation_id[:60]!r}.")
            registration_tokens.end_invitation(row, now=desk.now)
            _record(desk, db, Action.INVITATION_ENDED, row)
        told = {"id": str(row.id), "ended": True}
        show(told, as_json=as_json, lines=[f"Nothing more is registered with {row.id}."])


def _told(row: RegistrationToken, *, now: datetime) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "label": row.label,
        "state": _state(row, now=now),
        "uses_left": row.uses_left,
        "profile": row.profile,
        "scope": " ".join(row.scopes),
        "expires_at": row.expires_at.isoformat(timespec="seconds"),
    }


def _state(row: RegistrationToken, *, now: datetime) -> str:
    if row.ended_at is not None:
        return "ended"
    if row.uses_left == 0:
        return "used up"
    return "open" if row.counts(now=now) else "expired"


def _record(desk: Desk, db: Session, action: Action, row: RegistrationToken) -> None:
    db.flush()
    # The label may name somebody; the id leads to it.
    detail = {"profile": row.profile, "scope": " ".join(row.scopes), "uses_left": row.uses_left}
    desk.record(db, Event(action, target=f"invitation:{row.id}", detail=detail))
