"""Why an account, a company or a mandate does not open now: the sentence for whoever proved that it is his.

A stranger never reads one; each way in says it only after its proof was right. An empty text is none.
"""

from __future__ import annotations

from datetime import datetime

from idp.accounts.calendar import civil_day
from idp.accounts.models import EnterpriseStatus, Mandate

LOCKED = (
    "账号已暂停：您报告过不是本人操作，或者账号申诉通过后还没有设置新密码。"
    "请在登录页点「忘记密码」，重置密码后恢复；也可以拨打服务热线。"
)


def of_company(status: str, suspended_at: datetime | None) -> str:
    """What keeps a company out: its registration, or that its account was suspended."""
    if status == EnterpriseStatus.REVOKED.value:
        return "该企业的营业执照已被吊销，不能登录。如有疑问，请联系登记机关。"
    if status == EnterpriseStatus.DEREGISTERED.value:
        return "该企业已注销，不能登录。如有疑问，请联系登记机关。"
    if suspended_at:
        return "该企业的账号已停用。请拨打服务热线了解原因。"
    return ""


def of_person(suspended_at: datetime | None) -> str:
    """What keeps a person out."""
    return "您的账号已停用。请拨打服务热线了解原因。" if suspended_at else ""


def of_lock(locked_at: datetime | None) -> str:
    """What keeps out whoever holds the secrets of an account whose owner said 不是我."""
    return LOCKED if locked_at else ""


def of_mandate(mandate: Mandate, *, now: datetime) -> str:
    """What keeps an operator out: his mandate was ended, has not begun, or is over."""
    today = civil_day(now)
    if mandate.ended_at:
        return "企业已结束对您的授权。如需继续办理，请联系企业的法定代表人重新添加。"
    if today < mandate.first_day:
        first = mandate.first_day
        return f"您的授权从 {first.year} 年 {first.month} 月 {first.day} 日起生效，到那天再登录。"
    if today > mandate.last_day:
        last = mandate.last_day
        return f"您的授权已于 {last.year} 年 {last.month} 月 {last.day} 日到期。请联系企业的法定代表人续期。"
    return ""
