"""One JSON line a request and one an incident: ids and names of rules, never what a person typed.

The path is told by its route (``/captcha/<captcha_id>.png``), so no token, transaction or address of
a page reaches the log. Counters of the same go to /metrics.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, request
from prometheus_client import Counter, Histogram

_QUIET = frozenset({"theme.static", "web.healthz", "web.readyz", "web.metrics"})
_REQUESTS = Counter("idp_requests", "Answered requests.", ["route", "status"])
_SECONDS = Histogram("idp_request_seconds", "Time to an answer.", ["route"])
_LOG = logging.getLogger("idp")


class JsonLines(logging.Formatter):
    """What :func:`tell` was told, as one line of JSON."""

    _written = json.JSONEncoder(ensure_ascii=False, default=repr).encode

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        at = datetime.fromtimestamp(record.created, UTC).replace(tzinfo=None)
        line: dict[str, Any] = {
            "event": record.msg,
            "level": record.levelname.lower(),
            "timestamp": f"{at.isoformat(timespec='microseconds')}Z",
        }
        return self._written({**line, **getattr(record, "facts", {})})


def configure() -> None:
    """Send the log of this process to standard error: ours as JSON lines, of libraries who warns."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    _LOG.handlers, _LOG.propagate = [handler], False
    _LOG.setLevel(logging.INFO)
    # Libraries log at WARNING and above only: at DEBUG some of them print whole tokens.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s")


def tell(event: str, *, level: int = logging.INFO, **facts: Any) -> None:
    """Write one line: what happened, and ids and numbers beside it."""
    _LOG.log(level, event, extra={"facts": facts})


def install(app: Flask) -> None:
    """Time and count every request."""
    app.before_request(_begin)
    app.after_request(_tell)


def _begin() -> None:
    g.began = time.perf_counter()


def _tell(response: Response) -> Response:
    route = request.endpoint or "none"
    seconds = time.perf_counter() - g.get("began", time.perf_counter())
    _REQUESTS.labels(route, response.status_code).inc()
    _SECONDS.labels(route).observe(seconds)
    if route not in _QUIET:
        tell(
            "request",
            method=request.method if request.method.isascii() else "?",
            route=request.url_rule.rule if request.url_rule else "none",
            status=response.status_code,
            ms=round(seconds * 1000, 1),
            request_id=g.get("request_id", ""),
        )
    return response
