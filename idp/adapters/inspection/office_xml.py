"""DOCX and XLSX (ECMA-376): bounded, the right main part, no macros, nothing foreign, no reach outside."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote
from xml.parsers import expat

from idp.adapters.inspection import office_markup
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
    r"|/externallinks/|/querytables/|connections\.xml$|customui|/afchunk|\.(?:exe|dll|js|vbs|jar|hta|html?|mht)$"
)
_BLAND_BINARIES: Final = re.compile(r"/printersettings/[^/]+\.bin$|/fonts/[^/]+\.(?:odttf|fntdata|ttf|otf)$")
_NEVER_BLAND: Final = (b"MZ", b"\xd0\xcf\x11\xe0", b"PK\x03\x04", b"{\\rtf", b"%PDF", b"\x7fELF")
_PICTURES: Final = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|BM.{4}\0{4}|II\*\0|MM\0\*|RIFF.{4}WEBP"
    # JPEG XR, EMF, WMF with a head of its own and without.
    rb"|II\xbc[\0\x01]|\x01\0\0\0.{36} EMF|\xd7\xcd\xc6\x9a|[\x01\x02]\0\x09\0\0[\x01\x03]",
    re.DOTALL,
)
_LONGEST_MARK: Final = 64
_ACTIVE_TYPES: Final = re.compile(r"macroenabled|vba|activex|oleobject|[.-]package$", re.IGNORECASE)
# By the end of their type, as two namespaces and Microsoft's own have them. A list of what is refused, since
# of what may stay there is no end: each year's Office adds to it. A program takes no notice of a type that it
# does not know, and a part that is neither XML, which is judged, nor a picture is refused anyway.
_ACTIVE_RELATIONSHIPS: Final = re.compile(
    r"afchunk|oleobject|package|control|ctrlprop|activex\w*|attachedtemplate|subdocument|frame|transform"
    r"|(?:xl)?externallink\w*|xl(?:pathmissing|startup|alternatestartup|library)|connections|querytable"
    r"|vbaproject\w*|wordvbadata|keymapcustomizations|attachedtoolbars|customui|extensibility|usercustomization"
    r"|xl(?:intl)?macrosheet|dialogsheet|volatiledependencies|webextension\w*|mailmerge(?:header)?source"
)
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
    """Every part is XML, and judged as that, a picture, or one of those that nobody reads."""
    if _CONTENT_TYPES not in archive.namelist():
        raise UploadRefused(Why.NOT_WHAT_IT_SAYS, "an archive, but no document")
    types = _Types(_read(kind, archive, archive.getinfo(_CONTENT_TYPES)).elements)
    types.check(kind)
    for entry in archive.infolist():
        name = f"/{entry.filename.lower()}"
        if types.is_xml(name):
            reader = _read(kind, archive, entry)
            if name.endswith(".rels"):
                _check_relationships(reader.elements)
            if types.is_drawing(name) and not office_markup.is_drawing(reader.root):
                raise UploadRefused(Why.ACTIVE, "a drawing that is none")
        elif name.endswith(".vml"):
            office_markup.check_vml(b"".join(_pieces(archive, entry)))
        else:
            _check_binary(name, b"".join(piece[:_LONGEST_MARK] for piece in _pieces(archive, entry)))


def _check_binary(name: str, head: bytes) -> None:
    is_bland = _BLAND_BINARIES.search(name) and not head.startswith(_NEVER_BLAND)
    # An archive may name its folders; a signature's beginning is empty too.
    if head and not is_bland and not _PICTURES.match(head):
        raise UploadRefused(Why.ACTIVE, f"neither text nor picture: {name[:80]}")


def _read(kind: Kind, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> office_markup.Reader:
    reader = office_markup.Reader(kind)
    reader.read(b"".join(_pieces(archive, entry)))
    return reader


def _pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """What a part holds; it is not longer than its header says, whatever that says."""
    left = entry.file_size
    with archive.open(entry) as part:
        while piece := part.read(_PIECE):
            left -= len(piece)
            if left < 0:
                raise UploadRefused(Why.TOO_MUCH_INSIDE, "a part longer than it says")
            yield piece


class _Types:
    """What the parts are declared to be: each by its name, or all those of an ending."""

    def __init__(self, elements: list[tuple[str, dict[str, str]]]) -> None:
        self._declared = [
            (
                unquote(each.get("PartName", "")).strip().lower(),
                each.get("Extension", "").strip().lower(),
                each.get("ContentType", "").strip().lower(),
            )
            for _, each in elements
        ]
        self._by_name: dict[str, set[str]] = {}
        for part, ending, content_type in self._declared:
            self._by_name.setdefault(part or f".{ending}", set()).add(content_type)

    def check(self, kind: Kind) -> None:
        """Raises UploadRefused."""
        if any(_ACTIVE_TYPES.search(content_type) for _, _, content_type in self._declared):
            raise UploadRefused(Why.ACTIVE, "a type of part that runs")
        mains = {
            part: each
            for each, (folder, main) in _MAIN.items()
            for part, _, content_type in self._declared
            if content_type == main and part.lstrip("/").startswith(folder)
        }
        if set(mains.values()) == set(_MAIN):
            raise UploadRefused(Why.TWO_THINGS, "a text and a workbook in one")
        if set(mains.values()) != {kind} or not all(part.endswith(".xml") for part in mains):
            raise UploadRefused(Why.NOT_WHAT_IT_SAYS, "another main part")

    def is_xml(self, name: str) -> bool:
        """Whether the part of this name is XML, as its name says or as it is declared."""
        return name.endswith((".xml", ".rels", ".svg")) or any(
            each.endswith("xml") for each in self._of(name)
        )

    def is_drawing(self, name: str) -> bool:
        return name.endswith(".svg") or any(each.startswith("image/svg") for each in self._of(name))

    def _of(self, name: str) -> set[str]:
        ending = f".{name.rpartition('.')[2]}"
        return self._by_name.get(unquote(name)) or self._by_name.get(ending, set())


def _check_relationships(elements: list[tuple[str, dict[str, str]]]) -> None:
    """A link that a reader may click is no reach outside; a template, a picture or an object is."""
    for _, each in elements:
        kind = each.get("Type", "").strip().rstrip("/").rpartition("/")[2].lower()
        if _ACTIVE_RELATIONSHIPS.fullmatch(kind):
            raise UploadRefused(Why.ACTIVE, f"a relationship that acts: {kind[:80]}")
        is_outside = each.get("TargetMode", "").strip().lower() == "external"
        if kind != "hyperlink" and (is_outside or office_markup.ADDRESS.match(each.get("Target", ""))):
            raise UploadRefused(Why.ACTIVE, "a relationship that reaches outside")
