"""A room for tests that has nothing but uploads: a page with two fields, and what is stored of them.

Its application is built once for each pair of storage; storage itself is emptied as for every test.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, request
from werkzeug.test import TestResponse

from idp.accounts import files
from idp.accounts.files import StoredFile
from idp.app import create_app
from idp.web.platform import db
from idp.web.render import page
from idp.web.stored_files import serve, serve_picture
from idp.web.uploads import Kind, Slot, Uploads, takes_files
from tests.world import Browser, Page, World

OWNER = "appeal:0198c0de-0000-7000-8000-000000000001"
LICENCE = Slot(
    "licence",
    "企业营业执照原件",
    (Kind.PDF, Kind.JPG, Kind.PNG),
    hint="四角齐全、文字清楚的原件照片或扫描件",
    sample="img/arches.svg",
    sample_alt="营业执照示例",
)
PAPER = Slot("paper", "企业授权书", (Kind.DOC, Kind.XLS, Kind.DOCX, Kind.XLSX, Kind.JPG, Kind.PNG, Kind.PDF))

room = Blueprint("uploading", __name__, url_prefix="/uploading", template_folder="templates")


def _uploads() -> Uploads:
    return Uploads(OWNER, (LICENCE, PAPER))


def _page(uploads: Uploads) -> str:
    return page("uploading.html", uploads=uploads, remark=request.form.get("remark", ""))


@room.get("/")
def shown() -> str:
    return _page(_uploads())


@room.post("/")
@takes_files(again=shown, slots=("licence", "paper"))
def sent() -> Any:
    uploads = _uploads()
    uploads.take()
    if uploads.stays_here() or not uploads.are_complete():
        return uploads.answer(lambda: _page(uploads))
    return "上传完成"


@room.post("/fails")
@takes_files(again=shown, slots=("licence", "paper"))
def fails() -> str:
    _uploads().take()
    raise RuntimeError


@room.post("/plain")
def plain() -> str:
    return f"took {len(request.files)}"


@room.get("/kept/<uuid:file>")
def kept(file: UUID) -> Any:
    found = files.find(db(), OWNER, file)
    assert found
    return serve(found)


@room.get("/seen/<uuid:file>")
def seen(file: UUID) -> Any:
    found = files.find(db(), OWNER, file)
    assert found
    return serve_picture(found, page=request.args.get("page", 1, int), watermark="staff_7")


class Rooms:
    """Applications with that room on the storage of tests; those with the usual settings are built once."""

    def __init__(self) -> None:
        self._usual: dict[str, World] = {}
        self._others: list[World] = []

    def usual(self, world: World, **changed: Any) -> World:
        """The same storage behind an application with that room."""
        where = world.settings.database_url
        if where not in self._usual:
            self._usual[where] = _built(world, **changed)
        return self._usual[where]

    def other(self, world: World, **changed: Any) -> World:
        """One with other settings."""
        self._others.append(_built(world, **changed))
        return self._others[-1]

    def close(self) -> None:
        """Give every connection back."""
        for one in (*self._usual.values(), *self._others):
            one.platform.database.close()
            one.platform.store.close()


def _built(world: World, **changed: Any) -> World:
    settings = replace(world.settings, **changed)
    app = create_app(settings)
    app.register_blueprint(room)
    app.jinja_env.bytecode_cache = world.app.jinja_env.bytecode_cache
    return World(app, world.backends, settings)


BOUNDARY = "a-boundary-of-the-tests"


def a_body(fields: dict[str, str], parts: dict[str, tuple[str, bytes]]) -> bytes:
    """A form as browsers send it (RFC 7578): in a file's name a quotation mark is %22."""
    written = io.BytesIO()
    for name, value in fields.items():
        written.write(
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        )
    for name, (sent_as, data) in parts.items():
        known = sent_as.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{known}"\r\n'
        written.write(head.encode() + b"Content-Type: application/octet-stream\r\n\r\n" + data + b"\r\n")
    written.write(f"--{BOUNDARY}--\r\n".encode())
    return written.getvalue()


def token_of(browser: Browser) -> str:
    """The token of the page's form."""
    found: str = browser.open("/uploading/").form()["fields"]["csrf_token"]
    return found


def send(
    browser: Browser,
    *,
    press: dict[str, str] | None = None,
    json: bool = False,
    to: str = "/uploading/",
    **parts: tuple[str, bytes],
) -> Page:
    """Send files by the form of the page; a part is (name, octets)."""
    fields = {"csrf_token": token_of(browser), "remark": "请尽快", **(press or {})}
    return send_body(browser, a_body(fields, parts), json=json, to=to)


def send_body(
    browser: Browser, body: bytes, *, json: bool = False, to: str = "/uploading/", **more: Any
) -> Page:
    """Send a body as it is."""
    return browser._request(
        "POST",
        to,
        follow=True,
        data=body,
        headers={**({"Accept": "application/json"} if json else {}), **more.pop("headers", {})},
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
        **more,
    )


def stored(world: World) -> dict[str, StoredFile]:
    """What is stored, by its slot."""
    with world.reading() as session:
        return {one.slot: one for one in files.of(session, OWNER)}


def content(world: World, file: StoredFile) -> bytes:
    return b"".join(files.contents(world.platform.files, world.backends.vault, file))


def name_of(world: World, file: StoredFile) -> str:
    return file.name(world.backends.vault)


def get(browser: Browser, address: str) -> TestResponse:
    return browser.open(address).response
