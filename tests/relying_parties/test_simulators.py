"""The simulators, as anybody outside meets them: signed or not, pressed right and wrong."""

from __future__ import annotations

import hmac
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from flask import Flask, Response, request

from relying_parties.kit.settings import SettingsRefused
from relying_parties.simulators.config import load_settings
from tests.relying_parties.simulating import FACE_KEY, Simulators, served, simulators

NAME, NUMBER = "林小满", "990100195002021230"


@dataclass
class Provider:
    """Whom the simulator tells: what it heard, and what it answers."""

    address: str = ""
    status: int = 204
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def provider() -> Iterator[Provider]:
    standing, app = Provider(), Flask("a-provider")

    @app.post("/face/callback")
    def callback() -> Response:
        standing.heard.append((dict(request.headers), request.get_data()))
        return Response(status=standing.status)

    with served(app) as address:
        standing.address = address
        yield standing


@pytest.fixture
def running(provider: Provider) -> Iterator[Simulators]:
    with simulators(provider.address) as made:
        yield made


def asked(provider: Provider, **changed: Any) -> bytes:
    told = {
        "check": "c" * 22,
        "name": NAME,
        "id_number": NUMBER,
        "callback": f"{provider.address}/face/callback",
        "returns_to": "http://localhost:8004/",
    }
    return json.dumps({**told, **changed}).encode()


def begin(running: Simulators, body: bytes, **given: Any) -> httpx2.Response:
    stamp, nonce = given.get("stamp", str(int(time.time()))), given.get("nonce", secrets.token_urlsafe(18))
    framed = f"begin\n{stamp}\n{nonce}\n".encode() + given.get("signed", body)
    made = hmac.new(given.get("key", FACE_KEY).encode(), framed, "sha256").hexdigest()
    headers = {"X-Face-Timestamp": stamp, "X-Face-Nonce": nonce, "X-Face-Signature": made}
    return httpx2.post(f"{running.face_url}/checks", content=body, headers=headers, trust_env=False)


def page_of(running: Simulators, provider: Provider) -> str:
    answer = begin(running, asked(provider))
    assert answer.status_code == 201
    url: str = answer.json()["url"]
    return url


@pytest.mark.parametrize(
    ("trigger", "passed", "score"), [("passed", True, 98), ("another", False, 12), ("low", False, 62)]
)
def test_a_trigger_says_its_verdict_signed_and_leads_back(
    running: Simulators, provider: Provider, trigger: str, passed: bool, score: int
) -> None:
    answer = running.press(page_of(running, provider), trigger)
    assert (answer.status_code, answer.headers["Location"]) == (303, "http://localhost:8004/")
    ((headers, body),) = provider.heard
    told = json.loads(body)
    assert (told["check"], told["passed"], told["score"]) == ("c" * 22, passed, score)
    subject = hmac.new(FACE_KEY.encode(), f"subject\n{NAME}\n{NUMBER}".encode(), "sha256").hexdigest()
    assert told["subject"] == subject
    framed = f"verdict\n{headers['X-Face-Timestamp']}\n{headers['X-Face-Nonce']}\n".encode() + body
    assert headers["X-Face-Signature"] == hmac.new(FACE_KEY.encode(), framed, "sha256").hexdigest()
    assert set(told) == {"check", "subject", "passed", "score", "at"}, "no picture, no name, no number"


@pytest.mark.parametrize("verdict", ["passed", "another", "low", "timeout", "declined"])
def test_where_a_page_leads_back_is_told_once_and_then_it_shows_no_face(
    running: Simulators, provider: Provider, verdict: str
) -> None:
    page = page_of(running, provider)
    assert "localhost:8004/" not in httpx2.get(page, trust_env=False).text
    assert running.press(page, verdict).headers["Location"] == "http://localhost:8004/"
    heard = len(provider.heard)
    assert running.press(page, "passed").status_code == 404
    assert httpx2.get(page, trust_env=False).status_code == 404
    assert len(provider.heard) == heard


def test_a_timeout_says_nothing_and_leads_back(running: Simulators, provider: Provider) -> None:
    assert running.press(page_of(running, provider), "timeout").status_code == 303
    assert provider.heard == []


def test_a_broken_service_says_so_on_its_page(running: Simulators, provider: Provider) -> None:
    answer = running.press(page_of(running, provider), "broken")
    assert (answer.status_code, "人脸核验服务暂时不可用" in answer.text) == (503, True)
    assert provider.heard == []


def test_whoever_is_named_for_it_finds_the_service_out_of_order(
    running: Simulators, provider: Provider
) -> None:
    assert begin(running, asked(provider, name="人脸故障")).status_code == 503


def test_a_verdict_that_was_not_taken_can_be_sent_again_as_a_new_message(
    running: Simulators, provider: Provider
) -> None:
    page, provider.status = page_of(running, provider), 503
    answer = running.press(page, "passed")
    assert (answer.status_code, "没有送达" in answer.text) == (502, True)
    provider.status = 204
    assert running.press(page, "passed").status_code == 303
    nonces = {headers["X-Face-Nonce"] for headers, _body in provider.heard}
    assert len(nonces) == 2


@pytest.mark.parametrize(
    "given",
    [
        {"key": "another-key-of-at-least-32-characters"},
        {"signed": b"something else"},
        {"stamp": str(int(time.time()) - 900)},
        {"stamp": "now"},
    ],
)
def test_what_is_not_signed_freshly_begins_nothing(
    running: Simulators, provider: Provider, given: dict[str, Any]
) -> None:
    assert begin(running, asked(provider), **given).status_code == 401


def test_a_message_begins_one_check(running: Simulators, provider: Provider) -> None:
    answers = [begin(running, asked(provider), nonce="n" * 24).status_code for _ in range(2)]
    assert answers == [201, 401]


@pytest.mark.parametrize(
    "changed",
    [
        {"callback": "https://elsewhere.example/face/callback"},
        {"callback": "http://127.0.0.1:1/face/callback"},
        {"returns_to": "javascript:go()"},
        {"name": ""},
        {"name": 5},
        {"check": "../etc"},
    ],
)
def test_a_verdict_goes_to_the_provider_and_nowhere_else(
    running: Simulators, provider: Provider, changed: dict[str, Any]
) -> None:
    assert begin(running, asked(provider, **changed)).status_code == 400


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 5000])
def test_a_text_that_is_no_request_is_refused(running: Simulators, body: bytes) -> None:
    assert begin(running, body).status_code == 400


def test_an_unknown_page_says_that_it_is_over(running: Simulators, provider: Provider) -> None:
    for answer in (
        httpx2.get(f"{running.face_url}/{'x' * 32}", trust_env=False),
        running.press(f"{running.face_url}/{'x' * 32}", "passed"),
    ):
        assert answer.status_code == 404
    page = page_of(running, provider)
    assert running.press(page, "whatever").status_code == 400
    assert running.press(page, "").status_code == 400


def test_another_sites_form_presses_nothing(running: Simulators, provider: Provider) -> None:
    page = page_of(running, provider)
    answer = httpx2.post(
        page, data={"verdict": "passed"}, headers={"Origin": "https://evil.example"}, trust_env=False
    )
    assert answer.status_code == 403
    assert provider.heard == []


def test_the_page_is_for_its_person_and_loads_nothing_foreign(
    running: Simulators, provider: Provider
) -> None:
    shown = httpx2.get(page_of(running, provider), trust_env=False)
    assert "林**" in shown.text
    assert NUMBER not in shown.text
    for label in ("拍照核验", "通过", "不是本人", "分数不足", "超时", "服务故障"):
        assert label in shown.text
    policy = shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "form-action 'self' http://localhost:8004" in policy
    assert shown.headers["Permissions-Policy"].startswith("camera=(self)")
    for address in ("/theme/idp.css", "/static/face.js", "/static/simulators.css", "/"):
        assert httpx2.get(running.address + address, trust_env=False).status_code == 200


def test_another_host_name_is_refused(running: Simulators) -> None:
    answer = httpx2.get(running.address + "/", headers={"Host": "evil.example"}, trust_env=False)
    assert answer.status_code == 400


def test_wrong_settings_are_said_in_sentences() -> None:
    with pytest.raises(SettingsRefused, match="SIM_FACE_KEY"):
        load_settings({"SIM_FACE_KEY": "short"})
    with pytest.raises(SettingsRefused, match="SIM_ISSUER"):
        load_settings({"SIM_FACE_KEY": FACE_KEY, "SIM_ISSUER": "http://elsewhere.example"})
    with pytest.raises(SettingsRefused, match="SIM_ISSUER: must be on this machine"):
        load_settings({"SIM_FACE_KEY": FACE_KEY, "SIM_ISSUER": "https://id.example"})
    refused = subprocess.run(
        [sys.executable, "-m", "relying_parties.simulators"],
        env={"SIM_FACE_KEY": "short"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (refused.returncode, "SIM_FACE_KEY" in refused.stderr, "Traceback" in refused.stderr) == (
        2,
        True,
        False,
    )
