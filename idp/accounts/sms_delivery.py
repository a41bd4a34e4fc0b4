"""Delivering the outbox's SMS, and hearing what became of them: what the worker does, and no request."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from idp.accounts.notices import SMS
from idp.accounts.outbox import NotDelivered, Undeliverable, awaits_report, note_report
from idp.adapters.sms import NotReached, Sms, SmsGateway, SmsRefused
from idp.adapters.sms_tencent import AT_MOST, TencentSms
from idp.db import Database, begin_write

HEARD_FOR = timedelta(hours=1)
"""How long a vendor is asked about a message; nobody waits for an older one."""


def deliverer(gateway: SmsGateway) -> Callable[[dict[str, Any]], str | None]:
    """What the worker delivers rows of kind :data:`idp.accounts.notices.SMS` with."""

    def deliver(payload: dict[str, Any]) -> str | None:
        message = Sms(
            id=payload["id"],
            phone=payload["phone"],
            text=payload["text"],
            purpose=payload["purpose"],
            at=payload["at"],
            code=payload.get("code"),
            params=tuple(payload.get("params", ())),
        )
        try:
            return gateway.send(message)
        except NotReached as fault:
            raise NotDelivered(str(fault), perhaps_taken=fault.perhaps_taken) from None
        except SmsRefused as refused:
            raise Undeliverable(str(refused)) from None

    return deliver


def hear(database: Database, vendor: TencentSms, *, now: datetime) -> bool:
    """Note what `vendor` says became of messages, if any waits for that; whether there may be more.

    What it says is said once: what is lost between its answer and our note stays unknown. Raises NotReached.
    """
    with database.begin() as db:
        if not awaits_report(db, kind=SMS, since=now - HEARD_FOR):
            return False
    reports = vendor.reports()
    if reports:
        with database.begin() as db:
            begin_write(db)
            for report in reports:
                note_report(db, report.name, report.why, kind=SMS, now=now)
    return len(reports) == AT_MOST
