"""What the tests of notices do again and again: telling somebody of something, and opening his link."""

from __future__ import annotations

from sqlalchemy import select

from idp.access import endings
from idp.accounts.models import Enterprise
from idp.accounts.notices import SMS, Kind, Told
from idp.accounts.outbox import OutboxMessage
from idp.accounts.sessions import Device
from tests.world import ISSUER, ACompany, AnOperator, APerson, World

STRANGER = Device("Mozilla/5.0 (Windows NT 10.0) Chrome/130.0", "203.0.113.9")


def key_of(world: World, somebody: APerson | ACompany | AnOperator) -> str:
    """The key of somebody's account."""
    if isinstance(somebody, APerson):
        return f"person:{somebody.row.id}"
    if isinstance(somebody, AnOperator):
        return f"mandate:{somebody.mandate.id}"
    with world.reading() as db:
        return endings.key_of(db, db.get_one(Enterprise, somebody.row.id))


def a_link(world: World, account: str, kind: Kind = Kind.NEW_BROWSER, what: str = "") -> str:
    """Tell the account's phone of something done in a stranger's browser; the path of the link it got."""
    with world.write() as db:
        assert world.platform.notifier.tell(db, account, Told(kind, what, STRANGER), now=world.now())
    text: str = texts(world)[-1]["text"]
    return text.split(ISSUER)[1].split(" ", maxsplit=1)[0]


def texts(world: World) -> list[dict[str, str]]:
    """The SMS that wait, the oldest first."""
    with world.reading() as db:
        rows = db.scalars(select(OutboxMessage).where(OutboxMessage.kind == SMS).order_by(OutboxMessage.id))
        return [row.payload(world.backends.vault) for row in rows if row.payload_sealed]
