"""A long form as a browser sends it: lines, choices and boxes too."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from tests.world import Browser, Page


class _Controls(HTMLParser):
    """What the form whose field is called `marked_by` would send."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, list[str]]] = []
        self._select = self._text = ""
        self._typed: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({})
        elif tag == "input" and "name" in given and self.forms:
            if given.get("type") in {"checkbox", "radio"} and "checked" not in given:
                self.forms[-1].setdefault(given["name"], [])
            else:
                self.forms[-1].setdefault(given["name"], []).append(given.get("value", ""))
        elif tag == "select":
            self._select = given["name"]
        elif tag == "option" and self._select:
            if "selected" in given or self._select not in self.forms[-1]:
                self.forms[-1][self._select] = [given["value"]]
        elif tag == "textarea":
            self._text, self._typed = given["name"], []

    def handle_data(self, data: str) -> None:
        if self._text:
            self._typed.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.forms[-1][self._text] = ["".join(self._typed)]
            self._text = ""
        elif tag == "select":
            self._select = ""


def filled(page: Page) -> dict[str, Any]:
    """What the page's own form holds; the frame's form to sign out comes before it."""
    reader = _Controls()
    reader.feed(page.html)
    found = reader.forms[-1]
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def sent(browser: Browser, **changed: Any) -> Page:
    """Change fields of the page's own form, keep the others, and send it; redirects are followed."""
    if browser.page is None:
        raise AssertionError("no page is open")
    return browser.post(browser.page.url, {**filled(browser.page), **changed})
