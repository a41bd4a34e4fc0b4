"""The browser's side of a scan ticket: the secret it waits with, and what it asks a phone for (A04, A18).

The secret is one cookie a browser, so that several tabs can wait side by side; a ticket keeps its hash. What
a ticket asks for is taken from the pending request when it is opened, so that the phone sees what the page
says and no later step changes it.
"""

from __future__ import annotations

from flask import request

from idp.access import assurance
from idp.access.assurance import Lack
from idp.access.pending import PendingRequest
from idp.crypto import hash_token
from idp.proof import tickets
from idp.proof.throttle import neighbourhood
from idp.proof.ticket_record import Asked, Purpose, Seen, State, Ticket
from idp.web import cookies, signin
from idp.web.platform import now, platform, settings

INTERVAL = 2.0
"""Seconds between two questions of a page that nobody holds the answer for."""
WINDOW = 600
"""Seconds over which the tickets of an address are counted."""


class TooManyTickets(Exception):
    """The address has had more QR codes in ten minutes than `tickets_an_address`."""


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
