"""PDF: whole, bounded, not encrypted, and nothing in it that acts (ISO 32000).

Two readers must agree on it: pypdf, in its strict way, walks every object; PDFium, which later draws the
pages for those who judge them, must find as many pages.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from typing import Any, Final

import pypdfium2
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, NameObject, StreamObject

from idp.adapters.inspection import strangers
from idp.adapters.inspection.kinds import Kind
from idp.adapters.inspection.refusals import Checked, UploadRefused, Why

MOST_PAGES: Final = 20
_MOST_OBJECTS: Final = 20_000
_DEEPEST: Final = 40
_LONGEST_STREAM: Final = 128 * 1024 * 1024
_LONGEST_ALL: Final = 384 * 1024 * 1024
_MOST_PIXELS: Final = 60_000_000
_FLATE: Final = {"/FlateDecode", "/Fl"}
_PIECE: Final = 1024 * 1024
# What a document holds, or does when it is opened, that no paper does. A link to a web page may stay.
_ACTIVE_KEYS: Final = {
    "/JS",
    "/JavaScript",
    "/EmbeddedFiles",
    "/EmbeddedFile",
    "/EF",
    "/XFA",
    "/RichMediaContent",
    "/RichMediaSettings",
    "/Movie",
    "/3DD",
}
_ACTIVE_ACTIONS: Final = {
    "/JavaScript",
    "/Launch",
    "/ImportData",
    "/SubmitForm",
    "/GoToR",
    "/GoToE",
    "/Rendition",
    "/Movie",
    "/Sound",
    "/RichMediaExecute",
    "/GoTo3DView",
}
_ACTIVE_TYPES: Final = {"/EmbeddedFile", "/Filespec", "/RichMedia", "/FileAttachment"}
_QUIET_OPENINGS: Final = {"/GoTo", "/Named"}


def check(kind: Kind, data: bytes) -> Checked:
    """The document as it came, with the number of its pages. Raises UploadRefused."""
    strangers.refuse_archive(data)
    strangers.refuse_markup(data)
    _refuse_tail(data)
    try:
        pages, others = _check_with_pypdf(data), _pages_by_pdfium(data)
    except (UploadRefused, MemoryError):
        raise
    except Exception as broken:  # noqa: BLE001 - the readers raise whatever a broken file makes them meet
        raise UploadRefused(Why.UNREADABLE, type(broken).__name__) from None
    if pages != others:
        raise UploadRefused(Why.UNREADABLE, "two readers count its pages differently")
    return Checked(kind, data, pages)


def _refuse_tail(data: bytes) -> None:
    """Nothing but blanks behind the last end of the file."""
    _, mark, tail = data.rpartition(b"%%EOF")
    if not mark:
        raise UploadRefused(Why.UNREADABLE, "no end")
    if tail.strip(b"\0 \t\r\n\x0c\x1a"):
        raise UploadRefused(Why.TWO_THINGS, "octets behind the end")


def _check_with_pypdf(data: bytes) -> int:
    reader = PdfReader(io.BytesIO(data), strict=True)
    if reader.is_encrypted:
        raise UploadRefused(Why.ENCRYPTED)
    _check_opening(reader)
    left = _LONGEST_ALL
    for each in _all_objects(reader):
        left -= _check_object(each, left)
    pages = len(reader.pages)
    if pages > MOST_PAGES:
        raise UploadRefused(Why.TOO_MANY_PAGES, str(pages))
    if pages == 0:
        raise UploadRefused(Why.UNREADABLE, "no page")
    return pages


def _check_opening(reader: PdfReader) -> None:
    """What happens when the document is opened: at most a leap to a page."""
    opening = _resolved(reader.root_object.get("/OpenAction"))
    if isinstance(opening, DictionaryObject) and opening.get("/S") not in _QUIET_OPENINGS:
        raise UploadRefused(Why.ACTIVE, "an action at its opening")


def _all_objects(reader: PdfReader) -> Iterator[Any]:
    """Every object the file has, in use or not."""
    numbers = {(number, generation) for generation, found in reader.xref.items() for number in found}
    numbers |= {(number, 0) for number in reader.xref_objStm}
    if len(numbers) > _MOST_OBJECTS:
        raise UploadRefused(Why.TOO_MUCH_INSIDE, "too many objects")
    yield reader.trailer
    for number, generation in sorted(numbers):
        if number:
            yield reader.get_object(IndirectObject(number, generation, reader))


def _check_object(found: Any, left: int) -> int:
    """Check one object with what stands directly in it; how many octets its stream unfolds to."""
    unfolded = 0
    for each in _parts(found, _DEEPEST):
        if isinstance(each, DictionaryObject):
            _check_dictionary(each)
    if isinstance(found, StreamObject):
        _check_picture(found)
        unfolded = _unfolded(found, min(left, _LONGEST_STREAM))
    return unfolded


def _parts(found: Any, depth: int) -> Iterator[Any]:
    """`found` and all that stands in it; what it refers to is an object of its own."""
    if depth == 0:
        raise UploadRefused(Why.TOO_MUCH_INSIDE, "nested too deep")
    yield found
    inner: list[Any] = []
    if isinstance(found, DictionaryObject):
        inner = [dict.get(found, key) for key in found]
    elif isinstance(found, ArrayObject):
        inner = list(found)
    for each in inner:
        if isinstance(each, DictionaryObject | ArrayObject):
            yield from _parts(each, depth - 1)


def _check_dictionary(found: DictionaryObject) -> None:
    if active := _ACTIVE_KEYS.intersection(found):
        raise UploadRefused(Why.ACTIVE, min(active))
    if {_name(found, "/Type"), _name(found, "/Subtype")} & _ACTIVE_TYPES:
        raise UploadRefused(Why.ACTIVE, "something attached")
    # /S is the kind of an action, and of things that do nothing, which have other names.
    if _name(found, "/S") in _ACTIVE_ACTIONS:
        raise UploadRefused(Why.ACTIVE, _name(found, "/S"))


def _check_picture(found: StreamObject) -> None:
    if _name(found, "/Subtype") != "/Image":
        return
    width, height = (_resolved(dict.get(found, key)) for key in ("/Width", "/Height"))
    if not isinstance(width, int) or not isinstance(height, int) or width * height > _MOST_PIXELS:
        raise UploadRefused(Why.TOO_MANY_PIXELS)


def _unfolded(found: StreamObject, most: int) -> int:
    """How long the stream is once unfolded, as far as it is deflated. Raises UploadRefused."""
    filters = _resolved(dict.get(found, "/Filter"))
    names = [str(_resolved(each)) for each in filters] if isinstance(filters, ArrayObject) else [str(filters)]
    packed = sum(name in _FLATE for name in names)
    if packed > 1 or len(names) > 2:
        raise UploadRefused(Why.TOO_MUCH_INSIDE, "packed more than once")
    if names[0] not in _FLATE:
        return len(found._data)  # noqa: SLF001 - as it stands in the file; get_data would unfold it whole
    length, unpacker, rest = 0, zlib.decompressobj(), found._data  # noqa: SLF001 - as above
    while rest and not unpacker.eof:
        try:
            length += len(unpacker.decompress(rest, _PIECE))
        except zlib.error:
            # Cut short or padded: the readers show what is there.
            break
        if length > most:
            raise UploadRefused(Why.TOO_MUCH_INSIDE, "a stream that is blown up")
        rest = unpacker.unconsumed_tail
    return length


def _name(found: DictionaryObject, key: str) -> str:
    value = _resolved(dict.get(found, key))
    return re.sub(r"[^\w/]", "", str(value)) if isinstance(value, NameObject) else ""


def _resolved(value: Any) -> Any:
    return value.get_object() if isinstance(value, IndirectObject) else value


def _pages_by_pdfium(data: bytes) -> int:
    document = pypdfium2.PdfDocument(data)
    try:
        return len(document)
    finally:
        document.close()
