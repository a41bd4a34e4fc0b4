"""The body of a request that brings files: how long it may be, how long it may take, and where it waits.

Every other address keeps the small bound of `idp.web.security`. A view that takes files says so::

    @blueprint.post("/materials")
    @takes_files(again=materials, slots=("licence", …))
    def send_materials() -> Any: …

Its body may be as long as all files of one owner and one more. What comes is never on the disk in clear: a
part that is a file is written to a nameless file under a key that lives as long as the request, and no
further than a file may be long. (In memory it would be 50 MB for each of 16 threads.) Parts under a name
that is no slot are not kept at all, nor are more than a few files: the token of the form comes in the same
body, so that anybody may send one. For that reason the hour of the address is counted as it arrives.

A body that is no form in parts brings no file, and has the small bound of all others. One that is too long,
too slow, or one too many at once, is not parsed. The page of `again`, which is what
a GET shows, is answered in its place with a sentence (:func:`whole_refusal`); it changes nothing, so that it
needs no CSRF token, which is in the part that nobody read.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from collections.abc import Callable, Container
from contextlib import suppress
from time import monotonic
from typing import IO, Any, Final, TypeVar

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR
from flask import Flask, Request, Response, current_app, g, make_response, request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import (
    HTTPException,
    RequestEntityTooLarge,
    RequestTimeout,
    ServiceUnavailable,
)
from werkzeug.formparser import FormDataParser

from idp.adapters.files import NoSpace
from idp.config import Settings
from idp.proof.throttle import Place, places
from idp.web.errors import Stop, answer_http, answer_stop
from idp.web.platform import platform, settings
from idp.web.upload_parts import FormOfSlots
from idp.web.upload_quota import Tally

View = TypeVar("View", bound=Callable[..., Any])

_MARK: Final = "_takes_files"
_SLOTS: Final = "_takes_files_of"
_DOORS: Final = "idp-upload-doors"
_MEBI: Final = 1024 * 1024
_FIELDS: Final = 256 * 1024
"""What the fields beside the files and the lines between the parts may take."""
_PIECE: Final = 8 * 1024
"""The server gathers so much before it says that anything came: whoever sends slowly is found out by it."""
_PARTS: Final = 40
_LONGEST_FIELD: Final = 16_000
"""A page with files has a few short fields beside them; what nobody asked for takes little memory."""
_FILES: Final = 20
"""How many files one body may bring: no page has half as many fields, and each is a descriptor."""
_PATIENT_WITH: Final = 4
"""How many times too long a body may be and still be waited for."""


class NoRoom(ServiceUnavailable):
    """The disk takes nothing."""


class TooMany(RequestEntityTooLarge):
    """More files than any page has fields."""


_SENTENCES: Final[dict[type[HTTPException], str]] = {
    RequestTimeout: "文件没有在 {seconds} 秒内传完，这次提交没有收到。请检查网络，或者把文件分几次上传",
    RequestEntityTooLarge: "一次提交的文件合计超过 {most} MB，这次提交没有收到。请分几次上传，或者压缩后再传",
    TooMany: "一次最多提交 {files} 个文件，这次提交没有收到。请分几次上传",
    ServiceUnavailable: "现在上传文件的人较多，这次提交没有收到。请稍后再试",
    NoRoom: "现在无法保存文件，这次提交没有收到。我们正在处理，请稍后再试",
}


def takes_files(*, again: Callable[..., Any], slots: Container[str]) -> Callable[[View], View]:
    """Mark a view that takes files: `again` shows its page, with the same arguments; `slots` are its fields.

    A part of another name is received and not kept.
    """

    def mark(view: View) -> View:
        setattr(view, _MARK, again)
        setattr(view, _SLOTS, slots)
        return view

    return mark


def install(app: Flask, configured: Settings) -> None:
    """Let marked views take files. After `errors.install`."""
    app.request_class = UploadRequest
    app.extensions[_DOORS] = Doors(configured.uploads_at_once)
    for refusal in (RequestEntityTooLarge, RequestTimeout, ServiceUnavailable):
        app.register_error_handler(refusal, _show_again)
    app.teardown_request(_leave)


def whole_refusal() -> str:
    """Why nothing of this request's body was taken, in a sentence; empty if it was read."""
    sentence: str = g.get("upload_refusal", "")
    return sentence


def address_is_spent() -> bool:
    """Whether the address this request came from has sent more in this hour than it may."""
    tally: Tally | None = g.get("upload_tally")
    return tally is not None and tally.is_spent


class UploadRequest(Request):
    """A request whose form, if its view takes files, is read within the bounds of this module."""

    def _load_form_data(self) -> None:
        """Read the form. Raises RequestEntityTooLarge, RequestTimeout, ServiceUnavailable, once."""
        if "form" in vars(self) or not _brings_files(self):
            super()._load_form_data()
            return
        caller = places(self.remote_addr or "")
        tally = g.upload_tally = Tally(platform().store, caller, settings().uploads_an_address_mb)
        try:
            current_app.extensions[_DOORS].enter(caller)
            self.max_content_length = _longest()
            self.max_form_parts, self.max_form_memory_size = _PARTS, _LONGEST_FIELD
            # A server that does not say where its body ends must not be asked for more than was announced.
            most = None if self.environ.get("wsgi.input_terminated") else self.content_length or 0
            body = Hurried(self.environ["wsgi.input"], settings().upload_seconds, most, tally.arrived)
            self.environ["wsgi.input"] = body
            super()._load_form_data()
        except Exception as refused:
            # Whoever shows the page again finds an empty form, and does not read on.
            vars(self).update(form=ImmutableMultiDict(), files=ImmutableMultiDict(), stream=None)
            if isinstance(refused, RequestEntityTooLarge):
                _let_it_pass(self.environ["wsgi.input"])
            raise
        finally:
            tally.settle()

    def make_form_data_parser(self) -> FormDataParser:
        """What reads the form: of a view that takes files, one that knows its slots."""
        plain = super().make_form_data_parser()
        return FormOfSlots(plain, getattr(_view_of(self), _SLOTS)) if _brings_files(self) else plain

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        if _page_of(self) is None:
            return super()._get_file_stream(total_content_length, content_type, filename, content_length)
        spools = g.setdefault("upload_spools", [])
        if len(spools) >= _FILES:
            raise TooMany
        # Of files that will be refused nothing lies here.
        most = 0 if address_is_spent() else settings().upload_file_mb * _MEBI
        try:
            spool = SealedSpool(platform().files.spool(), most)
        except NoSpace:
            raise NoRoom from None
        spools.append(spool)
        # Werkzeug writes it, winds it back and reads it: of all a file can, that is what is there.
        return spool  # type: ignore[return-value]


class SealedSpool:
    """A part of a body that is a file: sealed where it lies, and no longer than `most` octets.

    What is longer is counted and not kept. The key is nowhere else, so nothing can be read once this is gone
    (AES-CTR: whoever can write to the file could change it, but that is this process alone).
    """

    def __init__(self, file: IO[bytes], most: int) -> None:
        self._file, self._most = file, most
        self._cipher = Cipher(AES256(secrets.token_bytes(32)), CTR(secrets.token_bytes(16)))
        self._sealer, self._opener = self._cipher.encryptor(), self._cipher.decryptor()
        self._kept = 0
        self.length = 0

    def write(self, piece: bytes | bytearray) -> int:
        """Take the next octets of the file."""
        kept = bytes(piece[: max(0, self._most - self._kept)])
        try:
            self._file.write(self._sealer.update(kept))
        except OSError:
            raise NoRoom from None
        self._kept += len(kept)
        self.length += len(piece)
        return len(piece)

    def seek(self, place: int, whence: int = 0) -> int:
        """Wind back to the beginning: there is nowhere else to go."""
        if place or whence:
            raise OSError("only to the beginning")
        self._opener = self._cipher.decryptor()
        try:
            # What was gathered in memory is written now.
            return self._file.seek(0)
        except OSError:
            raise NoRoom from None

    def read(self, size: int = -1) -> bytes:
        """What was kept, from where one reads."""
        return self._opener.update(self._file.read(size))

    def close(self) -> None:
        """Give the space back."""
        with suppress(OSError):
            # On a full disk it cannot write what it gathered, and is closed all the same.
            self._file.close()


class Hurried:
    """A body that must have come within `seconds`, as far as that can be told between two pieces of it.

    It is read by the thread of the request and by no other: where an answer leaves while a read is under way,
    the server hangs as a whole (Granian 2.8). So a sender who falls silent altogether keeps that thread; the
    proxy in front, which takes a body in before it passes it on, never lets him so far (docs/running.md).
    `most` is how many octets there are, None where the server itself tells the end; `arrived` is told how
    many came.
    """

    def __init__(
        self, body: IO[bytes], seconds: float, most: int | None, arrived: Callable[[int], None]
    ) -> None:
        self._body, self._most, self._arrived = body, most, arrived
        self._until = monotonic() + seconds

    def read(self, size: int = _PIECE) -> bytes:
        """At most `size` octets, none at the end. Raises RequestTimeout, OSError if the sender is gone."""
        if monotonic() >= self._until:
            raise RequestTimeout
        asked = min(size if size >= 0 else _PIECE, _PIECE)
        asked = asked if self._most is None else min(asked, self._most)
        try:
            piece = self._body.read(asked) if asked else b""
        except Exception as fault:
            raise OSError from fault
        self._most = None if self._most is None else self._most - len(piece)
        self._arrived(len(piece))
        return piece

    def count_no_more(self) -> None:
        """Tell nobody of what still comes: it is thrown away, and nobody's hour is spent with it."""
        self._arrived = lambda _octets: None


class Doors:
    """How many bodies with files one process receives at once.

    Of these half from one neighbourhood, and three quarters from an IPv6 /48, which one caller may have.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._of_places = (max(1, at_once // 2), max(1, at_once * 3 // 4))
        self._lock = threading.Lock()
        self._inside: Counter[str] = Counter()
        self._all = 0

    def enter(self, caller: tuple[Place, ...]) -> None:
        """Return if there is room. Raises ServiceUnavailable."""
        with self._lock:
            full = (
                self._inside[each.name] >= most for each, most in zip(caller, self._of_places, strict=False)
            )
            if self._all >= self._at_once or any(full):
                raise ServiceUnavailable
            self._all += 1
            self._inside.update(each.name for each in caller)
        g.upload_door = caller

    def leave(self, caller: tuple[Place, ...]) -> None:
        """Make room."""
        with self._lock:
            self._all -= 1
            self._inside.subtract(each.name for each in caller)
            self._inside += Counter()


def _let_it_pass(body: Hurried) -> None:
    """Read what is left of a body and keep none of it: a browser that still sends reads no answer.

    What is several times too long is cut off all the same.
    """
    left = _PATIENT_WITH * _longest()
    body.count_no_more()
    with suppress(RequestTimeout, OSError):
        while left > 0 and (piece := body.read()):
            left -= len(piece)


def _longest() -> int:
    configured = settings()
    return (configured.upload_owner_mb + configured.upload_file_mb) * _MEBI + _FIELDS


def _brings_files(asked: Request) -> bool:
    """Whether the body is a form in parts for a view that takes files: any other has no reason to be long."""
    is_in_parts = asked.mimetype == "multipart/form-data" and bool(asked.mimetype_params.get("boundary"))
    return is_in_parts and _page_of(asked) is not None


def _page_of(asked: Request) -> Callable[..., Any] | None:
    """What shows the page again, if the request is for a view that takes files."""
    found: Callable[..., Any] | None = getattr(_view_of(asked), _MARK, None)
    return found


def _view_of(asked: Request) -> Callable[..., Any] | None:
    is_sent = asked.method == "POST" and asked.endpoint is not None
    return current_app.view_functions[asked.endpoint or ""] if is_sent else None


def _show_again(refused: HTTPException) -> Response:
    shown = _page_of(request) if request else None
    if shown is None or "form" not in vars(request._get_current_object()):  # type: ignore[attr-defined]  # noqa: SLF001 - the request itself
        return answer_http(refused)
    configured = settings()
    g.upload_refusal = _SENTENCES[type(refused)].format(
        seconds=configured.upload_seconds,
        most=configured.upload_owner_mb + configured.upload_file_mb,
        files=_FILES,
    )
    try:
        response = make_response(shown(**(request.view_args or {})))
    except HTTPException as led:
        # The page is not to be had any more, as the journey has gone on: it says where.
        response = answer_http(led)
    except Stop as stopped:
        response = answer_stop(stopped)
    if response.status_code == 200 and refused.code:
        response.status_code = refused.code
    # The rest of the body may still be on its way, and nobody reads it.
    response.headers["Connection"] = "close"
    return response


def _leave(_error: BaseException | None) -> None:
    for spool in g.pop("upload_spools", ()):
        spool.close()
    caller = g.pop("upload_door", None)
    if caller is not None:
        current_app.extensions[_DOORS].leave(caller)
