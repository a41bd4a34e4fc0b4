"""Stored files as they leave the house: to be kept or looked at, never as a page of ours (SECURITY 68).

A room asks for these only after it has decided who may see the file, and told the audit trail.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from flask import Response, abort

from idp.accounts import files
from idp.accounts.files import StoredFile
from idp.adapters.inspection import MEDIA_TYPES, Kind, UploadRefused, ending_of
from idp.web.platform import platform

_APART: Final = {
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_PLAIN: Final = set(string.ascii_letters + string.digits + " ._-()")
_TO_LOOK_AT: Final = {MEDIA_TYPES[kind]: kind for kind in (Kind.PDF, Kind.JPG)}


def serve(file: StoredFile) -> Response:
    """The file to be kept, under the name it was sent by; 404 if it was deleted meanwhile.

    Raises SealBroken, if the disk holds something else than what was written.
    """
    name = file.name(platform().vault)
    response = Response(_whole(file), mimetype=file.media_type)
    response.headers.update(_APART)
    response.headers["Content-Length"] = str(file.size)
    response.headers["Content-Disposition"] = disposition(name)
    return response


def serve_picture(file: StoredFile, *, page: int = 1, watermark: str = "") -> Response:
    """A page of a PDF (from 1) or a picture, as a JPEG to look at; 404 for what is neither.

    It is drawn when it is asked for, in a process of its own, and kept nowhere: what is not there need not be
    deleted. `watermark` (Latin letters and digits) is burnt in: who looks, and when. Raises SealBroken.
    """
    kind = _TO_LOOK_AT.get(file.media_type)
    if kind is None or not 1 <= page <= (file.pages or 1):
        abort(404)
    try:
        drawn = platform().inspector.draw(kind, b"".join(_whole(file)), page=page, watermark=watermark)
    except UploadRefused:
        # It was read when it came: what fails now is too much at once.
        abort(503)
    response = Response(drawn, mimetype="image/jpeg")
    response.headers.update(_APART)
    response.headers["Content-Disposition"] = "inline"
    return response


def can_be_looked_at(file: StoredFile) -> bool:
    """Whether :func:`serve_picture` shows it; a DOC, XLS, DOCX or XLSX can only be kept."""
    return file.media_type in _TO_LOOK_AT


def disposition(name: str) -> str:
    """Content-Disposition of a file to be kept (RFC 6266 §4.3, RFC 8187), by any name and a plain one."""
    ending = ending_of(name)
    is_plain = bool(ending) and set(name) <= _PLAIN
    plain = name if is_plain else f"file.{ending}" if ending.isascii() and ending.isalnum() else "file"
    whole = quote(unicodedata.normalize("NFC", name), safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{whole}"


def _whole(file: StoredFile) -> Iterator[bytes]:
    here = platform()
    try:
        return files.contents(here.files, here.vault, file)
    except FileNotFoundError:
        abort(404)
