"""One JSON line a request and one an incident: ids and names of rules, never what a person typed.

The path is told by its route (``/captcha/<captcha_id>.png``), so no token, transaction or address of
a page reaches the log. Counters of the same go to /metrics.
"""

from __future__ import annotations

import logging
import sys
import time

import structlog
from flask import Flask, Response, g, request
from prometheus_client import Counter, Histogram

_QUIET = frozenset({"theme.static", "web.healthz", "web.readyz", "web.metrics"})
_REQUESTS = Counter("idp_requests", "Answered requests.", ["route", "status"])
_SECONDS = Histogram("idp_request_seconds", "Time to an answer.", ["route"])
log = structlog.get_logger()


def configure() -> None:
    """Send structured logs of this process to standard error, as JSON lines."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Libraries log at WARNING and above only: at DEBUG some of them print whole tokens.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s")


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
        log.info(
            "request",
            method=request.method if request.method.isascii() else "?",
            route=request.url_rule.rule if request.url_rule else "none",
            status=response.status_code,
            ms=round(seconds * 1000, 1),
            request_id=g.get("request_id", ""),
        )
    return response
