"""The owner of a phone: signs in to the app, and finishes its first use."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.journeys.chrome import Person
from tests.running_demo import RunningDemo

PIN = "730518"
# As patient as everybody at a browser here (chrome.py).
expect.set_options(timeout=15_000)
# A PIN is set once: the people of these tests are nobody's elsewhere.
OWNER = "weidong"
KEPT = """async () => {
  const opening = indexedDB.open("tongxing-jishiban");
  const database = await new Promise((done) => { opening.onsuccess = () => done(opening.result); });
  const table = database.transaction("kept").objectStore("kept");
  const read = (name) => new Promise((done) => {
    const asked = table.get(name);
    asked.onsuccess = () => done(asked.result);
  });
  const [key, refresh] = [await read("key"), await read("refresh")];
  database.close();
  const out = key && crypto.subtle.exportKey("jwk", key.privateKey);
  const exported = key && await out.then(() => "out", () => "kept");
  return { refresh, exported, extractable: key ? key.privateKey.extractable : null };
}"""


def named(running_demo: RunningDemo, account: str) -> dict[str, Any]:
    """The person of the demo with this account."""
    people: list[dict[str, Any]] = running_demo.manifest["accounts"]["person"]
    return next(person for person in people if person["account"] == account)


def heading(page: Page) -> Locator:
    """The heading of the page that is drawn."""
    return page.locator("h1")


def press(page: Page, name: str) -> None:
    """Press a button or a link that draws another page without a load."""
    by_name = page.get_by_role("button", name=name, exact=True).or_(
        page.get_by_role("link", name=name, exact=True)
    )
    by_name.first.click()


def answer_provider(person: Person, account: dict[str, Any]) -> None:
    """Sign in at the provider's page, whichever way it shows first."""
    person.page.wait_for_url(f"{person.issuer}/login**")
    to_passwords = person.page.get_by_role("link", name=re.compile("密码登录"))
    if to_passwords.count():
        to_passwords.first.click()
        person.page.wait_for_selector("main [name=captcha]")
    person.sign_in("个人登录", account=account["account"], password=account["password"])


def set_pin(page: Page, done: str = "完成，进入首页") -> None:
    """The two steps of the first use; `done` stands on its last button."""
    page.get_by_label("我已阅读并同意").check()
    press(page, "下一步，设置口令")
    page.fill("[name=pin]", PIN)
    page.fill("[name=repeated]", PIN)
    press(page, done)


def signs_in(person: Person, app: str, account: dict[str, Any], path: str = "/") -> Page:
    """Open the app, sign in, and finish the first use where it is still ahead."""
    page = person.page
    person.open(app + path)
    press(page, "登录")
    answer_provider(person, account)
    expect(heading(page)).to_have_text(re.compile("首次使用|，(早上|上午|中午|下午|晚上)好"))
    if heading(page).inner_text() == "首次使用":
        set_pin(page)
    expect(heading(page)).to_contain_text("好")
    return page
