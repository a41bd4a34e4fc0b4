"""One appeal in words, for the list and for its page; what stands here is masked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.accounts.files import StoredFile
from idp.accounts.identifiers import mask_name, mask_phone
from idp.accounts.staff import StaffMember
from idp.appeal import comparison
from idp.appeal.comparison import Asked, Verdict
from idp.appeal.deciding import HANDLERS, has_in_hand, may_confirm
from idp.appeal.desk.timing import left_of
from idp.appeal.models import KINDS, OVER, STATES, Appeal, AppealKind, State
from idp.appeal.outcome import CHANGE_WORDS, Change
from idp.appeal.papers import BY_SLOT
from idp.crypto import Vault
from idp.web import staff
from idp.web.platform import db, now, platform
from idp.web.render import minute

Tag = tuple[str, str, str]
_TAGS: Final[dict[State, Tag]] = {
    State.DRAFT: (STATES[State.DRAFT], "", "minus"),
    State.WAITING: (STATES[State.WAITING], "wait", "clock"),
    State.IN_HAND: (STATES[State.IN_HAND], "info", "eye"),
    State.SECOND: (STATES[State.SECOND], "wait", "users-round"),
    State.MORE: (STATES[State.MORE], "", "hourglass"),
    State.APPROVED: (STATES[State.APPROVED], "ok", "check"),
    State.REFUSED: (STATES[State.REFUSED], "bad", "x"),
    State.WITHDRAWN: (STATES[State.WITHDRAWN], "", "minus"),
}
_VERDICTS: Final[dict[Verdict, Tag]] = {
    Verdict.SAME: ("一致", "ok", "check"),
    Verdict.DIFFERS: ("不一致", "wait", "triangle-alert"),
    Verdict.UNKNOWN: ("无法比对", "", "minus"),
}
_SAID: Final = {
    State.IN_HAND: "上次要求补充",
    State.SECOND: "上次要求补充",
    State.MORE: "要求申请人补充",
    State.REFUSED: "给申请人的话",
}
"""Where what was said to the applicant matters, under this heading."""


def state_tag(row: Appeal, member: StaffMember) -> Tag:
    """How far it has come; what this member has in hand is said as his."""
    if has_in_hand(row, member):
        return "我正在审", "info", "eye"
    return _TAGS[State(row.state)]


def compared_tag(row: Appeal) -> Tag:
    """What the registry said, for the list."""
    found = comparison.asked(row)
    if found is Asked.NEVER:
        return "未查询", "", "minus"
    if found is Asked.FAILED:
        return "登记库查询失败", "", "circle-alert"
    if found is Asked.NOBODY:
        return "登记库没有这家企业", "wait", "triangle-alert"
    if row.differences:
        return f"{row.differences} 项不一致", "wait", "triangle-alert"
    return "全部一致", "ok", "check"


def listed(rows: Sequence[Appeal], member: StaffMember) -> list[dict[str, Any]]:
    """The rows of the list."""
    vault, named = platform().vault, members_of(row.claimed_by for row in rows)
    return [
        {
            "number": row.number,
            "href": url_for("staff_appeals.appeal", appeal_id=row.id),
            "company": row.name,
            "representative": mask_name(row.statement(vault).claim.representative_name),
            "kind": KINDS[AppealKind(row.kind)],
            "compared": compared_tag(row),
            "left": left_of(row, now=now()),
            "state": state_tag(row, member),
            "hand": named.get(row.claimed_by, "—") if row.state != State.WAITING.value else "—",
            "act": _act(row, member),
        }
        for row in rows
    ]


def facts_of(row: Appeal) -> list[tuple[str, str]]:
    """What everybody at the desk may know of an appeal."""
    told = row.statement(platform().vault)
    named = members_of([row.claimed_by, row.decided_by])
    facts = [
        ("企业名称", row.name),
        ("统一社会信用代码", row.uscc),
        ("法定代表人", mask_name(told.claim.representative_name)),
        ("填写的法人账号", told.account),
        ("企业手机号码", mask_phone(told.phone)),
        ("经办人手机号码", mask_phone(told.operator_phone)),
        *_sent_in(row),
    ]
    if row.due_at and row.state in {State.WAITING.value, State.IN_HAND.value, State.SECOND.value}:
        facts.append(("应办结时间", minute(row.due_at)))
    if row.claimed_by and row.state != State.WAITING.value:
        facts.append(("处理人", named.get(row.claimed_by, "—")))
    return facts + _ending(row, named)


def _sent_in(row: Appeal) -> list[tuple[str, str]]:
    """When it was sent in, and when what was asked for came after that."""
    last, first = row.submitted_at, row.first_submitted_at
    if last and first and first < last:
        return [("提交时间", minute(first)), ("补充时间", minute(last))]
    return [("提交时间", minute(last) if last else "—")]


def _ending(row: Appeal, named: Mapping[UUID | None, str]) -> list[tuple[str, str]]:
    """Who confirmed it, what was done, when; empty for what is open."""
    if row.state not in OVER:
        return []
    second = [("复核人", named.get(row.decided_by, "—"))] if row.proposed_by and row.decided_by else []
    when = [("办结时间", minute(row.decided_at))] if row.decided_at else []
    return [*second, ("办理结果", _result(row)), *when]


def _result(row: Appeal) -> str:
    if row.state == State.APPROVED.value:
        words = "；".join(CHANGE_WORDS[change] for change in Change if change in row.changes)
        return words or STATES[State.APPROVED]
    if row.state == State.REFUSED.value:
        why = "到期没有补充材料，申诉结束" if row.is_lapsed else "不予通过"
        return f"{why}，账号没有任何更改"
    return "申请人已撤回，账号没有任何更改"


def said_of(row: Appeal) -> dict[str, Any] | None:
    """What was said to the applicant, and the papers asked for with it; None where it matters no more."""
    # What ended unanswered was not refused in words: the last ones asked for papers.
    state = State.MORE if row.is_lapsed else State(row.state)
    title, words = _SAID.get(state), row.answer(platform().vault)
    if not (title and words):
        return None
    asked_for = [] if state is State.REFUSED else row.asked_for
    return {"title": title, "words": words, "papers": [BY_SLOT[slot].label for slot in asked_for]}


def is_supplement(row: Appeal, one: StoredFile) -> bool:
    """Whether a paper came after staff had asked for it; nothing changes between sending in and that."""
    first = row.first_submitted_at
    return first is not None and one.created_at > first and one.slot in row.asked_for


def other_rows(rows: Sequence[Appeal], member: StaffMember) -> list[dict[str, Any]]:
    """Other appeals of the same company."""
    return [
        {
            "number": row.number,
            "href": url_for("staff_appeals.appeal", appeal_id=row.id),
            "kind": KINDS[AppealKind(row.kind)],
            "state": state_tag(row, member),
            "when": minute(row.submitted_at) if row.submitted_at else "—",
        }
        for row in rows
    ]


def comparison_rows(db_: Session, vault: Vault, row: Appeal) -> dict[str, Any]:
    """The comparison for its table: rows, how many differ, when the registry was asked."""
    found = comparison.compare(db_, vault, row)
    is_answered = found.asked is Asked.ANSWERED
    return {
        "rows": [
            {
                "label": item.label,
                "told": item.told,
                "registry": item.registry,
                "ours": item.ours,
                "differs": item.verdict is Verdict.DIFFERS,
                # Where the registry can have nothing there is nothing to say of each row.
                "tag": _VERDICTS[item.verdict] if is_answered and item.in_registry else None,
                "differs_here": item.differs_here,
            }
            for item in found.items
        ],
        "differences": found.differences,
        "asked": _asked_words(found.asked, minute(found.asked_at) if found.asked_at else ""),
        "is_answered": is_answered,
        "is_nobody": found.asked is Asked.NOBODY,
    }


def members_of(ids: Iterable[UUID | None]) -> dict[UUID | None, str]:
    """Staff members in words, by id."""
    wanted = {one for one in ids if one}
    if not wanted:
        return {}
    rows = db().scalars(select(StaffMember).where(StaffMember.id.in_(wanted)))
    return {row.id: staff.member_words(row) for row in rows}


def colleagues() -> list[StaffMember]:
    """Whom an appeal may be given to: those who handle appeals and may sign in."""
    roles = [role.value for role in HANDLERS]
    able = select(StaffMember).where(
        StaffMember.role.in_(roles), StaffMember.suspended_at.is_(None), StaffMember.enrolled_at.is_not(None)
    )
    return list(db().scalars(able.order_by(StaffMember.account)))


def _act(row: Appeal, member: StaffMember) -> str:
    if has_in_hand(row, member):
        return "继续审核"
    return "复核" if may_confirm(row, member) else "查看"


def _asked_words(asked: Asked, when: str) -> str:
    return {
        Asked.NEVER: "还没有查询登记库",
        Asked.FAILED: f"{when} 查询登记库，没有得到答复",
        Asked.NOBODY: f"{when} 查询登记库，没有这家企业",
        Asked.ANSWERED: f"登记库查询于 {when}",
    }[asked]
