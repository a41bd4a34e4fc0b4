"""Parsing what people type to name themselves: credit codes, ID numbers, phones, account names.

Each parser folds what a keyboard or an input method may add (full-width digits, spaces, case) and
returns the one canonical form, or None. Look-ups and uniqueness always use the canonical form.
"""

from __future__ import annotations

import re
from datetime import date

from idp.crypto import plain

_USCC = re.compile(r"[0-9A-HJ-NP-RTUW-Y]{2}[0-9]{6}[0-9A-HJ-NP-RTUW-Y]{10}\Z")
_RESIDENT = re.compile(r"[0-9]{17}[0-9X]\Z")
_ACCOUNT = re.compile(r"[a-z][a-z0-9_]*\Z")
# A mobile number of mainland China, as it is or as it is dialled from abroad (E.164, ITU-T E.123).
_MOBILE = re.compile(r"(?:\+86|0086|86)?0?(1[3-9][0-9]{9})\Z")
# Passports and permits have a letter or two before the digits, foreigners' residence cards had three.
_DOCUMENT = re.compile(r"(?:[a-z]{1,2}[0-9]{7,10}|[a-z]{3}[0-9]{12})\Z")
_DIALLED = re.compile(r"\+?[0-9().]{5,32}\Z")
_LONGEST = 128

# GB 32100 §5: the characters of a credit code by their value, and the weight of each but the last (mod 31).
_USCC_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_VALUES = {character: value for value, character in enumerate(_USCC_CHARACTERS)}
_USCC_WEIGHTS = tuple(3**place % 31 for place in range(17))
# GB 11643 §4, which is ISO 7064 MOD 11-2: check characters by the weighted sum (mod 11).
_RESIDENT_CHECKS = "10X98765432"
_RESIDENT_WEIGHTS = tuple(2**place % 11 for place in range(17, 0, -1))


def parse_uscc(supplied: str) -> str | None:
    """A unified social credit code (GB 32100): 18 characters, check character right; upper case."""
    code = _folded(supplied).upper()
    if not _USCC.match(code):
        return None
    weighed = sum(_USCC_VALUES[one] * weight for one, weight in zip(code[:-1], _USCC_WEIGHTS, strict=True))
    return code if _USCC_CHARACTERS[-weighed % 31] == code[-1] else None


def parse_resident_id(supplied: str) -> str | None:
    """A resident identity number (GB 11643): 18 characters, birth date and check digit right."""
    number = _folded(supplied).upper()
    if not _RESIDENT.match(number):
        return None
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    weighed = sum(int(digit) * weight for digit, weight in zip(number[:-1], _RESIDENT_WEIGHTS, strict=True))
    return number if _RESIDENT_CHECKS[weighed % 11] == number[-1] else None


def parse_phone(supplied: str) -> str | None:
    """A mobile number of mainland China as its 11 digits; +86, 0086 and separators are understood."""
    typed = _folded(supplied)
    if not _DIALLED.match(typed):
        return None
    found = _MOBILE.match(re.sub(r"[().]", "", typed))
    return found[1] if found else None


def parse_account(supplied: str, *, shortest: int, longest: int) -> str | None:
    """An account name (X1): a letter, then letters, digits, `_`; never of the form of a credit code."""
    name = plain(supplied).lower() if len(supplied) <= longest * 4 else ""
    if not shortest <= len(name) <= longest or not _ACCOUNT.match(name):
        return None
    return None if _USCC.match(name.upper()) else name


def is_like_a_document(account: str) -> bool:
    """Whether an account name has the form of a document's number: it might be that of somebody else's.

    Both open a sign-in (A09), so a new name is never of that form.
    """
    return bool(_DOCUMENT.match(account))


def person_name(typed: str) -> str:
    """The one form of a person's name: no spaces, the dot of a name of several parts as `·`."""
    return re.sub(r"[.•‧・･]", "·", re.sub(r"\s", "", plain(typed)))


def is_same_person_name(one: str, other: str) -> bool:
    """Whether two names are one, however they were typed."""
    return person_name(one).casefold() == person_name(other).casefold()


def company_name(typed: str) -> str:
    """The one form of a company's name: full-width forms folded, but for the brackets it is known by."""
    return plain(typed).replace("(", "（").replace(")", "）")


def is_same_company_name(one: str, other: str) -> bool:
    """Whether two names are one but for what keyboards differ in: spaces, capitals, full-width forms."""
    return _bare(one) == _bare(other)


def mask_phone(phone: str | None) -> str:
    """First 3 and last 4 digits."""
    return f"{phone[:3]}****{phone[-4:]}" if phone else ""


def mask_id_number(number: str | None) -> str:
    """First 4 and last 4 characters of 18; fewer of a shorter number, so that at least half stays hidden."""
    if not number:
        return ""
    shown = max(1, min(4, len(number) // 4))
    return f"{number[:shown]}{'*' * max(len(number) - 2 * shown, 1)}{number[-shown:]}"


def mask_name(name: str) -> str:
    """First and last character: 张*明, 赵*."""
    if len(name) <= 2:
        return name[:1] + "*"
    return name[0] + "*" * (len(name) - 2) + name[-1]


def mask_uscc(code: str) -> str:
    """First 4 and last 3 characters."""
    return f"{code[:4]}{'*' * 11}{code[-3:]}"


def _bare(name: str) -> str:
    return re.sub(r"\s", "", plain(name)).casefold()


def _folded(supplied: str) -> str:
    return re.sub(r"[\s\-]", "", plain(supplied)) if len(supplied) <= _LONGEST else ""
