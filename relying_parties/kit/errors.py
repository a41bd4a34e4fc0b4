"""Error pages: what happened, what it did not do, a way out, and a request id; never a trace.

Two voices: the page speaks to the person, the log to whoever runs the portal; the request id joins them.
"""

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import Flask, Response, make_response, render_template, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException

from relying_parties.kit.portal import now, show_as_nobody
from relying_parties.kit.words import SHANGHAI, prose_time

log = logging.getLogger(__name__)

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_RETRY_SECONDS = "10"
HOME: Final = ("返回首页", "/")


@dataclass(frozen=True)
class Stop:
    """A page that ends here: `ways` are (label, address), the first one is the likely one."""

    status: int
    title: str
    lead: str
    ways: tuple[tuple[str, str], ...] = (HOME,)


NOT_FOUND = Stop(404, "没有这个页面", "地址可能输错了，或者页面已经移走。您的账号和业务没有受到影响。")
_STOPS = {
    400: Stop(
        400, "这个请求无法办理", "地址或表单的内容不完整，没有办理任何业务。请返回首页，重新打开要办的事项。"
    ),
    403: Stop(
        403, "这个表单已经失效", "页面打开太久，或登录身份已经改变，没有办理任何业务。请返回首页后重试。"
    ),
    404: NOT_FOUND,
    405: Stop(405, "不能这样打开这个页面", "没有办理任何业务。请返回首页，从页面上的按钮进入。"),
    413: Stop(413, "提交的内容太大", "没有办理任何业务。请返回首页后重试。"),
}
_BROKEN = Stop(500, "网厅出了问题", "这次操作没有完成，请稍后再试。多次出现请拨打服务热线，并告知请求编号。")
_BUSY = Stop(503, "网厅现在很忙", "这次操作没有完成，账号没有受到影响。请稍等几秒后重试。")


def install_error_pages(app: Flask) -> None:
    """Answer every refusal and every failure of `app` with a page."""
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(OperationalError, _busy)
    app.register_error_handler(Exception, _broken)


def stop_page(stop: Stop, reason: str) -> Response:
    """The page for `stop`; `reason` goes to the log, under the request id that the page shows."""
    request_id = _new_request_id(now())
    log.warning("%s %s: %s %s", request_id, stop.status, request.endpoint, reason)
    return _page(stop, request_id)


def _page(stop: Stop, request_id: str) -> Response:
    body = render_template("kit/stop.html", stop=stop, request_id=request_id, at=prose_time(now()))
    response = make_response(body, stop.status)
    if stop.status == _BUSY.status:
        response.headers["Retry-After"] = _RETRY_SECONDS
    return response


def _refused(error: HTTPException) -> Response:
    code = error.code or _BROKEN.status
    response = stop_page(_STOPS.get(code, _STOPS[400] if code < _BROKEN.status else _BROKEN), error.name)
    if allowed := getattr(error, "valid_methods", None):
        response.headers["Allow"] = ", ".join(allowed)
    return response


def _busy(error: OperationalError) -> Response:
    show_as_nobody()
    return stop_page(_BUSY, f"database: {type(error.orig).__name__}")


def _broken(error: Exception) -> Response:
    request_id = _new_request_id(now())
    log.error("%s 500: %s", request_id, request.endpoint, exc_info=error)
    show_as_nobody()
    return _page(_BROKEN, request_id)


def _new_request_id(instant: datetime) -> str:
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    return f"RP-{instant.astimezone(SHANGHAI):%Y%m%d}-{letters[:4]}-{letters[4:]}"
