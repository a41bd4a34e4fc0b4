"""The template of the 企业授权书, as it is fetched: E03, E08."""

from __future__ import annotations

import io
import re
import zipfile
from contextlib import closing
from typing import Any
from urllib.parse import unquote

from pypdf import PdfReader
from pypdfium2 import PdfDocument
from werkzeug.test import TestResponse

from tests.world import World

TO_FILL_IN = (
    "企业名称",
    "统一社会信用代码",
    "法定代表人姓名",
    "经办人姓名",
    "证件类型",
    "证件号码",
    "手机号码",
    "□ 未注册企业账号申诉",
    "□ 已注册企业信息修改申诉",
    "□ 更换手机号码",
    "□ 变更法定代表人",
    "□ 重置密码",
    "授权期限",
    "真实、完整、有效",
    "法定代表人签字",
    "单位公章",
    "日期",
    "填写说明",
)
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def fetched(world: World, kind: str) -> TestResponse:
    """The template of a kind (docx or pdf), from where the help page leads."""
    browser = world.browser()
    address = re.search(rf'href="(/theme/appeal/authorisation\.{kind}\?v=\w+)"', browser.open("/help").html)
    assert address is not None
    return browser.open(address[1]).response


def test_the_help_page_says_what_an_appeal_is_for_what_it_takes_and_how_long(world: World) -> None:
    text = world.browser().open("/help").text
    for words in ("未注册", "已注册", "营业执照", "授权书", "手持", "3 个工作日", "申诉编号"):
        assert words in text, words


def test_both_templates_are_saved_under_a_chinese_name_as_what_they_are(world: World) -> None:
    for kind, media_type in (("docx", DOCX), ("pdf", "application/pdf")):
        answer = fetched(world, kind)
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == media_type
        plain, _, named = answer.headers["Content-Disposition"].partition("; filename*=UTF-8''")
        assert plain == f'attachment; filename="authorisation.{kind}"'
        assert unquote(named) == f"企业账号申诉授权书.{kind}"
        assert "immutable" in answer.headers["Cache-Control"]


def test_what_is_shown_and_what_is_not_there_is_not_offered_to_keep(world: World) -> None:
    for name in ("img/appeal/licence.svg", "idp.css", "appeal/authorisation.odt"):
        headers = world.browser().open(f"/theme/{name}").response.headers
        assert "attachment" not in headers.get("Content-Disposition", ""), name


def test_the_pdf_is_one_page_of_a4_with_its_letters_in_it(world: World) -> None:
    answer = fetched(world, "pdf")
    assert len(answer.data) < 150_000
    read = PdfReader(io.BytesIO(answer.data), strict=True)
    assert len(read.pages) == 1
    page: Any = read.pages[0]
    root: Any = read.trailer["/Root"]
    assert [round(side) for side in page.mediabox[2:]] == [595, 842]
    assert read.metadata is not None
    assert read.metadata.title == "企业账号申诉授权书"
    assert root["/Lang"] == "zh-CN"
    fonts = [font.get_object()["/DescendantFonts"][0] for font in page["/Resources"]["/Font"].values()]
    assert fonts
    assert all("/FontFile3" in font.get_object()["/FontDescriptor"] for font in fonts)
    with closing(PdfDocument(answer.data)) as drawn:
        written = drawn[0].get_textpage().get_text_range()
    assert [words for words in TO_FILL_IN if words not in written] == []


def test_the_word_document_says_the_same_and_holds_no_program(world: World) -> None:
    with zipfile.ZipFile(io.BytesIO(fetched(world, "docx").data)) as document:
        assert document.testzip() is None
        names = document.namelist()
        texts = {name: document.read(name).decode() for name in names}
    assert f"{DOCX}.main+xml" in texts["[Content_Types].xml"]
    assert not [name for name in names if re.search(r"vba|activeX|embeddings|\.bin$|\.jpe?g$", name)]
    assert not [name for name, text in texts.items() if 'TargetMode="External"' in text]
    written = "".join(re.findall(r"<w:t[^>]*>([^<]*)</w:t>", texts["word/document.xml"]))
    assert [words for words in TO_FILL_IN if words not in written] == []
