"""The kinds of file that may be uploaded: their endings, media types and first octets."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """A kind of file, by what its content is."""

    PDF = "pdf"
    JPG = "jpg"
    PNG = "png"
    DOC = "doc"
    XLS = "xls"
    DOCX = "docx"
    XLSX = "xlsx"


PICTURES: Final = (Kind.JPG, Kind.PNG)
ENDINGS: Final = {
    Kind.PDF: ("pdf",),
    Kind.JPG: ("jpg", "jpeg"),
    Kind.PNG: ("png",),
    Kind.DOC: ("doc",),
    Kind.XLS: ("xls",),
    Kind.DOCX: ("docx",),
    Kind.XLSX: ("xlsx",),
}
MEDIA_TYPES: Final = {
    Kind.PDF: "application/pdf",
    Kind.JPG: "image/jpeg",
    Kind.PNG: "image/png",
    Kind.DOC: "application/msword",
    Kind.XLS: "application/vnd.ms-excel",
    Kind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    Kind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP: Final = b"PK\x03\x04"
_BEGINS: Final = {
    Kind.PDF: b"%PDF-",
    Kind.JPG: b"\xff\xd8\xff",
    Kind.PNG: b"\x89PNG\r\n\x1a\n",
    Kind.DOC: _OLE,
    Kind.XLS: _OLE,
    Kind.DOCX: _ZIP,
    Kind.XLSX: _ZIP,
}


def kind_by_ending(ending: str) -> Kind | None:
    """The kind that `ending` (without its dot, lower case) claims, if it is one of ours."""
    return next((kind for kind, endings in ENDINGS.items() if ending in endings), None)


def looks_like(kind: Kind, data: bytes) -> bool:
    """Whether `data` begins as a file of `kind` does; the rest is for its parser to say."""
    return data.startswith(_BEGINS[kind])
