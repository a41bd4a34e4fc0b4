"""账号 at the console: found by what people say of themselves, masked, changed for a reason.

SECURITY 76, 78; MISSION section Y.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from idp.accounts.audit import Action, Origin
from idp.accounts.directory import NewPerson, add_person
from idp.accounts.identifiers import parse_uscc
from idp.accounts.models import Credential, IdType, LegalAccount, LoginName, Person
from idp.accounts.staff import StaffRole
from idp.db import uuid7
from idp.staff.accounts.changes import Change, Hand, NothingToDo, apply, check_possible
from tests.entering import enter
from tests.pages import error_sentences
from tests.staff.deciding import REASON, TOO_LATE, is_dead, send, signed_on, trail, with_reason
from tests.world import AClient, APerson, Browser, Page, World, a_resident_number

WIDE = str.maketrans("0123456789", "０１２３４５６７８９")
AS_TYPED: tuple[Callable[[APerson], str], ...] = (
    lambda person: person.account,
    lambda person: f"  {person.account.upper()} ",
    lambda person: person.phone,
    lambda person: f"+86 {person.phone[:3]} {person.phone[3:7]}-{person.phone[7:]}",
    lambda person: person.phone.translate(WIDE),
    lambda person: person.id_number,
    lambda person: f"{person.id_number[:6]} {person.id_number[6:14]} {person.id_number[14:]}".lower(),
    lambda person: person.id_number.translate(WIDE),
)
HOSTILE = ("'", '"; DROP TABLE people; --', "%", "_", "\\", "\u202eabc", "<b>x</b>", "１", "🂡")


def searched(browser: Browser, typed: str) -> Page:
    """What the search says to `typed`."""
    browser.open("/staff/accounts")
    return send(browser, {"typed": typed})


def changed(browser: Browser, person: APerson, change: str, reason: str = REASON) -> Page:
    """Ask for a change and confirm it."""
    return with_reason(browser, f"/staff/accounts/{person.row.id}/{change}", reason)


def locked(world: World, person: APerson) -> None:
    """He said 不是我."""
    with world.write() as db:
        mine = update(Credential).where(Credential.person_id == person.row.id)
        db.execute(mine.values(locked_at=world.now()))


def signed_in_portal(world: World, person: APerson) -> tuple[Browser, AClient, dict[str, Any]]:
    """A browser of his, a portal he entered, and its tokens."""
    browser = world.browser()
    enter(browser, person)
    return browser, *signed_on(world, browser, "openid profile offline_access")


def test_a_person_is_found_by_what_he_says_as_people_type_it(world: World) -> None:
    for as_typed in AS_TYPED:
        person, console = world.a_person(), world.at_the_console()
        world.a_person()
        page = searched(console, as_typed(person))
        assert page.url == f"/staff/accounts/{person.row.id}"


def test_a_company_is_found_by_code_or_account_name(world: World) -> None:
    company, console = world.a_company(), world.at_the_console()
    for typed in (company.uscc, company.uscc.lower().translate(WIDE), company.account):
        assert searched(console, typed).url == f"/staff/companies/{company.row.id}"


def test_the_page_shows_a_person_masked(world: World) -> None:
    """MISSION section Y: personal data is masked on every page."""
    person, console = world.a_person(name="欧阳小明"), world.at_the_console()
    browser = world.browser(address="127.0.0.9")
    enter(browser, person)
    world.a_totp(f"person:{person.row.id}")
    page = console.open(f"/staff/accounts/{person.row.id}")
    for secret in (person.name, person.phone, person.id_number):
        assert secret not in page.html
    shown = ("欧**明", f"{person.phone[:3]}****{person.phone[-4:]}", person.id_number[:4], person.account)
    for expected in (*shown, "正常", "验证器 App 1 个", "127.0.0.9", "Firefox 130", "密码"):
        assert expected in page.text
    assert page.response.headers["Cache-Control"] == "no-store"


def test_his_mandates_and_companies_stand_on_his_page(world: World) -> None:
    operator, console = world.an_operator(manage_seals=True), world.at_the_console()
    led = world.a_company()
    page = console.open(f"/staff/accounts/{operator.person.row.id}")
    assert operator.company.name in page.text
    assert "生效" in page.text
    assert "可管理印章" in page.text
    assert "该用户不是任何企业的法定代表人" in page.text
    page = console.open(f"/staff/accounts/{led.representative.row.id}")
    assert led.name in page.text
    assert "没有企业授权该用户办理业务" in page.text


def test_the_trail_says_that_a_search_was_made_and_never_what_was_typed(world: World) -> None:
    person, console = world.a_person(), world.at_the_console()
    nobody = "13900009999"
    searched(console, person.phone)
    searched(console, person.id_number)
    searched(console, nobody)
    lines = trail(world, Action.ACCOUNT_SEARCHED)
    assert [line.detail for line in lines] == [
        {"by": "phone", "found": True},
        {"by": "resident_id", "found": True},
        {"by": "phone", "found": False},
    ]
    assert [line.target for line in lines] == [f"person:{person.row.id}"] * 2 + [""]
    assert all(line.actor.startswith("staff:") for line in lines)
    written = " ".join(f"{line.detail}{line.target}" for line in lines)
    assert person.phone not in written
    assert person.id_number not in written


def test_an_id_number_that_could_be_a_credit_code_finds_its_person(world: World) -> None:
    """One resident number in 31 has the check character of a credit code too."""
    both = next(number for number in map(a_resident_number, range(1000)) if parse_uscc(number))
    person, console = world.a_person(id_number=both), world.at_the_console()
    assert searched(console, both).url == f"/staff/accounts/{person.row.id}"
    assert trail(world, Action.ACCOUNT_SEARCHED)[0].detail == {"by": "resident_id", "found": True}


def test_what_was_typed_stands_in_no_address(world: World) -> None:
    person, console = world.a_person(), world.at_the_console()
    console.open("/staff/accounts")
    assert console.page is not None
    assert console.page.form(console.page.form_count - 1)["method"] == "post"
    assert searched(console, person.phone).url == f"/staff/accounts/{person.row.id}"
    assert console.open(f"/staff/accounts?typed={person.phone}").url.endswith(person.phone)
    assert console.page.form(console.page.form_count - 1)["fields"]["typed"] == ""


def test_nobody_is_listed_and_nobody_found_is_said(world: World) -> None:
    person, console = world.a_person(), world.at_the_console()
    assert str(person.row.id) not in console.open("/staff/accounts").html
    page = searched(console, "nobody_has_this")
    assert "没有找到" in page.text
    assert error_sentences(page) == []


def test_what_can_be_no_name_is_refused_politely(world: World) -> None:
    for typed in HOSTILE:
        page = searched(world.at_the_console(), typed)
        assert page.status == 200
        assert error_sentences(page) == [
            "这不是账号名、统一社会信用代码、手机号码或证件号码的写法，请核对后重新填写"
        ]
        assert trail(world, Action.ACCOUNT_SEARCHED) == []


def test_a_nul_is_refused_at_the_door(world: World) -> None:
    person, console = world.a_person(), world.at_the_console()
    assert searched(console, "\0").status == 400
    assert changed(console, person, "suspend", "核对\0账号").status == 400
    assert trail(world, Action.ACCOUNT_SEARCHED, Action.ACCOUNT_SUSPENDED) == []


def test_nothing_and_too_much_are_refused(world: World) -> None:
    console = world.at_the_console()
    assert error_sentences(searched(console, " \u3000 ")) == [
        "请填写账号名、统一社会信用代码、手机号码或证件号码"
    ]
    for typed in ("a" * 65, "1" * 10_000, "％" * 10_000):
        assert error_sentences(searched(console, typed)) == ["查找内容最多 64 个字符，请核对后重新填写"]


def test_a_passport_number_that_is_a_companys_account_name_too_is_a_choice(world: World) -> None:
    company, console = world.a_company(), world.at_the_console()
    new = NewPerson("林小满", id_number=company.account.upper().replace("_", ""), id_type=IdType.PASSPORT)
    with world.write() as db:
        add_person(db, world.backends.vault, new, now=world.now())
        name = company.account.replace("_", "")
        legal = db.scalars(select(LegalAccount).where(LegalAccount.enterprise_id == company.row.id)).one()
        db.execute(update(LoginName).where(LoginName.legal_account_id == legal.id).values(name=name))
    page = searched(console, name)
    assert "符合的账号有 2 个" in page.text
    assert company.name in page.text
    assert "林*满" in page.text


def test_the_whole_values_are_shown_once_for_a_reason_on_record(world: World) -> None:
    """SECURITY 76: viewing full personal data needs a reason and is audited; a reload is a new view."""
    person, console = world.a_person(name="欧阳小明"), world.at_the_console()
    page = console.open(f"/staff/accounts/{person.row.id}/view")
    assert "欧阳小明" not in page.html
    page = send(console, {"reason": f"　{REASON}　"})
    assert page.status == 200
    for whole in (person.name, person.phone, person.id_number):
        assert whole in page.text
    assert page.response.headers["Cache-Control"] == "no-store"
    line = trail(world, Action.DATA_VIEWED)[0]
    assert line.detail == {"fields": ["name", "phone", "id_number"], "reason": REASON}
    assert line.target == f"person:{person.row.id}"
    console.open(f"/staff/accounts/{person.row.id}/view")
    send(console, {"reason": REASON})
    assert len(trail(world, Action.DATA_VIEWED)) == 2


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_without_a_proper_reason_nothing_is_shown_or_done(world: World) -> None:
    for reason, sentence in [
        ("", "请填写原因，2 到 200 个字"),
        ("核", "请填写原因，2 到 200 个字"),
        (" \u3000 ", "请填写原因，2 到 200 个字"),
        ("核" * 201, "原因最多 200 个字，请写短一些"),
        ("核" * 10_000, "原因最多 200 个字，请写短一些"),
        ("核对\u202e账号", "原因里有不能显示的字符，请重新填写"),
        (
            "本人 139 0000 1111 来电",
            "原因会长期保留，里面不要写姓名、手机号码和证件号码。请改写，例如写工单编号",
        ),
        ("欧阳小明来电", "原因会长期保留，里面不要写姓名、手机号码和证件号码。请改写，例如写工单编号"),
    ]:
        person, console = world.a_person(name="欧阳小明"), world.at_the_console()
        for what in ("view", "suspend"):
            console.open(f"/staff/accounts/{person.row.id}/{what}")
            page = send(console, {"reason": reason})
            assert error_sentences(page) == [sentence]
            assert person.phone not in page.html
        assert trail(world, Action.DATA_VIEWED, Action.ACCOUNT_SUSPENDED) == []


def test_an_id_number_in_a_reason_is_refused_and_a_ticket_number_is_not(world: World) -> None:
    person, other, console = world.a_person(), world.a_person(), world.at_the_console()
    assert error_sentences(changed(console, person, "suspend", f"证件 {other.id_number}"))
    assert "已停用" in changed(console, person, "suspend", "工单 209901001234567890").text


def test_a_suspended_person_is_out_at_once_and_cannot_come_back(world: World) -> None:
    """停用: sign-ins, tokens and refresh tokens die with it, and portals are told."""
    person, console = world.a_person(), world.at_the_console()
    browser, client, tokens = signed_in_portal(world, person)
    page = changed(console, person, "suspend")
    assert page.url == f"/staff/accounts/{person.row.id}"
    assert "账号已停用，全部登录已退出。" in page.text
    assert is_dead(world, browser, client, tokens)
    browser.sign_in_person(person)
    assert browser.open("/center/person", follow=False).status == 302
    line = trail(world, Action.ACCOUNT_SUSPENDED)[0]
    assert (line.target, line.detail) == (f"person:{person.row.id}", {"reason": REASON})
    assert line.actor.startswith("staff:")


def test_a_resumed_person_comes_back_by_his_own_password_and_what_ended_stays_ended(world: World) -> None:
    person, console = world.a_person(), world.at_the_console()
    browser, client, tokens = signed_in_portal(world, person)
    changed(console, person, "suspend")
    page = changed(console, person, "resume")
    assert "账号已恢复，现在可以登录。" in page.text
    assert is_dead(world, browser, client, tokens)
    browser.sign_in_person(person)
    assert browser.open("/center/person", follow=False).status == 200
    assert len(trail(world, Action.ACCOUNT_RESUMED)) == 1


def test_resuming_lifts_what_the_person_locked_himself_and_says_so(world: World) -> None:
    """MISSION section Y, 不是我: an administrator who made sure may lift it."""
    person, console = world.a_person(), world.at_the_console()
    locked(world, person)
    assert "已锁定" in console.open(f"/staff/accounts/{person.row.id}").text
    assert "由本人点「不是我」锁定" in console.open(f"/staff/accounts/{person.row.id}/resume").text
    assert "正常" in changed(console, person, "resume").text
    with world.reading() as db:
        assert db.scalar(select(Credential.locked_at).where(Credential.person_id == person.row.id)) is None
    assert [line.action for line in trail(world, Action.ACCOUNT_RESUMED, Action.ACCOUNT_UNLOCKED)] == [
        "account_unlocked"
    ]


def test_all_sign_ins_end_and_the_account_stays_open(world: World) -> None:
    """退出全部登录: in every capacity, his company's and his mandate's too."""
    operator, console = world.an_operator(), world.at_the_console()
    person = operator.person
    browser, client, tokens = signed_in_portal(world, person)
    acting = world.browser()
    acting.sign_in_operator(operator)
    assert "现在生效的 2 个登录" in console.open(f"/staff/accounts/{person.row.id}/sign-out").text
    page = changed(console, person, "sign-out")
    assert "全部登录已退出，账号本身不受影响。" in page.text
    assert "现在没有生效的登录" in page.text
    assert is_dead(world, browser, client, tokens)
    assert acting.open("/center/operator", follow=False).status == 302
    browser.sign_in_person(person)
    assert browser.open("/center/person", follow=False).status == 200
    assert [line.detail for line in trail(world, Action.SESSIONS_ENDED)] == [{"reason": REASON}]


@pytest.mark.parametrize("change", ["suspend", "resume", "sign-out"])
def test_of_two_administrators_the_later_one_is_told_and_nothing_is_done_twice(
    world: World, change: str
) -> None:
    person, first, second = world.a_person(), world.at_the_console(), world.at_the_console()
    if change == "resume":
        changed(first, person, "suspend")
    else:
        world.browser().sign_in_person(person)
    for browser in (first, second):
        assert browser.open(f"/staff/accounts/{person.row.id}/{change}").status == 200
    assert send(first, {"reason": REASON}).status == 200
    before = len(trail(world, *Action))
    page = send(second, {"reason": REASON})
    assert page.status == 409
    assert "状态已经变了" in page.text
    assert TOO_LATE in page.text
    assert len(trail(world, *Action)) == before


def test_an_id_of_nobodys_or_of_another_kind_is_not_found(world: World) -> None:
    for what in ["", "/view", "/suspend", "/resume", "/sign-out"]:
        company, console = world.a_company(), world.at_the_console()
        for wrong in (uuid7(), company.row.id, "1", "%00", "no-uuid", f"{company.representative.row.id}x"):
            assert console.open(f"/staff/accounts/{wrong}{what}").status == 404


def test_there_is_no_way_to_choose_a_password_or_to_sign_in_as_somebody(world: World) -> None:
    """SECURITY 78."""
    person, console = world.a_person(), world.at_the_console()
    for what in ("", "/view", "/suspend", "/sign-out"):
        html = console.open(f"/staff/accounts/{person.row.id}{what}").html
        assert 'type="password"' not in html
    rules = [
        rule.rule for rule in world.app.url_map.iter_rules() if rule.endpoint.startswith("staff_accounts.")
    ]
    assert not [rule for rule in rules if "password" in rule or "impersonate" in rule]
    with world.reading() as db:
        before = db.scalar(select(Credential.password_hash).where(Credential.person_id == person.row.id))
    forged = {"password": "Chosen-by-staff 1", "new_password": "x", "suspended_at": "", "reason": REASON}
    console.open(f"/staff/accounts/{person.row.id}/suspend")
    send(console, forged)
    with world.reading() as db:
        assert before == db.scalar(
            select(Credential.password_hash).where(Credential.person_id == person.row.id)
        )
        assert db.get_one(Person, person.row.id).suspended_at is not None


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize("role", [StaffRole.SERVICE, StaffRole.SUPERVISOR, StaffRole.AUDITOR])
def test_only_an_administrator_may(world: World, role: StaffRole) -> None:
    person, console = world.a_person(), world.at_the_console(role)
    for what in ("", f"/{person.row.id}", f"/{person.row.id}/view", f"/{person.row.id}/suspend"):
        page = console.open(f"/staff/accounts{what}")
        assert page.status == 403
        assert person.account not in page.html
    assert len(trail(world, Action.ACCESS_DENIED)) == 4


def test_a_form_of_another_site_changes_nothing(world: World) -> None:
    person, console = world.a_person(), world.at_the_console()
    for what in ("/view", "/suspend"):
        page = console.post(f"/staff/accounts/{person.row.id}{what}", {"reason": REASON})
        assert page.status in {400, 403}
        assert person.phone not in page.html
    assert trail(world, Action.DATA_VIEWED, Action.ACCOUNT_SUSPENDED) == []


@pytest.mark.parametrize("change", [Change.SUSPEND, Change.RESUME, Change.SIGN_OUT])
def test_what_changed_between_looking_and_doing_is_seen(world: World, change: Change) -> None:
    """Two requests that both saw the account as it was: the one that comes second does nothing."""
    person, platform = world.a_person(), world.platform
    if change is Change.RESUME:
        changed(world.at_the_console(), person, "suspend")
    else:
        world.browser().sign_in_person(person)
    hand = Hand(platform.vault, platform.trail, platform.notifier, Origin(), world.now())
    with world.write() as late:
        as_it_was = late.get_one(Person, person.row.id)
        check_possible(late, as_it_was, change, now=hand.now)
        with world.write() as early:
            apply(early, hand, early.get_one(Person, person.row.id), change, REASON)
        before = len(trail(world, *Action))
        with pytest.raises(NothingToDo):
            apply(late, hand, as_it_was, change, REASON)
    assert len(trail(world, *Action)) == before
