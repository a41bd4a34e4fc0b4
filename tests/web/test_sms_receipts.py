"""/sms/receipts: the gateway says what became of a message; nobody else can."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from idp.accounts.outbox import OutboxMessage, deliver_due, enqueue
from idp.config import Secret, SettingsRefused
from tests.oauth.asking import at_once
from tests.world import World

TOKEN = "3b1f9c5e7a2d4860-the-gateway-reports"


@pytest.fixture
def receiving(world: World) -> Iterator[World]:
    """The same installation with a gateway that reports."""
    with world.rewired(sms_receipt_token=TOKEN) as made:
        yield made


def taken(world: World, reference: str | None = None, *, kind: str = "sms") -> UUID:
    """A message that the gateway took, and calls so; its id."""
    with world.write() as db:
        message = enqueue(db, world.backends.vault, kind=kind, subject="", payload={}, now=world.now())
    backends = world.backends
    deliver_due(backends.database, backends.vault, {kind: lambda _payload: reference}, now=world.now())
    return message


def row(world: World, message: UUID) -> OutboxMessage:
    with world.reading() as db:
        return db.get_one(OutboxMessage, message)


def say(world: World, told: Any, *, token: str | None = TOKEN, **headers: str) -> TestResponse:
    """What the gateway is answered."""
    body = told if isinstance(told, bytes) else json.dumps(told).encode()
    sent = {"Content-Type": "application/json", **headers}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    client = world.app.test_client()
    return client.post("/sms/receipts", data=body, headers=sent, base_url=world.settings.issuer)


def test_the_gateway_says_that_a_message_arrived_as_often_as_it_likes(receiving: World) -> None:
    message = taken(receiving)
    for _ in range(2):
        answer = say(receiving, {"id": str(message), "arrived": True})
        assert (answer.status_code, answer.data) == (204, b"")
        assert not answer.headers.getlist("Set-Cookie")
    assert row(receiving, message).reported_at is not None
    assert row(receiving, message).report == ""


def test_it_may_name_the_message_as_itself_does_and_says_why_it_did_not_arrive(receiving: World) -> None:
    one, other = taken(receiving, "sn-1"), taken(receiving, "sn-2")
    assert say(receiving, {"id": "sn-1", "arrived": False, "why": "UNDELIV"}).status_code == 204
    assert say(receiving, {"id": "sn-2", "arrived": False, "role": "admin"}).status_code == 204
    assert (row(receiving, one).report, row(receiving, other).report) == ("UNDELIV", "not arrived")


def test_eight_reports_at_once_of_one_message_leave_one(receiving: World) -> None:
    message = taken(receiving)
    told = {"id": str(message), "arrived": False, "why": "UNDELIV"}
    assert at_once(8, lambda _number: say(receiving, told).status_code) == [204] * 8
    assert row(receiving, message).report == "UNDELIV"


@pytest.mark.parametrize("token", [None, "", "x", TOKEN + "x", TOKEN[:-1], "é"])
def test_whoever_has_not_the_token_reports_nothing(receiving: World, token: str | None) -> None:
    message = taken(receiving)
    answer = say(receiving, {"id": str(message), "arrived": True}, token=token)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert row(receiving, message).reported_at is None


def test_without_the_setting_there_is_no_such_address(world: World) -> None:
    message = taken(world)
    for token in (None, "", TOKEN):
        assert say(world, {"id": str(message), "arrived": True}, token=token).status_code == 404
    assert row(world, message).reported_at is None


@pytest.mark.parametrize("name", ["", "sn-9", "00000000-0000-7000-8000-000000000000", "a\0b", "\ud800", "号"])
def test_a_message_that_was_never_sent_is_unknown(receiving: World, name: str) -> None:
    assert say(receiving, {"id": name, "arrived": True}).status_code == 404


def test_other_kinds_of_messages_are_none_of_its_business(receiving: World) -> None:
    message = taken(receiving, kind="logout")
    assert say(receiving, {"id": str(message), "arrived": True}).status_code == 404
    assert row(receiving, message).reported_at is None


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 3_000,
        b"NaN",
        [],
        {},
        {"id": "sn-1"},
        {"arrived": True},
        {"id": 1, "arrived": True},
        {"id": "sn-1", "arrived": "yes"},
        {"id": "sn-1", "arrived": 1},
        {"id": "sn-1", "arrived": False, "why": 4},
    ],
)
def test_what_is_no_receipt_is_refused(receiving: World, told: Any) -> None:
    message = taken(receiving, "sn-1")
    answer = say(receiving, told)
    assert answer.status_code == 400
    assert answer.get_json()["error"] == "receipt_ignored"
    assert row(receiving, message).reported_at is None


def test_a_long_receipt_is_not_read(receiving: World) -> None:
    assert say(receiving, b" " * 4_001).status_code == 413
    assert say(receiving, b" " * 200_000).status_code == 413


def test_it_is_told_by_post_alone(receiving: World) -> None:
    client = receiving.app.test_client()
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert client.put("/sms/receipts", headers=headers, base_url=receiving.settings.issuer).status_code == 405
    assert client.get("/sms/receipts", headers=headers, base_url=receiving.settings.issuer).status_code == 404


@pytest.mark.parametrize("token", ["short", "x" * 40])
def test_a_token_that_can_be_guessed_is_refused_at_the_start(world: World, token: str) -> None:
    with pytest.raises(SettingsRefused, match="IDP_SMS_RECEIPT_TOKEN"):
        replace(world.settings, sms_receipt_token=Secret(token))


def test_there_is_one_way_out_for_sms(world: World) -> None:
    with pytest.raises(SettingsRefused, match="IDP_SMS_VENDOR"):
        replace(world.settings, sms_url="https://sms.example/send", sms_vendor="tencent")
