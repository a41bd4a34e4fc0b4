"""An answer that the browser posts to the portal: by itself, and by a button where no script runs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from tests.journeys.chrome import Person
from tests.portals import Authorization
from tests.running_demo import RunningDemo
from tests.world import AClient


@dataclass
class APortal:
    """A portal that takes answers by POST."""

    address: str
    received: list[dict[str, list[str]]] = field(default_factory=list)


@pytest.fixture
def portal() -> Iterator[APortal]:
    """A portal on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            standing.received.append(parse_qs(body))
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write("<!DOCTYPE html><title>网厅</title><h1>欢迎</h1>".encode())

        def log_message(self, *_args: Any) -> None:
            """Nothing on the console."""

    # Threads: a browser may hold a connection open that it never uses.
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        standing = APortal(f"http://127.0.0.1:{server.server_port}/callback")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield standing
        server.shutdown()
        thread.join()


def arrives(person: Person, demo: RunningDemo, portal: APortal) -> Authorization:
    """Sign in for a portal that wants its answer in a form; what it had asked for."""
    made = demo.idp(
        *("client", "add", "--name", "收表单的网厅", "--first-party", "--redirect-uri", portal.address),
        *("--scope", "openid profile"),
    )
    asked = Authorization(AClient(made["client_id"], made["client_secret"], portal.address))
    account = demo.account("person")
    person.open(demo.issuer + asked.address("openid", response_mode="form_post"))
    person.sign_in("个人登录", account=account["account"], password=account["password"])
    return asked


def test_a_script_of_ours_sends_it_on_at_once(
    somebody: Callable[..., Person], running_demo: RunningDemo, portal: APortal
) -> None:
    person = somebody(script=True)
    asked = arrives(person, running_demo, portal)
    person.page.wait_for_url(portal.address)
    assert "欢迎" in person.reads()
    assert [set(answer) for answer in portal.received] == [{"code", "state", "iss"}]
    assert portal.received[0]["state"] == [asked.state]
    assert person.faults == [], "the policy of the page blocked nothing"


def test_without_scripts_a_button_does(
    somebody: Callable[..., Person], running_demo: RunningDemo, portal: APortal
) -> None:
    person = somebody(width=360, script=False)
    arrives(person, running_demo, portal)
    assert "正在返回收表单的网厅" in person.reads()
    assert portal.received == []
    person.press("继续")
    assert "欢迎" in person.reads()
    assert [set(answer) for answer in portal.received] == [{"code", "state", "iss"}]
