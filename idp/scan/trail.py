"""What is remembered of a scan (both devices, who asked, what became of it), and a person's latest ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from idp.access.clients import Client
from idp.accounts import audit_rows
from idp.accounts.audit import Action, AuditEvent, Event
from idp.accounts.audit_rows import Line
from idp.accounts.identity import Role
from idp.accounts.models import Enterprise
from idp.proof.ticket_record import Ended, Ticket
from idp.scan.caller import Caller, Tools
from idp.web.refusals.to_phones import PhoneRefused

LATEST = 20
_RESULTS = {Action.SCAN_CONFIRMED.value: "confirmed", Action.SCAN_DENIED.value: "denied"}
_WRONG_NUMBER = Ended.WRONG_NUMBER.value
"""Of what was refused, the one refusal that ended a sign-in; it is told under its own name."""


@dataclass(frozen=True, slots=True)
class PastScan:
    """One line of a person's latest scans. What a spoilt row of the trail does not tell is None or empty."""

    result: str
    at: datetime | None
    portal: str
    browser_address: str
    role: Role | None
    company: str | None


def record(
    db: Session,
    tools: Tools,
    caller: Caller,
    action: Action,
    ticket: Ticket,
    *,
    entity: str = "",
    now: datetime,
    **more: Any,
) -> None:
    """Write down what the phone did to a ticket, with the browser that waits for it."""
    detail = {
        "client": ticket.asked.client_id,
        "purpose": ticket.asked.purpose.value,
        "channel": caller.channel.key,
        "browser": ticket.browser.agent,
        "browser_address": ticket.browser.address,
        **more,
    }
    event = Event(action, entity=entity, target=caller.account, detail=detail)
    tools.trail.record(db, event, caller.origin, now=now)


@contextmanager
def refusals_noted(
    db: Session, tools: Tools, caller: Caller, ticket: Ticket, *, now: datetime
) -> Iterator[None]:
    """Write down what is refused in the block, with its reason."""
    try:
        yield
    except PhoneRefused as refused:
        why = refused.refusal.error
        if refused.wait is None or is_first(tools, caller, why, refused.wait, now=now):
            record(db, tools, caller, Action.SCAN_REFUSED, ticket, why=why, now=now)
        raise


def is_first(tools: Tools, caller: Caller, why: str, wait: timedelta, *, now: datetime) -> bool:
    """Whether nothing was refused to him for this reason in this `wait`: one line of it is enough."""
    # A wait is known by when it ends, which is the same for each who meets it.
    mark = f"scan-refused:{why}:{caller.person.id}:{round((now + wait).timestamp())}"
    return tools.store.put_if_absent(mark, b"1", ttl=wait.total_seconds() + 1)


def latest(db: Session, person_id: UUID) -> list[PastScan]:
    """What he confirmed, denied and ended by a wrong number last, newest first."""
    why = audit_rows.text_in(db, AuditEvent.detail, "why")
    ended = (AuditEvent.action == Action.SCAN_REFUSED.value) & (
        why == audit_rows.octets(db, literal(_WRONG_NUMBER))
    )
    rows = audit_rows.read(
        db,
        AuditEvent,
        audit_rows.has_an_id(db, AuditEvent.id),
        AuditEvent.target == f"person:{person_id}",
        AuditEvent.action.in_(_RESULTS) | ended,
        order=[AuditEvent.id.desc()],
        limit=LATEST,
    )
    portals = _names(db, Client.client_id, Client.name, {_told(row, "client") for row in rows})
    companies = _names(db, Enterprise.id, Enterprise.name, {_uuid(row.entity) for row in rows})
    return [
        PastScan(
            result=_RESULTS.get(row.action, _WRONG_NUMBER),
            at=row.at,
            portal=portals.get(_told(row, "client"), _told(row, "client")),
            browser_address=_told(row, "browser_address"),
            role=_role(_told(row, "role")),
            company=companies.get(_uuid(row.entity)),
        )
        for row in rows
    ]


def _names(db: Session, key: Any, name: Any, wanted: set[Any]) -> dict[Any, str]:
    known = [one for one in wanted if one]
    return {row[0]: row[1] for row in db.execute(select(key, name).where(key.in_(known)))} if known else {}


def _told(row: Line, name: str) -> str:
    """A text of the row's detail, whatever stands there."""
    value = row.detail.get(name) if isinstance(row.detail, dict) else None
    return value if isinstance(value, str) and value.isprintable() else ""


def _uuid(text: str | None) -> UUID | None:
    try:
        return UUID(text or "")
    except ValueError:
        return None


def _role(value: str) -> Role | None:
    return Role(value) if value in set(Role) else None
