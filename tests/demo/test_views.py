"""The demo's routes: in demo mode only, and honest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from idp.accounts.outbox import enqueue
from idp.config import Mode, SettingsRefused
from idp.proof import captcha
from tests.conftest import make_settings
from tests.services import free_port
from tests.world import World


@pytest.fixture
def demo(world: World) -> Iterator[World]:
    """A demo of which only the provider runs."""
    base = free_port()
    with world.rewired(mode=Mode.DEMO, issuer=f"http://localhost:{base}", demo_port_base=base) as made:
        yield made


class _ByName(FlaskClient):
    """Somebody who asks by the demo's own host name."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        issuer = self.application.extensions["idp-platform"].settings.issuer
        return super().open(*args, **{"base_url": issuer, **kwargs})


@pytest.fixture
def client(demo: World) -> FlaskClient:
    """A tool that drives the demo."""
    demo.app.test_client_class = _ByName
    return demo.app.test_client()


@pytest.mark.parametrize("path", ["manifest.json", "outbox.json", "captcha/x.json"])
def test_in_production_there_is_no_demo(world: World, path: str) -> None:
    assert world.browser().open(f"/demo/{path}").status == 404


def test_the_manifest_waits_until_every_application_answers(client: FlaskClient) -> None:
    answer = client.get("/demo/manifest.json")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert answer.get_json() == {"error": "starting", "waiting_for": ["social_insurance", "phone"]}


def test_the_answer_to_a_captcha_is_told_and_the_captcha_stays(demo: World, client: FlaskClient) -> None:
    store, now = demo.backends.store, demo.now()
    issued = captcha.issue(store, purpose="p", browser="b", now=now)
    answer = client.get(f"/demo/captcha/{issued.id}.json").get_json()["answer"]
    captcha.check(store, issued.id, answer, purpose="p", browser="b", now=now)


@pytest.mark.parametrize("captcha_id", ["x", "A" * 22, "%00", "é" * 22, "a" * 5000])
def test_an_unknown_captcha_has_no_answer(client: FlaskClient, captcha_id: str) -> None:
    assert client.get(f"/demo/captcha/{captcha_id}.json").status_code in {400, 404}


@pytest.mark.parametrize("query", ["", "?phone=", "?phone=13800000001", "?phone=nonsense", "?phone=%ff"])
def test_nothing_was_sent_yet(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/demo/outbox.json{query}")
    assert (answer.status_code, answer.get_json()) == (200, [])


def test_the_outbox_shows_a_phone_its_own_messages_newest_first(demo: World, client: FlaskClient) -> None:
    with demo.write() as db:
        for number, phone in enumerate(["13800000001", "13800000002", "13800000001"]):
            message = {"phone": phone, "text": f"验证码 {number}", "code": str(number), "purpose": "test"}
            at = demo.now() + timedelta(seconds=number)
            enqueue(db, demo.backends.vault, kind="sms", subject="", payload=message, now=at)
        enqueue(db, demo.backends.vault, kind="logout", subject="", payload={"sub": "x"}, now=demo.now())
    sent = client.get("/demo/outbox.json?phone=138 0000 0001").get_json()
    assert [message["code"] for message in sent] == ["2", "0"]
    assert sent[0] | {"at": ""} == {
        "phone": "13800000001",
        "text": "验证码 2",
        "code": "2",
        "purpose": "test",
        "at": "",
    }
    assert len(client.get("/demo/outbox.json").get_json()) == 3


@pytest.mark.parametrize("path", ["manifest.json", "outbox.json"])
def test_another_site_may_not_read_it(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/demo/{path}", headers={"Origin": "https://evil.example"})
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


def test_a_foreign_host_is_refused(demo: World) -> None:
    answer = demo.app.test_client().get("/demo/outbox.json", headers={"Host": "evil.example"})
    assert answer.status_code == 421


def test_demo_mode_refuses_to_leave_this_machine(tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match="loopback only"):
        make_settings(mode=Mode.DEMO, issuer="https://idp.example", var_dir=tmp_path)
