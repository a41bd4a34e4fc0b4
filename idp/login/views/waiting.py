"""What a page that waits for a phone shows of its ticket, and how an end is said (QR login, face checks)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import request, url_for

from idp.accounts.calendar import SHANGHAI
from idp.proof import tickets
from idp.proof.ticket_record import Ended, State, Ticket
from idp.proof.tickets import TicketGone
from idp.web import cookies
from idp.web import waiting as browser_side
from idp.web.platform import now, platform, settings
from idp.web.security import allow_scripts


@dataclass(frozen=True, slots=True)
class Words:
    """What happened to a ticket, and what to do now."""

    title: str
    sentence: str


ENDINGS = {
    "expired": Words("二维码已失效", "没有在规定的时间内扫码并确认，账号没有受到影响。请重新扫码。"),
    "unknown": Words("二维码已失效", "这个二维码不能再用，账号没有受到影响。请重新扫码。"),
    "taken": Words("这个二维码已经用过", "每个二维码只能登录一次。请重新扫码。"),
    Ended.BY_PHONE.value: Words(
        "您在手机上拒绝了", "这里没有登录。点错了的话，请重新扫码；不是您本人在登录，请关闭这个页面。"
    ),
    Ended.WRONG_NUMBER.value: Words(
        "数字不一致，没有登录",
        "手机上选择的数字与这里显示的不同，为保护账号已停止。请重新扫码，并看清这里的数字。",
    ),
    Ended.NOT_ALLOWED.value: Words(
        "没有登录", "手机上的验证没有通过，原因写在手机上。请重新扫码，或者换一种登录方式。"
    ),
    Ended.BY_BROWSER.value: Words("已取消", "这个二维码已经取消。请重新扫码。"),
    Ended.REPLACED.value: Words("二维码已更换", "这个二维码已经换过。请扫描新的二维码。"),
}
"""By :class:`Ended`, or by the state where a ticket ended without anybody ending it."""


def words_of(gone: TicketGone) -> Words:
    """How the end of a ticket is said."""
    why = gone.ended.value if gone.ended else (gone.state.value if gone.state else "unknown")
    return ENDINGS.get(why, ENDINGS["unknown"])


def mine(ticket_id: str) -> Ticket | None:
    """The ticket with this id while it waits or was scanned, if it is this browser's."""
    ticket = tickets.find(platform().store, ticket_id)
    if ticket is None or not ticket.is_waited_for_with(cookies.sent_wait_secret()):
        return None
    return ticket if ticket.state_at(now()) in {State.WAITING, State.SCANNED} else None


def give_up(ticket_id: str) -> None:
    """End the ticket that this page shows, if it still can be."""
    tickets.withdraw(platform().store, ticket_id, cookies.sent_wait_secret(), now=now())


def shown(ticket: Ticket, *, renewed_by: str = "") -> dict[str, Any]:
    """What the macros of `login/_waiting.html` need; scripts may run on the page.

    `renewed_by` is the address a script asks for the next ticket at, empty where only the person can.
    """
    allow_scripts(asking=True)
    left, address = browser_side.seconds_left(ticket), browser_side.address_of(ticket.id)
    app = f"{settings().app_url.rstrip('/')}/open?"
    return {
        "ticket": ticket.id,
        "state": ticket.state.value,
        "number": ticket.number,
        "left": left,
        "until": (now() + timedelta(seconds=left)).astimezone(SHANGHAI).strftime("%H:%M"),
        "image": url_for("scan.qr_code", ticket_id=ticket.id),
        "open": app + urlencode({"code": address}),
        "app": app,
        "purpose": ticket.asked.purpose.value,
        "transaction": request.args.get("tx", ""),
        "tickets": renewed_by,
        "wait": url_for("scan.wait", ticket_id=ticket.id).removesuffix(ticket.id),
        "renewal": settings().ticket_renewal if renewed_by else 0,
        "endings": ENDINGS,
    }
