"""What the tests of accounts and companies do again and again: sending a reason, reading what came of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from idp.access import logouts
from idp.accounts.audit import Action, AuditEvent
from idp.accounts.outbox import OutboxMessage
from tests.portals import Authorization, get_with, post_as
from tests.world import AClient, Browser, Page, World

REASON = "工单 2026-1121"
TOO_LATE = "这次没有做任何更改"


def signed_on(world: World, browser: Browser, scope: str) -> tuple[AClient, dict[str, Any]]:
    """A portal that is told of logouts, with its tokens of the browser's sign-in."""
    client = world.a_client(backchannel_logout_uri="https://portal.example/out")
    asked = Authorization(client)
    code = browser.open(asked.address(scope)).query["code"]
    tokens: dict[str, Any] = asked.redeem(browser, code).get_json()
    return client, tokens


def with_reason(browser: Browser, address: str, reason: str = REASON) -> Page:
    """Open the page that asks for a reason, and give it."""
    browser.open(address)
    return send(browser, {"reason": reason})


def send(browser: Browser, values: dict[str, str]) -> Page:
    """Send the page's own form, which stands after the header's 退出."""
    assert browser.page is not None
    return browser.submit(values, number=browser.page.form_count - 1)


def trail(world: World, *actions: Action) -> list[AuditEvent]:
    """The lines of the audit trail of these actions, in their order."""
    with world.reading() as db:
        found = select(AuditEvent).where(AuditEvent.action.in_([action.value for action in actions]))
        return list(db.scalars(found.order_by(AuditEvent.id)))


def is_dead(world: World, browser: Browser, client: AClient, tokens: dict[str, Any]) -> bool:
    """Whether sign-in, access token and refresh token are all dead, and the portal will be told."""
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    told = post_as(world, client, "/oauth/introspect", {"token": tokens["access_token"]}).get_json()
    with world.reading() as db:
        messages = db.scalars(select(OutboxMessage.kind)).all()
    return (
        browser.open("/center/person", follow=False).location.startswith("/login")
        and get_with(world, tokens["access_token"]).status_code == 401
        and told == {"active": False}
        and post_as(world, client, "/oauth/token", refresh).status_code == 400
        and logouts.KIND in messages
    )
