"""What comes from outside, made into values of the types that are asked for.

Every problem is found, not the first alone, and told by the place of its value. The value itself is never
repeated: there are secrets among them.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

Outer = TypeVar("Outer", list[Any], dict[str, Any])
_YES = frozenset({"true", "1", "yes", "y", "on", "t"})
_NO = frozenset({"false", "0", "no", "n", "off", "f"})
_AT_ONCE = 20  # a body of 64 kB may hold thousands
_PLAIN = (str, int, float, bool)
_WANTED = {bool: "true or false", int: "a whole number", list: "a list", dict: "an object"}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How great a number may be; how long a text, and the regular expression that finds something in it."""

    least: int | None = None
    most: int | None = None
    shortest: int | None = None
    longest: int | None = None
    pattern: str | None = None

    def hold(self, value: Any) -> bool:
        """Whether `value` keeps to them."""
        if isinstance(value, str):
            is_found = self.pattern is None or re.search(self.pattern, value) is not None
            return is_found and _is_within(len(value), self.shortest, self.longest)
        return _is_within(value, self.least, self.most)

    def __str__(self) -> str:
        said = _range(", {}", self.least, self.most) + _range(
            " of {} characters", self.shortest, self.longest
        )
        return said + (f" and match {self.pattern}" if self.pattern else "")


class Reading:
    """Reads values one after another, and keeps in `problems` a sentence for each that does not fit.

    A hint is a plain type, `None` beside one, a list, tuple or object of such, a dataclass, whose names are
    then all there are, or a class that is made of text. `Annotated` adds `Bounds`, and checks: functions of
    the value's place and the value that raise ValueError with a sentence. `written`: numbers and truth values
    come as text, as in an environment.
    """

    def __init__(self, *, written: bool = False) -> None:
        self.problems: list[str] = []
        self._written = written

    @property
    def sentences(self) -> str:
        """The problems in one line: the first of them, and how many more there are."""
        others = len(self.problems) - _AT_ONCE
        return " ".join(self.problems[:_AT_ONCE]) + (f" There are {others} more." if others > 0 else "")

    def value(self, hint: Any, given: Any, where: str = "") -> Any:
        """`given`, which stands at `where`, as `hint` wants it; after a problem, nothing of use."""
        kind, rules = _bare(hint)
        if given is None and None in rules:
            return None
        found = len(self.problems)
        try:
            read = self._read(kind, rules, given, where)
            for check in filter(callable, rules if len(self.problems) == found else ()):
                check(where, read)
        except ValueError as wrong:
            self.problems.append(str(wrong))
            return None
        return read

    def _read(self, kind: Any, rules: Iterable[Any], given: Any, where: str) -> Any:
        if is_dataclass(kind):
            return self._record(kind, _outer(dict, given, where), where)
        inner = get_args(kind)
        match get_origin(kind):
            case builtins.dict:
                entries = _outer(dict, given, where).items()
                return {name: self.value(inner[1], value, _at(where, name)) for name, value in entries}
            case builtins.list | builtins.tuple as outer:
                each = enumerate(_outer(list, given, where))
                return outer(self.value(inner[0], value, _at(where, place)) for place, value in each)
        return self._one(kind, [rule for rule in rules if isinstance(rule, Bounds)], given, where)

    def _record(self, kind: Any, given: dict[str, Any], where: str) -> Any:
        hints, found = hints_of(kind), len(self.problems)
        missing = [field.name for field in fields(kind) if _is_required(field) and field.name not in given]
        self.problems += [f"{_at(where, name)} is missing." for name in missing]
        unknown = [name for name in given if name not in hints]
        self.problems += [f"{_at(where, name)} is no name that is known here." for name in unknown]
        values = {
            name: self.value(hint, given[name], _at(where, name))
            for name, hint in hints.items()
            if name in given
        }
        return kind(**values) if len(self.problems) == found else None

    def _one(self, kind: Any, bounds: list[Bounds], given: Any, where: str) -> Any:
        """What holds nothing else."""
        if kind is Any:
            return given
        if not _is_unicode(given):
            raise _unfit(where, "text that UTF-8 can write")
        try:
            read = _of_kind(kind, _unwritten(kind, given) if self._written else given)
        except (TypeError, ValueError):
            raise _unfit(where, _wanted(kind, bounds)) from None
        if not all(each.hold(read) for each in bounds):
            raise _unfit(where, _wanted(kind, bounds))
        return read


@cache
def hints_of(kind: type) -> Mapping[str, Any]:
    """The names of a dataclass, and the type of each with its bounds."""
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: hints[field.name] for field in fields(kind)}


def _is_required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _bare(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """A type alone, and what is said beside it: bounds, checks, and None where None will do."""
    origin = get_origin(hint)
    if origin is Annotated:
        kind, rules = _bare(hint.__origin__)
        return kind, (*rules, *hint.__metadata__)
    if origin in {Union, UnionType}:
        (inner,) = (each for each in get_args(hint) if each is not NoneType)
        kind, rules = _bare(inner)
        return kind, (*rules, None)
    return hint, ()


def _outer(outer: type[Outer], given: Any, where: str) -> Outer:
    """`given`, which is to be a list or an object. Raises ValueError."""
    if not isinstance(given, outer):
        raise _unfit(where, _WANTED[outer])
    return given


def _unfit(where: str, wanted: str) -> ValueError:
    return ValueError(f"{where or 'it'} must be {wanted}.")


def _is_unicode(given: Any) -> bool:
    """Whether it is no text with half of a surrogate pair in it."""
    try:
        return not isinstance(given, str) or given.encode() is not None
    except UnicodeEncodeError:
        return False


def _unwritten(kind: Any, given: Any) -> Any:
    """A truth value or a whole number of its text; anything else as it is."""
    if kind is bool:
        word = str(given).lower()
        return word in _YES if word in _YES | _NO else given
    if kind is int and isinstance(given, str) and given.isascii():
        with suppress(ValueError):
            return int(given)
    return given


def _of_kind(kind: Any, given: Any) -> Any:
    """`given`, or what is made of its text: a choice, a path, a secret. Raises TypeError, ValueError."""
    if get_origin(kind) is Literal:
        return get_args(kind)[get_args(kind).index(given)]
    # A truth value counts as a number everywhere in Python but here.
    if type(given) is kind or (isinstance(given, kind) and not isinstance(given, bool)):
        return given
    if kind in _PLAIN or not isinstance(given, str):
        raise TypeError
    return kind(given)


def _wanted(kind: Any, bounds: list[Bounds]) -> str:
    """What a value has to be, for a sentence."""
    choices = [each.value for each in kind] if _is_enum(kind) else get_args(kind)
    if choices:
        return " or ".join(str(choice) or "empty" for choice in choices)
    return _WANTED.get(kind, "text") + "".join(map(str, bounds))


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _is_within(value: int, least: int | None, most: int | None) -> bool:
    return (least is None or value >= least) and (most is None or value <= most)


def _range(phrase: str, least: int | None, most: int | None) -> str:
    if least is None and most is None:
        return ""
    if most is None:
        return phrase.format(f"{least} or more")
    return phrase.format(f"{most} or less" if least is None else f"{least} to {most}")


def _at(where: str, name: object) -> str:
    return f"{where}.{name}" if where else str(name)
