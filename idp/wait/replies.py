"""The bytes of an answer: the house's headers, and JSON as the scan room says it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any

from idp.config import Settings
from idp.web.headers import ALWAYS, ON_HTTPS

_JSON = "application/json"
_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered; `headers` beside those that every answer carries."""

    status: HTTPStatus
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    kind: str = _JSON


def told(data: Mapping[str, Any]) -> Reply:
    """200 with `data`."""
    return Reply(HTTPStatus.OK, packed(data))


def refused(status: HTTPStatus, *, retry_after: int = 0, allow: str = "") -> Reply:
    """An answer that says no more than its status; `retry_after` in seconds."""
    headers = [("Retry-After", str(retry_after))] if retry_after else []
    if allow:
        headers.append(("Allow", allow))
    return Reply(status, packed({"error": status.phrase.lower().replace(" ", "_")}), tuple(headers))


class Writer:
    """Makes replies into bytes for one installation."""

    def __init__(self, settings: Settings) -> None:
        always = [
            *ALWAYS,
            ("Content-Security-Policy", _POLICY),
            ("Cache-Control", "no-store"),
            ("Vary", "Cookie"),
        ]
        if settings.secure_cookies:
            always.append(ON_HTTPS)
        self._always = _lines(always)

    def written(self, reply: Reply, *, keeps: bool) -> bytes:
        """The whole answer; `keeps` says whether the connection stays."""
        status = reply.status
        own = [
            ("Date", formatdate(usegmt=True)),
            ("Content-Type", reply.kind),
            ("Content-Length", str(len(reply.body))),
            ("Connection", "keep-alive" if keeps else "close"),
            *reply.headers,
        ]
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\n{_lines(own)}{self._always}\r\n"
        return head.encode("latin-1") + reply.body


def _lines(headers: list[tuple[str, str]]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers)


def packed(data: Mapping[str, Any]) -> bytes:
    """JSON as a body."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
