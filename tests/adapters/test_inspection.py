"""What an uploaded file is, by its content: each kind's rule, and what no rule lets through (SECURITY 65–67).

Most of it is asked without the process that it runs in: that is tested for itself below.
"""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from PIL import Image

from idp.adapters.inspection import (
    Checked,
    Inspector,
    Kind,
    UploadRefused,
    Why,
    cleaned,
    ending_of,
    kind_by_ending,
    looks_like,
    renamed,
)
from idp.adapters.inspection import child as child_process
from idp.adapters.inspection.program import check
from tests.adapters import specimens as a


def why(kind: Kind, data: bytes) -> Why | None:
    """Why the file is refused, None if it stays."""
    try:
        check(kind, data)
    except UploadRefused as refused:
        return refused.why
    return None


def picture(checked: Checked) -> Image.Image:
    return Image.open(io.BytesIO(checked.data))


GOOD: dict[Kind, Callable[[], bytes]] = {
    Kind.PDF: a.pdf,
    Kind.JPG: a.jpg,
    Kind.PNG: a.png,
    Kind.DOC: a.doc,
    Kind.XLS: lambda: a.xls(a.a_sheet(0)),
    Kind.DOCX: a.office,
    Kind.XLSX: lambda: a.office("xl"),
}


def test_a_good_file_of_each_kind_stays_and_a_paper_is_stored_as_it_came() -> None:
    for kind, made in GOOD.items():
        checked = check(kind, made())
        is_picture = kind in {Kind.JPG, Kind.PNG}
        assert checked.kind is (Kind.JPG if is_picture else kind), kind
        assert (checked.data == made()) is not is_picture, kind
    assert check(Kind.PDF, a.pdf(3)).pages == 3


def test_no_file_of_one_kind_passes_as_another() -> None:
    for claimed in Kind:
        for kind, made in GOOD.items():
            if kind is not claimed and looks_like(claimed, made()):
                assert why(claimed, made()) is Why.NOT_WHAT_IT_SAYS, (claimed, kind)
    for other in (b"MZ\x90", b"\x7fELF", b"<svg xmlns=''>", b"<html>", b"GIF89a", b"RIFF", b"{\\rtf1", b""):
        assert not [kind for kind in Kind if looks_like(kind, other)], other


def test_a_picture_is_made_anew_without_where_and_by_what_it_was_taken() -> None:
    sent = a.a_phones_photograph()
    assert b"Secret Phone Maker" in sent
    stored = check(Kind.JPG, sent)
    assert b"Secret Phone Maker" not in stored.data
    assert b"Exif" not in stored.data
    assert dict(picture(stored).getexif()) == {}
    # It lay on its side; what stood behind it (a second picture) is gone.
    assert picture(stored).size == (40, 60)
    assert stored.data.count(b"\xff\xd8\xff") == 1
    hidden = check(Kind.JPG, a.jpg() + b"<script>alert(1)</script>")
    assert b"script" not in hidden.data


def test_every_mode_of_png_becomes_a_jpeg_and_nothing_shows_through() -> None:
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        assert picture(check(Kind.PNG, a.png(mode=mode))).format == "JPEG", mode
    # Black and wholly transparent: paper.
    assert picture(check(Kind.PNG, a.png(mode="RGBA"))).convert("L").getpixel((5, 5)) == 255


def test_a_large_picture_is_stored_smaller() -> None:
    assert max(picture(check(Kind.JPG, a.jpg((5000, 100)))).size) == 4000


def test_pictures_that_are_too_much_are_refused_before_they_are_decoded() -> None:
    for data in (
        a.png_that_claims(50_000, 50_000),
        a.png_that_claims(6_400, 6_400),
        a.png_that_claims(12_001, 1),
    ):
        assert why(Kind.PNG, data) is Why.TOO_MANY_PIXELS
    assert why(Kind.PNG, a.png_that_claims(600, 400)) is Why.UNREADABLE
    assert why(Kind.PNG, a.animated_png()) is Why.ANIMATED
    assert why(Kind.JPG, a.jpg((300, 300))[:-200]) is Why.UNREADABLE


def test_a_file_that_is_two_things_is_refused() -> None:
    archive = a.archive(**{"a.class": b"\xca\xfe\xba\xbe"})
    for kind, data in (
        (Kind.PDF, a.pdf() + archive),
        (Kind.JPG, a.jpg() + archive),
        (Kind.PNG, a.png() + archive),
        (Kind.DOC, a.doc() + archive),
        (Kind.PDF, a.pdf(9) + b"<script>alert(1)</script>"),
        (Kind.PDF, b"%PDF-1.4\n<html><script>alert(1)</script>\n" + a.pdf()),
        (Kind.DOCX, b"<html>" + a.office()),
        (Kind.DOCX, a.office() + b"<html>"),
        (Kind.DOC, a.doc(Workbook=b"x")),
        (Kind.DOCX, a.office(types=a.a_type("xl/workbook.xml", "spreadsheetml.sheet.main+xml"))),
    ):
        assert why(kind, data) is Why.TWO_THINGS, (kind, data[-60:])


def test_a_pdf_that_does_something_or_carries_something_is_refused() -> None:
    for data in (
        a.pdf_with_attachment(),
        a.pdf_with(OpenAction=a.an_action("JavaScript", JS=a.words("app.alert(1)"))),
        a.pdf_with(OpenAction=a.an_action("URI", URI=a.words("http://evil"))),
        a.pdf_with(AA=a.an_action("Launch", F=a.words("cmd.exe"))),
        a.pdf_with(AA=a.an_action("SubmitForm", F=a.words("http://evil"))),
        a.pdf_with(AcroForm=a.an_action("None", XFA=a.words("<xdp>"))),
        a.pdf_with(Names=a.an_action("None", JavaScript=a.words("x"))),
    ):
        assert why(Kind.PDF, data) is Why.ACTIVE
    assert why(Kind.PDF, a.pdf_with(OpenAction=a.an_action("GoTo"))) is None


def test_a_pdf_is_bounded_and_open() -> None:
    assert why(Kind.PDF, a.pdf(20)) is None
    assert why(Kind.PDF, a.pdf(21)) is Why.TOO_MANY_PAGES
    assert why(Kind.PDF, a.encrypted_pdf()) is Why.ENCRYPTED
    assert why(Kind.PDF, a.pdf_bomb()) is Why.TOO_MUCH_INSIDE
    assert why(Kind.PDF, a.pdf_with_a_picture_of(50_000, 50_000)) is Why.TOO_MANY_PIXELS
    assert why(Kind.PDF, a.pdf()[:-40]) is Why.UNREADABLE


def test_a_document_with_macros_objects_or_a_reach_outside_is_refused() -> None:
    macro = "application/vnd.ms-word.document.macroEnabled.main+xml"
    for data in (
        a.office(**{"word__vbaProject.bin": b"x"}),
        a.office(main_type=macro),
        a.office(**{"word__embeddings__oleObject1.bin": b"x"}),
        a.office(**{"word__embeddings__Book.xlsx": b"x"}),
        a.office(**{"word__activeX__activeX1.xml": b"<a/>"}),
        a.office(**{"word__afchunk.html": b"x"}),
        a.office(relationships=a.a_relationship("attachedTemplate")),
        a.office(relationships=a.a_relationship("image")),
        a.office(relationships=a.a_relationship("oleObject")),
        a.office(**{"word__x.xml": b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'}),
        a.office(**{"word__x.xml": "<!DOCTYPE a><a/>".encode("utf-16")}),
        a.doc(Macros__VBA=b"x"),
        a.doc(0, **{"\x01Ole10Native": b"x"}),
        a.doc(ObjectPool___1=b"x"),
        a.doc(0, **{"Storage__\x01Ole": a.OWN_OLE}),
        a.doc(0, **{"\x01Ole": a.OWN_OLE[:4] + b"\1" + a.OWN_OLE[5:]}),
        a.doc(0, **{"\x01Ole": a.OWN_OLE + b"a moniker"}),
        a.xls(_VBA_PROJECT_CUR__VBA=b"x"),
        a.xls(MBD0001__Package=b"x"),
        a.xls(a.a_sheet(1)),
        a.office("xl", **{"xl__macrosheets__sheet1.xml": b"<a/>"}),
        a.office("xl", **{"xl__externalLinks__externalLink1.xml": b"<a/>"}),
    ):
        assert why(_kind_of(data), data) is Why.ACTIVE, data[:2000]


def _kind_of(data: bytes) -> Kind:
    if data.startswith(b"PK"):
        return Kind.XLSX if b"xl/workbook.xml" in data else Kind.DOCX
    return Kind.XLS if "Workbook".encode("utf-16-le") in data else Kind.DOC


def test_what_offices_write_of_themselves_may_stay() -> None:
    for kind, data in (
        (Kind.DOCX, a.office(relationships=a.a_relationship("hyperlink"))),
        (
            Kind.DOCX,
            a.office(**{"word__media__image1": a.jpg(), "docProps__core.xml": b"<x/>", "word__": b""}),
        ),
        (Kind.XLSX, a.office("xl", **{"xl__printerSettings__printerSettings1.bin": b"x"})),
        (Kind.DOCX, a.office(inside="<w:p><w:instrText> PAGE </w:instrText></w:p>")),
        (Kind.DOC, a.doc(0, **{"\x01Ole": a.OWN_OLE})),
    ):
        assert why(kind, data) is None, data[-400:]


def test_what_libreoffice_saves_may_stay() -> None:
    """A text with a heading, a link, a table and a picture, and a sheet, as LibreOffice 7.4 saved them."""
    saved = {path.suffix: path for path in (Path(__file__).parent / "libreoffice").iterdir()}
    assert saved.keys() == {".doc", ".docx", ".pdf", ".xls", ".xlsx"}
    for ending, path in saved.items():
        kind = kind_by_ending(ending.removeprefix("."))
        assert kind is not None
        assert why(kind, path.read_bytes()) is None, path.name


def test_a_document_is_bounded_and_open() -> None:
    assert why(Kind.DOCX, a.zip_bomb()) is Why.TOO_MUCH_INSIDE
    assert why(Kind.DOCX, a.zip_that_lies()) in {Why.TOO_MUCH_INSIDE, Why.UNREADABLE}
    assert why(Kind.DOCX, a.office(**{f"word__{n}": b"" for n in range(1001)})) is Why.TOO_MUCH_INSIDE
    for name in ("../../etc/passwd", "/etc/passwd", "a\\..\\b", "C:x"):
        assert why(Kind.DOCX, a.office(**{name: b"x"})) is Why.UNREADABLE, name
    assert why(Kind.DOCX, a.office(**{"word__x.xml": b"<a>"})) is Why.UNREADABLE
    assert why(Kind.DOC, a.doc(0x0100)) is Why.ENCRYPTED
    assert why(Kind.XLS, a.xls((0x2F, b"\1"))) is Why.ENCRYPTED
    assert why(Kind.DOC, a.ole({"EncryptedPackage": b"x"})) is Why.ENCRYPTED
    assert why(Kind.DOC, a.ole({"Something": b"x"})) is Why.NOT_WHAT_IT_SAYS


BEGINNINGS = [made()[:length] for made in GOOD.values() for length in (8, 60, 10_000)]


@settings(max_examples=150, deadline=None)
@given(kind=some.sampled_from(Kind), begins=some.sampled_from(BEGINNINGS), rest=some.binary(max_size=400))
def test_no_octets_make_a_parser_raise_anything_but_its_refusal(
    kind: Kind, begins: bytes, rest: bytes
) -> None:
    assert why(kind, begins + rest) in {None, *Why}


@settings(max_examples=150, deadline=None)
@given(kind=some.sampled_from(Kind), place=some.integers(0, 5000), octets=some.binary(min_size=1, max_size=8))
def test_no_change_of_a_good_file_makes_one_either(kind: Kind, place: int, octets: bytes) -> None:
    good = GOOD[kind]()
    place %= len(good)
    assert why(kind, good[:place] + octets + good[place + len(octets) :]) in {None, *Why}


def test_of_a_name_nothing_is_left_that_leads_somewhere_or_cannot_be_seen() -> None:
    for sent, kept in {
        "营业执照.pdf": "营业执照.pdf",
        "../../etc/passwd": "passwd",
        "C:\\Users\\x\\执照.jpg": "执照.jpg",
        "/etc/cron.d/x": "x",
        "%2e%2e%2fx.png": "%2e%2e%2fx.png",
        "a\0.jpg": "a.jpg",
        "a\r\nSet-Cookie: x=1.jpg": "aSet-Cookie: x=1.jpg",
        "photo\u202egpj.exe": "photogpj.exe",
        "\u200b\ufeff..": "",
        ".jpg": "jpg",
        "...": "",
        "CON": "CON",
        "": "",
    }.items():
        assert cleaned(sent) == kept, sent
    long = cleaned("长" * 300 + ".JPEG")
    assert (len(long), ending_of(long), ending_of("no ending"), ending_of(".jpg")) == (100, "jpeg", "", "")
    assert (renamed("a.b.png", "jpg"), renamed("a", "jpg")) == ("a.b.jpg", "a.jpg")


@given(sent=some.text(max_size=300))
def test_any_name_is_short_and_harmless_once_cleaned(sent: str) -> None:
    name = cleaned(sent)
    assert len(name) <= 100
    assert not {"/", "\\", "\0", "\r", "\n", "\u202e"} & set(name)


def test_the_process_that_parses_answers_as_the_rule_does() -> None:
    inspector = Inspector()
    assert inspector.check(Kind.PDF, a.pdf(2)) == Checked(Kind.PDF, a.pdf(2), 2)
    stored = inspector.check(Kind.PNG, a.png())
    assert (stored.kind, picture(stored).size) == (Kind.JPG, (60, 40))
    for kind, data, expected in (
        (Kind.PDF, a.encrypted_pdf(), Why.ENCRYPTED),
        (Kind.JPG, b"MZ" + a.jpg(), Why.NOT_WHAT_IT_SAYS),
        (Kind.JPG, b"", Why.EMPTY),
    ):
        with pytest.raises(UploadRefused) as refused:
            inspector.check(kind, data)
        assert refused.value.why is expected


BOUNDED = """
import resource
from idp.adapters.inspection import program
program._bound()
bounds = (resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE)
print([resource.getrlimit(what)[1] for what in bounds])
try:
    bytearray(program.MEMORY)
except MemoryError:
    print("no memory")
"""


def test_the_process_that_parses_has_little_memory_and_time_and_writes_no_file() -> None:
    done = subprocess.run([sys.executable, "-c", BOUNDED], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[10, 0, 0]", "no memory"]


def test_a_parser_that_dies_hangs_or_talks_nonsense_is_a_refusal_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inspector = Inspector()
    for program, seconds in (("no_such_program", 20), ("this", 20), (child_process._PROGRAM, 0.001)):
        monkeypatch.setattr(child_process, "_PROGRAM", program)
        monkeypatch.setattr(child_process, "_SECONDS", seconds)
        with pytest.raises(UploadRefused) as refused:
            inspector.check(Kind.JPG, a.jpg())
        assert refused.value.why is Why.TOO_MUCH_INSIDE, program
    assert inspector._places._value == child_process.AT_ONCE


def test_more_at_once_than_may_be_wait_and_are_refused_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_process, "PATIENCE", 0.01)
    inspector = Inspector()
    for _ in range(child_process.AT_ONCE):
        inspector._places.acquire()
    with pytest.raises(UploadRefused) as refused:
        inspector.check(Kind.JPG, a.jpg())
    assert refused.value.why is Why.CROWDED


def test_a_page_is_drawn_to_look_at_and_carries_its_mark() -> None:
    inspector = Inspector()
    plain = Image.open(io.BytesIO(inspector.draw(Kind.PDF, a.pdf(2), page=2)))
    marked = Image.open(io.BytesIO(inspector.draw(Kind.PDF, a.pdf(2), page=2, watermark="staff_7 09:14 李")))
    assert plain.format == marked.format == "JPEG"
    assert max(plain.size) == 2000
    # White paper, and grey letters all over it.
    assert plain.convert("L").getextrema() == (255, 255)
    quarters = [marked.convert("L").crop(box) for box in ((0, 0, 700, 1000), (700, 1000, 1400, 2000))]
    assert all(quarter.getextrema()[0] < 240 for quarter in quarters)  # type: ignore[operator]  # of one band
    drawn = inspector.draw(Kind.JPG, check(Kind.JPG, a.jpg()).data, watermark="x")
    assert Image.open(io.BytesIO(drawn)).size == (60, 40)
    with pytest.raises(UploadRefused):
        inspector.draw(Kind.PDF, a.pdf(2), page=3)
