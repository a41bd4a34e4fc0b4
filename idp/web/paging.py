"""Lists at the console a page at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import request


def page_number() -> int:
    """The page of a list that was asked for, from 1; anything else is 1."""
    return max(request.args.get("page", 1, type=int), 1)


def page_links(number: int, pages: int, address: Callable[[int], str]) -> list[dict[str, Any]]:
    """The links of a pager: the page before, where one is, the page after."""
    if pages < 2:
        return []
    here = {"label": f"{number} / {pages}", "href": "", "current": True}
    before = [{"label": "上一页", "href": address(number - 1), "current": False}] if number > 1 else []
    after = [{"label": "下一页", "href": address(number + 1), "current": False}] if number < pages else []
    return [*before, here, *after]
