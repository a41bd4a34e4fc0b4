"""Why somebody changes what is another's: a sentence for the audit trail, without personal data.

The trail is kept for years and nothing in it can be blotted out, so what must not stand there is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from idp.accounts.identifiers import parse_resident_id
from idp.crypto import plain

SHORTEST, LONGEST = 2, 200
# Whatever people put between the digits of a number.
_BETWEEN = re.compile(r"[\W_]+")
# A mobile number as it is written among other numbers: alone, in its groups, or with the country before it.
_WRITTEN = re.compile(
    r"(?<![0-9])(?:(?:00)?86[\W_]{0,3})?0?1[3-9][0-9][\W_]{0,3}[0-9]{4}[\W_]{0,3}[0-9]{4}(?![0-9])"
)
# In groups of any size; with the spaces gone, another number may stand right before it.
_JOINED = re.compile(r"1[3-9][0-9]{9}(?![0-9])")
# Each place where one may begin: the check character tells it from any other long number.
_RESIDENT = re.compile(r"(?=([0-9]{17}[0-9Xx]))")


class ReasonRefused(Exception):
    """A reason cannot stand in the trail; the message is the sentence to show at the console (Chinese).

    `english` says the same to whoever typed a command.
    """

    def __init__(self, zh: str, english: str) -> None:
        super().__init__(zh)
        self.english = english


def parse_reason(supplied: str, *, about: Iterable[str | None] = ()) -> str:
    """The reason as the trail keeps it: as it was typed, trimmed, 2 to 200 characters. Raises ReasonRefused.

    Neither a number of somebody's nor what it is `about` (name, phone, ID number of this account) may stand
    in it.
    """
    typed = supplied.strip()
    if len(typed) > LONGEST:
        raise ReasonRefused(
            f"原因最多 {LONGEST} 个字，请写短一些", f"A reason has at most {LONGEST} characters."
        )
    if len(typed) < SHORTEST:
        raise ReasonRefused(
            f"请填写原因，{SHORTEST} 到 {LONGEST} 个字", f"A reason has {SHORTEST} to {LONGEST} characters."
        )
    # Folded to be searched alone: full-width digits are digits too, and a wide space is a space.
    text = plain(typed)
    if not text.isprintable():
        raise ReasonRefused("原因里有不能显示的字符，请重新填写", "A reason is printable text.")
    joined = _BETWEEN.sub("", text)
    # A name of one letter would be found in every other word.
    told = [_BETWEEN.sub("", plain(value)) for value in about if value]
    named = any(value in joined for value in told if len(value) > 1)
    if named or _has_number(text, joined):
        raise ReasonRefused(
            "原因会长期保留，里面不要写姓名、手机号码和证件号码。请改写，例如写工单编号",
            "A reason is kept for years: no name, phone or ID number may stand in it. Give a ticket instead.",
        )
    return typed


def _has_number(text: str, joined: str) -> bool:
    """Whether a mobile number or a resident identity number stands in it."""
    if _WRITTEN.search(text) or _JOINED.search(joined):
        return True
    return any(parse_resident_id(found) for found in _RESIDENT.findall(joined))
