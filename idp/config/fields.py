"""What a setting and a chapter of settings are; ``chapters`` says which there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from typing import Annotated, Any, TypeVar

from idp.typed import Bounds, Reading, hints_of

PREFIX = "IDP_"
Kept = TypeVar("Kept")


class SettingsRefused(Exception):
    """The settings cannot be used; the message is a sentence for whoever starts the service."""


class Secret:
    """Text that is not shown where it is printed: in a log, a traceback, the settings as a whole."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return f"{type(self).__name__}('{self}')"

    def __str__(self) -> str:
        return "**********" if self._text else ""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


@dataclass(frozen=True, slots=True)
class Setting:
    """What is known of one setting, beside its value."""

    name: str
    hint: Any
    default: Any
    description: str
    bounds: Bounds

    @property
    def variable(self) -> str:
        """The variable it is read from."""
        return PREFIX + self.name.upper()


def setting(
    default: Kept,
    description: str,
    *,
    least: int | None = None,
    most: int | None = None,
    check: Callable[[str, str], None] | None = None,
) -> Kept:
    """A field of a chapter; `check` raises ValueError with a sentence that names the variable it is given."""
    told = {"description": description, "bounds": Bounds(least=least, most=most), "check": check}
    return field(default=default, metadata=told)


def described(chapter: type) -> Mapping[str, Setting]:
    """The settings of a chapter, or of all chapters together, by name."""
    return _described(chapter)


@cache
def _described(chapter: type) -> Mapping[str, Setting]:
    hints, found = hints_of(chapter), {}
    for each in fields(chapter):
        # What a subclass writes as a plain default has no more than that.
        told: dict[str, Any] = {"description": "", "bounds": Bounds(), "check": None, **each.metadata}
        rules = (told["bounds"], *filter(None, [told["check"]]))
        found[each.name] = Setting(
            each.name,
            Annotated[(hints[each.name], *rules)],
            each.default,
            told["description"],
            told["bounds"],
        )
    return found


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """Settings that belong together. Durations are whole seconds."""

    def __post_init__(self) -> None:
        """Make each value what its type says. Raises SettingsRefused with every problem, a line each."""
        reading = Reading(written=True)
        for one in described(type(self)).values():
            value = reading.value(one.hint, getattr(self, one.name), one.variable)
            object.__setattr__(self, one.name, value)
        problems = reading.problems or self._problems()
        if problems:
            raise SettingsRefused("\n".join(problems))

    def _problems(self) -> list[str]:
        """What does not fit together, once each value is right by itself."""
        return []
