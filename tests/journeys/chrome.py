"""A person at a browser: opens pages, fills fields by their names, reads what stands there."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass, field
from typing import Any, Self

from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.sync_api import BrowserContext, Page

WIDTHS = (360, 1280)
UNUSED = (
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "AimEnabled", "LensOverlay"),
    # What Playwright switches off itself, and would not once somebody else names any.
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *("HttpsFirstBalancedModeAutoEnable", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning"),
    *("AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "Translate"),
    *("PreconnectToSearch",),
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # A new window of Chromium would load pages of its own for the address bar: half of what a journey took.
    "--disable-features=" + ",".join(UNUSED),
]
_OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Colour contrast on top of the decorative drawing cannot be computed; it was computed by hand.
_AXE = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "reporter": "no-passes",
    # Fetching style sheets and sounds again would serve two rules: one is experimental and not asked here,
    # the other never says no, but only asks somebody to listen.
    "preload": False,
}
_RUN_AXE = "options => axe.run(options).then(({ violations }) => ({ violations }))"


def read_json(address: str) -> Any:
    """The JSON at an address of this machine."""
    with urllib.request.urlopen(address, timeout=10) as answer:
        return json.load(answer)


@dataclass
class Person:
    """Somebody at one browser window; he looks pages over at each of `widths`, or as wide as it is."""

    page: Page
    issuer: str
    faults: list[str] = field(default_factory=list)
    widths: tuple[int, ...] = ()

    @classmethod
    def at(cls, context: BrowserContext, issuer: str, *, widths: tuple[int, ...] = ()) -> Self:
        """Somebody who just opened a window; what the browser complains about is remembered."""
        person = cls(context.new_page(), issuer, widths=widths)
        person.page.set_default_timeout(15_000)
        person.page.on("console", person._note)
        return person

    def _note(self, message: Any) -> None:
        if message.type == "error" and "favicon" not in message.text and "status of" not in message.text:
            self.faults.append(message.text)

    def open(self, address: str) -> None:
        """Type an address."""
        self.page.goto(address)

    def press(self, name: str) -> None:
        """Press the button or link with this name, and wait for where it leads."""
        target = self.page.get_by_role("button", name=name, exact=True).or_(
            self.page.get_by_role("link", name=name, exact=True)
        )
        with self.page.expect_navigation():
            target.locator("visible=true").first.click()

    def fill(self, **fields: str) -> None:
        """Fill fields of the page's own form by name."""
        for name, value in fields.items():
            self.page.fill(f"main [name={name}]", value)

    def solve_captcha(self) -> None:
        """Type what the picture shows."""
        captcha_id = self.page.input_value("[name=captcha_id]")
        self.fill(captcha=read_json(f"{self.issuer}/demo/captcha/{captcha_id}.json")["answer"])

    def prefers_a_password(self) -> None:
        """Where the page shows a code to scan, go to the passwords."""
        passwords = self.page.locator(".tx-switch a:not([aria-current])", has_text="密码登录")
        if passwords.count():
            with self.page.expect_navigation():
                passwords.click()

    def sign_in(self, tab: str, **fields: str) -> None:
        """Choose the tab, fill it and sign in."""
        self.prefers_a_password()
        current = self.page.locator(".tx-tabs a[aria-current=page]")
        if current.count() and current.inner_text().strip() != tab:
            self.press(tab)
        self.fill(**fields)
        self.solve_captcha()
        with self.page.expect_navigation():
            self.page.press("main [name=captcha]", "Enter")

    def reads(self) -> str:
        """What stands on the page."""
        return self.page.inner_text("body")

    def looks_over(self) -> None:
        """The page fits the window, breaks no rule of accessibility, and the browser has no complaint."""
        for width in self.widths:
            self.page.set_viewport_size({"width": width, "height": 800})
            self._looks_over()
        if self.widths:
            self.page.set_viewport_size({"width": self.widths[0], "height": 800})
        else:
            self._looks_over()

    def _looks_over(self) -> None:
        wide = self.page.evaluate(_OVERFLOW)
        assert wide <= 0, f"{self.page.url} is {wide} px too wide"
        # Its script is half a megabyte: a page that is looked over at two widths takes it once.
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        found = AxeResults(self.page.evaluate(_RUN_AXE, _AXE))
        assert found.violations_count == 0, f"{self.page.url}\n{found.generate_report()}"
        assert self.faults == [], f"{self.page.url}: {self.faults}"
