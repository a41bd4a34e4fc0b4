"""Bodies with files: how long, how slow, how many at once; nothing lies in clear (SECURITY 66, 101)."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import ServiceUnavailable

from idp.adapters.files import SealedFiles
from idp.proof.throttle import neighbourhood, places
from idp.web import upload_bodies
from idp.web.upload_bodies import Doors, SealedSpool
from idp.web.upload_quota import Tally
from tests.adapters import specimens as a
from tests.web.uploading import BOUNDARY, Rooms, a_body, send, send_body, stored, token_of
from tests.world import Browser, Page, World, error_sentences

MB = 1024 * 1024
SMALL = {"upload_owner_mb": 1, "upload_file_mb": 1, "upload_seconds": 1, "uploads_at_once": 2}


@pytest.fixture
def here(world: World, rooms: Rooms) -> World:
    return rooms.usual(world, **SMALL)


class Slow(io.RawIOBase):
    """A body of which a little comes at a time, and never all; `between` happens before each piece."""

    def __init__(self, beginning: bytes, between: Callable[[], object]) -> None:
        self._beginning, self._between = beginning, between

    def read(self, size: int = -1) -> bytes:
        self._between()
        taken = min(size, 100)
        piece, self._beginning = self._beginning[:taken], self._beginning[taken:]
        return piece or b"x"


def octets_of_the_hour(here: World, browser: Browser) -> int:
    """What has come from the browser's address."""
    return int(here.platform.store.get(f"uploads:address:{neighbourhood(browser.address)}") or 0)


def send_stream(here: World, body: Any, **more: Any) -> Page:
    browser = here.browser(**more)
    token_of(browser)
    response = browser.client.post(
        "/uploading/",
        base_url=here.settings.issuer,
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
        environ_overrides={
            "wsgi.input": body,
            "CONTENT_LENGTH": "900000",
            "REMOTE_ADDR": browser.address,
        },
        buffered=True,
    )
    return Page(response, "/uploading/")


def test_a_body_too_long_as_a_whole_gets_its_page_again_with_a_sentence(here: World) -> None:
    browser = here.browser()
    page = send(browser, licence=("a.jpg", os.urandom(3 * MB)))
    assert (page.status, error_sentences(page)) == (
        413,
        ["一次提交的文件合计超过 2 MB，这次提交没有收到。请分几次上传，或者压缩后再传"],
    )
    assert page.form()["fields"]["csrf_token"]
    assert stored(here) == {}
    assert octets_of_the_hour(here, browser) < 3 * MB, "what was thrown away spends nobody's hour"
    # Without a length in front of it, too.
    endless = {
        "wsgi.input": io.BytesIO(os.urandom(3 * MB)),
        "wsgi.input_terminated": True,
        "CONTENT_LENGTH": "",
    }
    page = send_body(browser, b"", environ_overrides=endless)
    assert (page.status, len(error_sentences(page)), stored(here)) == (413, 1, {})
    # It was let pass to its end: a browser reads no answer while it sends.
    assert endless["wsgi.input"].read() == b""  # type: ignore[attr-defined]  # a stream


def test_a_body_of_two_files_that_are_each_too_long_is_judged_file_by_file(here: World) -> None:
    page = send(here.browser(), licence=("a.jpg", os.urandom(MB + 9)), paper=("b.pdf", a.pdf()))
    assert (page.status, len(error_sentences(page)), set(stored(here))) == (200, 1, {"paper"})


def test_a_body_that_comes_too_slowly_is_ended_with_a_sentence(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    passed = [0.0]

    def waits() -> None:
        passed[0] += 0.01

    monkeypatch.setattr(upload_bodies, "monotonic", lambda: passed[0])
    page = send_stream(here, Slow(a_body({"remark": "x"}, {"licence": ("a.jpg", a.jpg())})[:-80], waits))
    assert (page.status, error_sentences(page)) == (
        408,
        ["文件没有在 1 秒内传完，这次提交没有收到。请检查网络，或者把文件分几次上传"],
    )
    assert stored(here) == {}
    assert 1 <= passed[0] < 1.1, "it was not waited for longer"


def test_a_body_is_read_by_the_thread_that_answers_and_by_no_other(here: World) -> None:
    """Where an answer leaves while another thread reads, the whole server hangs."""
    readers = set()
    body = a_body({"remark": "x"}, {"licence": ("a.jpg", a.jpg())})
    here.app.before_request_funcs.setdefault(None, []).insert(0, lambda: answering.add(threading.get_ident()))
    answering: set[int] = set()
    try:
        send_stream(here, Slow(body + b"\r\n", lambda: readers.add(threading.get_ident())))
    finally:
        del here.app.before_request_funcs[None][0]
    assert readers == answering


def test_a_body_that_is_no_form_in_parts_is_never_read_at_length(here: World) -> None:
    browser = here.browser()
    for content_type in (
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/json",
    ):
        body = io.BytesIO(b"a&" * MB)
        response = browser.client.post(
            "/uploading/",
            base_url=here.settings.issuer,
            content_type=content_type,
            environ_overrides={"wsgi.input": body, "CONTENT_LENGTH": str(2 * MB)},
        )
        assert response.status_code in {400, 413}, content_type
        assert body.tell() < 200_000, content_type
        assert response.headers["Content-Type"].startswith("text/html")


def test_while_slow_bodies_take_the_room_one_more_is_sent_away_and_all_else_goes_on(here: World) -> None:
    inside, out = threading.Semaphore(0), threading.Event()

    class Waiting(io.RawIOBase):
        def read(self, _size: int = -1) -> bytes:
            inside.release()
            out.wait(30)
            return b""

    bodies = [Waiting() for _ in range(2)]
    addresses = ["192.0.2.1", "192.0.2.2"]
    threads = [
        threading.Thread(target=send_stream, args=(here, body), kwargs={"address": address})
        for body, address in zip(bodies, addresses, strict=True)
    ]
    threads[0].start()
    assert inside.acquire(timeout=20)
    # Half of the room is for one neighbourhood.
    page = send(here.browser(address="192.0.2.1"), licence=("a.jpg", a.jpg()))
    assert page.status == 503
    threads[1].start()
    assert inside.acquire(timeout=20)
    page = send(here.browser(address="192.0.2.3"), licence=("a.jpg", a.jpg()))
    assert (page.status, error_sentences(page)) == (
        503,
        ["现在上传文件的人较多，这次提交没有收到。请稍后再试"],
    )
    assert here.browser().open("/login/person").status == 200
    out.set()
    for thread in threads:
        thread.join()
    assert send(here.browser(address="192.0.2.1"), licence=("a.jpg", a.jpg())).status == 200
    assert set(stored(here)) == {"licence"}


def test_one_ipv6_line_leaves_room_and_hours_for_others(here: World) -> None:
    doors = Doors(8)
    # No request, at whose end the room of the application would be given back.
    with here.app.app_context():
        for number in range(6):
            doors.enter(places(f"2001:db8:0:{number}::1"))
        with pytest.raises(ServiceUnavailable):
            doors.enter(places("2001:db8:0:7::1"))
        doors.enter(places("2001:db8:1::1"))
        doors.enter(places("192.0.2.1"))
        for number in range(6):
            doors.leave(places(f"2001:db8:0:{number}::1"))
        doors.enter(places("2001:db8:0:9::1"))
    store = here.platform.store
    for number in range(9):
        tally = Tally(store, places(f"2001:db8:2:{number}::1"), 1)
        tally.arrived(MB)
        assert tally.is_spent is (number == 8), number
    fresh = Tally(store, places("2001:db8:3::1"), 1)
    fresh.arrived(MB)
    assert not fresh.is_spent


def test_no_file_is_taken_without_the_forms_token_or_from_another_site(here: World) -> None:
    browser = here.browser()
    token = token_of(browser)
    parts = {"licence": ("a.jpg", a.jpg())}
    assert send_body(browser, a_body({"csrf_token": "x"}, parts)).status == 400
    good, spent = a_body({"csrf_token": token}, parts), octets_of_the_hour(here, browser)
    assert send_body(browser, good, headers={"Origin": "https://evil.example"}).status == 403
    assert send_body(browser, good, headers={"Sec-Fetch-Site": "cross-site"}).status == 403
    assert stored(here) == {}
    assert octets_of_the_hour(here, browser) == spent > 0, "another site spends nobody's hour"


def test_other_addresses_keep_their_small_bound(here: World) -> None:
    browser = here.browser()
    body = a_body({"csrf_token": token_of(browser)}, {"x": ("a.jpg", os.urandom(200_000))})
    page = send_body(browser, body, to="/uploading/plain")
    assert (page.status, "提交的内容太大" in page.text) == (413, True)
    small = a_body({"csrf_token": token_of(browser)}, {"x": ("a.jpg", b"x")})
    assert send_body(browser, small, to="/uploading/plain").text == "took 1"


def test_fields_beside_the_files_keep_their_bounds(here: World) -> None:
    browser = here.browser()
    long = a_body({"csrf_token": token_of(browser), "remark": "x" * 200_000}, {})
    assert send_body(browser, long).status == 413
    many = a_body({f"f{number}": "x" for number in range(41)}, {})
    assert send_body(browser, many).status == 413
    # Together they take little memory: what is the most of them is as many as a few files' names.
    most = a_body({f"f{number}": "x" * 15_000 for number in range(39)} | {"csrf_token": "x"}, {})
    assert send_body(browser, most).status == 400, "read, and its token is wrong"
    assert send_body(browser, a_body({"csrf_token": "x", "remark": "x" * 17_000}, {})).status == 413
    with_nul = a_body({"csrf_token": token_of(browser), "remark": "a\0b"}, {})
    assert send_body(browser, with_nul).status == 400
    for nonsense in (b"", b"x", b"--" + BOUNDARY.encode(), a_body({}, {"licence": ("a", b"x")})[:-30]):
        assert send_body(browser, nonsense).status in {200, 400}


def test_nobody_opens_more_files_than_pages_have_fields(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a journey, a token, or a cookie: what no field has is not kept, and of one field not many."""
    opened, real = [], SealedFiles.spool

    def counted(files: SealedFiles) -> Any:
        opened.append(real(files))
        return opened[-1]

    monkeypatch.setattr(SealedFiles, "spool", counted)
    for number, status in ((40, 400), (41, 413)):
        others = {f"x{each}": ("a.jpg", b"a") for each in range(number)}
        assert (send_body(here.browser(), a_body({}, others)).status, opened) == (status, [])
    one = a_body({}, {"licence": ("a.jpg", b"a")}).removesuffix(f"--{BOUNDARY}--\r\n".encode())
    page = send_body(here.browser(), one * 190 + a_body({}, {}))
    told = ["一次最多提交 20 个文件，这次提交没有收到。请分几次上传"]
    assert (page.status, error_sentences(page), len(opened)) == (413, told, 20)
    assert all(each.closed for each in opened)


def test_what_is_on_its_way_lies_sealed_and_no_longer_than_a_file_may_be(tmp_path: Path) -> None:
    file = SealedFiles(tmp_path).spool()
    spool = SealedSpool(file, 1000)
    for _ in range(30):
        spool.write(b"a secret " * 10)
    assert spool.length == 2700
    file.seek(0)
    assert b"secret" not in file.read()
    assert file.tell() == 1000
    for _ in range(2):
        spool.seek(0)
        assert spool.read(7) + spool.read() == (b"a secret " * 120)[:1000]
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_meanwhile_is_said_so(
    here: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full() -> Any:
        class Full(io.BytesIO):
            write: Callable[..., Any] = _refuse

        return Full()

    monkeypatch.setattr(SealedFiles, "spool", lambda _self: full())
    told = (503, [upload_bodies._SENTENCES[upload_bodies.NoRoom]])
    page = send(here.browser(), licence=("a.jpg", a.jpg()))
    assert (page.status, error_sentences(page)) == told
    # What was gathered in memory is written when it is wound back, or closed.
    monkeypatch.setattr(SealedFiles, "spool", lambda _self: Path("/dev/full").open("w+b"))  # noqa: SIM115
    for _ in range(here.settings.uploads_at_once + 1):
        page = send(here.browser(), licence=("a.jpg", a.jpg()))
        assert (page.status, error_sentences(page)) == told


def _refuse(*_given: Any) -> int:
    raise OSError(28, "No space left on device")
