"""The trail for whoever may read it: find, open, export, verify. Reading it is written down as well."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from idp.access.clients import find_client
from idp.accounts import audit_checks
from idp.accounts.audit import Action, Event
from idp.accounts.audit_rows import Line
from idp.accounts.audit_search import EXPORT_ROWS, PAGE, find_event, page_of, walk
from idp.accounts.calendar import SHANGHAI, civil_day
from idp.accounts.staff import find_staff, list_named
from idp.staff.trail import filtering
from idp.staff.trail.export import FORMATS
from idp.staff.trail.filtering import Asked
from idp.web import audit_words, staff, staff_looks
from idp.web.errors import Stop
from idp.web.platform import db, now, platform
from idp.web.words import browser_words

blueprint = Blueprint("staff_audit", __name__, url_prefix="/staff/audit")


@blueprint.get("")
def index() -> str:
    """Rows of the trail by what is asked for, newest first."""
    asked = _asked(request.args)
    before = _before()
    rows: list[Line] = []
    older = False
    if not asked.errors:
        rows, older = page_of(db(), asked.wanted, before=before)
        staff_looks.note(Event(Action.AUDIT_READ, detail={"filter": asked.wanted.recorded()}))
    return staff.page(
        "staff/audit/index.html",
        asked=asked,
        actions=[("", "全部"), *audit_words.ACTIONS.items()],
        rows=_lines(rows),
        links=_paging(asked, rows, older=older, at_newest=before is None),
        page_size=PAGE,
        most=f"{EXPORT_ROWS:,}",
    )


@blueprint.get("/events/<uuid:event_id>")
def event(event_id: UUID) -> str:
    """One row with all it tells."""
    row = find_event(db(), event_id)
    if row is None:
        abort(404)
    staff_looks.note(Event(Action.AUDIT_READ, target=f"event:{event_id}"))
    named = _named((row.actor, row.target))
    return staff.page(
        "staff/audit/event.html",
        row=row,
        action=audit_words.action_words(row.action),
        when=_second(row.at),
        keys=[
            (label, value, named.get(value) or audit_words.kind_words(value), name)
            for label, value, name in (
                ("操作人", row.actor, "actor"),
                ("对象", row.target, "target"),
                ("代表", row.on_behalf_of, ""),
                ("企业", row.entity, ""),
            )
            if value
        ],
        unreadable=[audit_words.column_words(name) for name in row.unreadable],
        browser=browser_words(row.device) if row.device else "",
        details=audit_words.detail_rows(row.detail),
        changes=audit_words.change_rows(row.detail),
        whole=platform().trail.is_as_written(row),
    )


@blueprint.post("/export")
def export() -> BaseResponse:
    """What is filtered, as a file that is written while it is sent."""
    asked = _asked(request.form)
    name = request.form.get("format", "")
    if asked.errors or name not in FORMATS:
        raise Stop(
            "没有开始导出",
            "查询条件或文件格式不对，没有导出任何记录。请回到审计页重新查询，再选择导出。",
            ways=(("回到审计", url_for("staff_audit.index")),),
        )
    detail = {"filter": asked.wanted.recorded(), "format": name, "rows_at_most": EXPORT_ROWS}
    staff.record(Event(Action.AUDIT_EXPORTED, detail=detail))
    media_type, write = FORMATS[name]
    # Sessions of their own, batch by batch: this request's transaction is over when the file is sent.
    batches = walk(platform().database.session, asked.wanted, limit=EXPORT_ROWS + 1)
    file_name = f"audit-{now().astimezone(SHANGHAI):%Y%m%d-%H%M%S}.{name}"
    return Response(
        write(batches, EXPORT_ROWS),
        content_type=f"{media_type}; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


@blueprint.get("/checks")
def checks() -> str:
    """The last verifications with what they found."""
    found = audit_checks.last_checks(db())
    named = _named(check.asked_by for check in found)
    last = audit_checks.last_finished(found, now=now())
    shown = [_check(check, named) for check in found]
    return staff.page(
        "staff/audit/checks.html",
        checks=shown,
        anchored=next((check for check in shown if check["anchor"]), None),
        waiting=any(check.finished_at is None for check in found),
        faulty=last is not None and bool(_faults(last)),
    )


@blueprint.post("/checks")
def ask_for_check() -> BaseResponse:
    """Ask for a verification of the whole trail; the worker does it."""
    # Where one is under way already, the page says so.
    with suppress(audit_checks.AlreadyAsked):
        audit_checks.ask(db(), platform().trail, staff.origin(), now=now())
    return redirect(url_for("staff_audit.checks"), 303)


def _asked(typed: Any) -> Asked:
    return filtering.read(typed, today=civil_day(now()), key_of=_key_of)


def _key_of(typed: str) -> str:
    """The key of the colleague or the relying party that is called so; "" where nobody is."""
    if member := find_staff(db(), typed):
        return member.key
    return f"client:{typed}" if find_client(db(), typed) else ""


def _before() -> UUID | None:
    try:
        return UUID(request.args.get("before", ""))
    except ValueError:
        return None


def _lines(rows: list[Line]) -> list[dict[str, str]]:
    named = _named(key for row in rows for key in (row.actor, row.target))
    return [
        {
            "when": _second(row.at),
            "href": url_for("staff_audit.event", event_id=row.id),
            "action": audit_words.action_line(row.action, row.detail),
            "actor": named.get(row.actor) or audit_words.key_words(row.actor),
            "target": named.get(row.target) or audit_words.key_words(row.target),
            "address": row.address or "—",
        }
        for row in rows
    ]


def _named(keys: Iterable[str | None]) -> dict[str, str]:
    """The colleagues among `keys`, in words: an auditor knows them by account and role, not by an id."""
    return {key: staff.member_words(member) for key, member in list_named(db(), filter(None, keys)).items()}


def _paging(asked: Asked, rows: list[Line], *, older: bool, at_newest: bool) -> list[dict[str, Any]]:
    given: dict[str, Any] = {**asked.given}
    newest = {"label": "最新", "href": url_for("staff_audit.index", **given), "current": at_newest}
    if not older:
        return [] if at_newest else [newest, {"label": "已到最早", "href": "", "current": True}]
    further = url_for("staff_audit.index", **given, before=rows[-1].id)
    return [newest, {"label": "更早的", "href": further, "current": False}]


def _faults(check: Line) -> list[str]:
    if check.finished_at and audit_checks.anchor_of(platform().trail, check) is None:
        return [audit_checks.changed(check)]
    return check.faults or []


def _check(check: Line, named: dict[str, str]) -> dict[str, Any]:
    faults, anchor = _faults(check), audit_checks.anchor_of(platform().trail, check)
    return {
        "asked_at": _second(check.asked_at),
        "asked_by": "每日自动"
        if check.asked_by == audit_checks.BY_ITSELF
        else named.get(check.asked_by) or audit_words.key_words(check.asked_by),
        "finished_at": _second(check.finished_at) if check.finished_at else "—",
        "begun": check.started_at is not None,
        "events": f"{check.events or 0:,}",
        "anchor": str(anchor) if anchor else "",
        "faults": [audit_words.fault_words(fault) for fault in faults],
        "most": len(faults) == audit_checks.MOST_FAULTS,
    }


def _second(value: datetime | None) -> str:
    if value is None:
        return audit_words.UNREADABLE
    return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
