"""The page of one appeal, whatever was asked of it: read, or answered with what stands in the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from flask import Response, make_response, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from idp.accounts import files
from idp.accounts.audit import Action, Event
from idp.accounts.files import StoredFile
from idp.appeal import outcome
from idp.appeal.applying import Unapplicable
from idp.appeal.deciding import NotYours, SameHand, approved_first, has_in_hand, may_confirm, may_read
from idp.appeal.desk import history, listing, showing
from idp.appeal.desk.room import address_of, found, member
from idp.appeal.desk.timing import left_of
from idp.appeal.models import KINDS, OPEN, Appeal, AppealKind, State
from idp.appeal.outcome import CHANGE_WORDS, Change, Plan
from idp.appeal.papers import BY_SLOT, papers_for
from idp.appeal.states import Act, Moved, may
from idp.web import staff, staff_looks
from idp.web import staff_news as news
from idp.web.errors import Stop
from idp.web.platform import db, now, platform, roll_back
from idp.web.stored_files import can_be_looked_at
from idp.web.upload_words import size_words

TURNS = (0, 90, 180, 270)
STALE = "这件申诉刚才有了变化，您提交的没有生效，没有做任何更改。下面是现在的情况，请看过再决定。"


def show(
    row: Appeal,
    *,
    problems: Sequence[str] = (),
    errors: Mapping[str, str] | None = None,
    typed: Mapping[str, Any] | None = None,
    status: int = 200,
) -> Response:
    """The page as it is now. `problems` stand above it, `errors` (field to sentence) at the forms' fields."""
    who, is_reader = member(), may_read(row, member())
    staff_looks.note(Event(Action.APPEAL_VIEWED, target=row.key, detail={"version": row.version}))
    values: dict[str, Any] = {
        "row": row,
        "kind": KINDS[AppealKind(row.kind)],
        "state": showing.state_tag(row, who),
        "left": left_of(row, now=now()),
        "facts": showing.facts_of(row),
        "others": showing.other_rows(listing.others_of(db(), row), who),
        "trail": history.trail_of(row),
        "problems": problems,
        "errors": errors or {},
        "typed": typed or {},
        "done": news.take() if request.method == "GET" else "",
        "is_reader": is_reader,
        "can_claim": may(row, Act.CLAIM),
        "is_mine": has_in_hand(row, who),
        "to_confirm": may_confirm(row, who),
        "own_second": row.state == State.SECOND.value and row.proposed_by == who.id,
        "colleagues": _colleagues(row),
        "is_over": row.state not in {state.value for state in OPEN},
    }
    if is_reader:
        values |= _read(row)
    return make_response(staff.page("staff/appeals/appeal.html", **values), status)


def act(appeal_id: UUID, do: Callable[[Appeal], BaseResponse]) -> BaseResponse:
    """Do something to the appeal as its page showed it; whoever was too late is shown how it stands now.

    Raises Stop where it is not this member's to do.
    """
    row = found(appeal_id)
    if request.form.get("version") != str(row.version):
        return show(row, problems=[STALE], status=409)
    try:
        return do(row)
    except Moved:
        roll_back()
        return show(found(appeal_id), problems=[STALE], status=409)
    except Unapplicable as in_the_way:
        roll_back()
        return show(found(appeal_id), problems=in_the_way.sentences, status=409)
    except NotYours:
        roll_back()
        raise _refused(row, "这件申诉不在您手里", "它由别的同事处理，或者不是您的岗位可以决定的。") from None
    except SameHand:
        roll_back()
        raise _refused(row, "复核要由另一位同事办理", "初审是您自己办的，不能再由您复核。") from None


def done(row: Appeal, sentence: str) -> BaseResponse:
    """Lead to the appeal's page, which says once what was done."""
    address = address_of(row)
    news.leave(address, sentence)
    return redirect(address, 303)


def _refused(row: Appeal, title: str, why: str) -> Stop:
    detail = {"address": request.endpoint, "method": request.method, "role": member().role}
    staff.record(Event(Action.ACCESS_DENIED, target=row.key, detail=detail))
    sentence = f"{why}没有做任何更改。这次操作已经记录。"
    return Stop(title, sentence, status=403, ways=(("返回这件申诉", address_of(row)),))


def _colleagues(row: Appeal) -> list[tuple[str, str]]:
    """Whom a supervisor may give it to, himself first; empty for who may not."""
    if not (staff.may("staff_appeals.assign", "POST") and may(row, Act.ASSIGN)):
        return []
    me = member()
    others = [one for one in showing.colleagues() if one.id not in {me.id, row.claimed_by}]
    mine = [] if row.claimed_by == me.id and row.state == State.IN_HAND.value else [(str(me.id), "我自己")]
    return mine + [(str(one.id), staff.member_words(one)) for one in others]


def _read(row: Appeal) -> dict[str, Any]:
    vault = platform().vault
    values: dict[str, Any] = {
        "compared": showing.comparison_rows(db(), vault, row),
        "has_registry": platform().registry is not None,
        "remark": row.remark(vault),
        "said": showing.said_of(row),
        "slots": [(paper.slot, paper.label) for paper in papers_for(AppealKind(row.kind))],
        **_papers(row),
    }
    if has_in_hand(row, member()) or may_confirm(row, member()):
        plan = outcome.plan(db(), vault, row)
        values["plan"] = plan
        values["changes"] = [CHANGE_WORDS[change] for change in plan.changes]
        values["expected"] = ",".join(change.value for change in plan.changes)
        values |= _first_approval(row, plan)
    return values


def _first_approval(row: Appeal, plan: Plan) -> dict[str, Any]:
    """Who approved first, what, and whether that is still what would be done."""
    if row.state != State.SECOND.value:
        return {}
    return {
        "proposed_by": showing.members_of([row.proposed_by]).get(row.proposed_by, ""),
        "proposed": [CHANGE_WORDS[Change(change)] for change in row.changes],
        "is_as_proposed": plan.is_as(approved_first(row)),
    }


def _papers(row: Appeal) -> dict[str, Any]:
    """The list of papers, and the one that is looked at."""
    stored = sorted(files.of(db(), row.key), key=lambda one: list(BY_SLOT).index(one.slot))
    chosen = next((one for one in stored if str(one.id) == request.args.get("paper")), None)
    return {
        "papers": [_paper(row, one) for one in stored],
        "chosen": looked_at(row, chosen or stored[0]) if stored else None,
    }


def _paper(row: Appeal, one: StoredFile) -> dict[str, Any]:
    pages = f"{one.pages} 页" if one.pages else one.name(platform().vault).rpartition(".")[2].upper()
    return {
        "id": one.id,
        "label": BY_SLOT[one.slot].label,
        "note": f"{pages}，{size_words(one.size)}",
        "href": url_for("staff_appeals.appeal", appeal_id=row.id, paper=one.id, _anchor="papers"),
        "is_new": showing.is_supplement(row, one),
        "icon": "id-card" if one.slot.startswith(("representative", "operator")) else "file-text",
    }


def looked_at(row: Appeal, one: StoredFile) -> dict[str, Any]:
    """One paper as it is looked at: the page and the turn that were asked for, and where else one may go."""
    pages, turn = one.pages or 1, request.args.get("turn", 0, type=int)
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    turn = turn if turn in TURNS else 0
    own: dict[str, Any] = {"appeal_id": row.id, "file_id": one.id}
    return {
        **_paper(row, one),
        "name": one.name(platform().vault),
        "is_shown": can_be_looked_at(one),
        "page": page,
        "pages": pages,
        "turn": turn,
        "next_turn": TURNS[(TURNS.index(turn) + 1) % len(TURNS)],
        "before": page - 1 if page > 1 else None,
        "after": page + 1 if page < pages else None,
        "picture": url_for("staff_appeals.picture", **own, page=page, turn=turn or None),
        "whole": url_for("staff_appeals.paper", **own, page=page, turn=turn or None),
        "file": url_for("staff_appeals.file", **own),
    }


def member_by(supplied: str) -> Any:
    """The colleague whose id a form names; None for nobody who may have an appeal."""
    with suppress(ValueError):
        wanted = UUID(supplied)
        return next((one for one in showing.colleagues() if one.id == wanted), None)
    return None
