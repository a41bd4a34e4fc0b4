"""Every error is a sentence with a way out: a page in Chinese, or JSON for programs.

Rooms raise :class:`Stop` for what a person should read. Everything unforeseen is logged with the
request id and answered without a trace.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask, Response, current_app, g, jsonify, make_response, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from idp.accounts.passwords import TooBusy
from idp.adapters.ephemeral import StoreUnavailable
from idp.db import is_outage
from idp.web import logs, security
from idp.web.platform import roll_back
from idp.web.render import page

Way = tuple[str, str]
_TO_PROGRAMS = "idp-errors-to-programs"
_FRAMES = "idp-errors-frames"


class Stop(Exception):
    """The journey cannot go on here: what happened, what it did not do, and where to go.

    `explained` is the address of the numbered error, for whoever integrates the portal that sent the person.
    """

    def __init__(
        self, title: str, sentence: str, *, status: int = 400, ways: tuple[Way, ...] = (), explained: str = ""
    ) -> None:
        super().__init__(title)
        self.title = title
        self.sentence = sentence
        self.status = status
        self.ways = ways
        self.explained = explained


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where errors below an address are shown: the template of the frame, and the way out by default."""

    prefix: str
    template: str
    label: str
    endpoint: str


_PUBLIC = _Frame("", "base.html", "回到登录页", "login.start")
_PAGES = {
    400: ("请求没有被受理", "提交的内容不完整或格式不对，没有做任何更改。请返回上一页重新填写。"),
    403: ("请求没有被受理", "这个操作不是从本站页面发出的，为保护账号安全已停止，没有做任何更改。"),
    404: ("没有找到这个页面", "地址可能输错了，或者页面已经移走。"),
    405: ("请求没有被受理", "这个地址不支持这样打开。请从首页重新进入。"),
    408: ("提交没有完成", "提交的内容没有在规定时间内收完，没有做任何更改。请检查网络后再试。"),
    413: ("提交的内容太大", "一次提交的内容超过了允许的大小，没有做任何更改。"),
    414: ("地址太长", "打开的地址超过了允许的长度。请从首页或原来的网站重新进入。"),
    421: ("请使用正式地址访问", "您打开的地址不是本平台的正式地址，为保护账号安全已停止。"),
    429: ("操作太频繁", "请稍等一会儿再试，账号没有受到影响。"),
    500: ("服务暂时出了问题", "这次操作没有完成，我们已经记录下来。请稍后再试。"),
    503: ("服务正忙", "现在访问的人较多或系统正在恢复，这次操作没有完成，账号没有受到影响。请稍后再试。"),
}


def install(app: Flask) -> None:
    """Wire the handlers; the most exact one answers."""
    app.register_error_handler(Stop, answer_stop)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(HTTPException, answer_http)
    app.register_error_handler(Exception, _unforeseen)


def tell_programs(app: Flask, told: Mapping[int, Mapping[str, str]]) -> None:
    """Know the members of a JSON answer, by HTTP status; 400 and 500 stand for those without any."""
    app.extensions[_TO_PROGRAMS] = told


def frame(app: Flask, prefix: str, template: str, way: Way) -> None:
    """Show errors of the addresses below `prefix` in the frame of `template`.

    `way` is the way out where an error names none: its label and its endpoint.
    """
    app.extensions[_FRAMES] = (*app.extensions.get(_FRAMES, ()), _Frame(prefix, template, *way))


def answer_stop(stop: Stop) -> Response:
    """The page that says why a journey ends here."""
    return _render(stop.status, stop.title, stop.sentence, stop.ways, stop.explained)


def _csrf(_error: CSRFError) -> Response:
    roll_back()
    methods = request.url_rule.methods if request.url_rule else None
    here = request.full_path.rstrip("?") if methods and "GET" in methods else ""
    return _render(
        400,
        "页面已过期",
        "这个页面打开太久或浏览器没有保存 Cookie，没有做任何更改。请重新打开后再提交。",
        (("重新打开", here),) if here else (),
    )


def answer_http(error: HTTPException) -> Response:
    """The answer to a request that was refused with a status."""
    # What failed after the view, at the commit, comes wrapped.
    cause = getattr(error, "original_exception", None)
    if cause is not None:
        return answer_stop(cause) if isinstance(cause, Stop) else _unforeseen(cause)
    roll_back()
    if error.response is not None:
        return make_response(error.response)
    answer = _answer(error.code or 500, retry_after=None)
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # RFC 9110 §15.5.6
    return answer


def _unforeseen(error: Exception) -> Response:
    roll_back()
    busy = isinstance(error, TooBusy | StoreUnavailable) or is_outage(error)
    if busy:
        logs.tell(
            "unavailable",
            level=logging.WARNING,
            kind=type(error).__name__,
            request_id=g.get("request_id"),
        )
        return _answer(503, retry_after=1 if isinstance(error, TooBusy) else 5)
    # Type and place only: an exception's text may hold what a person typed.
    frames = _places(error)
    logs.tell(
        "unforeseen",
        level=logging.ERROR,
        kind=type(error).__name__,
        at=frames,
        request_id=g.get("request_id"),
    )
    return _answer(500, retry_after=None)


def _places(error: Exception) -> list[str]:
    places, trace = [], error.__traceback__
    while trace:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rsplit('/', 3)[-1]}:{trace.tb_lineno}:{code.co_name}")
        trace = trace.tb_next
    return places[-6:]


def _answer(status: int, *, retry_after: int | None) -> Response:
    if security.called_by_programs(current_app):
        by_status: Mapping[int, Mapping[str, str]] = current_app.extensions[_TO_PROGRAMS]
        told = by_status.get(status) or by_status[400 if status < 500 else 500]
        said = f"{told['error_description']} HTTP {status}; request {g.get('request_id', '')}"
        answer = jsonify({**told, "error_description": said})
        answer.status_code = status
    else:
        title, sentence = _PAGES.get(status, _PAGES[400] if status < 500 else _PAGES[500])
        answer = _render(status, title, sentence, ())
    if retry_after:
        answer.headers["Retry-After"] = str(retry_after)
    return answer


def _render(status: int, title: str, sentence: str, ways: tuple[Way, ...], explained: str = "") -> Response:
    for decided in ("new_session_token", "known_account", "new_staff_token"):
        g.pop(decided, None)
    around = _frame_here()
    outs = list(ways) or [(around.label, url_for(around.endpoint))]
    shown = page(
        "error.html",
        frame=around.template,
        title=title,
        happened=sentence,
        untouched="",
        ways=outs,
        explained=explained,
        at_work=around is not _PUBLIC,
    )
    response = make_response(shown, status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _frame_here() -> _Frame:
    frames: tuple[_Frame, ...] = current_app.extensions.get(_FRAMES, ())
    return next((one for one in frames if f"{request.path}/".startswith(f"{one.prefix}/")), _PUBLIC)
