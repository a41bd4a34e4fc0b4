"""Rows of the trail as tests need them, and what a verification of it finds."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import time_machine
from sqlalchemy import select

from idp.accounts import audit_checks
from idp.accounts.audit import Action, AuditEvent, Event, Origin
from tests.pages import Page
from tests.world import World

PERSON = "person:0198c0de-0000-7000-8000-000000000001"


def happened(world: World, action: Action, *, at: datetime | None = None, **given: Any) -> UUID:
    """One event written at `at`; the fields are those of an event and of its origin. Its id."""
    at = at or world.now()
    told = {name: given.pop(name) for name in ("target", "detail", "entity") if name in given}
    with time_machine.travel(at), world.write() as db:
        world.backends.trail.record(db, Event(action, **told), Origin(**given), now=at)
    with world.reading() as db:
        newest = select(AuditEvent.id).where(AuditEvent.at == at).order_by(AuditEvent.id.desc())
        found = db.scalars(newest).first()
    assert found
    return found


def events(world: World, action: Action) -> list[AuditEvent]:
    """The rows of an action, oldest first."""
    with world.reading() as db:
        of_action = select(AuditEvent).where(AuditEvent.action == action.value)
        return list(db.scalars(of_action.order_by(AuditEvent.id)))


def verified(world: World) -> int:
    """What the worker does with the check that waits; how many faults it found."""
    with world.write() as db:
        taken = audit_checks.take(db, now=world.now())
    assert taken
    done = audit_checks.perform(world.backends.database, world.backends.trail, taken, clock=world.now)
    return done.faults


def form_to(page: Page, ending: str) -> int:
    """The number of the form of the page whose address ends so."""
    return next(n for n in range(page.form_count) if page.form(n)["action"].endswith(ending))
