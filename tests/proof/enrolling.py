"""What the tests of enrolment arrange: an owner of factors, and each change in a transaction of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pyotp
from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.accounts import factors
from idp.accounts.audit import AuditEvent, Origin
from idp.accounts.factors import Kind
from idp.accounts.notices import Notice
from idp.accounts.outbox import OutboxMessage
from idp.accounts.sessions import Device
from idp.proof import enrolment, recovery_codes
from idp.proof.enrolment import Added, Owner, Tools
from tests.authenticator import AnAuthenticator
from tests.world import World

START = datetime(2030, 1, 7, 9, tzinfo=UTC)


def tools_of(world: World) -> Tools:
    platform = world.platform
    return Tools(world.settings, platform.store, platform.vault, platform.trail, platform.notifier)


def an_owner(world: World, *, browser: str = "a browser") -> Owner:
    """Somebody with a phone, in a browser."""
    account = f"person:{world.a_person().row.id}"
    return of_account(account, browser=browser)


def of_account(account: str, *, browser: str = "a browser") -> Owner:
    return Owner(account, Origin(actor=account), Device("Firefox", "127.0.0.1"), browser)


@contextmanager
def changing(world: World) -> Iterator[Session]:
    """A transaction, rolled back where something is refused, as the platform does with a request."""
    with world.backends.database.begin() as db:
        yield db


def begun(world: World, owner: Owner) -> tuple[str, str]:
    """A ticket and its secret."""
    ticket = enrolment.begin_totp(tools_of(world), owner)
    return ticket, enrolment.totp_secret(tools_of(world), owner, ticket)


def finished(world: World, owner: Owner, ticket: str, code: str, *, name: str = "手机") -> Added:
    with changing(world) as db:
        return enrolment.finish_totp(
            db, tools_of(world), owner, ticket=ticket, code=code, name=name, now=START
        )


def with_app(world: World, owner: Owner, *, name: str = "手机") -> Added:
    ticket, secret = begun(world, owner)
    return finished(world, owner, ticket, pyotp.TOTP(secret).at(START), name=name)


def with_passkey(
    world: World, owner: Owner, key: AnAuthenticator, *, name: str = "钥匙", **bent: bytes
) -> Added:
    tools = tools_of(world)
    asked = enrolment.ceremony(tools, owner.browser).ask_to_add(owner.account, label="x", present=())
    answer = key.create(asked.options, **bent)
    with changing(world) as db:
        return enrolment.finish_passkey(
            db, tools, owner, challenge_id=asked.id, answer=answer, name=name, now=START
        )


def removed(world: World, owner: Owner, kind: Kind, *, keep_one: bool = False, number: int = 0) -> str:
    with changing(world) as db:
        held = [one for one in factors.list_factors(db, owner.account) if one.kind is kind]
        return enrolment.remove(
            db, tools_of(world), owner, kind, held[number].id, keep_one=keep_one, now=START
        )


def held_by(world: World, owner: Owner) -> list[tuple[Kind, str]]:
    with world.reading() as db:
        return [(one.kind, one.name) for one in factors.list_factors(db, owner.account)]


def told(world: World, owner: Owner) -> tuple[list[str], list[str], int]:
    """What the trail and the notices say, and how many messages wait."""
    with world.reading() as db:
        lines = db.scalars(
            select(AuditEvent.action).where(AuditEvent.target == owner.account).order_by(AuditEvent.id)
        )
        notices = db.scalars(select(Notice.kind).where(Notice.account == owner.account).order_by(Notice.id))
        return list(lines), list(notices), len(db.scalars(select(OutboxMessage.id)).all())


def codes_of(world: World, owner: Owner) -> int:
    with world.reading() as db:
        return recovery_codes.left(db, owner.account)
