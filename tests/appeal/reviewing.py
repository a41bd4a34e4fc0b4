"""Somebody at the review desk: opening an appeal, pressing its buttons, reading what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from idp.accounts.audit import Action, AuditEvent
from idp.accounts.staff import StaffRole
from tests.appeal.builders import AnAppeal
from tests.staff.trail import form_to
from tests.world import AStaffMember, Browser, Page, World


@dataclass(frozen=True)
class Agent:
    """A staff member at his browser."""

    world: World
    member: AStaffMember
    browser: Browser

    def opens(self, appeal: AnAppeal, query: str = "") -> Page:
        """The page of an appeal."""
        return self.browser.open(appeal.address + query)

    def presses(self, appeal: AnAppeal, ending: str, *, again: bool = False, **values: Any) -> Page:
        """Send the form of the appeal's page that leads to `ending`; `again`: of the page that is open."""
        page = self.browser.page if again else self.opens(appeal)
        assert page is not None
        return self.browser.submit(values, number=form_to(page, f"/{ending}"))

    def claims(self, appeal: AnAppeal) -> Page:
        """领取."""
        return self.presses(appeal, "claim")

    def decides(self, appeal: AnAppeal, decision: str, **values: Any) -> Page:
        """Send the decision."""
        return self.presses(appeal, "decide", decision=decision, **values)


def an_agent(world: World, role: StaffRole = StaffRole.SERVICE) -> Agent:
    """Somebody signed in at the console."""
    member = world.a_staff_member(role)
    return Agent(world, member, world.at_the_console(member=member))


def a_supervisor(world: World) -> Agent:
    """A 客服主管 signed in at the console."""
    return an_agent(world, StaffRole.SUPERVISOR)


def told_of(world: World, appeal: AnAppeal, *actions: Action) -> list[AuditEvent]:
    """The lines of the trail about an appeal, of these actions, in their order."""
    wanted = [action.value for action in actions]
    lines = select(AuditEvent).where(AuditEvent.target == appeal.key, AuditEvent.action.in_(wanted))
    with world.reading() as db:
        return list(db.scalars(lines.order_by(AuditEvent.id)))
