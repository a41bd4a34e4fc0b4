"""Which six digits may be a PIN: none that whoever finds the phone would try first."""

from __future__ import annotations

import re

_SIX = re.compile(r"[0-9]{6}\Z")
_SHORTEST_PART = 6
_UP = "01234567890123456789"
_DOWN = _UP[::-1]
_POPULAR = frozenset(
    {
        *("112233", "123321", "147258", "147852", "159357", "159753", "192837", "201314", "258369", "369258"),
        *("456852", "520131", "521314", "741852", "789456", "963852", "987456"),
    }
)


class PinRefused(Exception):
    """The PIN may not be set; the message is the sentence to show (Chinese)."""


def check_new_pin(pin: str, *, about: tuple[str, ...]) -> None:
    """Return if `pin` may be set; `about` are the person's phone and the number of his document.

    Raises PinRefused with what to change.
    """
    if not _SIX.match(pin):
        raise PinRefused("口令要用 6 位数字。请重新输入。")
    if _is_regular(pin) or pin in _POPULAR:
        raise PinRefused("这个口令太容易猜到，请不要用相同、连续或重复的数字。")
    if any(_is_part(pin, word) for word in about):
        raise PinRefused("口令不能是手机号、证件号码或生日里的数字。请换一个。")


def _is_regular(pin: str) -> bool:
    """Whether it goes up or down by one, or says one to three digits again and again."""
    repeats = any(pin == pin[:length] * (len(pin) // length) for length in (1, 2, 3))
    return repeats or pin in _UP or pin in _DOWN


def _is_part(pin: str, word: str) -> bool:
    return len(word) >= _SHORTEST_PART and (pin in word or pin in _dates_in(word))


def _dates_in(number: str) -> frozenset[str]:
    """The birth date of a resident number in the orders people write it in."""
    found = re.match(r"\d{6}(\d\d)(\d\d)(\d\d)(\d\d)\d{3}[\dX]\Z", number)
    if not found:
        return frozenset()
    _, year, month, day = found.groups()
    return frozenset({year + month + day, day + month + year, month + day + year})
