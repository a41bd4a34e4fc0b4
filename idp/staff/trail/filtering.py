"""What an auditor types to find rows of the trail, and what is wrong with it.

What is looked for is itself written into the trail, where no personal data stands: so an actor or a
target is a key of ours, never a name, a phone or an ID number. A colleague's account name and a relying
party's id are typed alone, and written down as their keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from idp.accounts.audit import Action
from idp.accounts.audit_search import Wanted

FIELDS = ("from", "to", "action", "actor", "target", "request")
DAYS_AT_FIRST = 30
"""The page opens with so many days, today included."""
_LONGEST_SHOWN = 200
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_YEARS = range(2000, 2200)
_KEY = re.compile(r"[a-z_]{1,20}(?::[A-Za-z0-9_.-]{1,60})?", re.ASCII)
_CLIENT = re.compile(r"client:[\x21-\x7e]{1,64}")
"""Any id a relying party may have: what an operator or a standard chose is nobody's number."""
_NAME = re.compile(r"[\x21-\x7e]{1,64}")
_WITHOUT_ID = frozenset({"worker", "nobody"})
_NO_KEY = (
    "请填写工作人员的账号名、应用编号，或记录里的编号，形如 person:… 或 cli:root，"
    "不要填写姓名、手机号或证件号码"
)
_NUMBER_OF_SOMEBODY = re.compile(r"\d{11}")
_REQUEST = re.compile(r"TX-\d{8}-[A-Z0-9]{4}-[A-Z0-9]{4}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """A filter as it was typed: what it means, what the fields show, what is wrong with which field."""

    wanted: Wanted
    shown: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def given(self) -> dict[str, str]:
        """The fields that hold something, for links and forms that keep the filter.

        And the first day, even an empty one: where no field is named, the page begins with the last days.
        """
        return {name: value for name, value in self.shown.items() if value or name == FIELDS[0]}


def read(typed: Mapping[str, str], *, today: date, key_of: Callable[[str], str]) -> Asked:
    """The filter that was typed; without any, the last days.

    `key_of` gives the key of a colleague's account name or of a relying party's id, "" where it is neither.
    """
    shown = {name: typed.get(name, "").strip().replace("：", ":")[:_LONGEST_SHOWN] for name in FIELDS}
    if not any(name in typed for name in FIELDS):
        shown["from"] = (today - timedelta(days=DAYS_AT_FIRST - 1)).isoformat()
    errors: dict[str, str] = {}
    first, last = _day(shown, "from", errors), _day(shown, "to", errors)
    if first and last and first > last:
        errors["to"] = "截止日期早于起始日期，请改成同一天或更晚的日期"
    wanted = Wanted(
        first,
        last,
        _action(shown["action"], errors),
        _key(shown, "actor", errors, key_of),
        _key(shown, "target", errors, key_of),
        _request(shown["request"], errors),
    )
    return Asked(wanted, shown, errors)


def _day(shown: Mapping[str, str], name: str, errors: dict[str, str]) -> date | None:
    value = shown[name]
    if not value:
        return None
    try:
        day = date.fromisoformat(value) if _DAY.fullmatch(value) else None
    except ValueError:
        day = None
    if day is None:
        errors[name] = "请填写存在的日期，形如 2026-11-20"
    elif day.year not in _YEARS:
        errors[name] = f"请填写 {_YEARS[0]} 年至 {_YEARS[-1]} 年之间的日期"
    else:
        return day
    return None


def _action(value: str, errors: dict[str, str]) -> Action | None:
    found = next((action for action in Action if action.value == value), None)
    if value and found is None:
        errors["action"] = "没有这种事项，请从列表中选择"
    return found


def _key(shown: Mapping[str, str], name: str, errors: dict[str, str], key_of: Callable[[str], str]) -> str:
    value = shown[name]
    if not value:
        return ""
    if ":" not in value and value not in _WITHOUT_ID:
        return _named(value, name, errors, key_of)
    if _CLIENT.fullmatch(value):
        return value
    rest = value.partition(":")[2]
    if _KEY.fullmatch(value) and (_is_uuid(rest) or not _NUMBER_OF_SOMEBODY.search(rest)):
        return value
    errors[name] = _NO_KEY
    return ""


def _named(value: str, name: str, errors: dict[str, str], key_of: Callable[[str], str]) -> str:
    """The key of what was typed without its kind. What is neither is not repeated: it may be somebody's."""
    found = key_of(value) if _NAME.fullmatch(value) else ""
    if not found:
        errors[name] = _NO_KEY
    return found


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _request(value: str, errors: dict[str, str]) -> str:
    if value and (not _REQUEST.fullmatch(value) or not _names_a_day(value)):
        errors["request"] = "请填写完整的请求编号，形如 TX-20261120-AB2C-DE3F"
        return ""
    return value


def _names_a_day(request_id: str) -> bool:
    try:
        return date.fromisoformat(request_id[3:11]).year in _YEARS
    except ValueError:
        return False
