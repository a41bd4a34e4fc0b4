"""The SMS that wait to be sent, as tests read them: what a person would find on his phone."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from idp.accounts.notices import SMS
from idp.accounts.outbox import OutboxMessage
from tests.world import World


def waiting(world: World, phone: str) -> list[dict[str, Any]]:
    """What waits for this phone, the oldest first."""
    unsent = (
        select(OutboxMessage)
        .where(OutboxMessage.kind == SMS, OutboxMessage.payload_sealed.is_not(None))
        .order_by(OutboxMessage.id)
    )
    with world.reading() as db:
        told = [row.payload(world.backends.vault) for row in db.scalars(unsent)]
    return [message for message in told if message["phone"] == phone]


def last_code(world: World, phone: str) -> str:
    """The code in the newest message to this phone."""
    return str([message["code"] for message in waiting(world, phone) if message.get("code")][-1])
