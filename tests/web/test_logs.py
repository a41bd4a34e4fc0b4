"""Logs and traces tell what happened by ids, never what people typed or were given (SECURITY 80, 81)."""

from __future__ import annotations

import json
import logging
from urllib.parse import urlencode

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from idp.db import Base
from tests.login.acting import WRONG, names_of, type_in
from tests.world import PASSWORD, Authorization, World

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
    chooser.submit({"new_password": OWN, "confirm_password": OWN})
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


def leaks(secrets: set[str], written: str) -> list[str]:
    return [secret for secret in secrets if secret in written]


def test_no_log_holds_what_was_typed_or_given(
    world: World, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.WARNING)
    with capture_logs() as lines:
        secrets = a_days_work(world)
    printed = capfd.readouterr()
    written = json.dumps(lines, ensure_ascii=False, default=str) + caplog.text + printed.out + printed.err
    assert len(lines) > 20, "the requests were told"
    assert leaks(secrets, written) == []


def test_a_fault_is_told_by_its_place_and_not_by_its_words(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(_self: object, _stored: str, password: str) -> bool:
        raise RuntimeError(password)

    monkeypatch.setattr("argon2.PasswordHasher.verify", breaks)
    person = world.a_person()
    with capture_logs() as lines:
        page = type_in(world.browser(), "person", WRONG, account=person.phone)
    (fault,) = [line for line in lines if line["event"] == "unforeseen"]
    assert fault["kind"] == "RuntimeError"
    assert fault["request_id"] == page.response.headers["X-Request-Id"]
    assert any(place.startswith("passwords.py") for place in fault["at"])
    assert leaks({WRONG, person.phone}, json.dumps(lines, default=str) + caplog.text) == []


def test_the_database_holds_personal_data_and_secrets_only_sealed_or_hashed(world: World) -> None:
    secrets = a_days_work(world)
    with world.reading() as db:
        rows = [row for table in Base.metadata.tables for row in db.execute(text(f"SELECT * FROM {table}"))]  # noqa: S608 - our own tables
    assert len(rows) > 20
    assert leaks(secrets, repr([tuple(row) for row in rows])) == []
