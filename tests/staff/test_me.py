"""One's own account at the console: changed after a fresh proof, and never without a factor (MISSION Y)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import update

from idp.accounts import factors
from idp.accounts.factors import Kind
from idp.accounts.staff import StaffMember, StaffSession
from idp.crypto import hash_token
from tests.authenticator import AnAuthenticator
from tests.staff.acting import (
    a_code,
    a_passkey,
    actions,
    at_second,
    is_in,
    later,
    live,
    passkey_options,
    signed_in,
    trail,
    type_password,
)
from tests.staff.test_invitation import secret_of
from tests.world import PASSWORD, AStaffMember, Browser, Page, World, error_sentences

SECURITY = "/staff/me/security"
CODES = SECURITY + "/recovery-codes/new"
OWN = "Another-mine 2027"


@pytest.fixture
def member(world: World) -> AStaffMember:
    return world.a_staff_member(name="秦小工")


@pytest.fixture
def browser(world: World, member: AStaffMember) -> Browser:
    """A browser in which the member is signed in, by a proof just given."""
    return world.at_the_console(member=member)


def held(world: World, member: AStaffMember) -> list[factors.Factor]:
    with world.reading() as db:
        return factors.list_factors(db, member.row.key)


def address_of(factor: factors.Factor, what: str) -> str:
    return f"{SECURITY}/{factor.kind.value}/{factor.id}/{what}"


def grown_old(world: World) -> None:
    """Let the proof of every sign-in be older than what counts as fresh."""
    with world.write() as db:
        db.execute(update(StaffSession).values(proved_at=world.now().replace(year=2020)))


def test_an_authenticator_app_is_added_by_its_first_code(
    world: World, member: AStaffMember, browser: Browser
) -> None:
    page = browser.open(SECURITY + "/app")
    secret = secret_of(page)
    assert send(browser, {"code": a_code(secret), "name": "工作手机"}).url == SECURITY
    _, added = held(world, member)
    assert added.name == "工作手机"
    detail = {"kind": "totp", "factor": str(added.id)}
    assert ("factor_added", member.row.key, detail) in trail(world, member.row.key)
    other = at_second(world, member)
    assert is_in(other.submit({"code": a_code(secret, ahead=30)}, follow=False))


def test_a_passkey_is_added_and_proves(world: World, member: AStaffMember, browser: Browser) -> None:
    challenge, options = passkey_options(browser.open(SECURITY + "/passkey"))
    authenticator = AnAuthenticator()
    values = {"challenge_id": challenge, "answer": authenticator.create(options), "name": "安全密钥"}
    assert send(browser, values).url == SECURITY
    assert [factor.kind for factor in held(world, member)] == [Kind.TOTP, Kind.PASSKEY]
    other = at_second(world, member)
    assert other.page
    challenge, options = passkey_options(other.page)
    answer = {"challenge_id": challenge, "answer": authenticator.get(options)}
    assert is_in(other.submit(answer, number=1, follow=False))


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_rubbish_is_no_passkey(world: World, member: AStaffMember, browser: Browser) -> None:
    for answer in ["", "{", "[]", '"x"', "[" * 15_000, '{"id": 1}', "x" * 50_000]:
        browser.open(SECURITY + "/passkey")
        page = send(browser, {"answer": answer})
        assert page.status == 200
        assert error_sentences(page)
        assert len(held(world, member)) == 1


def test_the_last_factor_stays(world: World, member: AStaffMember, browser: Browser) -> None:
    [only] = held(world, member)
    page = browser.open(address_of(only, "remove"))
    assert "这是您唯一的第二步验证方式" in page.text
    token = page.form()["fields"]["csrf_token"]
    page = browser.post(address_of(only, "remove"), {"csrf_token": token})
    assert "至少要保留一种" in page.text
    assert held(world, member) == [only]


def test_one_of_two_is_removed_and_opens_nothing(
    world: World, member: AStaffMember, browser: Browser
) -> None:
    a_passkey(world, member.row)
    first, second = held(world, member)
    browser.open(address_of(first, "remove"))
    assert send(browser).url == SECURITY
    assert [factor.id for factor in held(world, member)] == [second.id]
    page = at_second(world, member).submit({"code": a_code(member.totp_secret)}, number=1)
    assert "恢复码不正确" in page.text, "no app is left to ask for"
    assert "factor_removed" in actions(world, member.row.key)


def test_a_factor_gets_another_name(world: World, member: AStaffMember, browser: Browser) -> None:
    [factor] = held(world, member)
    assert browser.open(address_of(factor, "name")).form(1)["fields"]["name"] == "手机验证器"
    assert send(browser, {"name": "备用手机"}).url == SECURITY
    assert held(world, member)[0].name == "备用手机"
    assert trail(world, member.row.key)[-1][2] == {
        "kind": "totp",
        "factor": str(factor.id),
        "before": {"name": "手机验证器"},
        "after": {"name": "备用手机"},
    }


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_a_bad_name_is_refused(world: World, member: AStaffMember, browser: Browser) -> None:
    for name in ["名" * 41, "名" * 10_000, "a\u202eb", "a\nb"]:
        [factor] = held(world, member)
        browser.open(address_of(factor, "name"))
        assert error_sentences(send(browser, {"name": name}))
        assert held(world, member)[0].name == "手机验证器"


def test_somebody_elses_factor_is_not_there(world: World, browser: Browser) -> None:
    other = world.a_staff_member()
    [factor] = held(world, other)
    for what in ("name", "remove"):
        assert browser.open(address_of(factor, what)).status == 404
        token = browser.open(SECURITY).form()["fields"]["csrf_token"]
        assert browser.post(address_of(factor, what), {"csrf_token": token, "name": "x"}).status == 404
    assert held(world, other) == [factor]


def test_new_recovery_codes_end_the_old_ones(world: World, member: AStaffMember, browser: Browser) -> None:
    shown = []
    for _ in range(2):
        browser.open(SECURITY + "/recovery-codes")
        page = send(browser)
        codes = [word for word in page.text.split() if len(word) == 11 and word[5] == "-"]
        assert len(codes) == 10
        shown.append(codes)
    assert browser.open(SECURITY).text.count("还剩 10 个") == 1
    assert shown[0] != shown[1]
    assert "恢复码不正确" in at_second(world, member).submit({"code": shown[0][0]}).text
    assert is_in(at_second(world, member).submit({"code": shown[1][0]}, follow=False))


def test_new_recovery_codes_stay_in_sight_until_they_are_saved(
    world: World, member: AStaffMember, browser: Browser
) -> None:
    """Larger letters, a reload: the same codes again, and no new ones; another browser sees none."""
    browser.open(SECURITY + "/recovery-codes")
    page = send(browser)
    assert page.url == CODES
    codes = re.findall(r"<code>([0-9a-z]{5}-[0-9a-z]{5})</code>", page.html)
    assert codes == re.findall(r"<code>([0-9a-z]{5}-[0-9a-z]{5})</code>", browser.open(CODES).html)
    assert world.at_the_console(member=member).open(CODES).url == SECURITY
    browser.open(CODES)
    assert send(browser).url == SECURITY
    assert browser.open(CODES).url == SECURITY
    assert actions(world, member.row.key).count("recovery_codes_made") == 1


def send(browser: Browser, values: dict[str, str] | None = None, *, follow: bool = True) -> Page:
    """Fill the page's own form and send it: the first one is the header's 退出."""
    return browser.submit(values, number=1, follow=follow)


def change(browser: Browser, old: str = PASSWORD, new: str = OWN, again: str | None = None) -> Any:
    browser.open(SECURITY + "/password")
    fields = {"old_password": old, "new_password": new, "confirm_password": new if again is None else again}
    return send(browser, fields)


def test_a_new_password_ends_the_other_sign_ins(world: World, member: AStaffMember, browser: Browser) -> None:
    other = world.at_the_console(member=member)
    assert change(browser).url == SECURITY
    assert other.open("/staff", follow=False).status == 302
    assert browser.open("/staff", follow=False).status == 200
    assert "/second" not in type_password(world.browser(), member.account, PASSWORD).url
    assert "/second" in type_password(world.browser(), member.account, OWN).url
    assert "password_changed" in actions(world, member.row.key)


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (("Wrong-one 77", OWN, OWN), "目前的密码不正确"),
        ((PASSWORD, PASSWORD, PASSWORD), "不能与旧密码相同"),
        ((PASSWORD, "short", "short"), "密码至少 8 个字符"),
        ((PASSWORD, OWN, OWN + "x"), "两次填写的密码不一样"),
        (("", OWN, OWN), "请填写目前的密码"),
    ],
)
def test_a_bad_change_of_password_is_refused(
    world: World, member: AStaffMember, browser: Browser, typed: tuple[str, str, str], sentence: str
) -> None:
    page = change(browser, *typed)
    assert sentence in error_sentences(page)[0]
    assert "/second" in type_password(world.browser(), member.account, PASSWORD).url


def test_guessing_the_old_password_is_slowed_and_written_down(
    world: World, member: AStaffMember, browser: Browser
) -> None:
    for _ in range(5):
        page = change(browser, "Wrong-one 77")
    assert "目前的密码不正确" in page.text
    page = change(browser)
    assert "尝试次数过多" in page.text
    assert page.status == 429
    assert 0 < int(page.response.headers["Retry-After"]) <= 60
    whys = [detail["why"] for action, _, detail in trail(world, member.row.key) if action == "proof_refused"]
    assert whys == ["password"] * 5 + ["throttled"]


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", ["app", "passkey", "recovery-codes", "password"])
def test_every_change_asks_for_a_fresh_proof_and_comes_back(
    world: World, member: AStaffMember, browser: Browser, path: str
) -> None:
    token = browser.open(SECURITY).form()["fields"]["csrf_token"]
    grown_old(world)
    assert browser.post(f"{SECURITY}/{path}", {"csrf_token": token}).url.startswith("/staff/confirm?next=")
    assert browser.open(f"{SECURITY}/{path}").url.startswith("/staff/confirm?next=")
    before = browser.cookie("idp_staff")
    page = send(browser, {"code": a_code(member.totp_secret)})
    assert page.url.partition("?")[0] == f"{SECURITY}/{path}"
    assert browser.cookie("idp_staff") != before
    assert len(live(world, member.row)) == 1
    assert actions(world, member.row.key)[-1] == "proved_again"


@pytest.mark.parametrize("what", ["name", "remove"])
def test_a_factor_is_changed_after_a_fresh_proof_only(
    world: World, member: AStaffMember, browser: Browser, what: str
) -> None:
    a_passkey(world, member.row)
    [factor, _] = held(world, member)
    token = browser.open(SECURITY).form()["fields"]["csrf_token"]
    grown_old(world)
    page = browser.post(address_of(factor, what), {"csrf_token": token, "name": "别的"})
    assert page.url.startswith("/staff/confirm?next=")
    assert len(held(world, member)) == 2
    assert held(world, member)[0].name == "手机验证器"


def test_a_proof_is_fresh_for_ten_minutes(world: World, member: AStaffMember, browser: Browser) -> None:
    with later(minutes=9, seconds=50):
        assert browser.open(SECURITY + "/password").url == SECURITY + "/password"
    with later(minutes=10, seconds=5):
        assert browser.open(SECURITY + "/password").url.startswith("/staff/confirm")


def test_a_wrong_proof_changes_nothing_and_is_slowed(
    world: World, member: AStaffMember, browser: Browser
) -> None:
    grown_old(world)
    browser.open("/staff/confirm?next=https://evil.example/")
    for _ in range(5):
        page = send(browser, {"code": "000000"})
    assert "动态口令不正确" in page.text
    assert send(browser, {"code": a_code(member.totp_secret)}).status == 429
    assert actions(world, member.row.key).count("proof_refused") == 6
    assert browser.open(SECURITY + "/password").url.startswith("/staff/confirm")


def test_after_the_proof_one_stays_at_the_console(member: AStaffMember, browser: Browser) -> None:
    browser.open("/staff/confirm?next=https://evil.example/")
    assert send(browser, {"code": a_code(member.totp_secret)}, follow=False).location == SECURITY


def test_ones_sign_ins_are_listed_and_ended(world: World, member: AStaffMember, browser: Browser) -> None:
    other, third = signed_in(world, member), world.at_the_console(member=member)
    page = browser.open(SECURITY)
    assert "还在生效的登录，共 3 条" in page.text
    token_hash = hash_token(other.cookie("idp_staff") or "")
    theirs = next(one for one in live(world, member.row) if one.token_hash == token_hash)
    token = page.form()["fields"]["csrf_token"]
    browser.post("/staff/me/sign-ins/end", {"csrf_token": token, "session": str(theirs.id)})
    assert len(live(world, member.row)) == 2
    browser.post("/staff/me/sign-ins/end", {"csrf_token": token, "session": "others"})
    assert browser.open("/staff", follow=False).status == 200
    assert {other.open("/staff", follow=False).status, third.open("/staff", follow=False).status} == {302}
    [mine] = live(world, member.row)
    browser.post("/staff/me/sign-ins/end", {"csrf_token": token, "session": str(mine.id)})
    ends = [detail for action, _, detail in trail(world, member.row.key) if action == "staff_signed_out"]
    assert ends[0] == {"session": str(theirs.id), "remotely": True}
    assert len(ends) == 3
    assert ends[2] == {"session": str(mine.id)}


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize("typed", ["", "rubbish", "00000000-0000-7000-8000-000000000000"])
def test_what_is_no_sign_in_of_ones_own_is_not_ended(world: World, browser: Browser, typed: str) -> None:
    stranger = world.a_staff_member()
    world.at_the_console(member=stranger)
    token = browser.open(SECURITY).form()["fields"]["csrf_token"]
    theirs = str(live(world, stranger.row)[0].id)
    for session in (typed, theirs):
        browser.post("/staff/me/sign-ins/end", {"csrf_token": token, "session": session})
    assert len(live(world, stranger.row)) == 1
    assert browser.open("/staff", follow=False).status == 200


def test_the_page_shows_no_secret(world: World, member: AStaffMember, browser: Browser) -> None:
    html = browser.open(SECURITY).html
    assert member.totp_secret not in html
    with world.reading() as db:
        assert db.get_one(StaffMember, member.row.id).name(world.backends.vault) not in html
