"""What became of an appeal, by the audit trail, in words: papers sent in one after another are one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, groupby
from typing import Final

from idp.accounts import audit_search
from idp.accounts.audit import Action
from idp.accounts.audit_rows import Line
from idp.accounts.staff import StaffMember, list_named
from idp.appeal.models import Appeal
from idp.appeal.papers import BY_SLOT
from idp.web import audit_words, staff
from idp.web.platform import db
from idp.web.render import minute

_LOOKS: Final = frozenset({Action.APPEAL_VIEWED, Action.APPEAL_PAPER_VIEWED})
_OF_PAPERS: Final = frozenset({Action.FILE_STORED, Action.FILE_REMOVED, Action.FILE_REFUSED})
_SHOWN_ROWS: Final = 200
_NAMED: Final = 2
"""More papers than so many are counted, not named."""
_WHO: Final = {"worker": "系统", "cli": "命令行"}


def trail_of(row: Appeal) -> list[dict[str, str]]:
    """What became of an appeal, the oldest first; looks are left out.

    Lines about papers are counted apart: an applicant writes as many of them as he likes.
    """
    acts = audit_search.Wanted(target=row.key, without=_LOOKS | _OF_PAPERS)
    papers = audit_search.Wanted(target=row.key, among=_OF_PAPERS)
    found = [audit_search.page_of(db(), wanted, limit=_SHOWN_ROWS)[0] for wanted in (acts, papers)]
    lines = sorted(chain(*found), key=lambda line: line.id)
    named = list_named(db(), {line.actor for line in lines if line.actor})
    return [_shown(some, named) for some in _folded(lines)]


def _folded(lines: list[Line]) -> Iterator[list[Line]]:
    """The lines one by one; those about papers, that follow each other and say the same, together."""
    for (action, _), some in groupby(lines, key=lambda line: (line.action, line.actor)):
        if action in _OF_PAPERS:
            yield list(some)
        else:
            yield from ([line] for line in some)


def _shown(some: list[Line], named: Mapping[str, StaffMember]) -> dict[str, str]:
    line = some[-1]
    by = named.get(line.actor or "")
    reason = (line.detail or {}).get("reason")
    return {
        "what": audit_words.action_words(line.action) + _papers(some),
        "who": staff.member_words(by) if by else _WHO.get((line.actor or "").partition(":")[0], "申请人"),
        "when": minute(line.at) if line.at else audit_words.UNREADABLE,
        "reason": audit_words.printable(reason) if isinstance(reason, str) else "",
    }


def _papers(some: list[Line]) -> str:
    """Which papers these lines are about: their names, or how many there are."""
    if some[-1].action not in _OF_PAPERS:
        return ""
    slots = {str((line.detail or {}).get("slot", "")) for line in some}
    labels = [paper.label for slot, paper in BY_SLOT.items() if slot in slots]
    return f"：{'、'.join(labels)}" if 0 < len(labels) <= _NAMED else f" {len(slots)} 份"
