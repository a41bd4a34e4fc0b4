#!/usr/bin/env python3
"""Write the template of the 企业账号申诉授权书 (E03, E08) as DOCX and PDF, run by hand when its words change.

What it needs is no part of the service: an environment of its own, and Debian's font fonts-noto-cjk (SIL Open
Font License, which allows a part of it in a document):

    python3 -m venv DIR && DIR/bin/pip install fpdf2==2.8.9 python-docx==1.2.0
    DIR/bin/python scripts/authorisation.py

Both files say the same, fill one A4 page, and come out the same at every run.
"""

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import docx
from docx.document import Document
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Mm, Pt
from docx.table import _Cell
from docx.text.paragraph import Paragraph
from fpdf import FPDF
from fpdf.enums import Align, WrapMode, XPos, YPos

FOLDER = Path(__file__).resolve().parents[1] / "theme/static/appeal"
FONTS = {
    "": "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "B": "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc",
}
SIMPLIFIED = 2  # which of the faces in a file of Noto Sans CJK is SC
WRITTEN = datetime(2026, 11, 22, tzinfo=UTC)  # of these words: change it with them
LANGUAGE = "zh-CN"
MARGIN = 20  # mm at both sides
LABEL, VALUE = 38, 47  # mm: two of each fill a line

TITLE = "企业账号申诉授权书"
SUBJECT = "委托经办人向统一身份认证平台办理企业账号申诉的授权书模板"
ADDRESSEE = "统一身份认证平台："
OPENING = (
    "本单位授权下列经办人办理企业账号申诉。经办人在授权事项和授权期限内提交的材料、作出的确认，"
    "本单位均予承认，并承担相应的法律责任。"
)
PARTS: dict[str, list[list[str]]] = {
    "一、申诉企业": [["企业名称"], ["统一社会信用代码"], ["法定代表人姓名", "证件号码"]],
    "二、经办人": [["经办人姓名", "手机号码"], ["证件类型", "证件号码"]],
}
MATTERS_TITLE = "三、授权事项（在 □ 内打勾，两类中选一类）"
MATTERS = [
    "□ 未注册企业账号申诉（辅助企业注册）",
    "□ 已注册企业信息修改申诉：　□ 更换手机号码　　□ 变更法定代表人　　□ 重置密码",
]
TERM_TITLE = "四、授权期限"
TERM = "自　　　　年　　　月　　　日起，至　　　　年　　　月　　　日止。"
TRUTH = "本单位承诺：以上内容和随附材料真实、完整、有效；如有不实，由本单位承担相应的法律责任。"
SIGNED = ["法定代表人签字：", "单位公章："]
DATED = "日期：　　　　年　　　月　　　日"
NOTES_TITLE = "填写说明"
NOTES = [
    "1. 可以在电脑上填写后打印，也可以打印后用黑色签字笔填写。字迹清楚，不要涂改，涂改后请重新填写。",
    "2. 企业名称、统一社会信用代码、法定代表人姓名与营业执照一致；没有营业执照的单位，按登记证书填写。",
    "3. 申请变更法定代表人的，由营业执照上现在的法定代表人签字。",
    (
        "4. 经办人证件类型填居民身份证、港澳居民来往内地通行证、台湾居民来往大陆通行证、外国人永久居留身份证"
        "或护照。"
    ),
    "5. 授权期限应包含提交申诉的当天和办理所需的时间（一般 3 个工作日），首尾两天都算在内。",
    "6. 签字并加盖公章后，扫描或拍下整页再上传。文字和公章要清楚，四边要完整。",
]


def main() -> None:
    """Write both files and say how large they are."""
    FOLDER.mkdir(exist_ok=True)
    for name, content in (("authorisation.docx", as_docx()), ("authorisation.pdf", as_pdf())):
        (FOLDER / name).write_bytes(content)
        print(FOLDER / name, len(content))


# ---- PDF ---------------------------------------------------------------------------------------------------


def as_pdf() -> bytes:
    """The template as a PDF with the glyphs it uses embedded."""
    pdf = FPDF(format="A4")
    pdf.set_margins(MARGIN, 15, MARGIN)
    pdf.set_auto_page_break(auto=False)
    for style, file in FONTS.items():
        pdf.add_font("noto", style, file, collection_font_number=SIMPLIFIED)
    pdf.set_lang(LANGUAGE)
    pdf.set_title(TITLE)
    pdf.set_subject(SUBJECT)
    pdf.set_creation_date(WRITTEN)
    pdf.add_page()
    pdf.set_font("noto", "B", 18)
    pdf.cell(0, 12, TITLE, align=Align.C, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
    pdf.ln(2)
    paragraph(pdf, ADDRESSEE)
    paragraph(pdf, "　　" + OPENING)
    _pdf_body(pdf)
    return bytes(pdf.output())


def _pdf_body(pdf: FPDF) -> None:
    """All between the greeting and the foot."""
    for title, rows in PARTS.items():
        heading(pdf, title)
        for row in rows:
            blanks(pdf, row)
    heading(pdf, MATTERS_TITLE)
    for line in MATTERS:
        paragraph(pdf, line, height=7)
    heading(pdf, TERM_TITLE)
    paragraph(pdf, TERM)
    pdf.ln(3)
    paragraph(pdf, "　　" + TRUTH)
    pdf.ln(4)
    pdf.set_font("noto", "", 10.5)
    for words in SIGNED:
        pdf.cell(LABEL + VALUE, 8, words)
    pdf.ln(32)
    pdf.cell(LABEL + VALUE, 8, "")
    pdf.cell(LABEL + VALUE, 8, DATED)
    pdf.ln(11)
    pdf.line(MARGIN, pdf.get_y(), pdf.w - MARGIN, pdf.get_y())
    heading(pdf, NOTES_TITLE, size=9)
    for note in NOTES:
        paragraph(pdf, note, size=8.5, height=4.8)


def heading(pdf: FPDF, words: str, size: float = 11) -> None:
    """A line in bold, a little below what stands above it."""
    pdf.ln(2.5)
    pdf.set_font("noto", "B", size)
    pdf.cell(0, 7, words, new_x=XPos.LMARGIN, new_y=YPos.NEXT)


def paragraph(pdf: FPDF, words: str, *, size: float = 10.5, height: float = 6.2) -> None:
    """Words over the whole width; `height` of a line in mm."""
    pdf.set_font("noto", "", size)
    # Chinese has no spaces to break at: by words, a line would end at the indent.
    flow = {"align": Align.L, "wrapmode": WrapMode.CHAR, "new_x": XPos.LMARGIN, "new_y": YPos.NEXT}
    pdf.multi_cell(0, height, words, **flow)


def blanks(pdf: FPDF, labels: list[str]) -> None:
    """One line of the table: a label and room to write, once or twice."""
    pdf.set_font("noto", "", 10)
    pdf.set_fill_color(244, 246, 250)
    room = VALUE if len(labels) > 1 else LABEL + 2 * VALUE
    for label in labels:
        pdf.cell(LABEL, 11, label, border=1, fill=True)
        pdf.cell(room, 11, "", border=1)
    pdf.ln(11)


# ---- DOCX --------------------------------------------------------------------------------------------------


def as_docx() -> bytes:
    """The template for a word processor: no macros, nothing linked from outside."""
    document = docx.Document()
    _without_thumbnail(document)
    _page(document)
    _line(document, TITLE, size=18, bold=True).alignment = WD_ALIGN_PARAGRAPH.CENTER
    _line(document, ADDRESSEE)
    _line(document, "　　" + OPENING)
    for title, rows in PARTS.items():
        _line(document, title, size=11, bold=True, above=5)
        _table(document, rows)
    _line(document, MATTERS_TITLE, size=11, bold=True, above=5)
    for line in MATTERS:
        _line(document, line)
    _line(document, TERM_TITLE, size=11, bold=True, above=5)
    _line(document, TERM)
    _line(document, "　　" + TRUTH, above=5)
    _signatures(document)
    _line(document, NOTES_TITLE, size=9, bold=True, above=5)
    for note in NOTES:
        _line(document, note, size=8.5)
    written = io.BytesIO()
    document.save(written)
    return _undated(written.getvalue())


def _without_thumbnail(document: Document) -> None:
    """Leave out the picture of an empty page that the library puts into every document."""
    relations = document.part.package.rels
    for name in [name for name, to in relations.items() if to.reltype.endswith("/thumbnail")]:
        del relations[name]


def _page(document: Document) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(MARGIN)
    section.top_margin = section.bottom_margin = Mm(15)
    properties = document.core_properties
    properties.title, properties.subject, properties.language = TITLE, SUBJECT, LANGUAGE
    properties.author = properties.last_modified_by = properties.comments = ""
    properties.created = properties.modified = WRITTEN
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = "SimSun", Pt(10.5)
    normal.paragraph_format.space_after = Pt(0)
    fonts = normal.element.get_or_add_rPr().get_or_add_rFonts()
    fonts.set(qn("w:eastAsia"), "SimSun")
    language = document.styles.element.find(f".//{qn('w:lang')}")
    language.set(qn("w:eastAsia"), LANGUAGE)
    language.set(qn("w:val"), LANGUAGE)


def _line(
    holder: Document | _Cell, words: str, *, size: float = 10.5, bold: bool = False, above: float = 0
) -> Paragraph:
    line = holder.add_paragraph()
    line.paragraph_format.space_before, line.paragraph_format.space_after = Pt(above), Pt(2)
    line.paragraph_format.line_spacing = 1.25
    run = line.add_run(words)
    run.font.size, run.bold = Pt(size), bold
    return line


def _table(document: Document, rows: list[list[str]]) -> None:
    widths = (LABEL, VALUE, LABEL, VALUE)
    table = document.add_table(rows=len(rows), cols=len(widths), style="Table Grid")
    table.alignment = WD_TABLE_ALIGNMENT.CENTER
    for column, width in zip(table.columns, widths, strict=True):
        column.width = Mm(width)
    for row, labels in zip(table.rows, rows, strict=True):
        row.height = Mm(11)
        for cell, width in zip(row.cells, widths, strict=True):
            cell.width = Mm(width)
            cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
        if len(labels) == 1:
            row.cells[1].merge(row.cells[3])
        for place, label in enumerate(labels):
            row.cells[2 * place].text = label


def _signatures(document: Document) -> None:
    _line(document, "", size=6)
    table = document.add_table(rows=2, cols=len(SIGNED))
    table.rows[0].height = Mm(32)
    for cell, words in zip(table.rows[0].cells, SIGNED, strict=True):
        cell.text = words
    table.rows[1].cells[1].text = DATED


def _undated(archive: bytes) -> bytes:
    """The same archive without the time of this run."""
    again = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as read, zipfile.ZipFile(again, "w") as write:
        for entry in read.infolist():
            dated = zipfile.ZipInfo(entry.filename, WRITTEN.timetuple()[:6])
            write.writestr(dated, read.read(entry), zipfile.ZIP_DEFLATED)
    return again.getvalue()


if __name__ == "__main__":
    main()
