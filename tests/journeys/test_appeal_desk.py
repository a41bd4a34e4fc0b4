"""The review desk in Chromium: an agent takes an appeal and asks for more, a supervisor confirms it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from idp.accounts.audit import Origin
from idp.app import create_app, open_backends
from idp.appeal import filing
from idp.appeal.models import Appeal, State
from idp.config import load_settings
from tests.appeal.builders import ALL_PAPERS, AnAppeal, a_paper, an_appeal
from tests.journeys.chrome import Person
from tests.journeys.console import at_every_width
from tests.running_demo import RunningDemo
from tests.world import World

pytestmark = pytest.mark.journey


@pytest.fixture
def beside(running_demo: RunningDemo) -> Iterator[World]:
    """The storage of the running demo, for arranging what an applicant does."""
    settings = load_settings(running_demo.environment())
    world = World(create_app(settings), open_backends(settings), settings)
    yield world
    world.platform.database.close()
    world.platform.store.close()
    world.backends.close()


def sends_in_anew(world: World, appeal: AnAppeal, slot: str) -> None:
    """What the applicant does when he is asked for a paper: it is there again, and the appeal waits."""
    a_paper(world, appeal, slot)
    here = world.platform
    tools = filing.Tools(here.vault, here.trail, here.settings)
    with world.write() as db:
        row = db.get_one(Appeal, appeal.id)
        row.due_at = None
        filing.supplement(db, tools, row, "已重新拍照", Origin(), now=world.now() + timedelta(seconds=1))
        # Due before all others, so that it is the next one.
        row.due_at = world.now() - timedelta(days=900)


def test_an_agent_reviews_an_appeal_and_a_supervisor_confirms_it(
    staff: Callable[[str], Person], beside: World
) -> None:
    """E14, E17, section Y: looked at in both widths, and by axe."""
    long_ago = beside.now() - timedelta(days=900)
    appeal = an_appeal(beside, papers=ALL_PAPERS, due_at=long_ago)
    agent = staff("customer_service")
    agent.press("账号申诉")
    agent.press("领取下一件")
    assert appeal.number in agent.reads()
    assert "登记库查询于" in agent.reads() or "没有这家企业" in agent.reads()
    at_every_width(agent)
    agent.press("旋转")
    assert "turn=90" in (agent.page.get_attribute(".tx-docs__view img", "src") or "")
    agent.press("看原图")
    wide = agent.page.locator(".tx-docs__scroll img").bounding_box()
    assert wide
    assert wide["width"] < wide["height"]
    at_every_width(agent)
    agent.press("返回这件申诉")
    agent.press("提交审核结论")
    assert "请选择审核结论" in agent.reads()
    assert not agent.page.is_visible("[name=words]"), "what a choice asks for is shown once it is made"
    agent.page.check("[name=decision][value=more]", force=True)
    assert agent.page.is_visible("[name=words]")
    agent.page.check("[name=papers][value=licence]", force=True)
    agent.page.fill("[name=words]", "营业执照的照片有反光，请重新拍照")
    agent.press("提交审核结论")
    assert "已通知申请人补充材料" in agent.reads()
    sends_in_anew(beside, appeal, "licence")
    agent.press("领取下一件")
    assert "补充：已重新拍照" in agent.reads()
    agent.page.check("[name=decision][value=approve]", force=True)
    agent.press("提交审核结论")
    assert "已提交复核" in agent.reads()
    supervisor = staff("supervisor")
    supervisor.open(f"{supervisor.issuer}{appeal.address}")
    assert "登记这家企业" in supervisor.reads()
    at_every_width(supervisor)
    supervisor.page.check("[name=decision][value=confirm]", force=True)
    supervisor.press("提交复核结论")
    assert "申诉已通过" in supervisor.reads()
    supervisor.press("账号申诉")
    supervisor.press("办理统计")
    at_every_width(supervisor)
    assert appeal.row(beside).state == State.APPROVED.value
