"""What is said of an appeal by SMS: to the phones proved in it, and to the reserved one if another (X21).

Each message is written in the transaction of what it tells. Nobody's name stands in it; the link stands in
the one to the company's proved phone alone.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from sqlalchemy.orm import Session

from idp.accounts.calendar import SHANGHAI
from idp.accounts.notices import SMS
from idp.accounts.outbox import enqueue
from idp.appeal.models import Appeal
from idp.config import Settings
from idp.crypto import Vault


class Message(StrEnum):
    """What is said; the value is the purpose a gateway knows it by."""

    RECEIVED = "appeal_received"
    SUPPLEMENT_RECEIVED = "appeal_supplement_received"
    MORE_WANTED = "appeal_more_wanted"
    APPROVED = "appeal_approved"
    APPROVED_LINK = "appeal_approved_link"
    REFUSED = "appeal_refused"
    LAPSED = "appeal_lapsed"
    WITHDRAWN = "appeal_withdrawn"


SENTENCES: Final = {
    Message.RECEIVED: "您的账号申诉（编号 {number}）已收到，预计{what}前办结。"
    "进度请在登录页点「账号申诉」，凭编号和手机验证码查询。",
    Message.SUPPLEMENT_RECEIVED: "您的账号申诉（编号 {number}）补充的材料已收到，预计{what}前办结。"
    "进度请在登录页点「账号申诉」，凭编号和手机验证码查询。",
    Message.MORE_WANTED: "您的账号申诉（编号 {number}）需要补充材料，请在{what}前，从登录页点「账号申诉」，"
    "凭编号和手机验证码查看并补传。",
    Message.APPROVED: "账号申诉（编号 {number}）已通过。设置密码的链接已发往申诉时验证的企业手机号码。",
    Message.APPROVED_LINK: "您的账号申诉（编号 {number}）已通过。请在{what}前打开 {link} 设置登录密码。"
    "链接只能用一次，请勿转发。",
    Message.REFUSED: "您的账号申诉（编号 {number}）没有通过。原因请在登录页点「账号申诉」，"
    "凭编号和手机验证码查看。",
    Message.LAPSED: "您的账号申诉（编号 {number}）逾期没有补充材料，已结束。需要的话，请重新提交申诉。",
    Message.WITHDRAWN: "您的账号申诉（编号 {number}）已撤回，上传的材料已删除。"
    "不是您本人操作？请联系服务热线。",
}


class Tools(Protocol):
    """What messages are written with: each of those who write them has it among his own."""

    @property
    def vault(self) -> Vault:
        """Seals the message."""

    @property
    def settings(self) -> Settings:
        """Whose messages they are, and where their links lead."""


def tell_proved(
    db: Session,
    tools: Tools,
    appeal: Appeal,
    message: Message,
    *,
    now: datetime,
    what: datetime | None = None,
) -> None:
    """As :func:`tell`, both phones that were proved in the appeal."""
    told = appeal.statement(tools.vault)
    tell(db, tools, appeal, message, told.phone, told.operator_phone, now=now, what=what)


def tell(
    db: Session,
    tools: Tools,
    appeal: Appeal,
    message: Message,
    *phones: str,
    now: datetime,
    what: datetime | None = None,
    link: str = "",
) -> None:
    """Tell each of `phones` once, in the caller's transaction.

    `what` is the instant the sentence names, as a day and time in Asia/Shanghai; `link` the link's token.
    """
    address = f"{tools.settings.issuer}/a/{link}" if link else ""
    when = _when(what) if what else ""
    said = SENTENCES[message].format(number=appeal.number, what=when, link=address)
    for phone in dict.fromkeys(phone for phone in phones if phone):
        payload = {
            "phone": phone,
            "text": f"【{tools.settings.site_name}】{said}",
            "code": None,
            "purpose": message.value,
            # What a vendor's template is filled with; no vendor lets a whole address in.
            "params": [appeal.number, when, link],
        }
        enqueue(db, tools.vault, kind=SMS, subject=appeal.key, payload=payload, now=now)


def _when(instant: datetime) -> str:
    at = instant.astimezone(SHANGHAI)
    return f" {at.month} 月 {at.day} 日 {at:%H:%M} "
