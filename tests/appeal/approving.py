"""Approving appeals as the desk's last act does, and what then stands on the phones of those concerned."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select

from idp.accounts.audit import AuditEvent, Origin
from idp.accounts.models import Credential, Enterprise, LegalAccount, LoginName, Person
from idp.accounts.staff import StaffRole
from idp.appeal import applying, deciding, outcome, states
from idp.appeal.applying import Tools
from idp.appeal.models import Appeal, State, Statement
from idp.appeal.outcome import Plan, Seen
from idp.appeal.states import Act
from tests.appeal.builders import AnAppeal, an_appeal, told_of
from tests.messages import waiting
from tests.world import ISSUER, ACompany, APerson, Browser, Page, World

NEW_PASSWORD = "Paper-lantern 77"
STAFF = Origin("staff:somebody", "10.9.8.7", "Mozilla/5.0 (X11; Linux) Firefox/130.0")


def tools_of(world: World) -> Tools:
    """What an approval is done with."""
    here = world.platform
    return Tools(here.vault, here.trail, here.notifier, here.settings)


def planned(world: World, appeal: AnAppeal) -> Plan:
    """What approving it would change now."""
    with world.reading() as db:
        return outcome.plan(db, world.backends.vault, db.get_one(Appeal, appeal.id))


def proposed(world: World, told: Statement, company: ACompany | None = None, **fields: Any) -> AnAppeal:
    """An appeal of 已注册 about `company`, else of 未注册, that was approved once."""
    agent = world.a_staff_member(StaffRole.SERVICE)
    appeal = an_appeal(world, State.SECOND, company=company, told=told, claimed_by=agent, **fields)
    found = planned(world, appeal)
    with world.write() as db:
        row = db.get_one(Appeal, appeal.id)
        row.basis, row.changes = found.basis, [change.value for change in found.changes]
    return appeal


def propose_again(world: World, appeal: AnAppeal) -> None:
    """Let somebody take it in hand and approve it first, as all stands now."""
    found, member = planned(world, appeal), world.a_staff_member(StaffRole.SUPERVISOR)
    with world.write() as db:
        row = db.get_one(Appeal, appeal.id)
        row.claimed_by = member.row.id
        seen = Seen([change.value for change in found.changes], found.basis)
        deciding.propose(db, tools_of(world), row, member.row, seen, STAFF, now=world.now())


def approved(world: World, told: Statement, company: ACompany | None = None) -> AnAppeal:
    """The same, approved for good."""
    appeal = proposed(world, told, company)
    confirm(world, appeal)
    return appeal


def confirm(world: World, appeal: AnAppeal, expected: Sequence[str] | None = None) -> None:
    """Approve it for good: the changes `expected`, else those planned now. Raises as applying.apply."""
    with world.write() as db:
        begin_confirming(db, world, appeal, expected)


def begin_confirming(db: Any, world: World, appeal: AnAppeal, expected: Sequence[str] | None = None) -> None:
    """The same, in a transaction that is the caller's."""
    row, now = db.get_one(Appeal, appeal.id), world.now()
    found = outcome.plan(db, world.backends.vault, row)
    seen = Seen([change.value for change in found.changes] if expected is None else expected, found.basis)
    act = Act.CONFIRM if row.state == State.SECOND.value else Act.APPROVE
    states.move(db, row, act, decided_at=now)
    applying.apply(db, tools_of(world), row, seen, STAFF, now=now)


def link_of(world: World, appeal: AnAppeal) -> str:
    """The path of the newest link that the proved phone got."""
    sent = [one for one in waiting(world, appeal.told.phone) if one["purpose"] == "appeal_approved_link"]
    path = f"/a/{sent[-1]['params'][2]}"
    assert f"{ISSUER}{path} " in sent[-1]["text"]
    return path


def purposes(world: World, phone: str) -> list[str]:
    """What a phone was told, the oldest first."""
    return [message["purpose"] for message in waiting(world, phone)]


def not_me(world: World, phone: str, purpose: str) -> Page:
    """Open the link of a notice of this purpose on this phone, and press 不是我."""
    told = next(one for one in waiting(world, phone) if one["purpose"] == purpose)
    browser = world.browser()
    browser.open(f"/n/{told['params'][2]}")
    return browser.submit()


def sets(browser: Browser, path: str, password: str = NEW_PASSWORD, **more: str) -> Page:
    """Open the one-time link and set a password."""
    browser.open(path)
    return browser.submit({"new_password": password, "confirm_password": password, **more})


def account_of(world: World, company: ACompany) -> LegalAccount:
    """A company's account as it is now."""
    with world.reading() as db:
        return db.scalars(select(LegalAccount).where(LegalAccount.enterprise_id == company.row.id)).one()


def without_account(world: World, person: APerson) -> None:
    """Leave a person as a company's registration makes him: no password, no name, no phone of his own."""
    with world.write() as db:
        db.execute(delete(Credential).where(Credential.person_id == person.row.id))
        db.execute(delete(LoginName).where(LoginName.person_id == person.row.id))
        db.get_one(Person, person.row.id).forget_phone()


@dataclass(frozen=True)
class Opened:
    """A company that came into being by an appeal."""

    company: Enterprise
    account: LegalAccount
    representative: Person
    names: list[str]
    has_password: bool


def opened(world: World, told: Statement) -> Opened | None:
    """The company that was told of, as it stands here now; None where there is none."""
    with world.reading() as db:
        known = outcome.find(db, told.claim.uscc)
        if known is None:
            return None
        mine = select(LoginName.name).where(LoginName.legal_account_id == known.account.id)
        password = select(Credential.id).where(Credential.legal_account_id == known.account.id)
        return Opened(
            known.company,
            known.account,
            known.representative,
            list(db.scalars(mine)),
            db.scalar(password) is not None,
        )


def trail(world: World, target: str = "", action: str = "") -> list[AuditEvent]:
    """The lines of the trail about this target, of this action; each where it is given."""
    with world.reading() as db:
        lines = db.scalars(select(AuditEvent).order_by(AuditEvent.id))
        return [one for one in lines if target in {"", one.target} and action in {"", one.action}]


def count(world: World, table: type[Any]) -> int:
    """How many rows there are."""
    with world.reading() as db:
        return len(db.scalars(select(table)).all())


def told_anew(company: ACompany, **changed: Any) -> Statement:
    """What somebody tells of a company that is here, with another phone unless it is given."""
    phone = changed.pop("phone", f"135{secrets.randbelow(10**8):08d}")
    return told_of(company, phone=phone, **changed)
