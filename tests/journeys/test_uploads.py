"""What `uploads.js` does of its own: a file is sent as it is chosen, and its field says what became of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.adapters import specimens as a
from tests.journeys.chrome import WIDTHS, Person
from tests.journeys.served import served
from tests.web.uploading import room, stored
from tests.world import World

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_a_file_is_sent_as_it_is_chosen_and_the_page_stays(
    world: World, chrome: Browser, tmp_path: Path
) -> None:
    for name, data in {
        "营业执照.jpg": a.jpg(),
        "eleven.jpg": b"x" * 11 * 1024 * 1024,
        "program.jpg": b"MZ" * 100,
        "picture.gif": b"GIF89a",
        "授权书.docx": a.office(),
    }.items():
        (tmp_path / name).write_bytes(data)
    with served(world) as there:
        there.app.register_blueprint(room)
        context = chrome.new_context(viewport={"width": WIDTHS[0], "height": 800}, locale="zh-CN")
        person = Person.at(context, there.settings.issuer)
        page = person.page
        person.open(f"{there.settings.issuer}/uploading/")
        page.fill("#remark", "请尽快")
        page.set_input_files("#licence", tmp_path / "营业执照.jpg")
        expect(page.locator("[data-upload=licence] [data-upload-name]")).to_have_text("营业执照.jpg")
        for name, said in {
            "eleven.jpg": "这个文件是 11.0 MB，超过 10 MB",
            "picture.gif": "这里只能上传 PDF、JPG、PNG 格式的文件",
            "program.jpg": "文件内容和扩展名不一致，没有保存",
        }.items():
            page.set_input_files("#licence", tmp_path / name)
            expect(page.locator("#licence-error")).to_contain_text(said)
        person.looks_over()
        page.set_viewport_size({"width": WIDTHS[1], "height": 800})
        person.looks_over()
        # What was there before the refusals is there.
        assert set(stored(there)) == {"licence"}
        page.locator("button[name=remove][value=licence]").click()
        expect(page.locator("[data-upload=licence] [data-upload-kept]")).to_be_hidden()
        assert stored(there) == {}
        # What the summary counts are its lines.
        person.press("下一步")
        title = page.locator(".govuk-error-summary__title")
        expect(title).to_contain_text("有 2 处需要修改")
        page.set_input_files("#licence", tmp_path / "营业执照.jpg")
        expect(title).to_contain_text("有 1 处需要修改")
        for field, name in (("licence", "营业执照.jpg"), ("paper", "授权书.docx")):
            page.set_input_files(f"#{field}", tmp_path / name)
            expect(page.locator(f"[data-upload={field}] [data-upload-kept]")).to_be_visible()
        assert page.input_value("#remark") == "请尽快"
        person.press("下一步")
        assert "上传完成" in person.reads()
        context.close()
