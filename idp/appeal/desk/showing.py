"""One appeal in words, for the list and for its page; what stands here is masked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.accounts import audit_search
from idp.accounts.audit import Action
from idp.accounts.audit_rows import Line
from idp.accounts.identifiers import mask_name, mask_phone
from idp.accounts.staff import StaffMember, list_named
from idp.appeal import comparison
from idp.appeal.comparison import Asked, Verdict
from idp.appeal.deciding import HANDLERS, has_in_hand, may_confirm
from idp.appeal.desk.timing import left_of
from idp.appeal.models import KINDS, STATES, Appeal, AppealKind, State
from idp.crypto import Vault
from idp.web import audit_words, staff
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
_LOOKS: Final = {Action.APPEAL_VIEWED.value, Action.APPEAL_PAPER_VIEWED.value}
_SHOWN_ROWS: Final = 200


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
    hand = members_of([row.claimed_by]).get(row.claimed_by, "")
    facts = [
        ("企业名称", row.name),
        ("统一社会信用代码", row.uscc),
        ("法定代表人", mask_name(told.claim.representative_name)),
        ("填写的法人账号", told.account),
        ("企业手机号码", mask_phone(told.phone)),
        ("经办人手机号码", mask_phone(told.operator_phone)),
        ("提交时间", minute(row.submitted_at) if row.submitted_at else "—"),
    ]
    if row.due_at and row.state in {State.WAITING.value, State.IN_HAND.value, State.SECOND.value}:
        facts.append(("应办结时间", minute(row.due_at)))
    if hand and row.state != State.WAITING.value:
        facts.append(("处理人", hand))
    if row.decided_at:
        facts.append(("办结时间", minute(row.decided_at)))
    return facts


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
    return {
        "rows": [
            {
                "label": item.label,
                "told": item.told,
                "registry": item.registry,
                "ours": item.ours,
                "differs": item.verdict is Verdict.DIFFERS,
                "tag": _VERDICTS[item.verdict],
                "differs_here": item.differs_here,
            }
            for item in found.items
        ],
        "differences": found.differences,
        "asked": _asked_words(found.asked, minute(found.asked_at) if found.asked_at else ""),
        "is_answered": found.asked is Asked.ANSWERED,
    }


def trail_of(row: Appeal) -> list[dict[str, str]]:
    """What became of an appeal, the oldest first, by the audit trail; looks are left out."""
    wanted = audit_search.Wanted(target=row.key)
    found, _ = audit_search.page_of(db(), wanted, limit=_SHOWN_ROWS)
    lines = [line for line in found if line.action not in _LOOKS]
    named = list_named(db(), {line.actor for line in lines if line.actor})
    return [_line(line, named) for line in reversed(lines)]


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
    if row.state == State.WAITING.value:
        return "领取"
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


def _line(line: Line, named: Mapping[str, StaffMember]) -> dict[str, str]:
    by = named.get(line.actor or "")
    reason = (line.detail or {}).get("reason")
    return {
        "what": audit_words.action_words(line.action),
        "who": staff.member_words(by) if by else _WHO.get((line.actor or "").partition(":")[0], "申请人"),
        "when": minute(line.at) if line.at else audit_words.UNREADABLE,
        "reason": audit_words.printable(reason) if isinstance(reason, str) else "",
    }


_WHO: Final = {"worker": "系统", "cli": "命令行"}
