"""How the work stands, for supervisors.

===============================  =================================================================
/staff/appeals/figures           figures, 30 days, agents
/staff/appeals/export (POST)     numbers, states and times as a file; nobody's data is in it
===============================  =================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from flask import Response, request

from idp.accounts.audit import Action, Event
from idp.accounts.calendar import SHANGHAI, civil_day, day_begins
from idp.appeal.desk import counting, showing
from idp.appeal.desk.counting import EXPORT_ROWS, Figures
from idp.appeal.desk.room import blueprint
from idp.appeal.models import KINDS, STATES, AppealKind, State
from idp.web import staff
from idp.web.csv_files import BOM, inert, lines
from idp.web.platform import db, now, platform
from idp.web.plots import Axis, stacked

_PERIODS: Final = [("30", "最近 30 天"), ("90", "最近 90 天"), ("365", "最近一年")]
_COLUMNS: Final = (
    "编号",
    "类型",
    "状态",
    "不一致项数",
    "提交时间",
    "补充时间",
    "应办结时间",
    "领取时间",
    "初审时间",
    "办结时间",
    "办理小时数",
)


@blueprint.get("/figures")
def figures() -> str:
    """Figures, days and agents."""
    found = counting.figures_of(db(), now=now())
    named = showing.members_of(found.agents)
    return staff.page(
        "staff/appeals/figures.html",
        figures=_tiles(found),
        plot=_plot(found),
        agents=[
            (named.get(who, "—"), agent.in_hand, agent.approved, agent.refused, agent.proposed)
            for who, agent in sorted(found.agents.items(), key=lambda one: named.get(one[0], ""))
        ],
        periods=_PERIODS,
    )


@blueprint.post("/export")
def export() -> Response:
    """The file, written while it is sent."""
    supplied = request.form.get("days", "")
    days = int(supplied) if supplied in dict(_PERIODS) else int(_PERIODS[0][0])
    detail = {"format": "csv", "days": days, "rows_at_most": EXPORT_ROWS}
    staff.record(Event(Action.APPEAL_EXPORTED, detail=detail))
    since = day_begins(civil_day(now()) - timedelta(days=days - 1))
    batches = counting.rows_since(platform().database.session, since)
    name = f"appeals-{now().astimezone(SHANGHAI):%Y%m%d-%H%M%S}.csv"
    return Response(
        _written(batches),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _written(batches: Iterator[Sequence[Any]]) -> Iterator[str]:
    yield BOM + lines([_COLUMNS])
    for batch in batches:
        yield lines([_cells(row) for row in batch])


def _cells(row: Any) -> list[str]:
    spent = ""
    if row.decided_at and row.decided_by and row.submitted_at:
        spent = f"{(row.decided_at - row.submitted_at).total_seconds() / 3600:.1f}"
    differs = "" if row.differences is None else str(row.differences)
    told = [row.number, KINDS[AppealKind(row.kind)], STATES[State(row.state)], differs]
    added = row.submitted_at if row.submitted_at != row.first_submitted_at else None
    times = (row.first_submitted_at, added, row.due_at, row.claimed_at, row.proposed_at, row.decided_at)
    return [inert(cell) for cell in (*told, *map(_instant, times), spent)]


def _instant(value: datetime | None) -> str:
    return value.astimezone(SHANGHAI).isoformat(timespec="seconds") if value else ""


def _tiles(found: Figures) -> list[dict[str, Any]]:
    tiles: list[dict[str, Any]] = [
        {"label": STATES[state], "value": f"{number:,}", "unit": "件"}
        for state, number in found.open_by_state.items()
    ]
    tiles.append({"label": "已逾期", "value": f"{found.overdue:,}", "unit": "件", "hot": found.overdue > 0})
    week = f"最近 7 天 {found.decided_week:,} 件"
    tiles.append({"label": "今日已办结", "value": f"{found.decided_today:,}", "unit": "件", "note": week})
    tiles.append(_hours("办理时间中位数", found.median_hours, "最近 30 天，从提交或补充到办结"))
    tiles.append(_hours("九成在此时间内办结", found.slow_hours, "最近 30 天"))
    return tiles


def _hours(label: str, hours: float | None, note: str) -> dict[str, Any]:
    if hours is None:
        return {"label": label, "value": "没有", "note": note}
    if hours < 1:
        return {"label": label, "value": "不到 1", "unit": "小时", "note": note}
    return {"label": label, "value": f"{hours:,.1f}", "unit": "小时", "note": note}


def _plot(found: Figures) -> Any:
    words = tuple(f"{day.month}-{day.day}" for day in found.days)
    axis = Axis(words, step=3, major=6, nothing="最近 30 天还没有申诉。")
    return stacked({"提交": found.submitted, "办结": found.decided}, unit="件", axis=axis)
