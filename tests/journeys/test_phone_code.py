"""获取验证码 in a real browser: the page stays, counts, and says what becomes of the message (B10, B12)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from idp.accounts.outbox import deliver_due
from idp.proof import captcha
from tests.enterprise.pending import PHONE, Waiting, a_waiting_company
from tests.journeys.chrome import Person, read_json
from tests.journeys.served import served
from tests.messages import last_code, waiting
from tests.proof.sending import wait_a_minute
from tests.running_demo import RunningDemo
from tests.world import World

A_PASSWORD = "Paper-lantern 77"
pytestmark = pytest.mark.journey


@dataclass
class AtTheCode:
    """Somebody on the second step of an activation, served with a clock that the test moves."""

    person: Person
    there: World
    company: Waiting

    @property
    def page(self) -> Page:
        return self.person.page

    def solves(self) -> None:
        """Type what the picture shows."""
        shown = self.page.input_value("[name=captcha_id]")
        self.person.fill(captcha=captcha.answer(self.there.backends.store, shown) or "")

    def tells_the_company(self) -> None:
        """Fill the first step; the script fills in the last day."""
        told = self.company.told()
        self.person.open(f"{self.there.settings.issuer}/activate")
        for name in ("name", "uscc", "representative_name", "id_number", "valid_from"):
            self.person.fill(**{name: told[name]})
        self.page.check("[name=term][value='20']", force=True)

    def comes_to_the_code(self) -> None:
        """Send it."""
        self.tells_the_company()
        self.solves()
        with self.page.expect_navigation():
            self.page.press("main [name=captcha]", "Enter")
        assert "/activate/phone" in self.page.url

    def says(self, sentence: str) -> None:
        """The line below the code says so."""
        expect(self.page.locator("[data-sms-fate]")).to_have_text(sentence)

    def asks(self) -> None:
        """Press the button; the page stays."""
        self.page.click("[data-sms-send]")

    def passes(self, seconds: int) -> None:
        """So much time."""
        self.page.clock.run_for(seconds * 1000)


@pytest.fixture
def here(world: World, chrome: Browser) -> Iterator[AtTheCode]:
    with served(world) as there:
        context = chrome.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
        person = Person.at(context, there.settings.issuer)
        person.page.clock.install()
        yield AtTheCode(person, there, a_waiting_company(there))
        context.close()


only_sqlite = pytest.mark.parametrize("installation", ["sqlite"], indirect=True)


@only_sqlite
def test_the_script_fills_in_the_last_day_of_a_document(here: AtTheCode) -> None:
    """B10."""
    here.tells_the_company()
    last = here.page.locator("[name=valid_until]")
    expect(last).to_have_value("2041-03-04")
    here.page.check("[name=term][value='5']", force=True)
    expect(last).to_have_value("2026-03-04")
    here.person.fill(valid_from="2024-02-29")
    expect(last).to_have_value("2029-02-28")
    here.page.check("[name=term][value='20']", force=True)
    expect(last).to_have_value("2044-02-29")
    here.page.check("[name=term][value='long']", force=True)
    expect(last).to_have_value("")
    expect(last).to_have_js_property("readOnly", True)


@only_sqlite
def test_the_page_stays_counts_and_goes_on_with_the_code(here: AtTheCode) -> None:
    """B12: a minute between two messages, and what was typed stays."""
    here.comes_to_the_code()
    block = here.page.locator("[data-sms]")
    block.evaluate("block => block.insertAdjacentHTML('beforeend', '<input type=password name=secret>')")
    here.page.fill("[name=secret]", A_PASSWORD)
    bodies: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            bodies.append((request.post_data_buffer or b"").decode(errors="replace"))

    here.page.on("request", note)
    button = here.page.locator("[data-sms-send]")
    expect(button).to_have_text("获取验证码")
    here.asks()
    here.says("验证码正在发送到 137****0001")
    expect(button).to_be_disabled()
    expect(button).to_have_text("60 秒后可重新获取")
    expect(here.page.locator("[name=code]")).to_be_focused()
    assert A_PASSWORD not in bodies[0], "nobody needs a password for a message"
    expect(here.page.locator("[name=secret]")).to_have_value(A_PASSWORD)
    here.passes(20)
    expect(button).to_have_text("40 秒后可重新获取")
    here.passes(41)
    expect(button).to_be_enabled()
    expect(button).to_have_text("重新获取")
    here.person.fill(code=last_code(here.there, PHONE))
    with here.page.expect_navigation():
        here.page.press("[name=code]", "Enter")
    assert "/activate/password" in here.page.url
    assert here.person.faults == []


@only_sqlite
def test_the_line_says_what_becomes_of_the_message(here: AtTheCode) -> None:
    """SECURITY 23."""
    here.comes_to_the_code()
    here.asks()
    here.says("验证码正在发送到 137****0001")
    here.passes(3)
    here.says("短信正在发送")
    backends = here.there.backends
    deliver_due(backends.database, backends.vault, {"sms": lambda _payload: None}, now=here.there.now())
    assert waiting(here.there, PHONE) == []
    here.passes(3)
    here.says("短信已发出，一般在一分钟内收到")


@only_sqlite
def test_each_further_message_wants_a_new_captcha_which_the_page_shows(here: AtTheCode) -> None:
    """B13, SECURITY 17."""
    here.comes_to_the_code()
    assert here.page.locator("[name=captcha]").count() == 0
    here.asks()
    picture = here.page.locator("[data-sms-captcha] img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    # Too early by the server's clock: the button counts, and the words beside it go with the wait.
    here.passes(100)
    here.solves()
    here.asks()
    here.says("请稍后再获取验证码")
    here.passes(61)
    here.says("")
    wait_a_minute(here.there, PHONE)
    here.passes(61)
    first = here.page.input_value("[name=captcha_id]")
    here.person.fill(captcha="0000", code="12")
    here.asks()
    here.says("图形验证码不正确，请填写新的一张")
    expect(here.page.locator("[name=captcha]")).to_be_focused()
    expect(here.page.locator("[name=captcha]")).to_have_value("")
    second = here.page.input_value("[name=captcha_id]")
    assert second != first
    here.page.click("[data-sms] button[name=again]")
    expect(here.page.locator("[name=captcha_id]")).not_to_have_value(second)
    expect(here.page.locator("[name=code]")).to_have_value("12")
    here.solves()
    here.asks()
    here.says("验证码正在发送到 137****0001")
    assert len(waiting(here.there, PHONE)) == 2


@only_sqlite
def test_without_a_network_the_page_says_so_and_can_go_on(here: AtTheCode) -> None:
    here.comes_to_the_code()
    here.page.context.set_offline(True)
    here.asks()
    here.says("网络不通，没有发送。请检查网络后再试")
    here.page.context.set_offline(False)
    expect(here.page.locator("[data-sms-send]")).to_be_enabled()
    here.page.route("**/activate/phone*", lambda route: route.fulfill(status=503, body="<p>busy</p>"))
    here.asks()
    here.says("服务正忙，没有发送。请稍后再试")
    here.page.unroute_all()
    here.asks()
    here.says("验证码正在发送到 137****0001")


@only_sqlite
def test_where_the_journey_is_over_the_page_itself_says_so(here: AtTheCode) -> None:
    here.comes_to_the_code()
    here.page.context.clear_cookies()
    with here.page.expect_navigation():
        here.asks()
    assert "没有做任何更改" in here.person.reads()
    assert waiting(here.there, PHONE) == []


def forgets_his_password(person: Person, running_demo: RunningDemo, number: int) -> str:
    """A person of the demo, on the page that sends a code; his phone."""
    somebody = running_demo.manifest["accounts"]["person"][number]
    person.open(f"{person.issuer}/reset/person")
    person.fill(account=somebody["account"], name=somebody["name"], id_number=somebody["id_number"])
    person.solve_captcha()
    with person.page.expect_navigation():
        person.page.press("main [name=captcha]", "Enter")
    assert "/reset/phone" in person.page.url
    return str(somebody["phone"])


def test_a_code_is_asked_for_and_typed_at_every_width(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    """A21."""
    person = somebody(at_every_width=True, script=True)
    phone = forgets_his_password(person, running_demo, -1)
    person.looks_over()
    person.page.click("[data-sms-send]")
    # The worker of the demo sends it.
    expect(person.page.locator("[data-sms-fate]")).to_have_text("短信已发出，一般在一分钟内收到")
    person.looks_over()
    person.fill(code="12")
    person.press("下一步")
    person.looks_over()
    person.fill(code=read_json(f"{person.issuer}/demo/outbox.json?phone={phone}")[0]["code"])
    person.press("下一步")
    assert "/reset/password" in person.page.url


def test_without_a_script_the_button_sends_the_form(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    """A21."""
    person = somebody(width=360)
    phone = forgets_his_password(person, running_demo, -3)
    person.press("获取验证码")
    assert "验证码正在发送到" in person.reads()
    person.fill(code=read_json(f"{person.issuer}/demo/outbox.json?phone={phone}")[0]["code"])
    person.press("下一步")
    assert "/reset/password" in person.page.url
