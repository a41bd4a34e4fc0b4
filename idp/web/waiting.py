"""The browser's side of a scan ticket: the secret it waits with, and what it asks a phone for (A04, A18).

The secret is one cookie a browser, so that several tabs can wait side by side; a ticket keeps its hash. What
a ticket asks for is taken from the pending request when it is opened, so that the phone sees what the page
says and no later step changes it. A page shows its ticket with the macros of `web/_waiting.html`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from flask import request, url_for

from idp.access import assurance
from idp.access.assurance import Lack
from idp.access.pending import PendingRequest
from idp.accounts.calendar import SHANGHAI
from idp.crypto import hash_token
from idp.proof import tickets
from idp.proof.throttle import neighbourhood
from idp.proof.ticket_record import Asked, Ended, Purpose, Seen, State, Ticket
from idp.web import cookies, signin
from idp.web.platform import now, platform, settings
from idp.web.security import allow_scripts

INTERVAL = 2.0
"""Seconds between two questions of a page that nobody holds the answer for."""
WINDOW = 600
"""Seconds over which the tickets of an address are counted."""


class TooManyTickets(Exception):
    """The address has had more QR codes in ten minutes than `tickets_an_address`."""


@dataclass(frozen=True, slots=True)
class Words:
    """What happened to a ticket, and what to do now."""

    title: str
    sentence: str


def endings(act: str, unhurt: str) -> dict[str, Words]:
    """How the ends of a ticket are said, by :class:`Ended`, or by the state where nobody ended it.

    `act` is what the page is for (登录), `unhurt` what is as it was (账号没有受到影响).
    """
    return {
        "expired": Words("二维码已失效", f"没有在规定的时间内扫码并确认，{unhurt}。请重新扫码。"),
        "unknown": Words("二维码已失效", f"这个二维码不能再用，{unhurt}。请重新扫码。"),
        "taken": Words("这个二维码已经用过", "每个二维码只能用一次。请重新扫码。"),
        Ended.BY_PHONE.value: Words(
            "您在手机上拒绝了",
            f"这里没有{act}。点错了的话，请重新扫码；不是您本人在{act}，请关闭这个页面。",
        ),
        Ended.WRONG_NUMBER.value: Words(
            f"数字不一致，没有{act}",
            "手机上选择的数字与这里显示的不同，为保护账号已停止。请重新扫码，并看清这里的数字。",
        ),
        Ended.NOT_ALLOWED.value: Words(
            f"没有{act}", f"手机上的验证没有通过，原因写在手机上。请重新扫码，或者换一种方式{act}。"
        ),
        Ended.BY_BROWSER.value: Words("已取消", "这个二维码已经取消。请重新扫码。"),
        Ended.REPLACED.value: Words("二维码已更换", "这个二维码已经换过。请扫描新的二维码。"),
    }


SIGN_IN_ENDINGS = endings("登录", "账号没有受到影响")


def offered(asked: PendingRequest | None = None) -> bool:
    """Whether there is an app to scan with, and a scan can supply what `asked` lacks in this browser."""
    if asked is None or not settings().app_url:
        return bool(settings().app_url)
    signed_in, methods = signin.current(), assurance.offered(settings())
    missing = asked.missing(signed_in.session if signed_in else None, methods)
    ways = (asked.missing(None, methods) if missing.lack is Lack.NOTHING else missing).ways
    # Nobody scans with the phone that is about to sign in.
    return not asked.is_an_apps and any(way.name == "qr" for way in ways)


def asked_of(pending: PendingRequest | None, transaction: str) -> Asked:
    """What a sign-in by QR code asks the phone for; without a pending request, the platform itself asks."""
    if pending is None:
        name = settings().site_name
        return Asked(
            Purpose.LOGIN,
            portal=f"{name} 统一身份认证平台",
            reason="请求您登录，用于管理您的账号",
            browser=hash_token(cookies.browser_id()).hex(),
        )
    return Asked(
        Purpose.LOGIN,
        portal=pending.client_name,
        reason="请求您登录，用于办理业务",
        transaction=transaction,
        client_id=pending.client_id,
        wants_entity=pending.wants_entity,
        wants_person=not pending.wants_entity,
        entity=pending.entity,
        acr_values=pending.wanted.acr_values,
    )


def open_ticket(asked: Asked) -> Ticket:
    """A new ticket for this browser. Raises TooManyTickets."""
    here, address = platform(), request.remote_addr or ""
    if here.store.increment(f"tickets:{neighbourhood(address)}", ttl=WINDOW) > settings().tickets_an_address:
        raise TooManyTickets
    return tickets.open_ticket(
        here.store,
        asked,
        Seen((request.user_agent.string or "")[:200], address),
        secret=cookies.wait_secret(),
        lifetime=settings().seconds("ticket_lifetime"),
        now=now(),
    )


def seconds_left(ticket: Ticket) -> int:
    """What the page's clock says: until it must be scanned, and once it is, until it must be confirmed.

    A scan that comes a few seconds after the clock has run out still counts; nobody is told so.
    """
    moment = now().timestamp()
    if ticket.state is not State.WAITING:
        return max(0, round(ticket.expires_at - moment))
    return max(0, round(ticket.created_at + settings().ticket_lifetime - moment))


def address_of(ticket_id: str) -> str:
    """What the QR code shows: `/q/<ticket>` of this provider."""
    return f"{settings().issuer}/q/{ticket_id}"


def mine(ticket_id: str) -> Ticket | None:
    """The ticket with this id while it waits or was scanned, if it is this browser's."""
    ticket = tickets.find(platform().store, ticket_id)
    if ticket is None or not ticket.is_waited_for_with(cookies.sent_wait_secret()):
        return None
    return ticket if ticket.state_at(now()) in {State.WAITING, State.SCANNED} else None


def give_up(ticket_id: str, *, only_unscanned: bool = False) -> bool:
    """End the ticket that this page shows, if it still can be; whether it was."""
    secret = cookies.sent_wait_secret()
    return tickets.withdraw(platform().store, ticket_id, secret, only_unscanned=only_unscanned, now=now())


def shown(
    ticket: Ticket, *, renewed_by: str = "", said: Mapping[str, Words] = SIGN_IN_ENDINGS
) -> dict[str, Any]:
    """What the macros of `web/_waiting.html` need; scripts may run on the page.

    `renewed_by` is the address a script asks for the next ticket at, empty where only the person can;
    `said` is how its ends are said.
    """
    allow_scripts(asking=True)
    left, address = seconds_left(ticket), address_of(ticket.id)
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
        "endings": said,
    }
