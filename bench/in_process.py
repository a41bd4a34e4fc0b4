"""One request at a time against the application itself: CPU time of single requests, profiles."""

from __future__ import annotations

import io
import json
import os
import secrets
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from flask import Flask
from sqlalchemy import Engine, event

from bench.http import Answer
from bench.installation import Installation
from bench.journeys import SCOPE, authorization_address, code_in, redemption
from bench.population import Portal
from idp.app import create_app
from idp.web import logs
from idp.web.platform import Platform


@dataclass(slots=True)
class InProcess:
    """The application, called as a WSGI server calls it; `cpu` is what it cost since it was last set."""

    app: Flask
    issuer: str
    cpu: float = 0.0

    @property
    def platform(self) -> Platform:
        """What the application was wired with."""
        found: Platform = self.app.extensions["idp-platform"]
        return found

    def get(self, path: str, **headers: str) -> Answer:
        """GET; header names as WSGI has them, without HTTP_."""
        return self._ask("GET", path, b"", headers)

    def post(self, path: str, form: dict[str, str], **headers: str) -> Answer:
        """POST of a form."""
        return self._ask("POST", path, urlencode(form).encode(), headers)

    def close(self) -> None:
        """Give its connections back."""
        self.platform.database.close()
        self.platform.store.close()

    def _ask(self, method: str, target: str, body: bytes, headers: dict[str, str]) -> Answer:
        path, _mark, query = target.partition("?")
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SCRIPT_NAME": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": urlsplit(self.issuer).netloc,
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_LENGTH": str(len(body)),
            "CONTENT_TYPE": "application/x-www-form-urlencoded" if body else "",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.url_scheme": "http",
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **{f"HTTP_{name}": value for name, value in headers.items()},
        }
        started: list[Any] = []
        began = time.process_time()
        content = b"".join(self.app.wsgi_app(environ, partial(_note, started)))
        self.cpu += time.process_time() - began
        pairs = {name.lower(): value for name, value in started[0][1]}
        return Answer(int(started[0][0].split()[0]), pairs, content)


def in_process(here: Installation) -> InProcess:
    """The application of this installation, in this process; close it. It logs, but nobody reads it."""
    _log_to_nobody()
    return InProcess(create_app(here.settings), here.settings.issuer)


def statements(engine: Engine, work: Callable[[], object]) -> list[tuple[str, Any]]:
    """What `work` asks the database, each statement with its parameters; BEGIN and COMMIT are not told."""
    asked: list[tuple[str, Any]] = []

    def note(_conn: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, _many: Any) -> None:
        asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", note)
    try:
        work()
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return asked


def _note(started: list[Any], *given: Any) -> Callable[[bytes], object]:
    started.append(given)
    return len  # the old way to write a body, which nobody uses


@cache
def _log_to_nobody() -> None:
    nobody = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open as long as the process
    with redirect_stderr(nobody):
        logs.configure()


def sign_on(house: InProcess, portal: Portal, cookie: str) -> None:
    """The journey of `bench.journeys.sign_on`. Raises bench.http.WrongAnswer."""
    verifier = secrets.token_urlsafe(48)
    answer = house.get(authorization_address(portal, SCOPE, verifier), COOKIE=cookie).expect(303)
    form = redemption(code_in(answer.headers["location"]), verifier)
    tokens = json.loads(house.post("/oauth/token", form, AUTHORIZATION=portal.basic).expect(200).body)
    house.get("/oauth/userinfo", AUTHORIZATION=f"Bearer {tokens['access_token']}").expect(200)
