"""`idp settings`: every setting as a page, which is docs/settings.md."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from idp.config import CHAPTERS, Chapter, Secret, described
from idp.typed import Bounds

_HEAD = """# Settings

Every setting is an environment variable, read once at the start. `IDP_<NAME>_FILE` names a file that
holds the value instead, for secrets that should not stand in an environment. Durations are seconds.

This page is made from `idp/config/chapters.py`: `idp settings > docs/settings.md`.
"""
_TABLE = """| variable | default | meaning |
|---|---|---|
"""


def print_settings() -> None:
    """Print docs/settings.md: every variable, its default, what it means and what it may be."""
    print(settings_page(), end="")


def settings_page() -> str:
    """The text of docs/settings.md."""
    return _HEAD + "".join(_section(chapter) for chapter in CHAPTERS)


def _section(chapter: type[Chapter]) -> str:
    title = (chapter.__doc__ or "").removesuffix(".")
    return f"\n## {title}\n\n{_TABLE}" + "".join(f"{row}\n" for row in _rows(chapter))


def _rows(chapter: type[Chapter]) -> Iterator[str]:
    for setting in described(chapter).values():
        bounds = _bounds(setting.bounds)
        meaning = setting.description + (f" {bounds}" if bounds else "")
        yield f"| `{setting.variable}` | {_default(setting.default)} | {meaning.replace('|', '&#124;')} |"


def _default(value: Any) -> str:
    text = value.get_secret_value() if isinstance(value, Secret) else str(value)
    return f"`{text}`" if text else ""


def _bounds(bounds: Bounds) -> str:
    least, most = bounds.least, bounds.most
    if least is None and most is None:
        return ""
    if most is None:
        return f"At least {least}."
    return f"At most {most}." if least is None else f"{least} to {most}."
