"""An answer as a person sees it: its text, its forms, what its error summary says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

from werkzeug.test import TestResponse


class FormReader(HTMLParser):
    """The forms of a page: action, fields with their values, buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[dict[str, Any]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(
                {"action": given.get("action", ""), "fields": {}, "method": given.get("method", "get")}
            )
        elif tag == "input" and self.forms and "name" in given:
            if given.get("type") in {"radio", "checkbox"} and "checked" not in given:
                self.forms[-1].setdefault("choices", {}).setdefault(given["name"], []).append(given["value"])
            else:
                self.forms[-1]["fields"][given["name"]] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.text.append(data.strip())


@dataclass
class Page:
    """An answer, as a person sees it."""

    response: TestResponse
    url: str

    @property
    def status(self) -> int:
        """The status code."""
        return self.response.status_code

    @property
    def html(self) -> str:
        """The body."""
        return self.response.get_data(as_text=True)

    @property
    def text(self) -> str:
        """What can be read on it."""
        return " ".join(self._parsed().text)

    @property
    def location(self) -> str:
        """Where a redirect leads."""
        return self.response.headers.get("Location", "")

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the address a redirect leads to."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.location).query).items()}

    def form(self, number: int = 0) -> dict[str, Any]:
        """A form of the page; the first one is the page's own."""
        found: dict[str, Any] = self._parsed().forms[number]
        return found

    @property
    def form_count(self) -> int:
        """How many forms there are."""
        return len(self._parsed().forms)

    def _parsed(self) -> FormReader:
        parser = FormReader()
        parser.feed(self.html)
        return parser


def error_sentences(page: Page) -> list[str]:
    """What the error summary of a page says."""
    summary = re.search(r"govuk-error-summary__list.*?</ul>", page.html, re.DOTALL)
    lines = re.findall(r"<li>(.*?)</li>", summary.group(0), re.DOTALL) if summary else []
    return [re.sub(r"<[^>]+>", "", line).strip() for line in lines]
