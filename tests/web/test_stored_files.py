"""Stored files as they leave the house (SECURITY 67, 68, 70)."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as some
from PIL import Image

from idp.accounts import files
from idp.web.stored_files import can_be_looked_at, disposition
from tests.adapters import specimens as a
from tests.web.uploading import OWNER, Rooms, get, send, stored
from tests.world import World


@pytest.fixture
def here(world: World, rooms: Rooms) -> World:
    """An application with a page that takes two files."""
    return rooms.usual(world)


def test_a_file_is_given_to_be_kept_and_never_as_a_page(here: World) -> None:
    browser = here.browser()
    send(browser, licence=("营业执照 (1).pdf", a.pdf(2)), paper=("授权书.docx", a.office()))
    found = stored(here)
    answer = get(browser, f"/uploading/kept/{found['licence'].id}")
    assert answer.data == a.pdf(2)
    told = answer.headers
    assert told["Content-Type"] == "application/pdf"
    assert told["Content-Disposition"] == (
        "attachment; filename=\"file.pdf\"; filename*=UTF-8''"
        "%E8%90%A5%E4%B8%9A%E6%89%A7%E7%85%A7%20%281%29.pdf"
    )
    assert told["Content-Length"] == str(len(a.pdf(2)))
    assert told["X-Content-Type-Options"] == "nosniff"
    assert told["Cache-Control"] == "no-store"
    assert told["Content-Security-Policy"] == "sandbox; default-src 'none'; frame-ancestors 'none'"
    paper = get(browser, f"/uploading/kept/{found['paper'].id}")
    assert (paper.data, paper.headers["Content-Type"].endswith("wordprocessingml.document")) == (
        a.office(),
        True,
    )


def test_a_page_and_a_picture_are_drawn_to_look_at(here: World) -> None:
    browser = here.browser()
    send(browser, licence=("a.pdf", a.pdf(2)), paper=("a.docx", a.office()))
    found = stored(here)
    seen = get(browser, f"/uploading/seen/{found['licence'].id}?page=2")
    assert (seen.headers["Content-Type"], seen.headers["Content-Disposition"]) == ("image/jpeg", "inline")
    assert seen.headers["Cache-Control"] == "no-store"
    assert Image.open(io.BytesIO(seen.data)).height == 2000
    for page in (0, 3):
        assert get(browser, f"/uploading/seen/{found['licence'].id}?page={page}").status_code == 404
    assert not can_be_looked_at(found["paper"])
    assert get(browser, f"/uploading/seen/{found['paper'].id}").status_code == 404
    send(browser, licence=("a.png", a.png()))
    picture = stored(here)["licence"]
    assert can_be_looked_at(picture)
    assert Image.open(io.BytesIO(get(browser, f"/uploading/seen/{picture.id}").data)).size == (60, 40)


def test_a_file_whose_octets_are_gone_is_not_found(here: World) -> None:
    browser = here.browser()
    send(browser, licence=("a.pdf", a.pdf()))
    kept = stored(here)["licence"]
    here.platform.files.remove(kept.location)
    assert get(browser, f"/uploading/kept/{kept.id}").status_code == 404
    with here.write() as db:
        assert files.forget_all(db, OWNER, now=here.now())


@given(name=some.text(max_size=100))
def test_no_name_breaks_out_of_its_header(name: str) -> None:
    said = disposition(name.encode("utf-8", "ignore").decode())
    assert said.isascii()
    assert said.isprintable()
    assert said.count('"') == 2
    assert said.startswith('attachment; filename="')
    for plain, sent in (
        ("a.jpg", "a.jpg"),
        ("file.pdf", "执照.pdf"),
        ("file", "照"),
        ("file.pdf", 'a"b;.pdf'),
    ):
        assert f'filename="{plain}"' in disposition(sent), sent
