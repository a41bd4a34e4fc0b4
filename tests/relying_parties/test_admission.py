"""Whom the portal's own records let in (MISSION A13, A15, J14)."""

import sqlite3
from pathlib import Path
from typing import Any

import httpx2
import pytest
from flask import Flask
from sqlalchemy import delete, select

from relying_parties.kit.portal import Portal
from relying_parties.kit.settings import SettingsRefused
from relying_parties.social_insurance.app import create_app
from relying_parties.social_insurance.models import InsuredUnit, Link, UnitPerson
from tests.relying_parties.browser import (
    RECORDS,
    Browser,
    a_person,
    a_representative,
    an_operator,
    lisy,
    settings_for,
)
from tests.relying_parties.stand_in import StandIn

LISTED = lisy("92990100MA0TX0038R", "江畔示例餐饮店")
NOT_LISTED = lisy("91990100MA0TX002XW", "长白示例贸易有限公司")


def test_an_operator_whom_the_records_list_is_let_in(browser: Browser) -> None:
    browser.sign_in(LISTED)
    assert "江畔示例餐饮店" in browser.text("/")


def test_the_same_operator_is_refused_for_a_company_that_does_not_list_him(browser: Browser) -> None:
    assert browser.sign_in(NOT_LISTED).location == "/refused"
    page = browser.get("/refused")
    assert page.status_code == 403
    for words in (
        "李思远",
        "长白示例贸易有限公司",
        "91990100MA0TX002XW",
        "经办人都不一致",
        "社会保险经办机构",
        "0431-0000-0000",
        "换一个身份登录",
        "退出登录",
    ):
        assert words in page.text
    assert "990100198806170318" not in page.text


def test_a_refused_person_has_no_session(browser: Browser) -> None:
    answer = browser.sign_in(NOT_LISTED)
    assert "si_session=;" in answer.headers["Set-Cookie"]
    assert not browser.is_signed_in()
    assert browser.get("/record").location.startswith("/login")


def test_a_refusal_ends_the_session_that_was_there(browser: Browser) -> None:
    browser.sign_in(LISTED)
    before = browser.client.get_cookie("si_session")
    browser.sign_in(NOT_LISTED)
    assert before is not None
    browser.client.set_cookie("si_session", before.value)
    assert not browser.is_signed_in()


def test_a_refusal_is_read_by_its_own_browser_only(browser: Browser, other_browser: Browser) -> None:
    browser.sign_in(NOT_LISTED)
    assert other_browser.get("/refused").location == "/"


def test_a_refused_person_can_try_another_identity(browser: Browser) -> None:
    browser.sign_in(NOT_LISTED)
    assert 'href="/switch/unit"' in browser.text("/refused")
    browser.sign_in(LISTED, "/switch/unit")
    assert browser.is_signed_in()
    assert browser.get("/refused").location == "/"


def test_a_refused_person_can_sign_out_at_the_provider(browser: Browser, provider: StandIn) -> None:
    browser.sign_in(NOT_LISTED)
    way = browser.sign_out("/refused")
    assert "您已退出登录" in browser.text(browser.at_provider(way.location))
    assert len(provider.signed_out) == 1


@pytest.mark.parametrize(
    "who",
    [
        a_representative(id_number="990100198609230174"),
        a_representative(id_type="passport"),
        a_representative(role="operator", mandate=an_operator()["mandate"]),
        an_operator(role="legal_representative"),
    ],
    ids=[
        "another number",
        "another kind of document",
        "representative as operator",
        "operator as representative",
    ],
)
def test_who_acts_must_be_registered_in_that_role_with_that_document(
    browser: Browser, who: dict[str, Any]
) -> None:
    assert browser.sign_in(who).location == "/refused"


def test_a_company_without_registration_is_refused(browser: Browser) -> None:
    entity = {"uscc": "91990100MA0TX0046P", "name": "云杉示例建筑有限公司"}
    browser.sign_in(a_representative(entity=entity))
    assert "没有「云杉示例建筑有限公司」的参保登记" in browser.text("/refused")


def test_without_a_document_number_nobody_is_matched(browser: Browser) -> None:
    browser.sign_in(an_operator(id_number=None))
    assert "没有提供您的证件号码" in browser.text("/refused")


def test_the_check_character_x_may_be_small(browser: Browser) -> None:
    browser.sign_in(an_operator(sub="sub-sunyt", name="孙雨桐", id_number="99010019930105026x"))
    assert browser.is_signed_in()


def test_a_natural_person_needs_no_record(browser: Browser) -> None:
    browser.sign_in(a_person(), "/login/person")
    assert browser.is_signed_in()


@pytest.mark.parametrize(
    "change", [{"id_number": "990100200001010000"}, {"id_number": None, "id_type": None}]
)
def test_from_the_first_sign_in_on_the_subject_is_enough(browser: Browser, change: dict[str, Any]) -> None:
    browser.sign_in(LISTED)
    browser.sign_out()
    browser.sign_in(LISTED | change)
    assert browser.is_signed_in()


def test_a_link_counts_for_its_company_alone(browser: Browser) -> None:
    browser.sign_in(LISTED)
    assert browser.sign_in(NOT_LISTED).location == "/refused"


def test_a_link_counts_for_its_role_alone(browser: Browser) -> None:
    browser.sign_in(LISTED)
    assert browser.sign_in(LISTED | {"role": "legal_representative"}).location == "/refused"


def test_a_link_counts_for_its_subject_alone(browser: Browser) -> None:
    browser.sign_in(LISTED)
    assert (
        browser.sign_in(LISTED | {"sub": "another", "id_number": "990100198609230174"}).location == "/refused"
    )


def test_whoever_leaves_the_records_is_refused_though_linked(browser: Browser, portal: Portal) -> None:
    browser.sign_in(LISTED)
    with portal.database.writing() as session:
        session.execute(delete(UnitPerson).where(UnitPerson.name == "李思远"))
    assert browser.sign_in(LISTED).location == "/refused"


def test_a_refusal_links_nobody(browser: Browser, portal: Portal) -> None:
    browser.sign_in(NOT_LISTED)
    with portal.database.reading() as session:
        assert session.scalars(select(Link)).all() == []


def test_the_records_are_loaded_once(app: Flask, portal: Portal, provider: StandIn, tmp_path: Path) -> None:
    with portal.database.writing() as session:
        session.execute(delete(InsuredUnit).where(InsuredUnit.uscc == "91990100MA0TX002XW"))
    again = create_app(settings_for(provider.issuer, tmp_path))
    with portal.database.reading() as session:
        codes = set(session.scalars(select(InsuredUnit.uscc)))
    again.extensions["portal"].close()
    assert codes == {"91990100MA0TX00115", "92990100MA0TX0038R", "91990100MA0TX0054J", "52990100MA0TX0062E"}


def test_the_database_holds_no_document_number(browser: Browser, portal: Portal, tmp_path: Path) -> None:
    browser.sign_in(an_operator())
    dump = "\n".join(sqlite3_dump(tmp_path / "portal.db"))
    assert "松原示例科技有限公司" in dump
    assert "990100198609230174" not in dump
    assert "990100197804120240" not in dump


def test_the_database_holds_no_key_of_a_browser(browser: Browser, tmp_path: Path) -> None:
    browser.begin("/login")
    browser.sign_in(an_operator())
    dump = "\n".join(sqlite3_dump(tmp_path / "portal.db"))
    for name in ("si_session", "si_browser"):
        cookie = browser.client.get_cookie(name)
        assert cookie is not None
        assert cookie.value not in dump


@pytest.mark.parametrize("content", ["", "[]", '{"units": [{"uscc": "1"}]}', "\u0000"])
def test_malformed_records_are_a_sentence_at_the_start(
    provider: StandIn, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "records.json"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(SettingsRefused, match="SI_RECORDS is malformed"):
        create_app(settings_for(provider.issuer, tmp_path, records=file))


def test_missing_records_are_a_sentence_at_the_start(provider: StandIn, tmp_path: Path) -> None:
    with pytest.raises(SettingsRefused, match="SI_RECORDS names a file"):
        create_app(settings_for(provider.issuer, tmp_path, records=tmp_path / "none.json"))


def test_a_portal_without_records_knows_no_company(
    provider: StandIn, http: httpx2.Client, tmp_path: Path
) -> None:
    app = create_app(settings_for(provider.issuer, tmp_path, records=None))
    browser = Browser(app, provider, http)
    assert browser.sign_in(an_operator()).location == "/refused"
    app.extensions["portal"].close()


def test_the_demo_records_have_the_one_deliberate_mismatch() -> None:
    text = RECORDS.read_text(encoding="utf-8")
    assert text.count("李思远") == 1


def sqlite3_dump(path: Path) -> list[str]:
    """The whole database as text."""
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()
