"""DOCX and XLSX (ECMA-376): bounded, the right main part, no macros, nothing foreign, no reach outside."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final
from xml.parsers import expat

from idp.adapters.inspection.kinds import Kind
from idp.adapters.inspection.refusals import Checked, UploadRefused, Why

_MOST_ENTRIES: Final = 1_000
_LONGEST_ENTRY: Final = 32 * 1024 * 1024
_LONGEST_ALL: Final = 96 * 1024 * 1024
_MOST_RATIO: Final = 200
"""Text of XML shrinks to a twentieth; a bomb to a thousandth."""
_SMALL: Final = 1024 * 1024
"""Below it the ratio says nothing: a run of blanks shrinks well."""
_PIECE: Final = 256 * 1024
_CONTENT_TYPES: Final = "[Content_Types].xml"
_MAIN: Final = {
    Kind.DOCX: (
        "word/",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
    ),
    Kind.XLSX: ("xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"),
}
# Programs, foreign objects, and what is fetched or asked when the document is opened.
_ACTIVE_PARTS: Final = re.compile(
    r"vbaproject|vbadata|\.bin$|/embeddings/|/activex/|/ctrlprops/|/macrosheets/|/dialogsheets/"
    r"|/externallinks/|/querytables/|connections\.xml$|customui|/afchunk|\.(?:exe|dll|js|vbs|jar|hta|html?|mht|svg)$"
)
_BLAND_BINARIES: Final = re.compile(r"/(?:printersettings|printerSettings)/[^/]+\.bin$")
_ACTIVE_TYPES: Final = re.compile(r"macroenabled|vba|activex|oleobject|[.-]package$", re.IGNORECASE)
# A field of a text that starts a program or fetches a file ([ECMA-376-1] §17.16.5).
_ACTIVE_FIELDS: Final = re.compile(r"\b(?:DDEAUTO|DDE|INCLUDEPICTURE|INCLUDETEXT|IMPORT)\b", re.IGNORECASE)
_BROKEN: Final = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    EOFError,
    ValueError,
    OSError,
    KeyError,
)


def check(kind: Kind, data: bytes) -> Checked:
    """The document as it came. Raises UploadRefused."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_frame(archive, data)
            _check_entries(archive)
            _check_parts(kind, archive)
    except _BROKEN as broken:
        raise UploadRefused(Why.UNREADABLE, type(broken).__name__) from None
    except RuntimeError:
        # zipfile's answer to a part that wants a password.
        raise UploadRefused(Why.ENCRYPTED) from None
    except expat.ExpatError as broken:
        raise UploadRefused(Why.UNREADABLE, f"XML: {broken.code}") from None
    return Checked(kind, data)


def _check_frame(archive: zipfile.ZipFile, data: bytes) -> None:
    """Nothing before the archive, between its parts' list and its end, or behind it."""
    entries = archive.infolist()
    ends_at_end = data[-22:-18] == b"PK\x05\x06" and not archive.comment
    if not entries or min(entry.header_offset for entry in entries) != 0 or not ends_at_end:
        raise UploadRefused(Why.TWO_THINGS, "octets around the archive")


def _check_entries(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    if len(entries) > _MOST_ENTRIES or sum(entry.file_size for entry in entries) > _LONGEST_ALL:
        raise UploadRefused(Why.TOO_MUCH_INSIDE, "too many parts, or too long")
    names = [entry.filename for entry in entries]
    if len({name.lower() for name in names}) != len(names):
        raise UploadRefused(Why.UNREADABLE, "a part that is there twice")
    for entry in entries:
        if entry.file_size > _LONGEST_ENTRY or _is_blown_up(entry.file_size, entry.compress_size):
            raise UploadRefused(Why.TOO_MUCH_INSIDE, "a part that is blown up")
        if entry.flag_bits & 0x1:
            raise UploadRefused(Why.ENCRYPTED)
        if _leads_outside(entry.filename):
            raise UploadRefused(Why.UNREADABLE, "a part with a path")
        name = f"/{entry.filename.lower()}"
        if _ACTIVE_PARTS.search(name) and not _BLAND_BINARIES.search(name):
            raise UploadRefused(Why.ACTIVE, entry.filename[:80])


def _is_blown_up(size: int, packed: int) -> bool:
    return size > _SMALL and size > packed * _MOST_RATIO


def _leads_outside(name: str) -> bool:
    return name.startswith("/") or "\\" in name or ":" in name or "\0" in name or ".." in name.split("/")


def _check_parts(kind: Kind, archive: zipfile.ZipFile) -> None:
    if _CONTENT_TYPES not in archive.namelist():
        raise UploadRefused(Why.NOT_WHAT_IT_SAYS, "an archive, but no document")
    for entry in archive.infolist():
        name = entry.filename.lower()
        if name.endswith((".xml", ".rels")):
            _read_part(kind, entry.filename, b"".join(_pieces(archive, entry)))
        else:
            for _ in _pieces(archive, entry):
                pass


def _pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """What a part holds; it is not longer than its header says, whatever that says."""
    left = entry.file_size
    with archive.open(entry) as part:
        while piece := part.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise UploadRefused(Why.TOO_MUCH_INSIDE, "a part longer than it says")
            yield piece


def _read_part(kind: Kind, name: str, content: bytes) -> None:
    reader = _Reader()
    reader.read(content)
    if name == _CONTENT_TYPES:
        _check_types(kind, reader.elements)
    elif name.lower().endswith(".rels"):
        _check_relationships(reader.elements)
    if _ACTIVE_FIELDS.search(reader.fields):
        raise UploadRefused(Why.ACTIVE, "a field that fetches or starts something")


class _Reader:
    """One XML part: its elements with their attributes where it is a list of those, and its field codes.

    A document type, with which entities that grow or reach outside are declared, is refused.
    """

    def __init__(self) -> None:
        self.elements: list[tuple[str, dict[str, str]]] = []
        self._fields: list[str] = []
        self._in_field = False
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._parser.StartDoctypeDeclHandler = self._refuse

    @property
    def fields(self) -> str:
        return "".join(self._fields)

    def read(self, content: bytes) -> None:
        """Raises UploadRefused, ExpatError."""
        self._parser.Parse(content, True)  # noqa: FBT003 - expat's signature

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(" ")[2]
        if name in {"Relationship", "Override", "Default"}:
            self.elements.append((name, attributes))
        self._in_field = name == "instrText"
        if name == "fldSimple":
            self._fields.append(f" {' '.join(attributes.values())} ")

    def _end(self, tag: str) -> None:
        self._in_field = False
        # The code of one field may be spread over several pieces of text.
        if tag.endswith(" p"):
            self._fields.append("\n")

    def _text(self, text: str) -> None:
        if self._in_field:
            self._fields.append(text)

    def _refuse(self, *_declared: object) -> None:
        raise UploadRefused(Why.ACTIVE, "a document type in XML")


def _check_types(kind: Kind, elements: list[tuple[str, dict[str, str]]]) -> None:
    types = [(each.get("PartName", ""), each.get("ContentType", "")) for _, each in elements]
    if any(_ACTIVE_TYPES.search(content_type) for _, content_type in types):
        raise UploadRefused(Why.ACTIVE, "a type of part that runs")
    mains = {
        each
        for each, (folder, main) in _MAIN.items()
        for part, content_type in types
        if content_type == main and part.lstrip("/").lower().startswith(folder)
    }
    if mains == set(_MAIN):
        raise UploadRefused(Why.TWO_THINGS, "a text and a workbook in one")
    if mains != {kind}:
        raise UploadRefused(Why.NOT_WHAT_IT_SAYS, "another main part")


def _check_relationships(elements: list[tuple[str, dict[str, str]]]) -> None:
    """A link that a reader may click is no reach outside; a template, a picture or an object is."""
    for _, each in elements:
        is_link = each.get("Type", "").endswith("/hyperlink")
        if each.get("TargetMode", "").lower() == "external" and not is_link:
            raise UploadRefused(Why.ACTIVE, "a relationship that reaches outside")
