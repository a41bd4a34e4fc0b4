"""修改密码: the old one is proved, the new one bites at once (F11, H04; SECURITY 28, 29; MISSION Y)."""

from __future__ import annotations

import pytest
import time_machine
from sqlalchemy import select, update

from idp.accounts.audit import Action, AuditEvent
from idp.accounts.models import Credential
from idp.accounts.notices import Notice
from idp.accounts.outbox import OutboxMessage
from idp.accounts.sessions import SigninSession
from tests.entering import enter
from tests.pages import error_sentences
from tests.portals import Authorization, get_with, post_as
from tests.security.acting import LATER, ROOM, adds_totp, asked_to_confirm, came_in, links_on, signed_in
from tests.security.test_meanwhile import CHANGED, at_first_sight_of, locks
from tests.world import PASSWORD, AClient, APerson, Browser, Page, World

PAGE = f"{ROOM}/password"
NEW = "Paper-lantern 77"
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"


def changes(
    browser: Browser, *, at: str = PAGE, old: str = PASSWORD, new: str = NEW, again: str = ""
) -> Page:
    """Fill the form and send it; the page that follows."""
    browser.open(at)
    typed = {"old_password": old, "new_password": new, "confirm_password": again or new}
    return browser.submit(typed, number=1)


def elsewhere(world: World, person: APerson) -> Browser:
    browser = world.browser(address="203.0.113.9", user_agent=CHROME)
    enter(browser, person)
    return browser


def is_in(browser: Browser, at: str = "/center/person") -> bool:
    return browser.open(at, follow=False).status == 200


def opens(world: World, person: APerson, password: str) -> bool:
    """Whether this password still signs somebody in."""
    browser = world.browser(address="198.51.100.77")
    browser.open("/login/person")
    browser.submit_with_captcha({"account": person.account, "password": password})
    return browser.cookie("idp_session") is not None


def tokens_of(browser: Browser, client: AClient) -> dict[str, str]:
    asked = Authorization(client)
    code = browser.open(asked.address("openid offline_access")).query["code"]
    found: dict[str, str] = asked.redeem(browser, code).get_json()
    return found


def test_the_new_password_opens_the_account_and_the_old_one_does_not(world: World) -> None:
    person, browser = signed_in(world)
    assert links_on(browser.open(ROOM), "/password")
    before = browser.cookie("idp_session")
    page = changes(browser)
    assert "密码已修改" in page.text
    assert browser.cookie("idp_session") != before, "whoever copied the cookie has nothing of the new one"
    thief = world.browser()
    thief.client.set_cookie("idp_session", before or "", domain="localhost")
    assert not is_in(thief)
    assert (opens(world, person, PASSWORD), opens(world, person, NEW)) == (False, True)
    account = f"person:{person.row.id}"
    with world.reading() as db:
        events = db.scalars(select(AuditEvent.action).where(AuditEvent.target == account)).all()
        assert list(events).count(Action.PASSWORD_CHANGED) == 1
        assert "password_changed" in db.scalars(select(Notice.kind).where(Notice.account == account)).all()


def test_everything_else_the_account_had_open_ends_and_portals_are_told(world: World) -> None:
    person, browser = signed_in(world)
    other = elsewhere(world, person)
    client = world.a_client(backchannel_logout_uri="https://portal.example/backchannel-logout")
    mine, theirs = tokens_of(browser, client), tokens_of(other, client)
    changes(browser)
    assert (is_in(browser), is_in(other)) == (True, False)
    for tokens, status in ((mine, 200), (theirs, 400)):
        asked = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
        assert post_as(world, client, "/oauth/token", asked).status_code == status
    assert get_with(world, mine["access_token"]).status_code == 200
    assert get_with(world, theirs["access_token"]).status_code == 401
    with world.reading() as db:
        assert "password_changed" in db.scalars(select(SigninSession.end_reason)).all()
        kinds = db.scalars(select(OutboxMessage.kind)).all()
    assert [kind for kind in kinds if kind != "sms"] != [], "a message to the portal of the other sign-in"
    assert "密码已修改" in browser.open(f"{ROOM}/sign-ins").text


def test_this_browser_stays_known_and_every_other_is_a_stranger(world: World) -> None:
    person, browser = came_in(world)
    other = elsewhere(world, person)
    changes(browser)
    listed = browser.open(ROOM)
    assert len(links_on(listed, "/forget")) == 1
    assert "本机" in listed.text
    told = select(Notice.id).where(Notice.kind == "new_browser")
    with world.reading() as db:
        before = len(db.scalars(told).all())
    for each, more in ((browser, 0), (other, 1)):
        each.open("/login/person")
        each.submit_with_captcha({"account": person.account, "password": NEW})
        with world.reading() as db:
            assert len(db.scalars(told).all()) == before + more


def test_a_second_step_that_waits_on_the_old_password_is_gone(world: World) -> None:
    person, browser = signed_in(world)
    adds_totp(world, browser)
    thief = world.browser(address="203.0.113.66")
    thief.open("/login/person")
    waiting = thief.submit_with_captcha({"account": person.account, "password": PASSWORD})
    assert waiting.url.startswith("/login/second")
    changes(browser)
    assert "这一步已经失效" in thief.open(waiting.url).text


def test_a_wrong_old_password_is_counted_written_down_and_changes_nothing(world: World) -> None:
    person, browser = came_in(world)
    page = changes(browser, old="Not-this-one 7")
    assert error_sentences(page) == ["旧密码不正确，请重新填写"]
    for _ in range(world.settings.throttle_failures):
        page = changes(browser, old="Not-this-one 7")
    assert page.status == 429
    assert "尝试次数过多" in page.text
    assert changes(browser).status == 429, "the right one has to wait too"
    with world.reading() as db:
        refused = db.scalars(select(AuditEvent).where(AuditEvent.action == Action.PROOF_REFUSED)).all()
        assert {event.detail["why"] for event in refused} == {"password", "throttled"}
        assert {event.target for event in refused} == {f"person:{person.row.id}"}
    assert opens(world, person, PASSWORD)


def test_what_is_typed_wrong_is_said_at_its_field(world: World) -> None:
    person, browser = signed_in(world)
    assert error_sentences(changes(browser, old="", new="", again="x")) == [
        "请填写旧密码",
        "请填写新密码",
        "两次填写的新密码不一样",
    ]
    assert error_sentences(changes(browser, again="Paper-lantern 78")) == ["两次填写的新密码不一样"]
    assert error_sentences(changes(browser, new=PASSWORD)) == ["新密码不能与旧密码相同"]
    (sentence,) = error_sentences(changes(browser, new="short 1"))
    assert sentence.startswith("密码至少 8 个字符")
    for word in (person.phone, person.id_number, person.account):
        assert error_sentences(changes(browser, new=f"{word} Ab!")) == [
            "密码里不能包含账号、手机号或证件号码"
        ]
    assert opens(world, person, PASSWORD)


def test_a_company_and_an_operator_change_their_own_password_alone(world: World) -> None:
    company = world.a_company()
    operator = world.an_operator(company)
    legal, acting, himself = world.browser(), world.browser(), world.browser()
    enter(legal, company)
    enter(acting, operator)
    enter(himself, operator.person)
    for browser, centre in ((legal, "enterprise"), (acting, "operator")):
        at = f"/center/{centre}/security/password"
        refused = changes(browser, at=at, new=f"{company.uscc} Ab!")
        assert error_sentences(refused) == ["密码里不能包含账号、手机号或证件号码"]
        assert "密码已修改" in changes(browser, at=at).text
        assert browser.open(f"/center/{centre}", follow=False).status == 200
    assert is_in(himself)
    assert opens(world, operator.person, PASSWORD), "his own password is another one"


def test_a_mandates_password_that_had_to_be_changed_is_his_own_now(world: World) -> None:
    operator, browser = world.an_operator(), world.browser()
    enter(browser, operator)
    mine = Credential.mandate_id == operator.mandate.id
    with world.write() as db:
        db.execute(update(Credential).where(mine).values(must_change=True))
    changes(browser, at="/center/operator/security/password")
    with world.reading() as db:
        assert db.scalars(select(Credential.must_change).where(mine)).one() is False


def test_who_went_on_from_his_own_account_is_told_where_his_password_is(world: World) -> None:
    operator, browser = world.an_operator(), world.browser()
    enter(browser, operator.person)
    browser.open("/login/company")
    browser.submit({"enterprise": str(operator.mandate.id)})
    page = browser.open("/center/operator/security/password")
    assert page.url == "/center/operator/security"
    assert "登录密码、验证器 App、通行密钥和已知浏览器属于您的个人账号" in page.text
    assert links_on(page, "/password") == []


def test_a_second_factor_is_proved_first_and_without_one_the_old_password_is_enough(world: World) -> None:
    _, browser = signed_in(world)
    with time_machine.travel(world.now() + LATER):
        assert asked_to_confirm(browser.open(PAGE, follow=False)) is None
    person, other = signed_in(world)
    world.a_totp(f"person:{person.row.id}")
    assert asked_to_confirm(other.open(PAGE, follow=False)) == PAGE
    token = other.open(ROOM).form()["fields"]["csrf_token"]
    typed = {"csrf_token": token, "old_password": PASSWORD, "new_password": NEW, "confirm_password": NEW}
    assert asked_to_confirm(other.post(PAGE, typed, follow=False)) == PAGE
    with world.reading() as db:
        assert Action.PASSWORD_CHANGED not in db.scalars(select(AuditEvent.action)).all()


def test_a_form_shown_to_another_sign_in_changes_nothing(world: World) -> None:
    person, browser = signed_in(world)
    browser.open(PAGE)
    form = browser.page.form(1)["fields"] if browser.page else {}
    browser.sign_in_person(person)
    typed = {"old_password": PASSWORD, "new_password": NEW, "confirm_password": NEW}
    form["csrf_token"] = browser.open(PAGE).form(1)["fields"]["csrf_token"]
    assert CHANGED in browser.post(PAGE, {**form, **typed}).text
    assert opens(world, person, PASSWORD)


@pytest.mark.parametrize("meanwhile", ["locked", "changed"])
def test_a_change_that_was_overtaken_is_not_made(world: World, meanwhile: str) -> None:
    """Only the password that was proved is replaced, and only by a sign-in that is still there."""
    person, browser = signed_in(world)
    mine = Credential.person_id == person.row.id

    def act() -> None:
        if meanwhile == "locked":
            locks(world, person)()
            return
        with world.write() as db:
            hashed = world.hash("Somebody-else 55")
            db.execute(update(Credential).where(mine).values(password_hash=hashed, changed_at=world.now()))

    browser.open(PAGE)
    typed = {"old_password": PASSWORD, "new_password": NEW, "confirm_password": NEW}
    # The last look before the new one is written: by then the old one is proved.
    with at_first_sight_of(world, "login_names", act):
        page = browser.submit(typed, number=1)
    assert (
        page.status == 403 if meanwhile == "locked" else error_sentences(page) == ["旧密码不正确，请重新填写"]
    )
    with world.reading() as db:
        kept = db.scalars(select(Credential.password_hash).where(mine)).one()
        assert Action.PASSWORD_CHANGED not in db.scalars(select(AuditEvent.action)).all()
    assert not world.platform.hasher.verify(kept, NEW).right
