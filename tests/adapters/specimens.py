"""Files to upload, good and evil, made on the spot: small, and each evil in one way only."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from functools import cache
from itertools import pairwise

from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, NumberObject, TextStringObject

RED, WORD_CLASS, EXCEL_CLASS = (200, 30, 30), "00020906", "00020820"
_CLASS_TAIL = bytes.fromhex("0000 0000 c000 0000 0000 0046")
_USUAL_TYPES = (
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/docProps/core.xml"'
    ' ContentType="application/vnd.openxmlformats-package.core-properties+xml"/>'
)
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAINS = {
    "word": (
        "word/document.xml",
        "wordprocessingml.document.main+xml",
        f"<w:document xmlns:w='{WORD}' xmlns:mc='mc'>{{}}</w:document>",
    ),
    "xl": ("xl/workbook.xml", "spreadsheetml.sheet.main+xml", "<x:workbook xmlns:x='x'>{}</x:workbook>"),
}


@cache
def jpg(size: tuple[int, int] = (60, 40), **saved: object) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, RED).save(made, "JPEG", **saved)
    return made.getvalue()


@cache
def png(size: tuple[int, int] = (60, 40), mode: str = "RGB") -> bytes:
    made = io.BytesIO()
    Image.new(mode, size, 0).save(made, "PNG")
    return made.getvalue()


def animated_png() -> bytes:
    made, frames = io.BytesIO(), [Image.new("RGB", (20, 20), (shade, 0, 0)) for shade in (0, 200)]
    frames[0].save(made, "PNG", save_all=True, append_images=frames[1:])
    return made.getvalue()


def a_phones_photograph() -> bytes:
    """Two pictures in one JPEG (MPO), the way phones store a map of brightness, with a place in its EXIF."""
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    exif[0x010F] = "Secret Phone Maker"
    exif.get_ifd(0x8825)[2] = (43.0, 53.0, 0.0)
    pictures = [Image.new("RGB", (60, 40), shade) for shade in (RED, (0, 0, 0))]
    made = io.BytesIO()
    pictures[0].save(made, "MPO", save_all=True, append_images=pictures[1:], exif=exif)
    return made.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    """The head of a PNG of that size, and hardly anything behind it."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def _written(writer: PdfWriter) -> bytes:
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


@cache
def pdf(pages: int = 1) -> bytes:
    writer = PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(595, 842)
    return _written(writer)


def pdf_with(**found: object) -> bytes:
    """A PDF whose root has one more entry: its name without the slash, and what it holds."""
    writer = PdfWriter()
    writer.add_blank_page(595, 842)
    for key, value in found.items():
        writer.root_object[NameObject(f"/{key}")] = value
    return _written(writer)


def an_action(kind: str, **more: object) -> DictionaryObject:
    action = DictionaryObject({NameObject("/S"): NameObject(f"/{kind}")})
    action.update({NameObject(f"/{key}"): value for key, value in more.items()})
    return action


def words(text: str) -> TextStringObject:
    return TextStringObject(text)


def pdf_with_attachment() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(595, 842)
    writer.add_attachment("setup.exe", b"MZ")
    return _written(writer)


def encrypted_pdf() -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(595, 842)
    writer.encrypt("secret", algorithm="AES-256")
    return _written(writer)


@cache
def pdf_bomb(megabytes: int = 130) -> bytes:
    """A page whose content unfolds to so much, out of a thousandth."""
    writer = PdfWriter()
    page = writer.add_blank_page(595, 842)
    packer = zlib.compressobj(1)
    piece = b" " * 1024 * 1024
    packed = b"".join(packer.compress(piece) for _ in range(megabytes)) + packer.flush()
    stream = DecodedStreamObject()
    stream._data = packed
    stream[NameObject("/Filter")] = NameObject("/FlateDecode")
    stream[NameObject("/Length")] = NumberObject(len(packed))
    # As it stands: the writer would pack it once more.
    page[NameObject("/Contents")] = writer._add_object(stream)
    return _written(writer)


def pdf_with_a_picture_of(width: int, height: int) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(595, 842)
    stream = DecodedStreamObject()
    stream.set_data(b"x")
    for key, value in {"Subtype": NameObject("/Image"), "Width": NumberObject(width)}.items():
        stream[NameObject(f"/{key}")] = value
    stream[NameObject("/Height")] = NumberObject(height)
    writer._add_object(stream)
    return _written(writer)


@cache
def office(
    folder: str = "word",
    *,
    inside: str = "",
    main_type: str = "",
    types: str = "",
    relationships: str = "",
    **parts: bytes | str,
) -> bytes:
    """A DOCX (`word`) or XLSX (`xl`) with further `parts`, given by their names with `__` for a slash."""
    name, content_type, frame = _MAINS[folder]
    whole_type = main_type or f"application/vnd.openxmlformats-officedocument.{content_type}"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="t">{_USUAL_TYPES}{types}'
            f'<Override PartName="/{name}" ContentType="{whole_type}"/></Types>',
        )
        archive.writestr("_rels/.rels", f'<Relationships xmlns="r">{relationships}</Relationships>')
        archive.writestr(name, frame.format(inside))
        for part, content in parts.items():
            archive.writestr(part.replace("__", "/"), content)
    return made.getvalue()


def a_type(part: str, content_type: str) -> str:
    whole = f"application/vnd.openxmlformats-officedocument.{content_type}"
    return f'<Override PartName="/{part}" ContentType="{whole}"/>'


def a_relationship(
    kind: str, target: str = "http://evil", mode: str = "External", *, to: str = OFFICE
) -> str:
    return f'<Relationship Id="1" Type="{to}/{kind}" Target="{target}" TargetMode="{mode}"/>'


def a_field(*pieces: str) -> str:
    """A paragraph with a field of Word's: pieces of its code, or of XML between them."""
    code = (piece if piece.startswith("<") else f"<w:instrText>{piece}</w:instrText>" for piece in pieces)
    return f"<w:p>{FIELD_BEGINS}{''.join(code)}{FIELD_ENDS}</w:p>"


FIELD_BEGINS, FIELD_ENDS = (f'<w:fldChar w:fldCharType="{kind}"/>' for kind in ("begin", "end"))


def a_formula(formula: str, element: str = "f") -> bytes:
    """An XLSX with a formula, which stands in its sheet as this element."""
    escaped = formula.replace("&", "&amp;").replace("<", "&lt;")
    sheet = f"<x:worksheet xmlns:x='x'><x:{element}>{escaped}</x:{element}></x:worksheet>"
    return office("xl", **{"xl__worksheets__sheet1.xml": sheet})


def an_svg(inside: str = "", **attributes: str) -> str:
    told = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:l="http://www.w3.org/1999/xlink"{told}>{inside}</svg>'
    )


def archive(**parts: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as written:
        for name, content in parts.items():
            written.writestr(name.replace("__", "/"), content)
    return made.getvalue()


def zip_bomb(megabytes: int = 30) -> bytes:
    """A DOCX with a part that unfolds a thousandfold."""
    return office(word__media__image1=b"\0" * megabytes * 1024 * 1024)


def zip_that_lies() -> bytes:
    """A DOCX with a part that says it is 10 octets long, and is two million."""
    made = bytearray(office(word__media__a=b"\0" * 2_000_000))
    real = struct.pack("<I", 2_000_000)
    while (place := made.find(real)) >= 0:
        made[place : place + 4] = struct.pack("<I", 10)
    return bytes(made)


def ole(streams: dict[str, bytes], program: str = "") -> bytes:
    """A compound file ([MS-CFB]) of version 3 with these streams; a slash makes a storage around one."""
    return _Compound(streams, program).made()


OWN_OLE = struct.pack("<5I", 0x02000001, 0, 0, 0, 0)
"""What LibreOffice writes into the stream \\x01Ole of a document: that it is an object, and here."""


def doc(flags: int = 0, **more: bytes) -> bytes:
    head = b"\xec\xa5" + b"\0" * 8 + struct.pack("<H", flags) + b"\0" * 20
    return ole({"WordDocument": head, **{_slashed(name): body for name, body in more.items()}}, WORD_CLASS)


def xls(*records: tuple[int, bytes], **more: bytes) -> bytes:
    book = b"".join(
        struct.pack("<HH", number, len(body)) + body for number, body in ((0x809, b"\0" * 16), *records)
    )
    return ole({"Workbook": book, **{_slashed(name): body for name, body in more.items()}}, EXCEL_CLASS)


def a_sheet(kind: int) -> tuple[int, bytes]:
    """The record of a workbook that names a sheet of this kind."""
    return 0x85, struct.pack("<IBB", 0, 0, kind) + b"\x01\0A"


def _slashed(name: str) -> str:
    return name.replace("__", "/")


class _Compound:
    """Written one stream behind the other; each is padded to 4,096 octets, so that none is a small one."""

    FREE, END, FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD

    def __init__(self, streams: dict[str, bytes], program: str) -> None:
        self.program, self.sectors, self.chain = program, list[bytes](), list[int]()
        self.entries: list[tuple[str, int, int, int, int, int]] = []
        self.tree: dict[str, object] = {}
        for path, body in streams.items():
            *storages, name = path.split("/")
            at = self.tree
            for storage in storages:
                at = at.setdefault(storage, {})  # type: ignore[assignment]  # a tree of names
            at[name] = body.ljust(4096, b"\0")

    def made(self) -> bytes:
        self.entries.append(("Root Entry", 5, self.FREE, self.FREE, self.END, 0))
        child = self._list(self.tree)
        directory = self._put(
            b"".join(self._entry(i, child if i == 0 else -1) for i in range(len(self.entries)))
        )
        fat_at = len(self.sectors)
        self.chain.append(self.FAT)
        table = struct.pack(f"<{len(self.chain)}I", *self.chain).ljust(512, b"\xff")
        head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16
        head += struct.pack(
            "<HHHHH6xIIIIIIIIII",
            0x3E,
            3,
            0xFFFE,
            9,
            6,
            0,
            1,
            directory,
            0,
            4096,
            self.END,
            0,
            self.END,
            0,
            fat_at,
        )
        return head.ljust(512, b"\xff") + b"".join(self.sectors) + table

    def _list(self, tree: dict[str, object]) -> int:
        """Write the entries of a storage, each the right neighbour of the one before; its first."""
        numbers = []
        for name, body in tree.items():
            numbers.append(len(self.entries))
            if isinstance(body, bytes):
                self.entries.append((name, 2, self.FREE, self.FREE, self._put(body), len(body)))
            else:
                self.entries.append((name, 1, self.FREE, self.FREE, 0, 0))
                below = self._list(body)  # type: ignore[arg-type]  # a tree of names
                kind = self.entries[numbers[-1]]
                self.entries[numbers[-1]] = (kind[0], 1, kind[2], below, 0, 0)
        for number, neighbour in pairwise(numbers):
            name, sort, _, below, start, size = self.entries[number]
            self.entries[number] = (name, sort, neighbour, below, start, size)
        return numbers[0] if numbers else self.FREE

    def _put(self, body: bytes) -> int:
        start, pieces = len(self.sectors), range(0, len(body), 512)
        for place in pieces:
            self.sectors.append(body[place : place + 512].ljust(512, b"\0"))
            self.chain.append(len(self.sectors))
        self.chain[-1] = self.END
        return start

    def _entry(self, number: int, child: int) -> bytes:
        name, sort, right, below, start, size = self.entries[number]
        written = name.encode("utf-16-le") + b"\0\0"
        is_root = number == 0
        program = (
            struct.pack("<I", int(self.program, 16)) + _CLASS_TAIL if is_root and self.program else b"\0" * 16
        )
        return (
            written.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(written), sort, 1, self.FREE, right, child if is_root else below)
            + program
            + b"\0" * 20
            + struct.pack("<IQ", start, size)
        )
