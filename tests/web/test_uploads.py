"""Fields for files, over HTTP: what stays, what is refused and why, and that the rest of the form stays."""

from __future__ import annotations

import io
import os
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from PIL import Image
from sqlalchemy import select

from idp.accounts import files
from idp.accounts.audit import AuditEvent
from idp.adapters.inspection import UploadRefused, Why
from idp.web import upload_words
from tests.adapters import specimens as a
from tests.adapters.scanner import EICAR, scanning
from tests.web.uploading import (
    LICENCE,
    OWNER,
    PAPER,
    Rooms,
    a_body,
    content,
    get,
    name_of,
    send,
    send_body,
    stored,
)
from tests.world import Browser, Page, World, error_sentences

MB = 1024 * 1024


@pytest.fixture
def here(world: World, rooms: Rooms) -> World:
    """An application with a page that takes two files."""
    return rooms.usual(world)


@pytest.fixture
def browser(here: World) -> Browser:
    return here.browser()


def faults(page: Page) -> list[str]:
    """What the summary says, without the names of the fields."""
    return [line.removeprefix(f"{LICENCE.label}：") for line in error_sentences(page)]


def told(here: World) -> list[tuple[str, dict[str, Any]]]:
    """What the trail says of files: actions, with their details."""
    with here.reading() as db:
        rows = db.scalars(select(AuditEvent).order_by(AuditEvent.id))
        return [(row.action, row.detail) for row in rows if row.target == OWNER]


def on_disk(here: World) -> int:
    return sum(path.is_file() for path in here.settings.effective_files_dir().rglob("*"))


def test_files_that_are_fine_are_stored_and_the_page_goes_on(here: World, browser: Browser) -> None:
    page = send(browser, licence=("营业执照.PNG", a.png()), paper=("授权书.docx", a.office()))
    assert (page.status, page.text) == (200, "上传完成")
    found = stored(here)
    assert Image.open(io.BytesIO(content(here, found["licence"]))).format == "JPEG"
    assert content(here, found["paper"]) == a.office()
    assert [name_of(here, found[slot]) for slot in ("licence", "paper")] == ["营业执照.jpg", "授权书.docx"]
    assert [action for action, _ in told(here)] == ["file_stored"] * 2
    shown = browser.open("/uploading/")
    assert "营业执照.jpg" in shown.text
    assert "授权书.docx" in shown.text


def test_one_that_is_refused_says_why_and_the_others_and_the_form_are_kept(
    here: World, browser: Browser
) -> None:
    page = send(browser, licence=("执照.jpg", b"MZ" + a.jpg()), paper=("授权书.pdf", a.pdf(2)))
    assert error_sentences(page)[0].startswith("企业营业执照原件：")
    assert faults(page) == [
        "文件内容和扩展名不一致，没有保存。请不要只改扩展名，要用原来的软件另存为 PDF、JPG、PNG"
    ]
    assert "授权书.pdf" in page.text
    assert "2 页" in page.text
    assert page.form()["fields"]["remark"] == "请尽快"
    assert set(stored(here)) == {"paper"}
    assert on_disk(here) == 1


def test_an_eleventh_megabyte_is_refused_with_its_size_and_the_rest_is_kept(
    here: World, browser: Browser
) -> None:
    page = send(browser, licence=("a.jpg", a.jpg() + os.urandom(11 * MB)), paper=("b.pdf", a.pdf()))
    assert faults(page) == ["这个文件是 11.1 MB，超过 10 MB。请压缩或重新拍照后再上传"]
    assert set(stored(here)) == {"paper"}
    just_right = a.jpg() + b"\0" * (10 * MB - len(a.jpg()))
    assert send(browser, licence=("a.jpg", just_right)).text == "上传完成"
    assert send(browser, licence=("a.jpg", just_right + b"\0")).status == 200
    assert name_of(here, stored(here)["licence"]) == "a.jpg"


def test_what_is_sent_under_another_name_or_ending_is_refused(here: World, browser: Browser) -> None:
    wrong_kind = "这里只能上传 PDF、JPG、PNG 格式的文件。请转换格式或重新拍照后再上传"
    for name, data, sentence in (
        ("setup.exe", a.jpg(), wrong_kind),
        ("a.jpg.exe", a.jpg(), wrong_kind),
        ("photo\u202egpj.exe", a.jpg(), wrong_kind),
        ("图.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", wrong_kind),
        ("页.html", b"<html>", wrong_kind),
        ("文.docx", a.office(), wrong_kind),
        ("无", a.jpg(), wrong_kind),
        ("a.jpg", b"", "这个文件是空的。请检查文件后重新选择"),
    ):
        page = send(browser, licence=(name, data))
        assert faults(page)[0] == sentence, name
    assert stored(here) == {}


def test_a_name_leads_nowhere_and_breaks_no_header(here: World, browser: Browser) -> None:
    for sent, kept in (
        ("../../../etc/passwd.jpg", "passwd.jpg"),
        ("长" * 300 + ".jpg", "长" * 96 + ".jpg"),
        ('a";\\x=.jpg', 'a";x=.jpg'),
        ("a\r\nSet-Cookie: x=1.jpg", "a%0D%0ASet-Cookie: x=1.jpg"),
        ("<img src=x onerror=alert(1)>.jpg", "<img src=x onerror=alert(1)>.jpg"),
        ("=cmd|'!A1.jpg", "=cmd|'!A1.jpg"),
    ):
        send(browser, licence=(sent, a.jpg()))
        assert name_of(here, stored(here)["licence"]) == kept, sent
        assert kept in browser.open("/uploading/").text, sent
        assert "<img src=x" not in browser.open("/uploading/").html
        answer = get(browser, f"/uploading/kept/{stored(here)['licence'].id}")
        assert answer.headers["Content-Disposition"].isascii(), sent
    names = {path.name for path in here.settings.effective_files_dir().rglob("*") if path.is_file()}
    assert names == {stored(here)["licence"].location}


def test_a_file_takes_the_place_of_the_one_before_and_is_removed_by_its_button(
    here: World, browser: Browser
) -> None:
    send(browser, licence=("a.jpg", a.jpg()))
    send(browser, licence=("b.pdf", a.pdf()))
    assert name_of(here, stored(here)["licence"]) == "b.pdf"
    assert on_disk(here) == 1
    page = send(browser, press={"remove": "licence"}, paper=("c.pdf", a.pdf()))
    assert (page.status, faults(page), page.form()["fields"]["remark"]) == (200, [], "请尽快")
    assert set(stored(here)) == {"paper"}
    assert on_disk(here) == 1
    assert [action for action, _ in told(here)][-2:] == ["file_removed", "file_stored"]
    send(browser, press={"remove": "nothing"})
    assert set(stored(here)) == {"paper"}


def test_what_is_required_and_missing_is_said_at_its_field(browser: Browser) -> None:
    page = send(browser)
    assert faults(page) == ["请上传企业营业执照原件", "请上传企业授权书"]
    assert 'href="#licence"' in page.html


def test_the_script_sends_one_file_and_is_told_in_json(here: World, browser: Browser) -> None:
    alone = {"upload_alone": "1"}
    page = send(browser, press=alone, json=True, licence=("照.jpg", a.jpg()))
    assert page.response.json == {
        "problem": "",
        "fields": {
            "licence": {"name": "照.jpg", "about": "1 KB", "href": "", "sentence": ""},
            "paper": {"name": "", "about": "", "href": "", "sentence": ""},
        },
    }
    refused = send(browser, press=alone, json=True, licence=("a.gif", b"GIF89a")).response.json
    assert refused is not None
    assert refused["fields"]["licence"]["sentence"].startswith("这里只能上传 PDF、JPG、PNG")
    assert refused["fields"]["licence"]["name"] == "照.jpg"
    gone = send(browser, press={**alone, "remove": "licence"}, json=True).response.json
    assert gone is not None
    assert gone["fields"]["licence"]["name"] == ""
    assert stored(here) == {}


def test_a_file_with_a_virus_is_refused_and_told_to_the_trail(world: World, rooms: Rooms) -> None:
    with scanning() as scanner:
        here = rooms.other(world, clamav_address=scanner.address)
        browser = here.browser()
        sick = a.jpg() + EICAR
        page = send(browser, licence=("a.jpg", sick), paper=("b.pdf", a.pdf()))
        assert faults(page) == [
            "安全检查发现这个文件带有病毒，没有保存。请先给自己的设备杀毒，再上传干净的文件"
        ]
        assert set(stored(here)) == {"paper"}
        # It is shown what was sent, not what was made of it.
        assert scanner.shown == [sick, a.pdf()]
        refused = (
            "file_refused",
            {"slot": "licence", "why": "infected", "signature": "Eicar-Test-Signature"},
        )
        assert refused in told(here)


def test_while_the_scanner_is_silent_the_setting_decides(world: World, rooms: Rooms) -> None:
    away = {"clamav_address": "127.0.0.1:1"}
    here = rooms.other(world, **away)
    page = send(here.browser(), licence=("a.jpg", a.jpg()))
    assert (page.status, page.response.headers["Retry-After"]) == (503, "60")
    assert faults(page)[0] == "现在无法检查文件安全，这个文件没有保存。请稍后再试"
    assert stored(here) == {}
    here = rooms.other(world, **away, clamav_required=False)
    send(here.browser(), licence=("a.jpg", a.jpg()))
    assert set(stored(here)) == {"licence"}


def test_a_browser_and_an_address_send_so_much_in_an_hour(world: World, rooms: Rooms) -> None:
    here = rooms.other(world, uploads_a_browser_mb=1, uploads_an_address_mb=2)
    too_much = "您在一小时内上传的文件太多，这个文件没有保存。请过一小时再试"
    # What is refused counts too.
    junk, first, second = os.urandom(900 * 1024), here.browser(), here.browser()
    for browser in (first, second):
        send(browser, licence=("a.jpg", junk))
        assert faults(send(browser, licence=("a.jpg", junk)))[0] == too_much
    assert faults(send(here.browser(), licence=("a.jpg", junk)))[0] == too_much
    assert faults(send(here.browser(address="192.0.2.7"), licence=("a.jpg", junk)))[0] != too_much
    # So does what has no field, from whoever has nothing; and who has sent too much may still say something.
    for _ in range(3):
        body = a_body({}, {"none": ("a.jpg", junk)})
        assert send_body(here.browser(address="192.0.2.9"), body).status == 400
    there = here.browser(address="192.0.2.9")
    assert faults(send(there, licence=("a.jpg", a.jpg())))[0] == too_much
    assert send(there, press={"upload_alone": "1"}).status == 200


def test_all_files_of_an_owner_are_bounded_together(world: World, rooms: Rooms) -> None:
    here = rooms.other(world, upload_owner_mb=1)
    browser = here.browser()
    big = a.office(word__media__x=a.png() + os.urandom(700 * 1024))
    page = send(browser, paper=("a.docx", big), licence=("a.pdf", a.pdf() + b" " * 700 * 1024))
    assert faults(page) == ["全部文件合计不能超过 1 MB。请移除不需要的文件，或者压缩后再上传"]
    assert len(stored(here)) == 1
    assert on_disk(here) == 1


def test_a_full_disk_is_said_so_and_nothing_else_happens(world: World, rooms: Rooms) -> None:
    here = rooms.other(world, files_spare_mb=10**9)
    page = send(here.browser(), licence=("a.jpg", a.jpg()))
    assert (page.status, stored(here)) == (503, {})
    assert faults(page) == ["现在无法保存文件，这次提交没有收到。我们正在处理，请稍后再试"]


def test_when_the_request_fails_after_all_what_was_there_stays_and_the_new_file_goes(
    here: World, browser: Browser
) -> None:
    send(browser, licence=("a.jpg", a.jpg()))
    before = stored(here)["licence"]
    page = send(browser, to="/uploading/fails", licence=("b.pdf", a.pdf()))
    assert page.status == 500
    assert name_of(here, stored(here)["licence"]) == "a.jpg"
    assert on_disk(here) == 2
    with here.write() as db:
        assert files.sweep(db, here.platform.files, now=here.now() + timedelta(hours=2)) == 1
    assert content(here, before)


def test_every_refusal_has_a_sentence_with_a_way_out(world: World) -> None:
    for why in Why:
        for slot in (LICENCE, PAPER):
            said = upload_words.sentence(UploadRefused(why), slot.kinds, world.settings, size=12 * MB)
            assert "请" in said, why
            assert "{" not in said, why


NAMES = some.text(min_size=1, max_size=40) | some.sampled_from(["a.jpg", "a.pdf", "a.docx", "a.xls"])


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES, data=some.binary(max_size=300))
def test_whatever_is_sent_under_whatever_name_gets_a_page(browser: Browser, name: str, data: bytes) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        return
    page = send(browser, licence=(name, data))
    assert page.status == 200
    assert faults(page)
