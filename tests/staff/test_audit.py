"""Who may read the trail finds a row by day, action, actor, target or request, and opens it."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import urlencode

import pytest
import time_machine
from sqlalchemy import event, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from idp.accounts.audit import Action, AuditEvent
from idp.accounts.staff import StaffRole
from idp.web.audit_words import ACTIONS
from tests.pages import Page, error_sentences
from tests.staff.trail import PERSON, events, happened
from tests.world import World

OTHER = "person:0198c0de-0000-7000-8000-000000000002"
DAY = timedelta(days=1)


def rows(page: Page) -> list[str]:
    """The ids of the rows of the list, in its order."""
    return re.findall(r'href="/staff/audit/events/([0-9a-f-]{36})"', page.html)


def look(world: World, **asked: str) -> Page:
    """The list, as an auditor sees it who asks for this."""
    return world.at_the_console(StaffRole.AUDITOR).open(f"/staff/audit?{urlencode(asked)}")


def test_every_action_has_words() -> None:
    assert set(ACTIONS) == {action.value for action in Action}
    assert all(ACTIONS.values())
    assert len(set(ACTIONS.values())) == len(ACTIONS)


def test_the_newest_stand_first_in_words(world: World) -> None:
    old = happened(world, Action.SIGNED_IN, target=PERSON, actor=PERSON, address="192.0.2.7")
    new = happened(world, Action.KEY_ROTATED, target="key:abc", actor="cli:root")
    page = look(world)
    assert rows(page) == [str(new), str(old)]
    assert "轮换签名密钥" in page.text
    assert "命令行 root" in page.text
    assert "个人账号 …00000001" in page.text
    assert "192.0.2.7" in page.text


def test_a_colleague_is_told_by_account_masked_name_and_role(world: World) -> None:
    colleague = world.a_staff_member(StaffRole.SUPERVISOR, name="秦小工")
    strange = "staff:0198c0de-0000-7000-8000-000000000009"
    done = happened(world, Action.ACCESS_DENIED, actor=colleague.row.key, target=strange)
    page = look(world)
    assert f"{colleague.account}（秦*工，客服主管）" in page.text
    assert "工作人员 …00000009" in page.text
    opened = world.at_the_console(StaffRole.AUDITOR).open(f"/staff/audit/events/{done}")
    assert f"{colleague.account}（秦*工，客服主管） {colleague.row.key}" in opened.text
    assert "秦小工" not in page.html + opened.html


@pytest.mark.parametrize(
    "asked",
    [
        {"action": "client_added"},
        {"actor": "cli:root"},
        {"target": "client:portal"},
        {"target": "client：portal "},
        {"request": "TX-20260310-AB2C-DE3F"},
        {"from": "2026-03-10", "to": "2026-03-10"},
        {"from": "2026-03-10"},
        {"to": "2026-03-10", "action": "client_added", "actor": "cli:root", "target": "client:portal"},
    ],
)
def test_each_filter_finds_what_it_says(world: World, asked: dict[str, str]) -> None:
    wanted = happened(
        world,
        Action.CLIENT_ADDED,
        at=datetime(2026, 3, 10, 4, tzinfo=UTC),
        target="client:portal",
        actor="cli:root",
        request_id="TX-20260310-AB2C-DE3F",
    )
    before = datetime(2026, 3, 9, 4, tzinfo=UTC)
    happened(world, Action.SIGNED_IN, at=before, target=PERSON, request_id="TX-20260309-AB2C-DE3F")
    assert rows(look(world, **asked)) == [str(wanted)]


def test_a_colleague_is_found_by_account_name_and_a_client_by_its_bare_id(world: World) -> None:
    colleague = world.a_staff_member(StaffRole.ADMIN)
    client = world.a_client()
    done = happened(
        world, Action.CLIENT_CHANGED, actor=colleague.row.key, target=f"client:{client.client_id}"
    )
    happened(world, Action.CLIENT_CHANGED, actor="cli:root", target="client:other")
    assert rows(look(world, actor=colleague.account.upper())) == [str(done)]
    assert rows(look(world, target=client.client_id)) == [str(done)]
    filters = [event.detail["filter"] for event in events(world, Action.AUDIT_READ)]
    assert filters == [{"actor": colleague.row.key}, {"target": f"client:{client.client_id}"}]


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_the_list_says_why_a_sign_in_was_refused(world: World) -> None:
    happened(world, Action.SIGN_IN_REFUSED, target=PERSON, detail={"why": "throttled"})
    assert "登录被拒：频率限制" in look(world).text


def test_a_day_is_a_civil_day_with_both_ends(world: World) -> None:
    """MISSION Y: days of the calendar in Asia/Shanghai."""
    begin = datetime(2026, 3, 9, 16, tzinfo=UTC)
    ids = [
        str(happened(world, Action.SIGNED_IN, at=at, target=PERSON))
        for at in (
            begin - timedelta(microseconds=1),
            begin,
            begin + DAY - timedelta(microseconds=1),
            begin + DAY,
        )
    ]
    assert rows(look(world, **{"from": "2026-03-10", "to": "2026-03-10"})) == [ids[2], ids[1]]


def test_the_page_opens_with_the_last_thirty_days(world: World) -> None:
    happened(world, Action.SIGNED_IN, at=world.now() - 31 * DAY, target=PERSON)
    new = happened(world, Action.SIGNED_IN, at=world.now() - 28 * DAY, target=PERSON)
    assert rows(look(world)) == [str(new)]
    assert len(rows(look(world, **{"from": ""}))) == 2 + 1  # beside the look before


def test_pages_follow_one_another_without_gap_or_repetition(world: World) -> None:
    made = [str(happened(world, Action.SIGNED_IN, target=PERSON)) for _ in range(120)]
    auditor = world.at_the_console(StaffRole.AUDITOR)
    page, seen, sizes = auditor.open(f"/staff/audit?target={PERSON}"), list[str](), list[int]()
    while True:
        seen, sizes = seen + rows(page), [*sizes, len(rows(page))]
        # What is written while somebody reads pushes nothing onto the next page.
        happened(world, Action.SIGNED_IN, target=PERSON)
        further = re.search(r'href="([^"]*before=[^"]*)">更早的', page.html)
        if further is None:
            break
        page = auditor.open(unescape(further.group(1)))
    assert (seen, sizes) == (made[::-1], [50, 50, 20])
    assert "已到最早" in page.text


def test_a_row_opens_to_all_it_tells(world: World) -> None:
    """SECURITY 77: who, when, from where, what, before and after."""
    found = happened(
        world,
        Action.CLIENT_CHANGED,
        at=datetime(2026, 3, 10, 4, 5, 6, tzinfo=UTC),
        target="client:portal",
        actor="cli:root",
        address="192.0.2.9",
        device="Mozilla/5.0 (Windows NT 10.0) Firefox/130.0",
        request_id="TX-20260310-AB2C-DE3F",
        detail={"before": {"scope": "openid"}, "after": {"scope": "openid phone"}, "reason": "<b>换</b>"},
    )
    page = world.at_the_console(StaffRole.AUDITOR).open(f"/staff/audit/events/{found}")
    for told in (
        *("修改应用", "2026-03-10 12:05:06", "cli:root", "client:portal", "192.0.2.9"),
        *(
            "Firefox 130，Windows",
            "TX-20260310-AB2C-DE3F",
            "openid phone",
            "有改动",
            "还没有封存",
            "与写入时一致",
        ),
    ):
        assert told in page.text, told
    assert "&lt;b&gt;换" in page.html
    with world.write() as db:
        assert world.backends.trail.seal(db, now=world.now())
    assert "第 1 批" in world.at_the_console(StaffRole.AUDITOR).open(f"/staff/audit/events/{found}").text


def test_a_changed_row_says_so(world: World) -> None:
    """SECURITY 77."""
    found = happened(world, Action.SIGNED_IN, target=PERSON)
    with world.write() as db:
        db.execute(update(AuditEvent).where(AuditEvent.id == found).values(target=OTHER))
    page = world.at_the_console(StaffRole.AUDITOR).open(f"/staff/audit/events/{found}")
    assert "被改动过" in page.text
    assert "与写入时一致" not in page.text


def test_a_row_that_is_not_there_is_a_page(world: World) -> None:
    auditor = world.at_the_console(StaffRole.AUDITOR)
    assert auditor.open("/staff/audit/events/0198c0de-0000-7000-8000-000000000009").status == 404
    assert auditor.open("/staff/audit/events/1' OR '1'='1").status == 404


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_an_actions_detail_is_told_in_words_where_it_is_no_change(world: World) -> None:
    found = happened(world, Action.SIGN_IN_REFUSED, target=PERSON, detail={"why": "code", "after": "pwd"})
    page = world.at_the_console(StaffRole.AUDITOR).open(f"/staff/audit/events/{found}")
    assert "已通过的验证" in page.text
    assert "改动前后" not in page.text


@pytest.mark.parametrize(
    "client_id",
    ["https://rp.example/x", "a:b,c~d", "x" * 64, "13900001234"],
    ids=["an address", "marks", "a long one", "digits"],
)
@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_all_rows_of_any_client_are_found_from_one_of_them(world: World, client_id: str) -> None:
    """Whatever id a relying party has: it is no secret, and nobody's number."""
    found = happened(world, Action.CLIENT_CHANGED, target=f"client:{client_id}")
    auditor = world.at_the_console(StaffRole.AUDITOR)
    page = auditor.open(f"/staff/audit/events/{found}")
    further = re.search(r'href="([^"]*)">查这个对象的全部记录', page.html)
    assert further
    assert rows(auditor.open(unescape(further.group(1)))) == [str(found)]


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_a_look_that_could_not_be_written_down_is_not_taken_for_one_that_was(world: World) -> None:
    """SECURITY 77: the line and the mark that spares the next one stand or fall together."""
    auditor = world.at_the_console(StaffRole.AUDITOR)

    def away(session: Session) -> None:
        if session.in_transaction():
            raise OperationalError("COMMIT", {}, OSError("the disk is full"))

    event.listen(world.platform.database.session, "before_commit", away)
    with suppress(OperationalError):
        assert auditor.open("/staff/audit").status == 503
    event.remove(world.platform.database.session, "before_commit", away)
    assert events(world, Action.AUDIT_READ) == []
    assert auditor.open("/staff/audit").status == 200
    assert auditor.open("/staff/audit").status == 200
    assert len(events(world, Action.AUDIT_READ)) == 1


@pytest.mark.parametrize("role", [StaffRole.ADMIN, StaffRole.SERVICE, StaffRole.SUPERVISOR])
def test_only_an_auditor_reads_it(world: World, role: StaffRole) -> None:
    """SECURITY 75."""
    found = happened(world, Action.SIGNED_IN, target=PERSON)
    browser = world.at_the_console(role)
    for address in ("/staff/audit", f"/staff/audit/events/{found}", "/staff/audit/checks"):
        assert browser.open(address).status == 403
    browser.open("/staff")
    token = browser.page.form()["fields"]["csrf_token"] if browser.page else ""
    for address in ("/staff/audit/export", "/staff/audit/checks"):
        assert browser.post(address, {"csrf_token": token, "format": "csv"}).status == 403
    assert len(events(world, Action.ACCESS_DENIED)) == 5


def test_reading_is_written_down_once_for_what_is_looked_for(world: World) -> None:
    """SECURITY 77: paging does not flood the trail; another filter, sign-in or time is another line."""
    found = happened(world, Action.SIGNED_IN, target=PERSON)
    auditor = world.at_the_console(StaffRole.AUDITOR)
    here = f"/staff/audit?target={PERSON}"
    with time_machine.travel(world.now(), tick=False) as clock:
        for address in (here, here, f"{here}&before=ffffffff-ffff-7fff-bfff-ffffffffffff"):
            auditor.open(address)
        assert [event.detail for event in events(world, Action.AUDIT_READ)] == [
            {"filter": {"target": PERSON}}
        ]
        auditor.open("/staff/audit?action=signed_in")
        for _ in range(2):
            auditor.open(f"/staff/audit/events/{found}")
        assert sorted(event.target for event in events(world, Action.AUDIT_READ)) == [
            "",
            "",
            f"event:{found}",
        ]
        world.at_the_console(StaffRole.AUDITOR).open(here)
        assert len(events(world, Action.AUDIT_READ)) == 4
        clock.shift(timedelta(minutes=10, seconds=1))
        auditor.open(here)
    read = events(world, Action.AUDIT_READ)
    in_redis = bool(world.settings.redis_url.get_secret_value())  # which keeps its own time
    assert len(read) == (4 if in_redis else 5)
    assert {event.actor[:6] for event in read} == {"staff:"}


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_what_cannot_be_looked_for_is_said_at_its_field(world: World) -> None:
    for field, typed, sentence in [
        ("from", "2026-13-45", "存在的日期"),
        ("from", "2026-02-30", "存在的日期"),
        ("to", "20260310", "存在的日期"),
        ("to", "２０２６-03-10", "存在的日期"),
        ("from", "' OR 1=1 --", "存在的日期"),
        ("from", "0001-01-01", "2000 年至 2199 年"),
        ("to", "9999-12-31", "2000 年至 2199 年"),
        ("from", "9" * 10_000, "存在的日期"),
        ("action", "drop table", "从列表中选择"),
        ("action", "x" * 10_000, "从列表中选择"),
        ("actor", "13900001234", "不要填写姓名"),
        ("actor", "cli:13900001234", "不要填写姓名"),
        ("actor", "张小明", "不要填写姓名"),
        ("actor", "zhangxm", "不要填写姓名"),
        ("actor", "person:%", "不要填写姓名"),
        ("target", "client:x' OR '1'='1", "不要填写姓名"),
        ("target", '"><script>', "不要填写姓名"),
        ("target", "a" * 10_000, "不要填写姓名"),
        ("request", "TX-20260310", "完整的请求编号"),
        ("request", "TX-20261345-AB2C-DE3F", "完整的请求编号"),
        ("request", "TX-00010101-AB2C-DE3F", "完整的请求编号"),
        ("request", "%", "完整的请求编号"),
    ]:
        page = look(world, **{field: typed})
        assert page.status == 200
        assert [sentence in said for said in error_sentences(page)] == [True]
        assert f'id="{field}-error"' in page.html
        assert "<script>" not in page.html
        assert rows(page) == []
        assert events(world, Action.AUDIT_READ) == []


def test_a_period_that_ends_before_it_begins_is_refused(world: World) -> None:
    page = look(world, **{"from": "2026-03-10", "to": "2026-03-09"})
    assert error_sentences(page) == ["截止日期早于起始日期，请改成同一天或更晚的日期"]


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize("before", ["", "x", "'", "0", "ffffffff-ffff-7fff-bfff-ffffffffffff"])
def test_a_place_in_the_list_that_nobody_has_is_its_beginning(world: World, before: str) -> None:
    found = happened(world, Action.SIGNED_IN, target=PERSON)
    assert rows(look(world, target=PERSON, before=before)) == [str(found)]


def test_nothing_found_says_what_to_do(world: World) -> None:
    assert "可以放宽日期" in look(world, actor="cli:nobody").text
