"""账号申诉: the list of appeals, and 领取下一件.

================================  =================================================================
/staff/appeals                    counts, search, the list with what is due first
/staff/appeals/next (POST)        take the one that is due first
================================  =================================================================
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from idp.accounts.searching import LONGEST, MOST, Listing, SearchRefused, check_text
from idp.appeal import deciding
from idp.appeal.desk import listing, showing
from idp.appeal.desk.listing import Counts, Search, Shown
from idp.appeal.desk.one import taken
from idp.appeal.desk.room import blueprint, member, tools
from idp.appeal.models import KINDS, Appeal, AppealKind
from idp.web import staff
from idp.web import staff_news as news
from idp.web.paging import page_links, page_number
from idp.web.platform import db, now

Choice = TypeVar("Choice", bound=StrEnum)
_SHOWN = [
    ("", "未办结"),
    (Shown.WAITING.value, "待处理"),
    (Shown.DUE.value, "今日到期或已逾期"),
    (Shown.IN_HAND.value, "处理中"),
    (Shown.SECOND.value, "待复核"),
    (Shown.MORE.value, "待补充材料"),
    (Shown.OVER.value, "已办结"),
    (Shown.APPROVED.value, "通过"),
    (Shown.REFUSED.value, "不通过"),
    (Shown.WITHDRAWN.value, "已撤回"),
]
_KINDS = [("", "全部"), *((kind.value, words) for kind, words in KINDS.items())]
_HANDS = [("", "全部"), ("mine", "只看我的")]


@blueprint.get("")
def index() -> str:
    """The list, narrowed by number, company, kind, state and hand."""
    typed, mine = request.args.get("typed", ""), request.args.get("hand") == "mine"
    kind, shown = _chosen(AppealKind, "kind"), _chosen(Shown, "state")
    found, error = None, ""
    try:
        hand = member().id if mine else None
        found = listing.list_appeals(
            db(), Search(check_text(typed), kind, shown, hand, page_number()), now=now()
        )
    except SearchRefused as refused:
        error = str(refused)
    asked = {"typed": typed or None, "kind": kind, "state": shown, "hand": "mine" if mine else None}
    return staff.page(
        "staff/appeals/index.html",
        figures=_figures(listing.count(db(), member().id, now=now())),
        typed=typed[:LONGEST] if not error else "",
        choices={"kind": _KINDS, "state": _SHOWN, "hand": _HANDS},
        chosen={name: value or "" for name, value in asked.items()},
        error=error,
        listing=found,
        most=MOST,
        appeals=showing.listed(found.rows, member()) if found else [],
        links=_links(found, asked) if found else [],
        done=news.take(),
        can_see_figures=staff.may("staff_appeals.figures"),
    )


@blueprint.post("/next")
def next_one() -> Response:
    """Take the appeal that is due first; of two at once each gets another one."""
    row = deciding.claim_next(db(), tools(), member(), staff.origin(), now=now())
    if row is None:
        address = url_for("staff_appeals.index")
        news.leave(address, "现在没有待处理的申诉。")
        return redirect(address, 303)
    return taken(row)


def _figures(counts: Counts) -> list[dict[str, Any]]:
    def figure(label: str, value: int, **more: Any) -> dict[str, Any]:
        return {"label": label, "value": f"{value:,}", "unit": "件", **more}

    return [
        figure("待处理", counts.waiting, href=url_for("staff_appeals.index", state=Shown.WAITING)),
        figure(
            "今日到期或已逾期",
            counts.due,
            hot=counts.due > 0,
            href=url_for("staff_appeals.index", state=Shown.DUE),
        ),
        figure(
            "我正在审", counts.mine, href=url_for("staff_appeals.index", state=Shown.IN_HAND, hand="mine")
        ),
        figure("今日已办结", counts.decided),
    ]


def _chosen(kind: type[Choice], name: str) -> Choice | None:
    """A filter of the address; None where it is missing or no choice at all."""
    value = request.args.get(name, "")
    return kind(value) if value in set(kind) else None


def _links(found: Listing[Appeal], asked: dict[str, Any]) -> list[dict[str, Any]]:
    return page_links(
        found.number, found.pages, lambda number: url_for("staff_appeals.index", **asked, page=number)
    )
