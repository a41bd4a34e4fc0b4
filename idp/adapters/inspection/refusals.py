"""The one refusal of an upload, with its reason, and what a file that passed is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from idp.adapters.inspection.kinds import Kind


class Why(StrEnum):
    """Why a file was refused; the sentences stand in `idp.web.upload_words`."""

    EMPTY = "empty"
    TOO_LARGE = "too_large"
    WRONG_KIND = "wrong_kind"
    NOT_WHAT_IT_SAYS = "not_what_it_says"
    UNREADABLE = "unreadable"
    ENCRYPTED = "encrypted"
    ACTIVE = "active"
    TWO_THINGS = "two_things"
    ANIMATED = "animated"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_MANY_PAGES = "too_many_pages"
    TOO_MUCH_INSIDE = "too_much_inside"
    INFECTED = "infected"
    UNCHECKED = "unchecked"
    CROWDED = "crowded"
    NO_SPACE = "no_space"
    QUOTA = "quota"
    OWNER_FULL = "owner_full"


class UploadRefused(Exception):
    """A file may not stay. `why` says the reason; `detail`, in English, is for the log, never for a page."""

    def __init__(self, why: Why, detail: str = "") -> None:
        super().__init__(detail or why.value)
        self.why = why
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Checked:
    """A file that may stay: its `data` as it is to be stored, of which kind, how many pages it has.

    A picture was made anew, as a JPEG; everything else is as it came.
    """

    kind: Kind
    data: bytes
    pages: int | None = None
