"""`idp worker` and codes: what does not leave in time is dropped, and costs nobody a try (section Y)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from idp.accounts.outbox import TOO_LATE, OutboxMessage
from idp.adapters.relying_party import RelyingParties
from idp.adapters.sms import DemoSmsGateway, gateway_of
from idp.cli.worker import Worker, tell_what_will_not_leave
from idp.proof import sms_bounds, sms_codes
from idp.proof.sms_bounds import Limit, SmsLimited, Tools
from idp.proof.sms_codes import CodeRefused, Fate, Purpose, Wanted, Why
from tests.adapters.gateway import Gateway, a_gateway
from tests.adapters.tencent import Vendor, a_vendor
from tests.messages import last_code
from tests.world import World

PHONE = "13900000001"
NOBODYS = f"1390000{DemoSmsGateway.NEVER}"
BROWSER = "a-browser"
NOWHERE = "http://127.0.0.1:1/"
"""Nobody listens there."""
ONE_OF_EACH: dict[str, Any] = {"sms_a_day": 1, "sms_an_address": 1, "sms_an_hour": 1}
"""Limits under which a second message shows that the first one counts no more."""


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway that runs."""
    with a_gateway() as running:
        yield running


def wanted(phone: str = PHONE) -> Wanted:
    return Wanted(Purpose.RESET, phone, "", BROWSER, "a-journey")


def send(world: World, phone: str = PHONE, **limits: Any) -> str:
    """Ask for a code; the reference of its message."""
    tools = Tools(world.backends.store, world.backends.vault, replace(world.settings, **limits))
    with world.write() as db:
        return sms_codes.send(db, tools, wanted(phone), address="192.0.2.1", now=world.now())


def work(world: World, *, after: float = 0, **settings: Any) -> None:
    """A round of a new worker, so many seconds from now."""
    parties = RelyingParties(inside_allowed=True)
    worker = Worker(replace(world.settings, **settings), world.backends, parties)
    worker.round(world.now() + timedelta(seconds=after))
    parties.close()


def fate(world: World, ref: str) -> Fate | None:
    with world.reading() as db:
        return sms_codes.fate(db, world.backends.store, ref, browser=BROWSER, now=world.now())


def only_message(world: World) -> OutboxMessage:
    with world.reading() as db:
        return db.scalars(select(OutboxMessage)).one()


def is_dead(world: World, code: str, phone: str = PHONE) -> bool:
    with pytest.raises(CodeRefused) as refused:
        sms_codes.check(world.backends.store, wanted(phone), code, now=world.now())
    return refused.value.why is Why.EXPIRED


def test_a_code_that_does_not_leave_within_a_minute_is_dead_and_counts_for_nothing(
    world: World, gateway: Gateway
) -> None:
    ref = send(world, **ONE_OF_EACH)
    code = last_code(world, PHONE)
    gateway.status = 429
    for after in (0, 6, 22):
        work(world, after=after, sms_url=gateway.address)
    assert len(gateway.asked) == 3
    assert fate(world, ref) is Fate.QUEUED
    gateway.status = 0
    work(world, after=60, sms_url=gateway.address)
    assert (len(gateway.asked), gateway.sent) == (3, {}), "too late is not sent, though the gateway is back"
    message = only_message(world)
    assert (message.payload_sealed, message.last_error) == (None, TOO_LATE)
    assert fate(world, ref) is Fate.FAILED
    assert is_dead(world, code)
    send(world, **ONE_OF_EACH)


@pytest.mark.parametrize("bound", [*ONE_OF_EACH])
def test_a_code_the_gateway_may_have_taken_counts_and_opens_though_it_was_dropped(
    world: World, gateway: Gateway, bound: str
) -> None:
    """SECURITY 16, 23: a gateway that sends and answers badly is no way round the bounds."""
    ref = send(world)
    code = last_code(world, PHONE)
    gateway.status = 504
    work(world, sms_url=gateway.address)
    work(world, after=6, sms_url=NOWHERE)
    work(world, after=60, sms_url=gateway.address)
    message = only_message(world)
    assert (message.payload_sealed, message.last_error, message.tries) == (None, TOO_LATE, 3)
    assert fate(world, ref) is Fate.UNSURE
    world.backends.store.delete(sms_bounds.gap_of(world.backends.vault, PHONE))
    one_is_all: dict[str, Any] = {bound: 1}
    with pytest.raises(SmsLimited):
        send(world, **one_is_all)
    sms_codes.check(world.backends.store, wanted(), code, now=world.now())


def test_a_gateway_that_is_not_there_costs_nobody_a_try(world: World) -> None:
    for _ in range(2):
        send(world, **ONE_OF_EACH)
        for after in (0, 60):
            work(world, after=after, sms_url=NOWHERE)


def test_a_code_the_gateway_refuses_is_dead_and_its_phone_free_but_the_address_has_used_its_try(
    world: World, gateway: Gateway
) -> None:
    ref = send(world, NOBODYS, sms_a_day=1)
    code = last_code(world, NOBODYS)
    work(world, sms_url=gateway.address)
    assert fate(world, ref) is Fate.FAILED
    assert is_dead(world, code, NOBODYS)
    with pytest.raises(SmsLimited) as limited:
        send(world, NOBODYS, sms_a_day=1, sms_an_address=1)
    assert limited.value.limit is Limit.ADDRESS, "numbers that nobody has are not free to try"
    send(world, NOBODYS, sms_a_day=1)


def test_a_code_that_leaves_in_time_works_though_the_gateway_was_down_at_first(
    world: World, gateway: Gateway
) -> None:
    """Issue 6: SMS gateway down: the code is not burned."""
    ref = send(world)
    gateway.status = 503
    work(world, sms_url=gateway.address)
    gateway.status = 0
    work(world, after=6, sms_url=gateway.address)
    assert fate(world, ref) is Fate.SENT
    (sent,) = gateway.sent.values()
    code, what_for, minutes = sent["params"]
    assert all(part in sent["text"] for part in (code, what_for, minutes))
    sms_codes.check(world.backends.store, wanted(), code, now=world.now())


def test_the_log_says_of_each_sms_what_it_was_for_and_what_came_of_it_and_no_more(
    world: World, gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="idp")
    send(world)
    code = last_code(world, PHONE)
    gateway.status = 503
    work(world, sms_url=gateway.address)
    gateway.status = 0
    work(world, after=6, sms_url=gateway.address)
    send(world, NOBODYS)
    work(world, sms_url=gateway.address)
    lines = [
        (record.message, vars(record)["facts"])
        for record in caplog.records
        if record.name == "idp" and record.message.startswith("sms")
    ]
    assert [(event, facts["purpose"], facts.get("why")) for event, facts in lines] == [
        ("sms not taken", "reset", "answered 503"),
        ("sms taken", "reset", None),
        ("sms not taken", "reset", "refused with 400"),
        ("sms given up", "reset", "refused with 400"),
    ]
    for secret in (PHONE, NOBODYS, code):
        assert secret not in repr(lines)


@pytest.fixture
def vendor() -> Iterator[Vendor]:
    """A vendor that has a template for this purpose."""
    with a_vendor(templates={"1000001": ("reset", "验证码{1}，用于{2}，{3}分钟内有效")}) as running:
        yield running


def by(vendor: Vendor) -> dict[str, Any]:
    """The settings of an installation whose SMS leave by `vendor`."""
    return {"sms_vendor": "tencent", "sms_vendor_config": vendor.config()}


def test_a_vendor_sends_a_code_and_is_asked_whether_it_arrived_until_it_says_so(
    world: World, vendor: Vendor
) -> None:
    ref = send(world)
    code = last_code(world, PHONE)
    work(world, **by(vendor))
    assert [sent["text"] for sent in vendor.sent] == [f"验证码{code}，用于重置密码，5分钟内有效"]
    assert only_message(world).reference == "5000:1"
    assert fate(world, ref) is Fate.SENT
    vendor.reports.append({"SerialNo": "5000:1", "ReportStatus": "SUCCESS", "Description": "DELIVRD"})
    work(world, **by(vendor))
    assert fate(world, ref) is Fate.ARRIVED
    asked = len(vendor.asked)
    work(world, **by(vendor))
    assert len(vendor.asked) == asked, "nothing waits for a report"


def test_a_code_the_network_did_not_deliver_is_told_as_lost(world: World, vendor: Vendor) -> None:
    ref = send(world)
    work(world, **by(vendor))
    vendor.reports += [
        {"SerialNo": "5000:99", "ReportStatus": "SUCCESS"},
        {"SerialNo": "5000:1", "ReportStatus": "FAIL", "Description": "UNDELIV 13900000001"},
    ]
    work(world, **by(vendor))
    assert fate(world, ref) is Fate.LOST
    assert only_message(world).report == "UNDELIV …"


def test_a_vendor_is_not_asked_about_what_is_older_than_an_hour(world: World, vendor: Vendor) -> None:
    send(world)
    work(world, **by(vendor))
    asked = len(vendor.asked)
    work(world, after=3601, **by(vendor))
    assert len(vendor.asked) == asked


def test_a_purpose_without_a_template_is_given_up_with_a_sentence(world: World, vendor: Vendor) -> None:
    vendor.templates = {"1000001": ("notice", "{1}")}
    ref = send(world)
    work(world, **by(vendor))
    assert vendor.asked == []
    assert fate(world, ref) is Fate.FAILED
    assert only_message(world).last_error == "no template for reset in IDP_SMS_VENDOR_CONFIG"


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_at_its_start_a_worker_names_the_purposes_that_have_no_template(
    world: World, vendor: Vendor, caplog: pytest.LogCaptureFixture
) -> None:
    tell_what_will_not_leave(gateway_of(replace(world.settings, **by(vendor))))
    (told,) = [record for record in caplog.records if record.message == "SMS without a template are refused"]
    purposes = vars(told)["facts"]["purposes"]
    assert "reset" not in purposes
    assert {"activate", "new_browser", "appeal_refused"} <= set(purposes)
