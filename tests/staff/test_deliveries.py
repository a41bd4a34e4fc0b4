"""消息送达: what waits and what was given up, for administrator and auditor; not what it says."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from idp.accounts.outbox import TOO_LATE, OutboxMessage, enqueue, note_report
from idp.accounts.staff import StaffRole
from tests.world import World

SAYS = {"phone": "13800009876", "text": "秘密内容"}


def queued(world: World, kind: str, subject: str, *, error: str = "", given_up: bool = False) -> None:
    """A message that was tried once with this error, and perhaps given up."""
    now = world.now()
    with world.write() as db:
        enqueue(db, world.backends.vault, kind=kind, subject=subject, payload=SAYS, now=now)
        row = db.scalars(select(OutboxMessage).order_by(OutboxMessage.id.desc())).first()
        assert row
        row.tries, row.last_error = 1, error
        if given_up:
            row.next_try_at, row.failed_at, row.payload_sealed = None, now, None


@pytest.mark.parametrize("role", [StaffRole.ADMIN, StaffRole.AUDITOR])
def test_what_waits_and_what_was_given_up_stands_there_with_its_error(world: World, role: StaffRole) -> None:
    person = world.a_person()
    client = world.a_client()
    queued(world, "sms", f"person:{person.row.id}", error="the gateway answered 503")
    queued(world, "logout", f"client:{client.client_id}", error="the gateway answered 404", given_up=True)
    console = world.at_the_console(role)
    page = console.open("/staff/deliveries")
    for told in ("短信", "退出通知", "等待送出", "没能送达", "1 次", "answered 503", "answered 404"):
        assert told in page.text
    assert f"个人账号 …{str(person.row.id)[-8:]}" in page.text
    assert (f"/staff/accounts/{person.row.id}" in page.html) is (role is StaffRole.ADMIN)
    assert "秘密内容" not in page.html
    assert "9876" not in page.html
    waiting = console.open("/staff/deliveries?state=waiting").text
    assert ("answered 503" in waiting, "answered 404" in waiting) == (True, False)
    logouts = console.open("/staff/deliveries?kind=logout").text
    assert ("answered 503" in logouts, "answered 404" in logouts) == (False, True)


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_a_code_that_may_have_left_is_not_told_as_void(world: World) -> None:
    queued(world, "sms", "", error=TOO_LATE, given_up=True)
    with world.write() as db:
        db.scalars(select(OutboxMessage)).one().perhaps_taken = True
    assert "超过时限没有确认送出，可能已经发出" in world.at_the_console().open("/staff/deliveries").text


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_codes_are_told_from_notices_and_what_was_lost_on_the_way_stands_there_too(world: World) -> None:
    queued(world, "sms", "", error=TOO_LATE, given_up=True)
    queued(world, "sms", f"person:{world.a_person().row.id}")
    queued(world, "sms", "", error="")
    with world.write() as db:
        late, _, lost = db.scalars(select(OutboxMessage).order_by(OutboxMessage.id))
        late.expires_at = lost.expires_at = world.now()
        lost.next_try_at, lost.delivered_at, lost.payload_sealed = None, world.now(), None
        assert note_report(db, str(lost.id), "UNDELIV 13800009876", kind="sms", now=world.now())
    console = world.at_the_console()
    given_up = console.open("/staff/deliveries?state=given_up")
    assert given_up.text.count("短信验证码") == 2
    assert "超过时限没有送出，已作废" in given_up.text
    assert "网关回报：UNDELIV …" in given_up.text
    assert "9876" not in given_up.html
    assert "短信通知" not in given_up.text
    waiting = console.open("/staff/deliveries?state=waiting").text
    assert ("短信通知" in waiting, "短信验证码" in waiting) == (True, False)


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_pages_follow_one_another_and_what_is_old_or_unknown_is_not_asked_for(world: World) -> None:
    for _ in range(51):
        queued(world, "sms", "")
    console = world.at_the_console()
    assert "更早的" in console.open("/staff/deliveries?state=x&kind=y&before=z").text
    with world.write() as db:
        oldest = db.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).first()
        assert oldest
        second = db.scalars(select(OutboxMessage).order_by(OutboxMessage.id).offset(1)).first()
        assert second
        before = second.id
    assert "本页 1 条" in console.open(f"/staff/deliveries?before={before}").text


@pytest.mark.parametrize("role", [StaffRole.SERVICE, StaffRole.SUPERVISOR])
@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_nobody_else_sees_them(world: World, role: StaffRole) -> None:
    assert world.at_the_console(role).open("/staff/deliveries").status == 403
