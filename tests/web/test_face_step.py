"""A face check as a step of any journey: what it is bound to, beside purpose and browser (SECURITY 55).

The journeys prove the rest, over HTTP: 刷脸登录 in tests/login, registrations in their own rooms.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from idp.adapters.face import FaceResult
from idp.proof import face
from idp.proof.face_record import Check, Purpose, State, Whom
from idp.web import face_step, faces
from idp.web.errors import Stop
from idp.web.face_step import FaceStep, FaceWords
from tests.inhabitants import a_resident_number
from tests.neighbours import Neighbours
from tests.scan.faces import FaceWorld, face_world
from tests.world import World

STEP = FaceStep(
    purpose=Purpose.REGISTER_ENTERPRISE,
    whom=Whom("林小满", a_resident_number(94_001)),
    binding="browser journey",
    finish=lambda **more: f"/finish?check={more['check']}",
    here=lambda **more: f"/here?check={more['check']}",
    restart="/restart",
    portal="通行 统一身份认证平台",
    reason="请求核验是您本人，用于注册「长春有限公司」",
    words=FaceWords("注册", "没有建立账号", "拨打服务热线办理"),
    ways=(("不方便刷脸？", "/help"),),
    frame=lambda: {"walk_title": "企业注册", "steps": ["填写信息", "人脸核验"], "step": 2},
)


@pytest.fixture
def here(world: World, neighbours: Neighbours) -> FaceWorld:
    return face_world(world, neighbours)


def passed(here: FaceWorld, step: FaceStep) -> Check:
    """A check of `step` whose face a phone has shown."""
    with here.world.app.test_request_context("/", base_url=here.world.settings.issuer):
        opened, tools = face_step.begin(step), faces.tools()
        assert tools is not None
    now = here.world.now()
    scanned = face.wait_by(tools.store, opened, "ticket", now=now)
    to = {"callback": f"{here.world.settings.issuer}/face/callback", "returns_to": "https://app.example/"}
    begun, _moved = face.begin(tools, scanned, ticket="ticket", **to, now=now)
    settled, _new = face.settle(tools.store, FaceResult(begun.id, begun.subject, True, 98, now), now=now)
    return settled


def finished(here: FaceWorld, step: FaceStep, check: Check) -> Any:
    """What comes of the form of the check's page."""
    address, issuer = f"/finish?check={check.id}", here.world.settings.issuer
    with here.world.app.test_request_context(address, base_url=issuer, method="POST"):
        return face_step.finish(step, lambda check: check.state)


@pytest.mark.parametrize(
    "changed",
    [
        {"whom": Whom("林小满", a_resident_number(94_002))},
        {"whom": Whom("林大满", a_resident_number(94_001))},
        {"whom": Whom("林小满", a_resident_number(94_001), "passport")},
        {"reason": "请求核验是您本人，用于注册「吉林有限公司」"},
        {"portal": "单位网厅"},
        {"binding": "browser another-journey"},
        {"purpose": Purpose.REGISTER_PERSON},
        {"purpose": Purpose.SIGN_IN},
    ],
)
def test_who_changes_afterwards_what_a_face_was_shown_for_has_no_face_for_it(
    here: FaceWorld, changed: dict[str, Any]
) -> None:
    check = passed(here, STEP)
    with pytest.raises(Stop, match="已失效"):
        finished(here, replace(STEP, **changed), check)
    assert finished(here, STEP, check) is State.TAKEN, "what it was shown for, it is good for"


def test_its_page_speaks_of_the_journey_and_names_another_way(here: FaceWorld) -> None:
    issuer = here.world.settings.issuer
    with here.world.app.test_request_context("/", base_url=issuer):
        check = face_step.begin(STEP)
    with here.world.app.test_request_context(f"/finish?check={check.id}", base_url=issuer):
        shown = face_step.finish(STEP, lambda _check: "")
    for words in ("企业注册", "核验的是 林*满", "这里没有注册", "没有建立账号", "不方便刷脸？", "在本机刷脸"):
        assert words in shown
    assert "登录没有完成" not in shown


def test_a_face_that_passed_is_spent_before_anything_is_made_of_it(here: FaceWorld) -> None:
    check = passed(here, STEP)
    assert finished(here, STEP, check) is State.TAKEN
    with pytest.raises(Stop, match="已失效"):
        finished(here, STEP, check)


def test_who_is_led_back_to_a_journey_of_another_browser_ends_its_check(here: FaceWorld) -> None:
    with here.world.app.test_request_context("/", base_url=here.world.settings.issuer):
        check, tools = face_step.begin(STEP), faces.tools()
        assert tools is not None
    now, back = here.world.now(), "the-way-back"
    to = {"callback": f"{here.world.settings.issuer}/face/callback", "returns_to": "https://app.example/"}
    face.begin(tools, check, ticket="", way_back=back, **to, now=now)
    for way_back, state in (("another", State.BEGUN), (back, State.FAILED)):
        with (
            here.world.app.test_request_context(f"/finish?check={check.id}&back={way_back}"),
            pytest.raises(Stop),
            face_step.ended_if_elsewhere(),
        ):
            raise Stop("注册没有完成", "这一步是在另一个浏览器里开始的。")
        found = face.find(tools.store, check.id)
        assert found is not None
        assert found.state is state
