"""What is left of a file's name as it was sent: for people to read, and never a path of ours."""

from __future__ import annotations

import unicodedata
from typing import Final

LONGEST: Final = 100
"""Characters of a name that is kept; what is cut is its middle, so that the ending stays."""
_NEVER: Final = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Controls, marks that turn the writing round or have no width, halves of pairs, what means nothing."""


def cleaned(sent: str) -> str:
    """The base name of `sent`, without what cannot be seen, at most 100 characters; it may be empty.

    Nothing is decoded: ``%2e%2e`` stays what it says (SECURITY 67).
    """
    base = sent.replace("\\", "/").rpartition("/")[2]
    seen = (" " if mark.isspace() else mark for mark in base if unicodedata.category(mark) not in _NEVER)
    name = " ".join(unicodedata.normalize("NFC", "".join(seen)).split()).strip(". ")
    if len(name) <= LONGEST:
        return name
    ending = ending_of(name)[:10]
    return name[: LONGEST - 1 - len(ending)].rstrip(". ") + "." + ending if ending else name[:LONGEST]


def ending_of(name: str) -> str:
    """What stands behind the last dot, in lower case; empty if there is none."""
    stem, dot, ending = name.rpartition(".")
    return ending.lower() if dot and stem else ""


def renamed(name: str, ending: str) -> str:
    """`name` with another ending, where what is stored is of another kind than what was sent."""
    return f"{name.rpartition('.')[0] or name}.{ending}"
