"""The face service: what is said to it, over a real connection, and what is believed of what it says."""

from __future__ import annotations

import hmac
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest

from idp.adapters.ephemeral import EphemeralStore
from idp.adapters.ephemeral.sql import SqlEphemeralStore
from idp.adapters.face import (
    CallbackRefused,
    FaceCrowded,
    FaceResult,
    FaceService,
    FaceUnavailable,
    VerdictMalformed,
    face_of,
)
from idp.adapters.party import AT_ONCE
from idp.config import SettingsRefused
from tests.conftest import make_settings
from tests.relying_parties.simulating import FACE_KEY, simulators

NOW = datetime(2026, 11, 21, 6, 33, tzinfo=UTC)
ASKED = ("check-1", "林小满", "990100195002021230")
TO = {
    "id_type": "resident_id",
    "callback": "https://idp.example/face/callback",
    "returns_to": "https://app.example/",
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EphemeralStore]:
    made = SqlEphemeralStore(tmp_path / "ephemeral.db")
    yield made
    made.close()


@dataclass
class Stand:
    """A face service that says what a test wants, and keeps what it was told."""

    address: str = ""
    status: int = 201
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    told: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


@contextmanager
def a_stand(**given: Any) -> Iterator[Stand]:
    stand = Stand(**given)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            stand.told.append((self.path, dict(self.headers), body))
            said = stand.body or json.dumps({"url": f"{stand.address}/page"}).encode()
            self.send_response(stand.status)
            for name, value in stand.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_ignored: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        stand.address = f"http://127.0.0.1:{server.server_address[1]}/face"
        try:
            yield stand
        finally:
            server.shutdown()
            thread.join(10)


def a_service(url: str = "https://face.example/api") -> FaceService:
    return FaceService(url, FACE_KEY)


def begun(service: FaceService) -> str:
    return service.begin(*ASKED, **TO, now=NOW)


def a_verdict(**changed: Any) -> bytes:
    told = {"check": "check-1", "subject": "whom", "passed": True, "score": 98, "at": NOW.isoformat()}
    return json.dumps({**told, **changed}).encode()


def signed(body: bytes, **given: Any) -> dict[str, str]:
    stamp = given.get("stamp", str(int(NOW.timestamp())))
    nonce = given.get("nonce", secrets.token_urlsafe(18))
    framed = f"{given.get('word', 'verdict')}\n{stamp}\n{nonce}\n".encode() + body
    made = hmac.new(given.get("key", FACE_KEY).encode(), framed, "sha256").hexdigest()
    return {"X-Face-Timestamp": stamp, "X-Face-Nonce": nonce, "X-Face-Signature": made}


def test_the_simulator_begins_what_the_provider_asks() -> None:
    with simulators("https://idp.example") as running:
        page = FaceService(running.face_url, FACE_KEY).begin(*ASKED, **TO, now=datetime.now(UTC))
        assert page.startswith(f"{running.address}/face/")
        shown = httpx2.get(page, trust_env=False)
        assert (shown.status_code, "林**" in shown.text, "990100" in shown.text) == (200, True, False)


def test_the_service_is_told_whom_to_check_and_by_what_document() -> None:
    with a_stand() as stand:
        begun(FaceService(stand.address, FACE_KEY))
        ((_path, _headers, body),) = stand.told
    check, name, id_number = ASKED
    assert json.loads(body) == {"check": check, "name": name, "id_number": id_number, **TO}


def test_what_is_said_is_signed_over_its_very_octets() -> None:
    with a_stand() as stand:
        service = FaceService(stand.address, FACE_KEY)
        assert begun(service) == f"{stand.address}/page"
        ((path, headers, body),) = stand.told
    assert path == "/face/checks"
    framed = f"begin\n{headers['X-Face-Timestamp']}\n{headers['X-Face-Nonce']}\n".encode() + body
    assert headers["X-Face-Signature"] == hmac.new(FACE_KEY.encode(), framed, "sha256").hexdigest()
    assert json.loads(body) == {
        "check": "check-1",
        "name": "林小满",
        "id_number": "990100195002021230",
        **TO,
    }


@pytest.mark.parametrize(
    "given",
    [
        {"status": 200},
        {"status": 503},
        {"status": 302, "headers": {"Location": "/elsewhere"}},
        {"body": b"[]"},
        {"body": b"{"},
        {"body": b"[" * 5000},
        {"body": b'{"url": 5}'},
        {"body": b'{"url": "https://elsewhere.example/page"}'},
        {"body": b'{"url": "javascript:go()"}'},
        {"body": b'{"url": "http://[bad"}'},
        {"body": b"x" * 100_000},
    ],
)
def test_an_answer_that_is_no_page_of_its_own_is_none(given: dict[str, Any]) -> None:
    with a_stand(**given) as stand:
        with pytest.raises(FaceUnavailable) as refused:
            begun(FaceService(stand.address, FACE_KEY))
        assert len(stand.told) == 1, "a redirect is not followed"
    assert "林小满" not in str(refused.value)
    assert "990100" not in str(refused.value)


def test_no_more_checks_are_begun_at_once_than_may_be_however_long_the_service_takes() -> None:
    asked, answered = threading.Semaphore(0), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.release()
            answered.wait(10)
            self.send_error(503)

        def log_message(self, *_ignored: object) -> None:
            """Say nothing."""

    def begin(service: FaceService) -> None:
        with suppress(FaceUnavailable):
            begun(service)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        service = FaceService(f"http://127.0.0.1:{server.server_address[1]}/face", FACE_KEY)
        callers = [threading.Thread(target=begin, args=(service,)) for _ in range(AT_ONCE)]
        try:
            for caller in callers:
                caller.start()
            for _ in callers:
                assert asked.acquire(timeout=10)
            with pytest.raises(FaceCrowded):
                begun(service)
        finally:
            answered.set()
            for caller in callers:
                caller.join(10)
            server.shutdown()
        with pytest.raises(FaceUnavailable) as refused:
            begun(service)
        assert not isinstance(refused.value, FaceCrowded), "the places are free again"


def test_a_service_that_is_not_there_is_said() -> None:
    with pytest.raises(FaceUnavailable):
        begun(FaceService("http://127.0.0.1:1/face", FACE_KEY))


@pytest.mark.parametrize("url", ["http://face.example/api", "ftp://face.example", "face.example", "https://"])
def test_names_never_go_in_clear(url: str) -> None:
    with pytest.raises(SettingsRefused, match="IDP_FACE_URL"):
        FaceService(url, FACE_KEY)


def test_a_short_key_is_refused_at_the_start() -> None:
    with pytest.raises(SettingsRefused, match="IDP_FACE_KEY"):
        FaceService("https://face.example", "short")
    assert face_of(make_settings(database_url="sqlite://")) is None


def test_a_signed_verdict_is_read(store: EphemeralStore) -> None:
    body = a_verdict()
    assert a_service().read_callback(signed(body), body, store, now=NOW) == FaceResult(
        "check-1", "whom", passed=True, score=98, at=NOW
    )


def test_a_verdict_without_a_right_signature_is_refused(store: EphemeralStore) -> None:
    body = a_verdict()
    right = signed(body)
    forged = [
        {},
        {name: value for name, value in right.items() if name != "X-Face-Signature"},
        {**right, "X-Face-Signature": ""},
        {**right, "X-Face-Signature": "é"},
        {**right, "X-Face-Signature": "0" * 64},
        {**right, "X-Face-Nonce": secrets.token_urlsafe(18)},
        {**right, "X-Face-Timestamp": str(int(NOW.timestamp()) + 1)},
        signed(body, key="another-key-of-at-least-32-characters"),
        signed(body, word="begin"),
    ]
    for headers in forged:
        with pytest.raises(CallbackRefused):
            a_service().read_callback(headers, body, store, now=NOW)
    a_service().read_callback(right, body, store, now=NOW)


def test_what_is_signed_is_the_body_to_the_octet(store: EphemeralStore) -> None:
    body = a_verdict(passed=False)
    headers = signed(body)
    for other in (body.replace(b"false", b"true"), body + b" ", a_verdict(score=99)):
        with pytest.raises(CallbackRefused):
            a_service().read_callback(headers, other, store, now=NOW)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_verdict_from_another_time_is_refused(store: EphemeralStore, minutes: int) -> None:
    body = a_verdict()
    stamp = str(int((NOW + timedelta(minutes=minutes)).timestamp()))
    with pytest.raises(CallbackRefused, match="window"):
        a_service().read_callback(signed(body, stamp=stamp), body, store, now=NOW)


@pytest.mark.parametrize("minutes", [-4, 4])
def test_clocks_may_differ_by_some_minutes(store: EphemeralStore, minutes: int) -> None:
    body = a_verdict()
    stamp = str(int((NOW + timedelta(minutes=minutes)).timestamp()))
    a_service().read_callback(signed(body, stamp=stamp), body, store, now=NOW)


@pytest.mark.parametrize("stamp", ["", "now", "-5", "1e9", "１７００００００００", "9" * 20])
def test_a_timestamp_that_is_none_is_refused(store: EphemeralStore, stamp: str) -> None:
    body = a_verdict()
    with pytest.raises(CallbackRefused):
        a_service().read_callback(signed(body, stamp=stamp), body, store, now=NOW)


def test_a_message_counts_once_for_as_long_as_its_time_is_right(store: EphemeralStore) -> None:
    body = a_verdict()
    stamp = str(int((NOW + timedelta(minutes=4)).timestamp()))
    headers = signed(body, stamp=stamp)
    a_service().read_callback(headers, body, store, now=NOW)
    for later in (0, 4, 8):
        with pytest.raises(CallbackRefused) as refused:
            a_service().read_callback(headers, body, store, now=NOW + timedelta(minutes=later))
        assert refused.value.replayed


def test_the_same_nonce_under_another_verdict_is_refused(store: EphemeralStore) -> None:
    first, second = a_verdict(), a_verdict(score=99)
    a_service().read_callback(signed(first, nonce="n" * 20), first, store, now=NOW)
    with pytest.raises(CallbackRefused):
        a_service().read_callback(signed(second, nonce="n" * 20), second, store, now=NOW)


def test_a_forger_spends_no_nonce(store: EphemeralStore) -> None:
    body = a_verdict()
    headers = signed(body, nonce="n" * 20)
    with pytest.raises(CallbackRefused):
        a_service().read_callback({**headers, "X-Face-Signature": "0" * 64}, body, store, now=NOW)
    a_service().read_callback(headers, body, store, now=NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b"[" * 2000,
        a_verdict(passed="true"),
        a_verdict(passed=1),
        a_verdict(score="98"),
        a_verdict(score=98.5),
        a_verdict(score=True),
        a_verdict(score=101),
        a_verdict(score=-1),
        a_verdict(check=5),
        a_verdict(subject=None),
        a_verdict(at="yesterday"),
        a_verdict(at="2026-11-21T06:33:00"),
        a_verdict(at=5),
    ],
)
def test_a_signed_text_that_is_no_verdict_is_told_apart(store: EphemeralStore, body: bytes) -> None:
    with pytest.raises(VerdictMalformed):
        a_service().read_callback(signed(body), body, store, now=NOW)


def test_both_sides_call_a_person_the_same_and_nobody_can_tell_who_it_is() -> None:
    one, other = a_service(), FaceService("https://face.example", "another-key-of-at-least-32-characters")
    assert one.subject("林小满", "1") == one.subject("林小满", "1")
    assert len({one.subject("林小满", "1"), one.subject("林小满", "2"), other.subject("林小满", "1")}) == 3
