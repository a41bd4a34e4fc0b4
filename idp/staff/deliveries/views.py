"""What has not arrived, for whoever runs the platform: to whom, how often tried, what went wrong."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, request, url_for

from idp.access import logouts
from idp.accounts.notices import SMS
from idp.accounts.outbox import TOO_LATE, OutboxMessage
from idp.staff.deliveries.finding import DAYS, State, undelivered
from idp.web import staff
from idp.web.audit_words import key_words
from idp.web.platform import db, now
from idp.web.render import minute

blueprint = Blueprint("staff_deliveries", __name__, url_prefix="/staff/deliveries")
KINDS = {SMS: "短信", logouts.KIND: "退出通知"}
STATES = {State.WAITING.value: "等待送出", State.GIVEN_UP.value: "没能送达"}


@blueprint.get("")
def index() -> str:
    """Messages that wait or were given up, newest first."""
    # What is not in the lists is not asked for: the page shows what it shows.
    state = _among(STATES, "state")
    kind = _among(KINDS, "kind")
    before = _before()
    rows, older = undelivered(
        db(), state=State(state) if state else None, kind=kind, before=before, now=now()
    )
    given: dict[str, Any] = {"state": state, "kind": kind}
    return staff.page(
        "staff/deliveries/index.html",
        rows=[_told(row) for row in rows],
        given=given,
        states=[("", "全部"), *STATES.items()],
        kinds=[("", "全部"), *KINDS.items()],
        links=_paging(rows, given, older=older, at_newest=before is None),
        days=DAYS,
    )


def _told(row: OutboxMessage) -> dict[str, Any]:
    waits = row.next_try_at is not None
    return {
        "made": minute(row.created_at),
        "kind": _kind(row),
        "to": key_words(row.subject),
        "href": _page_of(row.subject),
        "state": (STATES["waiting"], "wait", "clock") if waits else (STATES["given_up"], "bad", "x"),
        "tries": f"{row.tries} 次",
        "when": f"{minute(row.next_try_at)} 再试" if row.next_try_at else _ended(row),
        "error": _error(row),
    }


def _kind(row: OutboxMessage) -> str:
    """Of SMS only codes are of no use later."""
    if row.kind == SMS:
        return "短信验证码" if row.expires_at else "短信通知"
    return KINDS.get(row.kind, row.kind)


def _ended(row: OutboxMessage) -> str:
    if row.report and row.reported_at:
        return f"{minute(row.reported_at)} 回报"
    return f"{minute(row.failed_at)} 放弃" if row.failed_at else "—"


def _error(row: OutboxMessage) -> str:
    if row.report:
        return f"网关回报：{row.report}"
    if row.last_error == TOO_LATE:
        return "超过时限没有确认送出，可能已经发出" if row.perhaps_taken else "超过时限没有送出，已作废"
    return row.last_error or "—"


def _page_of(subject: str) -> str:
    """Where the account or the application stands, for a role that may open it."""
    kind, _, rest = subject.partition(":")
    if kind == "person" and rest and staff.may("staff_accounts.person"):
        return url_for("staff_accounts.person", person_id=rest)
    if kind == "client" and rest and staff.may("staff_clients.client"):
        return url_for("staff_clients.client", id=rest)
    return ""


def _among(words: dict[str, str], name: str) -> str:
    typed = request.args.get(name, "")
    return typed if typed in words else ""


def _before() -> UUID | None:
    try:
        return UUID(request.args.get("before", ""))
    except ValueError:
        return None


def _paging(
    rows: list[OutboxMessage], given: dict[str, Any], *, older: bool, at_newest: bool
) -> list[dict[str, Any]]:
    newest = {"label": "最新", "href": url_for(".index", **given), "current": at_newest}
    if not older:
        return [] if at_newest else [newest, {"label": "已到最早", "href": "", "current": True}]
    further = url_for(".index", **given, before=str(rows[-1].id))
    return [newest, {"label": "更早的", "href": further, "current": False}]
