"""Logs and traces tell what happened by ids, never what people typed or were given (SECURITY 80, 81)."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from idp.db import Base
from idp.web.logs import JsonLines
from tests.login.acting import WRONG, choose_first_password, names_of, type_in
from tests.messages import last_code
from tests.portals import Authorization
from tests.world import PASSWORD, World

OWN = "Only-mine 2026"


def a_days_work(world: World) -> set[str]:
    """Sign in every way, fail, break, ask, sign out; what no log may hold."""
    person, company = world.a_person(), world.a_company()
    operator, client = world.an_operator(must_change=True), world.a_client()
    secrets = {PASSWORD, WRONG, OWN, client.secret}
    for somebody in (person, company, operator):
        way, names = names_of(somebody)
        type_in(world.browser(), way, WRONG, **names)
    for human in (person, company.representative, operator.person):
        secrets |= {human.phone, human.id_number, human.name}
    chooser = world.browser()
    chooser.sign_in_operator(operator)
    choose_first_password(chooser, operator.phone, OWN)
    secrets.add(last_code(world, operator.phone))
    browser, request = world.browser(), Authorization(client)
    browser.sign_in_legal(company)
    answer = browser.open(request.address(login_hint=person.phone))
    tokens = request.redeem(browser, answer.query["code"]).get_json()
    secrets |= {answer.query["code"], tokens["access_token"], tokens["id_token"], request.verifier}
    for name in ("idp_session", "idp_browser", "idp_known"):
        secrets.add(browser.cookie(name) or "")
    browser.open(f"/no/such/{person.id_number}?" + urlencode({"phone": person.phone}))
    browser.open("/login?tx=" + person.phone)
    browser.post("/login/person", {"account": person.phone, "password": PASSWORD})
    browser.open("/center/enterprise")
    browser.submit(number=0)
    return secrets - {""}


def lines_of(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Our own lines, as a served process writes them."""
    ours = (record for record in caplog.records if record.name == "idp")
    return [json.loads(JsonLines().format(record)) for record in ours]


def leaks(secrets: set[str], written: str) -> list[str]:
    return [secret for secret in secrets if secret in written]


def test_no_log_holds_what_was_typed_or_given(
    world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.WARNING)
    caplog.set_level(logging.INFO, "idp")
    secrets = a_days_work(world)
    lines, printed = lines_of(caplog), capfd.readouterr()
    written = json.dumps(lines, ensure_ascii=False) + caplog.text + printed.out + printed.err
    assert len(lines) > 20, "the requests were told"
    assert leaks(secrets, written) == []


def test_a_request_is_told_in_one_line_of_json(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "idp")
    page = world.browser().open("/login/legal")
    (line,) = lines_of(caplog)
    assert line.keys() == {"event", "level", "timestamp", "method", "route", "status", "ms", "request_id"}
    assert (line["event"], line["level"], line["method"]) == ("request", "info", "GET")
    assert (line["route"], line["status"]) == ("/login/legal", 200)
    assert line["request_id"] == page.response.headers["X-Request-Id"]
    assert abs(datetime.now(UTC) - datetime.fromisoformat(line["timestamp"])) < timedelta(minutes=5)


def test_a_line_stays_one_line_whatever_stands_in_it() -> None:
    record = logging.makeLogRecord({"msg": "request", "levelname": "INFO", "facts": {"route": "通行\n{}"}})
    written = JsonLines().format(record)
    assert "\n" not in written
    assert "通行" in written
    assert json.loads(written)["route"] == "通行\n{}"


def test_a_fault_is_told_by_its_place_and_not_by_its_words(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(_self: object, _stored: str, password: str) -> bool:
        raise RuntimeError(password)

    monkeypatch.setattr("argon2.PasswordHasher.verify", breaks)
    person = world.a_person()
    page = type_in(world.browser(), "person", WRONG, account=person.phone)
    lines = lines_of(caplog)
    (fault,) = [line for line in lines if line["event"] == "unforeseen"]
    assert fault["level"] == "error"
    assert fault["kind"] == "RuntimeError"
    assert fault["request_id"] == page.response.headers["X-Request-Id"]
    assert any(place.startswith("passwords.py") for place in fault["at"])
    assert leaks({WRONG, person.phone}, json.dumps(lines) + caplog.text) == []


def test_the_database_holds_personal_data_and_secrets_only_sealed_or_hashed(world: World) -> None:
    secrets = a_days_work(world)
    with world.reading() as db:
        rows = [row for table in Base.metadata.tables for row in db.execute(text(f"SELECT * FROM {table}"))]  # noqa: S608 - our own tables
    assert len(rows) > 20
    assert leaks(secrets, repr([tuple(row) for row in rows])) == []
