"""What is not a plain GET is refused, and never taken for two requests."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus

import pytest

from idp.config import Secret, Settings
from idp.wait.door import HEAD_SECONDS
from idp.wait.line import LONGEST_HEAD, Line, Request
from idp.wait.replies import Reply
from tests.wait.callers import PATIENCE, SECRET, Caller, Running, in_a_loop_of_its_own, running
from tests.wait.conftest import Tickets

HOST = "Host: localhost:8000\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        "GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 31\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\ntransfer-encoding:\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n",
        "GET / HTTP/1.1\r\nA : b\r\n\r\n",
        "GET / HTTP/1.1\r\nA: b\nContent-Length: 5\r\n\r\n",
        "GET / HTTP/1.1\nHost: x\n\r\n\r\n",
        "GET / HTTP/1.1\r\nA: \0\r\n\r\n",
        "GET / HTTP/2.0\r\n\r\n",
        "GET http://elsewhere.example/ HTTP/1.1\r\n\r\n",
        "GET  / HTTP/1.1\r\n\r\n",
        "GET /\xe4 HTTP/1.1\r\n\r\n",
        "\x16\x03\x01\x02\r\n\r\n",
    ],
)
def test_what_is_no_plain_request_is_refused_and_nothing_behind_it_is_read(
    here: Running, request_: str
) -> None:
    with here.caller() as caller:
        refused = caller.send(request_).answer()
        assert (refused.status, refused.headers["connection"]) == (400, "close")
        assert caller.is_closed()


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT", "OPTIONS", "CONNECT", "TRACE"])
def test_other_methods_are_refused(here: Running, method: str) -> None:
    with here.caller() as caller:
        refused = caller.send(f"{method} /scan/wait/x HTTP/1.1\r\n{HOST}\r\n").answer()
        assert (refused.status, refused.headers["allow"]) == (405, "GET")
        assert caller.is_closed()


def test_a_head_without_end_is_refused(here: Running) -> None:
    with here.caller() as caller:
        caller.send("GET /healthz HTTP/1.1\r\nA: " + "x" * LONGEST_HEAD)
        assert caller.answer().status == 431
        assert caller.is_closed()


def test_who_sends_on_and_on_while_he_waits_is_let_go(here: Running, provider: Tickets) -> None:
    with here.caller() as caller:
        caller.wait(provider.open())
        here.until_held(1)
        caller.send("x" * (LONGEST_HEAD + 1))
        assert caller.is_closed()
    here.until_held(0)


def test_requests_sent_at_once_are_answered_in_their_order(here: Running, provider: Tickets) -> None:
    ticket = provider.open()
    with here.caller() as caller:
        caller.wait(ticket).get("/healthz").get("/nothing")
        here.until_held(1)
        provider.scan(ticket)
        answers = [caller.answer() for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 404]
    assert answers[0].json["state"] == "scanned"
    assert answers[1].json == {"status": "ok"}


def test_a_request_may_come_in_pieces(here: Running) -> None:
    with here.caller() as caller:
        for piece in ("\r\nGET /he", "althz HTTP/1.1\r", "\n", HOST, "\r", "\n"):
            caller.send(piece)
        assert caller.answer().status == 200


@pytest.mark.parametrize(
    "first", ["GET /healthz HTTP/1.0\r\n", "GET /healthz HTTP/1.1\r\nConnection: Close\r\n"]
)
def test_who_wants_the_connection_closed_has_it_closed(here: Running, first: str) -> None:
    with here.caller() as caller:
        assert caller.send(f"{first}\r\n").answer().headers["connection"] == "close"
        assert caller.is_closed()


@pytest.mark.parametrize("host", ["", "Host: elsewhere.example\r\n", HOST + HOST])
def test_another_host_is_not_answered_for(here: Running, provider: Tickets, host: str) -> None:
    with here.caller() as caller:
        caller.send(f"GET /scan/wait/{provider.open()} HTTP/1.1\r\n{host}Cookie: idp_wait={SECRET}\r\n\r\n")
        assert caller.answer().status == 421


def test_cookies_in_several_lines_are_one_header(here: Running, provider: Tickets) -> None:
    with here.caller() as caller:
        caller.send(
            f"GET /scan/wait/{provider.open()}?seconds=0 HTTP/1.1\r\n{HOST}"
            f"Cookie: other=1\r\nCookie: idp_wait={SECRET}\r\n\r\n"
        )
        assert caller.answer().status == 200


def test_on_https_only_the_cookie_with_its_prefix_counts(settings: Settings, provider: Tickets) -> None:
    ticket = provider.open()
    secure = replace(settings, issuer="https://id.example")
    with running(secure) as here, here.caller() as caller:
        caller.host = "id.example"
        assert caller.wait(ticket).answer().status == 404
        answer = caller.get(f"/scan/wait/{ticket}?seconds=0", cookie=f"__Host-idp_wait={SECRET}").answer()
        assert answer.status == 200
        assert "max-age" in answer.headers["strict-transport-security"]


def test_figures_are_for_whoever_holds_the_token(settings: Settings) -> None:
    with running(settings) as here:
        assert here.ask("/metrics").status == 404
        assert here.ask("/metrics", more="Authorization: Bearer x\r\n").status == 404
        assert here.figure("idp_wait_subscribed_total") >= 1
    closed = replace(settings, metrics_token=Secret(""))
    with running(closed) as here:
        assert here.ask("/metrics", more="Authorization: Bearer \r\n").status == 404


def test_more_connections_than_files_are_refused_with_a_sentence(settings: Settings) -> None:
    with running(settings, most=1) as here:
        held = [here.caller() for _ in range(1025)]
        with here.caller() as further:
            assert further.answer().status == 503
            assert further.is_closed()
        for caller in held:
            caller.leave()


def ask_on_and_on(caller: Caller, here: Running, *, at_once: int) -> None:
    """Send small requests and never read an answer; `at_once` are sent before the process has seen them."""
    for _ in range(100_000 // at_once):
        for _ in range(at_once):
            caller.get("/healthz")
        here.ask("/healthz")


def test_who_asks_and_asks_at_once_is_let_go(here: Running) -> None:
    with here.caller() as caller, pytest.raises((ConnectionResetError, BrokenPipeError)):
        ask_on_and_on(caller, here, at_once=20)


class LongAnswers:
    """Where requests go that are answered at length."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()

    def opened(self, line: Line) -> bool:  # noqa: ARG002
        return True

    def asked(self, request: Request, line: Line) -> None:  # noqa: ARG002
        line.answer(Reply(HTTPStatus.OK, b""))

    def closed(self, line: Line) -> None:  # noqa: ARG002
        self.gone.set()

    def written(self, reply: Reply, *, keeps: bool) -> bytes:  # noqa: ARG002
        return b"x" * 1_000_000


def test_who_does_not_read_his_answers_is_let_go() -> None:
    async def asks_without_reading() -> None:
        door = LongAnswers()
        server = await asyncio.get_running_loop().create_server(lambda: Line(door), "127.0.0.1", 0)
        with socket.create_connection(server.sockets[0].getsockname()) as caller, suppress(OSError):
            for _ in range(100):
                caller.sendall(b"GET / HTTP/1.1\r\n\r\n")
                await asyncio.sleep(0)
            await asyncio.wait_for(door.gone.wait(), PATIENCE)
        assert door.gone.is_set()
        server.close()

    in_a_loop_of_its_own(asks_without_reading())


@pytest.mark.parametrize("begun", ["", "GET /healthz HTTP/1.1\r\nA: "])
def test_who_connects_and_does_not_ask_is_let_go_soon(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, begun: str
) -> None:
    monkeypatch.setattr("idp.wait.process._SWEEP_SECONDS", 0.05)
    with running(settings) as here, here.caller() as silent, here.caller() as kept:
        assert kept.get("/healthz").answer().status == 200
        silent.send(begun)
        monkeypatch.setattr("idp.wait.door.HEAD_SECONDS", 0)
        assert silent.is_closed()
        monkeypatch.setattr("idp.wait.door.HEAD_SECONDS", PATIENCE)
        assert kept.get("/healthz").answer().status == 200


def test_who_has_asked_before_and_never_ends_his_next_question_is_let_go_soon(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp.wait.process._SWEEP_SECONDS", 0.05)
    with running(settings) as here, here.caller() as slow:
        assert slow.get("/healthz").answer().status == 200
        slow.send("GET /healthz HTTP/1.1\r\n")
        monkeypatch.setattr("idp.wait.door.HEAD_SECONDS", 0)
        assert slow.is_closed()


def test_who_was_idle_for_long_has_as_much_time_for_his_question_as_anybody(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp.wait.process._SWEEP_SECONDS", 0.05)
    with running(settings) as here, here.caller() as idle:
        assert idle.get("/healthz").answer().status == 200
        for _ in range(2):
            with here.caller() as silent:
                here.ask("/healthz")  # once this one is answered, the silent one has arrived
                here.later(HEAD_SECONDS + 1)
                assert silent.is_closed()
            idle.send("GET /healthz HTTP/1.1\r\n")
            here.ask("/healthz")
            here.later(HEAD_SECONDS / 2)  # the lines are looked at meanwhile
            here.ask("/healthz")
            assert idle.send("\r\n").answer().status == 200


def test_an_idle_connection_is_closed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idp.wait.process._SWEEP_SECONDS", 0.05)
    with running(settings) as here, here.caller() as caller:
        assert caller.get("/healthz").answer().status == 200
        monkeypatch.setattr("idp.wait.door.IDLE_SECONDS", 0)
        assert caller.is_closed()
