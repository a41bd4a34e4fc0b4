"""DOC and XLS (MS-CFB): the right document inside, no macros, nothing embedded, not encrypted."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Final

import olefile

from idp.adapters.inspection import strangers
from idp.adapters.inspection.kinds import Kind
from idp.adapters.inspection.refusals import Checked, UploadRefused, Why

_STREAMS: Final = {Kind.DOC: ("WordDocument",), Kind.XLS: ("Workbook", "Book")}
# Which program a document belongs to ([MS-DOC] §2.1, [MS-XLS] §2.1); those that write none leave it empty.
_CLASSES: Final = {
    Kind.DOC: {"00020906-0000-0000-C000-000000000046", "00020900-0000-0000-C000-000000000046"},
    Kind.XLS: {"00020820-0000-0000-C000-000000000046", "00020810-0000-0000-C000-000000000046"},
}
_NO_CLASS: Final = {"", "00000000-0000-0000-0000-000000000000"}
_MACROS: Final = {"macros", "_vba_project_cur", "_vba_project", "vba", "vbaproject", "projectwm"}
_EMBEDDED: Final = {"\x01ole10native", "package", "\x01ole", "\x01compobjembedded", "objectpool", "mbd"}
_OWN_OLE: Final = "\x01Ole"
_LINKED: Final = 0x00000001  # [MS-OLEDS] §2.3.3: what lies here is elsewhere, and fetched from there
_SEALED: Final = {"encryptedpackage", "encryptioninfo", "\x06dataspaces"}
_MOST_ENTRIES: Final = 500
_LONGEST_STREAM: Final = 40 * 1024 * 1024
# Records of a workbook ([MS-XLS] §2.4): what says that it is encrypted, and what a sheet is.
_FILE_PASS, _BOUND_SHEET = 0x002F, 0x0085
_MACRO_SHEET: Final = {1, 6}


def check(kind: Kind, data: bytes) -> Checked:
    """The document as it came. Raises UploadRefused."""
    strangers.refuse_archive(data)
    try:
        with olefile.OleFileIO(io.BytesIO(data), raise_defects=olefile.DEFECT_FATAL) as found:
            _check_entries(found)
            _check_main(kind, found)
    except UploadRefused:
        raise
    except Exception as broken:  # noqa: BLE001 - the library raises whatever a broken file makes it meet
        raise UploadRefused(Why.UNREADABLE, type(broken).__name__) from None
    return Checked(kind, data)


def _check_entries(found: olefile.OleFileIO) -> None:
    entries = found.listdir(streams=True, storages=True)
    if len(entries) > _MOST_ENTRIES:
        raise UploadRefused(Why.TOO_MUCH_INSIDE, "too many streams")
    names = {part.lower() for entry in entries for part in entry}
    if names & _SEALED:
        raise UploadRefused(Why.ENCRYPTED)
    if names & _MACROS or any(name.startswith("mbd") and len(name) > 3 for name in names):
        raise UploadRefused(Why.ACTIVE, "macros, or a workbook's embedded objects")
    # Word leaves an empty ObjectPool behind; one that holds something holds a foreign object.
    pooled = any(len(entry) > 1 and entry[0].lower() == "objectpool" for entry in entries)
    # LibreOffice says beside the text that the document is an object; in a storage it would be another one.
    foreign = {part.lower() for entry in entries for part in entry if entry != [_OWN_OLE]}
    if pooled or foreign & (_EMBEDDED - {"objectpool"}):
        raise UploadRefused(Why.ACTIVE, "an embedded object")
    if [_OWN_OLE] in entries and _is_elsewhere(found.openstream(_OWN_OLE).read()):
        raise UploadRefused(Why.ACTIVE, "an object that is elsewhere")


def _is_elsewhere(ole: bytes) -> bool:
    """Whether this stream says that the document is to be fetched: by its flag, or as it names a place."""
    if len(ole) < 20:
        return True
    return bool(struct.unpack_from("<I", ole, 4)[0] & _LINKED) or any(ole[16:])


def _check_main(kind: Kind, found: olefile.OleFileIO) -> None:
    there = {each for each, names in _STREAMS.items() if any(map(found.exists, names))}
    if there == set(_STREAMS):
        raise UploadRefused(Why.TWO_THINGS, "a text and a workbook in one")
    if there != {kind} or found.root.clsid.upper() not in _CLASSES[kind] | _NO_CLASS:
        raise UploadRefused(Why.NOT_WHAT_IT_SAYS, found.root.clsid)
    name = next(name for name in _STREAMS[kind] if found.exists(name))
    if found.get_size(name) > _LONGEST_STREAM:
        raise UploadRefused(Why.TOO_MUCH_INSIDE, "an endless stream")
    content = found.openstream(name).read()
    if kind is Kind.DOC:
        _check_text(content)
    else:
        _check_workbook(content)


def _check_text(content: bytes) -> None:
    """The head of a text ([MS-DOC] §2.5.2): its signature, and whether it is encrypted."""
    if len(content) < 12 or content[:2] not in {b"\xec\xa5", b"\xdc\xa5"}:
        raise UploadRefused(Why.UNREADABLE, "no head of a text")
    if struct.unpack_from("<H", content, 10)[0] & 0x0100:
        raise UploadRefused(Why.ENCRYPTED)


def _check_workbook(content: bytes) -> None:
    for record, body in _records(content):
        if record == _FILE_PASS:
            raise UploadRefused(Why.ENCRYPTED)
        if record == _BOUND_SHEET and len(body) > 5 and body[5] in _MACRO_SHEET:
            raise UploadRefused(Why.ACTIVE, "a sheet of macros")


def _records(content: bytes) -> Iterator[tuple[int, bytes]]:
    place = 0
    while place + 4 <= len(content):
        record, length = struct.unpack_from("<HH", content, place)
        yield record, content[place + 4 : place + 4 + length]
        place += 4 + length
