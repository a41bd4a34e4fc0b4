"""Delivering the outbox's SMS: what the worker does, and no request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from idp.accounts.outbox import NotDelivered, Undeliverable
from idp.adapters.sms import NotReached, Sms, SmsGateway, SmsRefused


def deliverer(gateway: SmsGateway, *, clock: Callable[[], datetime]) -> Callable[[dict[str, Any]], None]:
    """What the worker delivers rows of kind :data:`idp.accounts.notices.SMS` with.

    A message that says `expires_at` (seconds since 1970) is not sent later: a code that opens nothing
    any more only confuses whoever gets it.
    """

    def deliver(payload: dict[str, Any]) -> None:
        expires_at = payload.get("expires_at")
        if expires_at is not None and clock().timestamp() >= expires_at:
            raise Undeliverable("too late: what it says has expired")
        message = Sms(
            id=payload["id"],
            phone=payload["phone"],
            text=payload["text"],
            purpose=payload["purpose"],
            at=payload["at"],
            code=payload.get("code"),
        )
        try:
            gateway.send(message)
        except NotReached as fault:
            raise NotDelivered(str(fault)) from None
        except SmsRefused as refused:
            raise Undeliverable(str(refused)) from None

    return deliver
