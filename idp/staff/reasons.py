"""Why somebody at the console does what he does: a sentence for the audit trail, without personal data."""

from __future__ import annotations

import re
from collections.abc import Iterable

from idp.accounts.identifiers import parse_resident_id
from idp.crypto import plain

SHORTEST, LONGEST = 2, 200
_MOBILE = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])")
_RESIDENT = re.compile(r"(?<![0-9])[0-9]{17}[0-9Xx](?![0-9A-Za-z])")


class ReasonRefused(Exception):
    """A reason cannot stand in the trail; the message is the sentence to show (Chinese)."""


def parse_reason(supplied: str, *, about: Iterable[str | None] = ()) -> str:
    """The reason as the trail keeps it, 2 to 200 characters. Raises ReasonRefused.

    The trail never holds personal data, so neither a number of somebody's nor what the page is `about`
    (name, phone, ID number of this account) may stand in it.
    """
    text = plain(supplied) if len(supplied) <= 4 * LONGEST else supplied
    if len(text) > LONGEST:
        raise ReasonRefused(f"原因最多 {LONGEST} 个字，请写短一些")
    if len(text) < SHORTEST:
        raise ReasonRefused(f"请填写原因，{SHORTEST} 到 {LONGEST} 个字")
    if not text.isprintable():
        raise ReasonRefused("原因里有不能显示的字符，请重新填写")
    joined = re.sub(r"[\s\-]", "", text)
    numbers = any(parse_resident_id(found) for found in _RESIDENT.findall(joined)) or _MOBILE.search(joined)
    if numbers or any(value in text for value in about if value):
        raise ReasonRefused("原因会长期保留，里面不要写姓名、手机号码和证件号码。请改写，例如写工单编号")
    return text
