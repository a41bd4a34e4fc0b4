"""The SMS gateway: one conformance test for the real ones and the demo's, and what each has alone."""

from __future__ import annotations

import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from idp.adapters.sms import (
    KEPT,
    DemoSmsGateway,
    HttpSmsGateway,
    NoSmsGateway,
    NotReached,
    Sms,
    SmsGateway,
    SmsRefused,
    gateway_of,
)
from idp.adapters.sms_tencent import TencentSms
from idp.config import Mode, SettingsRefused
from idp.db import uuid7
from tests.adapters.arrange import at_once
from tests.adapters.gateway import a_gateway
from tests.adapters.tencent import Vendor, a_vendor
from tests.conftest import make_settings

PHONE = "13900000001"
TOKEN = "a-gateway-token"


def a_text(phone: str = PHONE, text: str = "【通行】您的账号密码已修改。", **given: Any) -> Sms:
    """A message, new unless its id is given; its template shows the text as it is."""
    return Sms(
        **{
            "id": str(uuid7()),
            "phone": phone,
            "text": text,
            "purpose": "test",
            "at": "2026-11-20T06:33:00+00:00",
            "params": (text,),
            **given,
        }
    )


@dataclass(frozen=True)
class Party:
    """A gateway, and what left by it."""

    gateway: SmsGateway
    sent: Callable[[], list[dict[str, Any]]]


@pytest.fixture(params=["http", "tencent", "demo"])
def party(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Party]:
    """The three implementations."""
    if request.param == "demo":
        demo = DemoSmsGateway(tmp_path)
        yield Party(demo, demo.delivered)
        return
    if request.param == "tencent":
        with a_vendor() as vendor:
            yield Party(TencentSms(vendor.config()), lambda: vendor.sent)
        return
    with a_gateway() as running:
        yield Party(HttpSmsGateway(running.address, TOKEN), lambda: list(running.sent.values()))


def test_a_text_reaches_its_phone_as_it_is(party: Party) -> None:
    message = a_text(text="【通行】11 月 20 日 14:33，“您好”\n第二行")
    party.gateway.send(message)
    (sent,) = party.sent()
    for name in ("id", "phone", "text", "purpose"):
        assert sent[name] == getattr(message, name)


@pytest.mark.parametrize("party", ["http", "demo"], indirect=True)
def test_the_same_message_sent_again_reaches_the_phone_once(party: Party) -> None:
    message = a_text()
    party.gateway.send(message)
    party.gateway.send(message)
    party.gateway.send(a_text())
    assert [sent["id"] for sent in party.sent()].count(message.id) == 1
    assert len(party.sent()) == 2


def test_a_phone_that_will_never_be_reached_is_refused_for_good(party: Party) -> None:
    for _ in range(2):
        with pytest.raises(SmsRefused):
            party.gateway.send(a_text("13900009998"))
    assert party.sent() == []


def test_a_gateway_that_is_away_is_told_from_one_that_refuses(party: Party) -> None:
    message = a_text("13900009999")
    with pytest.raises(NotReached):
        party.gateway.send(message)
    assert party.sent() == []
    party.gateway.send(message)
    assert [sent["id"] for sent in party.sent()] == [message.id]


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, None),
        (204, None),
        (400, SmsRefused),
        (401, SmsRefused),
        (404, SmsRefused),
        (422, SmsRefused),
        (408, NotReached),
        (425, NotReached),
        (429, NotReached),
        (302, NotReached),
        (500, NotReached),
        (503, NotReached),
    ],
)
def test_what_an_answer_means(status: int, outcome: type[Exception] | None) -> None:
    with a_gateway(status=status, headers={"Location": "/elsewhere"}) as running:
        gateway = HttpSmsGateway(running.address, TOKEN)
        if outcome is None:
            gateway.send(a_text())
        else:
            with pytest.raises(outcome) as refused:
                gateway.send(a_text())
            assert PHONE not in str(refused.value)
            if isinstance(refused.value, NotReached):
                assert refused.value.perhaps_taken is (status in {302, 500, 503}), "a 4xx denies it"
        assert len(running.asked) == 1, "a redirect is not followed"


def test_a_gateway_hears_the_token_and_what_fills_a_template_and_no_more() -> None:
    with a_gateway() as running:
        HttpSmsGateway(running.address, TOKEN).send(a_text(code="123456", params=("123456", "5")))
        HttpSmsGateway(running.address, "").send(a_text())
    assert running.authorized == [f"Bearer {TOKEN}", None]
    assert [set(asked) for asked in running.asked] == [{"id", "phone", "text", "purpose", "params"}] * 2
    assert running.asked[0]["params"] == ["123456", "5"]


@pytest.mark.parametrize(
    ("says", "known_as"),
    [
        (b'{"reference": "sn-1"}', "sn-1"),
        (b'{"reference": "' + b"x" * 120 + b'"}', "x" * 120),
        (b'{"reference": "' + b"x" * 121 + b'"}', None),
        (b'{"reference": ""}', None),
        (b'{"reference": 7}', None),
        (b'{"reference": "a\\u0000b"}', None),
        ('{"reference": "号"}'.encode(), None),
        (b'["reference"]', None),
        (b"[" * 60_000, None),
        (b"ok", None),
        (b"\xff", None),
        (b"", None),
    ],
)
def test_what_a_gateway_calls_a_message_is_kept_where_it_can_be(says: bytes, known_as: str | None) -> None:
    with a_gateway(says=says) as running:
        assert HttpSmsGateway(running.address, TOKEN).send(a_text()) == known_as


def test_a_gateway_that_is_not_there_is_tried_again() -> None:
    started = time.monotonic()
    for address in ("http://127.0.0.1:1/", "https://nowhere.invalid/"):
        with pytest.raises(NotReached) as missed:
            HttpSmsGateway(address, TOKEN).send(a_text())
        assert not missed.value.perhaps_taken, "nobody was asked"
    assert time.monotonic() - started < 11


@pytest.mark.parametrize(
    "says", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", b"HTTP/1.1 2", b"no http at all\r\n\r\n"]
)
def test_a_gateway_that_heard_the_message_and_breaks_off_may_have_taken_it(says: bytes) -> None:
    """SECURITY 16: what may have reached the phone is counted."""
    with a_listener(says) as (address, heard), pytest.raises(NotReached) as missed:
        HttpSmsGateway(address, TOKEN).send(a_text())
    assert PHONE.encode() in heard[0]
    assert missed.value.perhaps_taken


def test_a_gateway_that_heard_the_message_and_keeps_silent_may_have_taken_it() -> None:
    with a_listener(None) as (address, _heard), pytest.raises(NotReached) as missed:
        HttpSmsGateway(address, TOKEN).send(a_text())
    assert str(missed.value) == "ReadTimeout"
    assert missed.value.perhaps_taken


@contextmanager
def a_listener(says: bytes | None) -> Iterator[tuple[str, list[bytes]]]:
    """Somebody who hears one call, and answers so many octets before he hangs up; None: he never answers."""
    heard: list[bytes] = []
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hear() -> None:
            with server.accept()[0] as call:
                said = b""
                while not said.endswith(b"}"):
                    said += call.recv(65536)
                heard.append(said)
                if says is None:
                    done.wait(30)
                else:
                    call.sendall(says)

        thread = threading.Thread(target=hear)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/", heard
        finally:
            done.set()
            thread.join(10)


@pytest.mark.parametrize("url", ["http://sms.example/send", "ftp://sms.example/", "sms.example", "https://"])
def test_phones_and_the_token_never_go_in_clear(url: str) -> None:
    with pytest.raises(SettingsRefused, match="IDP_SMS_URL"):
        HttpSmsGateway(url, TOKEN)


def test_each_installation_has_its_gateway(tmp_path: Path) -> None:
    database = {"database_url": f"sqlite:///{tmp_path / 'idp.db'}", "var_dir": tmp_path}
    url = {"sms_url": "https://sms.example/send"}
    assert isinstance(gateway_of(make_settings(**database)), NoSmsGateway)
    assert isinstance(gateway_of(make_settings(**database, **url)), HttpSmsGateway)
    assert isinstance(gateway_of(make_settings(**database, **url, mode=Mode.DEMO)), DemoSmsGateway)
    vendor = {"sms_vendor": "tencent", "sms_vendor_config": Vendor("https://vendor.example").config()}
    assert isinstance(gateway_of(make_settings(**database, **vendor)), TencentSms)


def test_where_no_gateway_was_named_the_words_say_which_setting_is_missing() -> None:
    with pytest.raises(NotReached, match="IDP_SMS_URL") as missed:
        NoSmsGateway().send(a_text())
    assert not missed.value.perhaps_taken


def test_what_the_demo_keeps_is_for_its_owner_alone_and_bounded(tmp_path: Path) -> None:
    gateway = DemoSmsGateway(tmp_path)
    (tmp_path / "sms_delivered.jsonl").write_text(
        "".join(f'{{"id": "{number}", "phone": "1", "delivered": true}}\n' for number in range(KEPT))
        + '{"id": "half of a li'
    )
    gateway.send(a_text(code="123456"))
    kept = gateway.delivered()
    assert (len(kept), kept[0]["id"], kept[-1]["code"]) == (KEPT, "1", "123456")
    other = tmp_path / "other"
    other.mkdir()
    DemoSmsGateway(other).send(a_text())
    assert stat.S_IMODE((other / "sms_delivered.jsonl").stat().st_mode) == 0o600


def test_workers_that_deliver_at_once_lose_nothing(tmp_path: Path) -> None:
    gateway, twice = DemoSmsGateway(tmp_path), a_text()
    at_once(8, lambda number: gateway.send(a_text(text=str(number)) if number < 6 else twice))
    assert len(gateway.delivered()) == 7
