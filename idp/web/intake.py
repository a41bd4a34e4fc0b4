"""A file that was sent, from the request to the disk: every check before it may stay, in their order.

1. the caller's hour: what a browser sends is counted, whatever becomes of it (`idp.web.upload_quota`);
2. its size and the ending of its name;
3. its content, by the rules of its kind, in a process of its own (`idp.adapters.inspection`);
4. the malware scanner, if there is one: it is shown what was sent, not what was made of it;
5. the disk: sealed, under a random name. No row speaks of it yet.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from werkzeug.datastructures import FileStorage

from idp.accounts.files import NewFile
from idp.adapters.files import NoSpace
from idp.adapters.inspection import (
    ENDINGS,
    MEDIA_TYPES,
    Kind,
    UploadRefused,
    Why,
    cleaned,
    ending_of,
    kind_by_ending,
    renamed,
)
from idp.adapters.malware import ScannerSilent
from idp.db import uuid7
from idp.web import cookies, logs
from idp.web.platform import platform, settings
from idp.web.upload_bodies import SealedSpool, address_is_spent
from idp.web.upload_quota import browser_is_spent

_MEBI: Final = 1024 * 1024
_UNNAMED: Final = "未命名"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends: the browser whose hour is counted."""

    browser: str

    @classmethod
    def of_request(cls) -> Caller:
        """The sender of the request in hand."""
        return cls(cookies.browser_id())


def examine(sent: FileStorage, kinds: tuple[Kind, ...], caller: Caller) -> NewFile:
    """Return what was sent once it stands sealed on the disk. Raises UploadRefused."""
    size = length_of(sent)
    spent = browser_is_spent(platform().store, caller.browser, size, settings().uploads_a_browser_mb)
    if spent or address_is_spent():
        raise UploadRefused(Why.QUOTA)
    if size > settings().upload_file_mb * _MEBI:
        raise UploadRefused(Why.TOO_LARGE)
    name = cleaned(sent.filename or "")
    kind = kind_by_ending(ending_of(name))
    if kind is None or kind not in kinds:
        raise UploadRefused(Why.WRONG_KIND)
    data = sent.stream.read()
    checked = platform().inspector.check(kind, data)
    _scan(data)
    shown = name if checked.kind is kind else renamed(name, ENDINGS[checked.kind][0])
    try:
        sealed = platform().files.write(uuid7(), checked.data)
    except NoSpace as full:
        logs.tell("uploads cannot be stored", level=logging.ERROR, why=str(full))
        raise UploadRefused(Why.NO_SPACE) from None
    return NewFile(sealed, shown or _UNNAMED, MEDIA_TYPES[checked.kind], checked.pages)


def length_of(sent: FileStorage) -> int:
    """How many octets were sent, more than were kept where it is too many."""
    spool = sent.stream
    return spool.length if isinstance(spool, SealedSpool) else 0


def _scan(data: bytes) -> None:
    scanner = platform().malware
    if scanner is None:
        return
    try:
        found = scanner.scan(data)
    except ScannerSilent as silent:
        required = settings().clamav_required
        logs.tell("malware scanner silent", level=logging.WARNING, why=str(silent), refused=required)
        if required:
            raise UploadRefused(Why.UNCHECKED) from None
        return
    if found:
        raise UploadRefused(Why.INFECTED, found)
