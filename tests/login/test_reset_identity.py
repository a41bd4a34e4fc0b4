"""身份验证 of a reset: all fields together, one answer to every mismatch, few tries (D02, D03, X11, X27)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import delete, event, update

from idp.accounts.calendar import civil_day
from idp.accounts.models import Credential, LegalAccount, Mandate, Person
from tests.login.acting import later, trail_of, what_a_stranger_sees
from tests.login.resetting import (
    KINDS,
    NOT_FOUND,
    Somebody,
    identity_of,
    somebody,
    tells,
)
from tests.messages import waiting
from tests.oauth.asking import at_once
from tests.world import Browser, Page, World, a_credit_code, a_resident_number, error_sentences

Fields = dict[str, str]
FIRST = {"legal": "account", "operator": "enterprise", "person": "account"}
NAME = {"legal": "representative_name", "operator": "name", "person": "name"}


def is_recognised(page: Page) -> bool:
    """Whether 短信验证 stands on the page."""
    return page.url.startswith("/reset/phone?")


def names_that_do(world: World, kind: str) -> Iterator[Fields]:
    """Everything somebody may call his account, and his name and number as keyboards write them."""
    known = somebody(world, kind)
    _, fields = identity_of(known)
    yield fields
    yield {**fields, "id_number": f" {fields['id_number'][:6]} {fields['id_number'][6:].lower()}"}
    yield {**fields, "id_number": " " * 100 + fields["id_number"] + " " * 100}
    yield {**fields, NAME[kind]: f" {fields[NAME[kind]][0]} {fields[NAME[kind]][1:]}"}
    if kind == "person":
        yield {**fields, "account": known.phone}  # type: ignore[union-attr]
        yield {**fields, "account": known.id_number}  # type: ignore[union-attr]
    else:
        company = known if kind == "legal" else known.company  # type: ignore[union-attr]
        yield {**fields, FIRST[kind]: company.account.upper()}  # type: ignore[union-attr]
        yield {**fields, FIRST[kind]: company.uscc.lower()}  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", KINDS)
def test_each_name_of_an_account_will_do(world: World, kind: str) -> None:
    """X11."""
    for fields in names_that_do(world, kind):
        assert is_recognised(tells(world.browser(), kind, fields)), fields


def wrong_ones(world: World, known: Somebody) -> Iterator[Fields]:
    """One field after the other is somebody else's, or nobody's."""
    kind, fields = identity_of(known)
    other = somebody(world, kind)
    others = identity_of(other)[1]
    for name in (FIRST[kind], NAME[kind], "id_number"):
        nobodys = {FIRST[kind]: a_credit_code(9_999_001), NAME[kind]: "欧阳无人"}
        yield {**fields, name: nobodys.get(name, a_resident_number(777))}
        if others[name] != fields[name]:
            yield {**fields, name: others[name]}
    yield {**fields, "id_type": "passport"}
    yield {**fields, FIRST[kind]: "no_such_account"}
    yield {**fields, FIRST[kind]: "???"}


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_was_wrong_gets_one_sentence_and_nobody_gets_a_message(world: World, kind: str) -> None:
    known = somebody(world, kind)
    seen = set()
    for fields in wrong_ones(world, known):
        page = tells(world.browser(), kind, fields)
        assert error_sentences(page) == [NOT_FOUND[kind]], fields
        if fields["id_type"] == "resident_id":
            seen.add(what_a_stranger_sees(page, *fields.values()))
        # What was typed is kept, but for the captcha; ways out are named.
        assert page.form()["fields"][NAME[kind]] == fields[NAME[kind]]
        assert page.form()["fields"]["captcha"] == ""
        assert world.settings.hotline in page.text
    assert len(seen) == 1
    assert {(status, location) for status, location, _ in seen} == {(200, "")}
    assert trail_of(world, "nobody") == []


@contextmanager
def counted(world: World) -> Iterator[list[str]]:
    """The statements that the application sends."""
    sent: list[str] = []
    engine = world.platform.database.engine

    def note(_conn: object, _cursor: object, statement: str, *_more: object) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_look_ups_are_made_whatever_is_wrong(world: World, kind: str) -> None:
    known = somebody(world, kind)
    _, fields = identity_of(known)
    made = []
    for wrong in (
        {FIRST[kind]: a_credit_code(9_999_002) if kind != "person" else "no_such_person"},
        {"id_number": a_resident_number(778)},
        {NAME[kind]: "欧阳无人"},
    ):
        browser = world.browser()
        browser.open(f"/reset/{kind}")
        with counted(world) as sent:
            browser.submit_with_captcha({**fields, **wrong})
        made.append(len(sent))
    assert len(set(made)) == 1, made


def typed_wrong(kind: str) -> Iterator[tuple[Fields, str]]:
    """A field of the form typed wrong, and the sentence beside it."""
    first = {
        "legal": ("请填写法人账号或统一社会信用代码", "法人账号或统一社会信用代码太长"),
        "operator": ("请填写单位统一信用代码或法人账号", "单位统一信用代码或法人账号太长"),
        "person": ("请填写账号、手机号码或证件号码", "账号、手机号码或证件号码太长"),
    }[kind]
    label = {"legal": "法人姓名", "operator": "经办人姓名", "person": "姓名"}[kind]
    yield {FIRST[kind]: ""}, first[0]
    yield {FIRST[kind]: "x" * 65}, first[1]
    yield {NAME[kind]: " 　"}, f"请填写{label}"
    yield {NAME[kind]: "林"}, f"请填写证件上的完整{label}"
    yield {NAME[kind]: "林" * 101}, f"{label}最多 100 个字"
    yield {NAME[kind]: "林\u200b满"}, f"{label}里有不能显示的字符，请重新填写"
    yield {"id_type": ""}, "请选择证件类型"
    yield {"id_type": "driving_licence"}, "请选择证件类型"
    yield {"id_number": ""}, "请填写证件号码"
    yield {"id_number": "99010019"}, "居民身份证号码应为 18 位，目前填写了 8 位"
    yield {"id_number": "990100195001010010"}, "证件号码不正确，请对照证件核对"
    yield {"id_type": "passport", "id_number": "E1"}, "证件号码不正确，请对照证件核对"


@pytest.mark.parametrize("kind", KINDS)
def test_each_field_typed_wrong_has_its_own_sentence(world: World, kind: str) -> None:
    _, fields = identity_of(somebody(world, kind))
    browser = world.browser()
    for wrong, sentence in typed_wrong(kind):
        page = tells(browser, kind, {**fields, **wrong})
        assert error_sentences(page) == [sentence]
        assert f'id="{next(reversed(wrong))}-error"' in page.html
        assert page.status == 200
    page = tells(browser, kind, dict.fromkeys(fields, ""))
    order = [page.html.index(f'href="#{name}"') for name in fields]
    assert order == sorted(order), "the summary lists the fields as one meets them"


def test_a_captcha_is_spent_with_each_try_and_is_looked_at_first(world: World) -> None:
    kind, fields = identity_of(world.a_person())
    browser = world.browser()
    browser.open(f"/reset/{kind}")
    page = browser.submit({**fields, "captcha": "0000"})
    assert error_sentences(page) == ["图形验证码不正确，请填写新的一张"]
    browser.open(f"/reset/{kind}")
    shown = browser.page
    browser.submit_with_captcha({**fields, "name": "欧阳无人"})
    used = browser.page.form()["fields"] if browser.page else {}
    browser.page = shown
    assert shown
    answered = {**fields, "captcha_id": shown.form()["fields"]["captcha_id"], "captcha": "1234"}
    assert error_sentences(browser.submit(answered)) == ["图形验证码已过期，请填写新的一张"]
    assert used["captcha_id"] != shown.form()["fields"]["captcha_id"]
    browser.open("/login/person")
    foreign = browser.page.form()["fields"]["captcha_id"] if browser.page else ""
    browser.open(f"/reset/{kind}")
    assert not is_recognised(browser.submit({**fields, "captcha_id": foreign, "captcha": "1234"}))


def test_another_picture_keeps_what_was_typed(world: World) -> None:
    kind, fields = identity_of(world.a_person())
    browser = world.browser()
    before = browser.open(f"/reset/{kind}").form()["fields"]["captcha_id"]
    page = browser.submit({**fields, "again": "1"})
    assert error_sentences(page) == []
    assert page.form()["fields"]["captcha_id"] != before
    assert page.form()["fields"]["name"] == fields["name"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("exists", [True, False])
def test_the_eleventh_try_on_an_account_in_an_hour_waits_whether_it_exists_or_not(
    world: World, kind: str, exists: bool
) -> None:
    """All names of an account are counted together, from whatever browser and address."""
    _, fields = identity_of(somebody(world, kind))
    wrong = {**fields, NAME[kind]: "欧阳无人"}
    if not exists:
        wrong[FIRST[kind]] = a_credit_code(9_999_003) if kind != "person" else "no_such_person"
    for number in range(10):
        page = tells(world.browser(address=f"203.0.113.{number + 1}"), kind, wrong)
        assert error_sentences(page) == [NOT_FOUND[kind]]
    # One more is let through and begins the wait, as with the ceilings of the sign-in.
    tells(world.browser(address="203.0.113.90"), kind, wrong)
    page = tells(world.browser(address="203.0.113.91"), kind, wrong)
    assert page.status == 429
    assert int(page.response.headers["Retry-After"]) <= 60
    assert error_sentences(page)[0].startswith("尝试次数过多，请过 1 分钟再试")
    if exists:
        assert tells(world.browser(), kind, fields).status == 429
        with later(seconds=61):
            assert is_recognised(tells(world.browser(), kind, fields)), "the owner is let through in turn"


def test_an_address_that_tries_many_accounts_is_slowed(world: World) -> None:
    for number in range(61):
        fields = {
            "account": f"nobody_{number}",
            "name": "欧阳无人",
            "id_type": "resident_id",
            "id_number": a_resident_number(number),
        }
        page = tells(world.browser(address="203.0.113.5"), "person", fields)
        assert page.status == 200
    assert tells(world.browser(address="203.0.113.5"), "person", fields).status == 429
    assert tells(world.browser(address="203.0.113.6"), "person", fields).status == 200


def test_tries_side_by_side_are_all_counted(world: World) -> None:
    kind, fields = identity_of(world.a_person())
    browsers = [world.browser(address=f"203.0.113.{number + 1}") for number in range(20)]
    for browser in browsers:
        browser.open(f"/reset/{kind}")
    wrong = {**fields, "name": "欧阳无人"}
    pages = at_once(20, lambda number: browsers[number].submit_with_captcha(wrong))
    answered = [page for page in pages if page.status == 200]
    assert len(answered) <= 11
    assert {page.status for page in pages} == {200, 429}


def pending(world: World) -> tuple[str, Fields]:
    company = world.a_company(active=False)
    with world.write() as db:
        account = db.query(LegalAccount).filter_by(enterprise_id=company.row.id).one()
        account.set_phone(world.backends.vault, "13900000001")
    return identity_of(company)


def test_a_company_to_be_activated_is_sent_to_activation_once_all_of_it_is_right(world: World) -> None:
    """A19, C01."""
    kind, fields = pending(world)
    page = tells(world.browser(), kind, fields, query="?next=/center/enterprise")
    assert "待激活" in page.text
    assert 'href="/activate?next=/center/enterprise"' in page.html
    assert page.status == 409
    for wrong in ({"representative_name": "欧阳无人"}, {"id_number": a_resident_number(779)}):
        page = tells(world.browser(), kind, {**fields, **wrong})
        assert error_sentences(page) == [NOT_FOUND["legal"]]
        assert "待激活" not in page.text
    assert waiting(world, "13900000001") == []


@pytest.mark.parametrize("offered", [True, False])
def test_a_person_without_a_password_of_his_own_hears_what_nobody_hears(world: World, offered: bool) -> None:
    """Who is known here as a representative alone, is no stranger's to learn; both hear where to register."""
    person = world.a_person(password=None)
    kind, fields = identity_of(person)
    wired = {"population_url": "https://people.example", "population_token": "a-token"} if offered else {}
    with world.rewired(face_at_registration=False, **wired) as there:
        seen = {
            what_a_stranger_sees(tells(there.browser(), kind, each), *each.values())
            for each in (fields, {**fields, "name": "欧阳无人"}, {**fields, "account": "no_such_person"})
        }
        page = tells(there.browser(), kind, fields)
    assert len(seen) == 1
    [said] = error_sentences(page)
    assert said.startswith(NOT_FOUND["person"])
    assert ("还没有账号的话，请先注册" in said, 'href="/register"' in page.html) == (offered, offered)


def test_whoever_has_no_phone_is_told_so_after_all_of_it_was_right(world: World) -> None:
    person = world.a_person(phone=None)
    kind, fields = identity_of(person)
    page = tells(world.browser(), kind, fields)
    assert "没有预留手机号码" in page.text
    assert world.settings.hotline in page.text
    page = tells(world.browser(), kind, {**fields, "name": "欧阳无人"})
    assert error_sentences(page) == [NOT_FOUND["person"]]


def ended(mandate: Mandate, world: World) -> None:
    mandate.ended_at = world.now()


def past(mandate: Mandate, world: World) -> None:
    mandate.last_day = civil_day(world.now()) - timedelta(days=1)


@pytest.mark.parametrize("change", [ended, past])
def test_a_mandate_that_is_over_is_not_found(world: World, change: Callable[[Mandate, World], None]) -> None:
    operator = world.an_operator()
    with world.write() as db:
        mandate = db.get_one(Mandate, operator.mandate.id)
        mandate.first_day -= timedelta(days=9)
        change(mandate, world)
    page = tells(world.browser(), *identity_of(operator))
    assert error_sentences(page) == [NOT_FOUND["operator"]]


def test_a_mandate_to_come_and_one_given_anew_are_found(world: World) -> None:
    today = civil_day(world.now())
    operator = world.an_operator(first_day=today + timedelta(days=3), last_day=today + timedelta(days=9))
    assert is_recognised(tells(world.browser(), *identity_of(operator)))
    first = world.an_operator()
    with world.write() as db:
        db.execute(update(Mandate).where(Mandate.id == first.mandate.id).values(ended_at=world.now()))
    again = world.an_operator(first.company, first.person)
    assert is_recognised(tells(world.browser(), *identity_of(again)))


def test_a_mandate_without_a_password_is_not_found(world: World) -> None:
    operator = world.an_operator()
    with world.write() as db:
        db.execute(delete(Credential).where(Credential.mandate_id == operator.mandate.id))
    page = tells(world.browser(), *identity_of(operator))
    assert error_sentences(page) == [NOT_FOUND["operator"]]


def test_another_document_than_an_identity_card_will_do(world: World) -> None:
    person = world.a_person(id_number="E12345678")
    with world.write() as db:
        db.execute(update(Person).where(Person.id == person.row.id).values(id_type="passport"))
    kind, fields = identity_of(person)
    passport = {**fields, "id_type": "passport", "id_number": "e 1234-5678"}
    assert is_recognised(tells(world.browser(), kind, passport))
    permit = {**passport, "id_type": "taiwan_permit"}
    assert error_sentences(tells(world.browser(), kind, permit)) == [NOT_FOUND["person"]]


def test_the_reset_begins_with_the_companys_and_its_tabs_lead_to_the_others(world: World) -> None:
    browser: Browser = world.browser()
    page = browser.open("/reset?next=/center/person")
    assert page.url == "/reset/legal?next=/center/person"
    for kind in KINDS:
        assert f'href="/reset/{kind}?next=/center/person"' in page.html
    assert "请输入法人账号/统一社会信用代码" in page.text
    assert "当前位置" in page.text
