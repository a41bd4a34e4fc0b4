"""The day at a glance: figures, two plots, and the way to where one acts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Blueprint, current_app, redirect, url_for
from werkzeug.wrappers import Response

from idp.access import logouts
from idp.accounts import audit_checks
from idp.accounts.audit import Action
from idp.accounts.calendar import SHANGHAI
from idp.staff.overview.day import DayFigures, Figures
from idp.web import staff
from idp.web.platform import db, now, platform, settings
from idp.web.plots import stacked
from idp.web.words import span_words

blueprint = Blueprint("staff_overview", __name__, url_prefix="/staff")
_FIGURES = "idp-staff-day-figures"
_KINDS = {"sms": "短信", logouts.KIND: "退出通知"}
_LONG_WAIT = 600
"""Seconds after which a message that waits is no good sign."""


@blueprint.get("/")
def slash() -> Response:
    """The address as people type it."""
    return redirect(url_for(".index"), 308)


@blueprint.get("")
def index() -> str:
    """What happened today."""
    kept: DayFigures = current_app.extensions.setdefault(_FIGURES, DayFigures())
    figures = kept.today(db(), idle=settings().seconds("session_idle"), now=now())
    return staff.page(
        "staff/overview.html",
        day=figures.day,
        at=figures.at.astimezone(SHANGHAI).strftime("%H:%M:%S"),
        figures=_figures(figures),
        plots=[
            ("ways", "登录", "今天的登录，按小时和方式", stacked(figures.ways), "今天还没有人登录。"),
            (
                "reasons",
                "被拒",
                "今天被拒的登录，按小时和原因",
                stacked(figures.reasons),
                "今天还没有被拒的登录。",
            ),
        ],
        faulty_check=_faulty_check(),
    )


def _figures(figures: Figures) -> list[dict[str, Any]]:
    outgoing, day = figures.outgoing, figures.day.isoformat()
    waited = int((figures.at - outgoing.oldest).total_seconds()) if outgoing.oldest else 0

    def trail(action: Action) -> str:
        return _way("staff_audit.index", **{"from": day, "to": day, "action": action.value})

    def undelivered(state: str) -> str:
        return _way("staff_deliveries.index", state=state)

    kinds = "，".join(
        f"{_KINDS.get(kind, kind)} {count:,}" for kind, count in sorted(outgoing.waiting.items())
    )
    return [
        _figure("今日登录", figures.sign_ins, "次", href=trail(Action.SIGNED_IN)),
        _figure("今日被拒", figures.refused, "次", href=trail(Action.SIGN_IN_REFUSED)),
        _figure("其中频率限制", figures.throttled, "次", href=trail(Action.SIGN_IN_REFUSED)),
        _figure("现在在线的登录", figures.live, "个"),
        _figure("等待送出的消息", outgoing.total, "条", note=kinds, href=undelivered("waiting")),
        {
            "label": "等得最久的消息",
            "value": age_words(waited) if outgoing.oldest else "没有",
            "hot": waited > _LONG_WAIT,
        },
        _figure(
            "今日没能送达的消息",
            outgoing.given_up,
            "条",
            href=undelivered("given_up"),
            hot=outgoing.given_up > 0,
        ),
        _figure(
            "工作人员登录",
            figures.staff_sign_ins,
            "次",
            note=f"被拒 {figures.staff_refused:,} 次" if figures.staff_refused else "",
            href=trail(Action.STAFF_SIGNED_IN),
        ),
    ]


def _figure(label: str, value: int, unit: str, **more: Any) -> dict[str, Any]:
    return {"label": label, "value": f"{value:,}", "unit": unit, **more}


def age_words(seconds: int) -> str:
    """A span of time in its largest one or two units: 40 秒, 3 分钟, 1 小时 5 分钟, 2 天 3 小时."""
    if seconds < 60:
        return f"{max(seconds, 0)} 秒"
    return span_words(seconds)


def _way(endpoint: str, **values: Any) -> str:
    """Where one acts on a figure; "" for a role that may not, or before the page exists."""
    if endpoint not in current_app.view_functions or not staff.may(endpoint):
        return ""
    return url_for(endpoint, **values)


def _faulty_check() -> datetime | None:
    """When the last finished verification was, if it found faults and whoever looks may read the trail."""
    if not staff.may("staff_audit.checks"):
        return None
    last = audit_checks.last_finished(audit_checks.last_checks(db()), now=now())
    if last is None or (audit_checks.anchor_of(platform().trail, last) and not last.faults):
        return None
    found: datetime = last.finished_at
    return found
