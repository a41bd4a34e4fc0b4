"""An answer as a person sees it: its text, its forms, what its error summary says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

from werkzeug.test import TestResponse

# Python's own HTML parser takes longer to read a page than the application to make it.
_MARK = re.compile(
    r"""<!--.*?--> | <! [^>]*+ > | </?+ [a-zA-Z] [^>"']*+ (?: (?: "[^"]*+" | '[^']*+' ) [^>"']*+ )*+ >""",
    re.DOTALL | re.VERBOSE,
)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FORM_OR_INPUT = re.compile(
    r"""< (?P<tag> form | input ) (?= [\s/>] )
        (?P<attributes> [^>"']*+ (?: (?: "[^"]*+" | '[^']*+' ) [^>"']*+ )*+ ) >""",
    re.VERBOSE,
)
_ATTRIBUTE = re.compile(
    r"""(?P<name>[^\s=/>"']+)
        (?: \s*=\s* (?: "(?P<quoted>[^"]*)" | '(?P<single>[^']*)' | (?P<bare>[^\s"'>]+) ) )?""",
    re.VERBOSE,
)


class FormReader:
    """The forms of a page: action, fields with their values, buttons."""

    def __init__(self) -> None:
        self.forms: list[dict[str, Any]] = []

    def feed(self, html: str) -> None:
        """Read a whole page."""
        for mark in _FORM_OR_INPUT.finditer(_COMMENT.sub("", html)):
            self._note(mark["tag"], _attributes(mark["attributes"]))

    def _note(self, tag: str, given: dict[str, str]) -> None:
        if tag == "form":
            self.forms.append(
                {"action": given.get("action", ""), "fields": {}, "method": given.get("method", "get")}
            )
        elif self.forms and "name" in given:
            if given.get("type") in {"radio", "checkbox"} and "checked" not in given:
                self.forms[-1].setdefault("choices", {}).setdefault(given["name"], []).append(given["value"])
            else:
                self.forms[-1]["fields"][given["name"]] = given.get("value", "")


def words_of(html: str) -> list[str]:
    """What can be read between the marks of a page."""
    return [words for between in _MARK.split(html) if (words := unescape(between).strip())]


def _attributes(written: str) -> dict[str, str]:
    found = _ATTRIBUTE.finditer(written)
    return {
        one["name"].lower(): unescape(one["quoted"] or one["single"] or one["bare"] or "") for one in found
    }


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
        return " ".join(words_of(self.html))

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
        found: dict[str, Any] = self._forms()[number]
        return found

    @property
    def form_count(self) -> int:
        """How many forms there are."""
        return len(self._forms())

    def _forms(self) -> list[dict[str, Any]]:
        reader = FormReader()
        reader.feed(self.html)
        return reader.forms


def error_sentences(page: Page) -> list[str]:
    """What the error summary of a page says."""
    summary = re.search(r"govuk-error-summary__list.*?</ul>", page.html, re.DOTALL)
    lines = re.findall(r"<li>(.*?)</li>", summary.group(0), re.DOTALL) if summary else []
    return [re.sub(r"<[^>]+>", "", line).strip() for line in lines]
