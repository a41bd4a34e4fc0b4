"""One's own factors and sign-ins in words."""

from __future__ import annotations

from typing import Any

from idp.accounts.factors import Factor
from idp.accounts.staff import StaffSession
from idp.proof.enrolment import KINDS
from idp.web.render import minute
from idp.web.words import browser_words

_WAYS = {"pwd": "密码", "otp": "动态口令", "hwk": "通行密钥"}


def factor_words(factor: Factor) -> dict[str, Any]:
    """One row of the list of factors."""
    return {
        "kind": factor.kind.value,
        "id": factor.id,
        "name": factor.name,
        "what": KINDS[factor.kind],
        "added": minute(factor.created_at),
        "used": minute(factor.last_used_at) if factor.last_used_at else "还没有用过",
    }


def session_words(row: StaffSession, here: StaffSession) -> dict[str, Any]:
    """One row of the list of sign-ins; `here` is the one that looks."""
    return {
        "id": str(row.id),
        "browser": browser_words(row.browser),
        "place": row.address or "地址未知",
        "how": "、".join(_WAYS.get(way, way) for way in row.amr.split()),
        "when": minute(row.created_at),
        "current": row.id == here.id,
    }
