"""A second file inside a file: what one program opens as a picture or a paper, another as something else."""

from __future__ import annotations

import io
import re
import zipfile
from typing import Final

from idp.adapters.inspection.refusals import UploadRefused, Why

_HEAD: Final = 1024
_MARKUP: Final = re.compile(rb"<\s*(?:!doctype\s+html|html|head|body|script|svg|iframe)\b", re.IGNORECASE)
_ARCHIVES: Final = (b"PK\x03\x04", b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\x7fELF")


def refuse_archive(data: bytes) -> None:
    """Return unless an archive hangs on `data`, which is none itself (PDF+ZIP, GIFAR: SECURITY 65).

    Raises UploadRefused.
    """
    # The end record alone is four octets, which a photograph may hold by chance; a directory is none.
    if b"PK\x01\x02" in data and zipfile.is_zipfile(io.BytesIO(data)):
        raise UploadRefused(Why.TWO_THINGS, "an archive hangs on it")


def refuse_markup(data: bytes) -> None:
    """Return unless a page of the web or an archive stands in the first kilobyte. Raises UploadRefused."""
    head = data[:_HEAD]
    if _MARKUP.search(head) or any(mark in head for mark in _ARCHIVES):
        raise UploadRefused(Why.TWO_THINGS, "another file begins inside its head")
