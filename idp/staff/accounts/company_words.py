"""Companies and their mandates in words: tags, rows of lists, tabs."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import url_for

from idp.accounts.identifiers import mask_name, mask_phone
from idp.accounts.models import Enterprise, EnterpriseStatus
from idp.staff.accounts.changes import MandateChange
from idp.staff.accounts.company_record import CompanyState
from idp.staff.accounts.mandate_rows import MandatePage, MandateRow, MandateState
from idp.staff.accounts.pages import LOCKED_TAG, MANDATE_TAGS, account_tag
from idp.web.platform import platform
from idp.web.words import rights

REGISTERED = {
    EnterpriseStatus.NORMAL: ("正常", "ok", "check"),
    EnterpriseStatus.REVOKED: ("吊销", "bad", "x"),
    EnterpriseStatus.DEREGISTERED: ("注销", "", "minus"),
}
STATES = (
    ("", "全部"),
    (CompanyState.NORMAL.value, "正常"),
    (CompanyState.PENDING.value, "待激活"),
    (CompanyState.SUSPENDED.value, "已停用"),
    (CompanyState.REVOKED.value, "吊销"),
    (CompanyState.DEREGISTERED.value, "注销"),
)


def public_facts(row: Enterprise) -> list[tuple[str, str]]:
    """What the registry says; no personal data."""
    return [("企业名称", row.name), ("统一社会信用代码", row.uscc), ("法人类型", row.type)]


def tag(row: Enterprise, *, locked_at: datetime | None = None) -> tuple[str, str, str]:
    """The state of a company's account as a tag."""
    activated = bool(row.account and row.account.activated_at)
    return account_tag(row.suspended_at, locked_at, activated=activated)


def listed(row: Enterprise) -> dict[str, Any]:
    """One row of the list."""
    return {
        "name": row.name,
        "href": url_for("staff_companies.company", company_id=row.id),
        "uscc": row.uscc,
        "type": row.type,
        "registered": REGISTERED[EnterpriseStatus(row.status)],
        "tag": tag(row),
    }


def mandate_words(held: MandateRow) -> dict[str, Any]:
    """One row of a company's mandates."""
    mandate, vault = held.mandate, platform().vault
    changes = [(MandateChange.UNLOCK, "解除锁定")] if held.locked else []
    changes += [(MandateChange.RESET_FACTORS, "移除第二步验证")] if held.has_factors else []
    changes += [(MandateChange.END, "结束授权")]
    return {
        "name": mask_name(mandate.person.name(vault)),
        "href": url_for("staff_accounts.person", person_id=mandate.person_id),
        "phone": mask_phone(mandate.phone(vault)),
        "tag": LOCKED_TAG if held.locked else MANDATE_TAGS[held.state],
        "days": f"{mandate.first_day} 至 {mandate.last_day}",
        "rights": rights(mandate),
        "department": mandate.department or "没有设置",
        "changes": [
            {
                "label": label,
                "href": url_for(
                    "staff_companies.change_mandate",
                    company_id=mandate.enterprise_id,
                    mandate_id=mandate.id,
                    change=one.value,
                ),
                "grave": one is MandateChange.END,
            }
            for one, label in changes
            if held.state is not MandateState.ENDED
        ],
    }


def mandate_tabs(row: Enterprise, mandates: MandatePage, state: MandateState | None) -> list[dict[str, Any]]:
    """The states of mandates with their numbers, as links."""
    everything = (None, "全部", sum(mandates.counts.values()))
    each = ((one, MANDATE_TAGS[one][0], mandates.counts[one]) for one in MandateState)
    return [
        {
            "label": f"{label} {number}",
            "href": url_for("staff_companies.company", company_id=row.id, state=one) + "#mandates",
            "current": one is state,
        }
        for one, label, number in (everything, *each)
    ]
