"""The end of a registration: once for whoever sends twice, for one of twenty, for whom is known already."""

from __future__ import annotations

from itertools import product
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select

from idp.accounts.audit import Action, AuditEvent
from idp.accounts.calendar import civil_day
from idp.accounts.models import Credential, LoginName, Person
from idp.proof import captcha
from tests.messages import waiting
from tests.neighbours import all_answered
from tests.oauth.asking import later
from tests.person.registering import (
    NEW_PASSWORD,
    Newcomer,
    RegistrationWorld,
    a_newcomer,
    another_message_may_go,
    journey_of,
)
from tests.world import Page, World, a_resident_number, error_sentences


def count(world: World, table: type[Any]) -> int:
    """How many rows there are."""
    with world.reading() as db:
        return db.scalar(select(func.count()).select_from(table)) or 0


def change(world: World, person_id: UUID, **columns: Any) -> None:
    """Change columns of a person's row."""
    with world.write() as db:
        row = db.get_one(Person, person_id)
        for column, value in columns.items():
            setattr(row, column, value)


def before_the_end(person: Newcomer, **changed: str) -> Page:
    """Up to the button that ends it: the face was shown."""
    person.sends(**changed)
    person.agrees()
    return person.shows_his_face()


def test_the_last_form_sent_twice_acts_once_and_both_see_the_end(here: RegistrationWorld) -> None:
    person = a_newcomer(here)
    page = before_the_end(person)
    sent = page.form()["fields"]
    end = person.browser.post(page.url, sent).url
    assert end.startswith("/register/person/done?j=")
    told = len(waiting(here.world, person.phone))
    assert person.browser.post(page.url, sent).url == end
    assert len(waiting(here.world, person.phone)) == told
    assert count(here.world, Credential) == 1
    journey = journey_of(person.browser.open(end))
    for step in ("", "/face", "/face/finish"):
        assert person.browser.open(f"/register/person{step}?j={journey}").url == end


def test_the_form_sent_twice_leads_to_the_same_page(here: RegistrationWorld) -> None:
    person = a_newcomer(here)
    page = person.asks_for_a_code()
    code = [each["code"] for each in waiting(here.world, person.phone)][-1]
    sent = {**page.form()["fields"], **person.told(code=code)}
    first = person.browser.post(page.url, sent).url
    assert first.startswith("/register/person/face?j=")
    assert person.browser.post(page.url, sent).url == first


def test_a_step_without_its_journey_leads_to_the_beginning(here: RegistrationWorld) -> None:
    queries = ("", "?j=", "?j=AAAAAAAAAAAAAAAAAAAAAA", "?j=%3Cb%3E", "?j=1&check=2&back=3")
    for step, query in product(("face", "face/finish", "done"), queries):
        page = here.world.browser().open(f"/register/person/{step}{query}")
        assert page.status == 400, (step, query)
        assert "个人注册没有完成" in page.text
        assert 'href="/register/person"' in page.html


def test_nobody_is_on_a_step_before_its_time(here: RegistrationWorld) -> None:
    person = a_newcomer(here)
    page = person.asks_for_a_code()
    journey = journey_of(page)
    for step in ("face", "face/finish", "done"):
        assert person.browser.open(f"/register/person/{step}?j={journey}").url == page.url


def test_a_step_that_a_setting_took_away_leads_to_the_one_that_is_open(unseen: RegistrationWorld) -> None:
    """X9."""
    person = a_newcomer(unseen)
    journey = journey_of(person.asks_for_a_code())
    for step in ("face", "face/finish"):
        page = person.browser.open(f"/register/person/{step}?j={journey}")
        assert page.url == f"/register/person?j={journey}", step


def test_whoever_goes_back_finds_what_he_typed_and_goes_forward_again(here: RegistrationWorld) -> None:
    """The back button; passwords are typed anew."""
    person = a_newcomer(here)
    journey = journey_of(person.sends(account="bai_yunfei"))
    page = person.browser.open(f"/register/person?j={journey}")
    kept = page.form()["fields"]
    right = person.told(account="bai_yunfei", valid_until="2040-01-01")
    for name in ("name", "id_number", "term", "valid_from", "valid_until", "phone", "account"):
        assert kept[name] == right[name]
    assert kept["new_password"] == ""
    assert NEW_PASSWORD not in page.html
    assert "手机号码已验证" in page.text
    person.browser.open(f"/register/person/face?j={journey}")
    person.agrees()
    person.shows_his_face()
    assert person.browser.submit().url == f"/register/person/done?j={journey}"


def test_a_form_that_was_refused_shows_what_was_typed_when_it_is_loaded_anew(here: RegistrationWorld) -> None:
    """The browser asks nobody to send it once more: the page is at the journey's address."""
    person = a_newcomer(here)
    page = person.asks_for_a_code(account="bai_yunfei")
    assert "form_answer.js" in page.html
    page = person.browser.open(page.url)
    assert page.form()["fields"]["account"] == "bai_yunfei"
    code = [each["code"] for each in waiting(here.world, person.phone)][-1]
    person.browser.submit(person.told(account="1", id_number="990100", code=code))
    page = person.browser.open(page.url)
    kept, typed = page.form()["fields"], person.told(account="1", id_number="990100")
    for name in ("name", "id_number", "term", "valid_from", "phone", "account"):
        assert kept[name] == typed[name], name
    assert "手机号码已验证" in page.text
    assert NEW_PASSWORD not in page.html
    assert error_sentences(page) == []
    assert "agreed" not in kept
    assert person.browser.submit(person.told()).url.startswith("/register/person/face")


def test_another_browser_has_nothing_of_a_journey(here: RegistrationWorld) -> None:
    person = a_newcomer(here)
    journey = journey_of(person.sends())
    page = here.world.browser().open(f"/register/person?j={journey}")
    assert person.id_number not in page.html
    assert journey not in page.form()["action"]


def test_a_form_whose_journey_is_over_keeps_what_was_typed(here: RegistrationWorld) -> None:
    """At the address of another journey, so that it is there when the page is loaded again."""
    person = a_newcomer(here)
    page = person.browser.open("/register/person")
    sent = {**page.form()["fields"], **person.told(code="123456")}
    page = person.browser.post("/register/person?j=AAAAAAAAAAAAAAAAAAAAAA", sent)
    assert error_sentences(page)[0].startswith("这个页面打开太久，短信验证码已失效。填写的内容都还在")
    page = person.browser.open(page.url)
    assert page.form()["fields"]["id_number"] == person.id_number
    for typed, said in (("no", 1), ("", 0)):
        fields = page.form()["fields"]
        right = captcha.answer(here.world.backends.store, fields["captcha_id"])
        pressed = {**fields, **person.told(captcha=typed or right or ""), "send": "1"}
        person.browser.post(page.url, pressed, headers={"Accept": "application/json"})
        page = person.browser.open(page.url)
        assert len(error_sentences(page)) == said, "it is said until a code is sent, to a script too"
    code = [each["code"] for each in waiting(here.world, person.phone)][-1]
    assert person.browser.submit(person.told(code=code)).url.startswith("/register/person/face")


def test_of_two_tabs_one_registers_and_the_other_is_told(here: RegistrationWorld) -> None:
    person = a_newcomer(here)
    left_behind = before_the_end(person)
    another_message_may_go(here.world, person.phone)
    person.registers()
    sent = left_behind.form()["fields"]
    page = person.browser.post(left_behind.url, sent)
    assert (page.status, "您已有个人账号" in page.text) == (409, True)
    assert count(here.world, Credential) == 1


def test_who_is_known_as_a_representative_takes_the_same_person_over(here: RegistrationWorld) -> None:
    """Y, "a company's account and its person": whatever hangs on him stays his."""
    known = here.world.a_person(password=None, name="白云飞")
    person = a_newcomer(here, id_number=known.id_number)
    page = person.registers(account="bai_yunfei")
    assert page.url.startswith("/register/person/done"), page.text
    row, vault = person.row(), here.world.backends.vault
    assert row
    assert (row.id, row.subject_salt) == (known.row.id, known.row.subject_salt)
    assert row.phone(vault) == person.phone
    assert row.id_valid_from
    with here.world.reading() as db:
        names = db.scalars(select(LoginName.name).where(LoginName.person_id == row.id)).all()
        [line] = db.scalars(select(AuditEvent).where(AuditEvent.action == Action.PERSON_REGISTERED))
    assert names == ["bai_yunfei"], "the name he had is replaced by the one he chose"
    assert line.detail["taken_over"] is True
    assert "您的个人账号已注册" in waiting(here.world, known.phone)[-1]["text"], "the phone of before hears"
    assert "您的个人账号已注册" in waiting(here.world, person.phone)[-1]["text"]


def test_the_phone_and_the_name_that_are_his_already_are_not_taken(here: RegistrationWorld) -> None:
    known = here.world.a_person(password=None, name="白云飞")
    person = a_newcomer(here, id_number=known.id_number, phone=known.phone)
    assert person.registers(account=known.account).url.startswith("/register/person/done")
    other = a_newcomer(here)
    assert "已被使用" in error_sentences(other.sends(account=known.account))[0]


def test_a_document_that_is_known_under_another_name_is_nobodys_to_take(here: RegistrationWorld) -> None:
    known = here.world.a_person(password=None, name="林大满")
    person = a_newcomer(here, id_number=known.id_number)
    page = person.registers()
    assert (page.status, "登记的姓名与您填写的不一致" in page.text) == (409, True)
    assert "拨打服务热线" in page.text
    assert "林" not in page.text
    assert not person.has_account


def test_who_was_suspended_does_not_come_in_again_by_registering(here: RegistrationWorld) -> None:
    known = here.world.a_person(password=None, name="白云飞")
    change(here.world, known.row.id, suspended_at=here.world.now())
    page = a_newcomer(here, id_number=known.id_number).registers()
    assert (page.status, "您的账号已停用" in page.text) == (403, True)
    assert count(here.world, Credential) == 0


@pytest.mark.parametrize("taken", ["phone", "account"])
def test_what_is_taken_at_the_end_is_said_at_its_field_and_the_proofs_stay(
    here: RegistrationWorld, taken: str
) -> None:
    person = a_newcomer(here)
    finish = before_the_end(person, account="bai_yunfei")
    known = here.world.a_person(**{taken: {"phone": person.phone, "account": "bai_yunfei"}[taken]})
    page = person.browser.submit()
    assert page.url.startswith("/register/person?j=")
    assert len(error_sentences(page)) == 1
    assert f'id="{taken}-error"' in page.html
    assert page.form()["fields"]["id_number"] == person.id_number
    assert not person.has_account
    assert known.row.id
    if taken == "account":
        page = person.browser.submit(person.told(account="bai_yunfei2"))
    else:
        another = {"phone": "13700007777", "account": "bai_yunfei"}
        person.browser.submit_with_captcha({**person.told(**another), "send": "1"})
        code = [each["code"] for each in waiting(here.world, "13700007777") if each["code"]][-1]
        page = person.browser.submit(person.told(**another, code=code))
    assert page.url.startswith("/register/person/done"), "the face was shown, and is not asked for again"
    assert person.has_account
    assert finish.url


def test_a_face_that_was_shown_is_kept_for_the_same_person_alone(here: RegistrationWorld) -> None:
    """SECURITY 55: who has shown his own face does not go on as somebody else."""
    person, other = a_newcomer(here), a_newcomer(here, name="林大满")
    before_the_end(person, account="bai_yunfei")
    here.world.a_person(account="bai_yunfei")
    assert len(error_sentences(person.browser.submit())) == 1
    page = person.browser.submit(person.told(name=other.name, id_number=other.id_number))
    assert page.url.startswith("/register/person/face?j=")
    assert other.row() is None


def test_an_end_whose_rows_were_never_kept_is_none(here: RegistrationWorld) -> None:
    """The process died between the note and the commit: nobody is told that it is done."""
    person = a_newcomer(here)
    page = person.registers()
    with here.world.write() as db:
        db.execute(delete(Credential))
    end = page.url
    page = person.browser.open(end)
    assert (page.status, page.response.headers["Refresh"]) == (200, "1"), "its rows may be on their way"
    assert "已注册" not in page.text
    with later(seconds=20):
        page = person.browser.open(end)
        assert (page.status, "个人注册没有完成" in page.text) == (400, True)
    another_message_may_go(here.world, person.phone)
    assert person.registers().url.startswith("/register/person/done")


@pytest.mark.parametrize("same", ["phone", "account", "id_number"])
def test_of_twenty_at_once_one_wins_and_the_others_are_told(unseen: RegistrationWorld, same: str) -> None:
    """SECURITY 57; without the face, which is not shown twenty times for one person in an hour."""
    shared = {"phone": "13700006666", "account": "bai_yunfei", "id_number": a_resident_number(77)}
    wanted = {same: shared[same]}
    people = [a_newcomer(unseen) for _ in range(20)]
    for person in people:
        if same == "phone":
            another_message_may_go(unseen.world, wanted["phone"])
            forget_the_day(unseen.world, wanted["phone"])
        # Each proves his phone, and is stopped by the registry.
        assert "手机号码已验证" in person.sends(**wanted, name="白不符").text

    def press(which: int) -> Page:
        forget_the_day(unseen.world, people[which].told(**wanted)["phone"])
        return people[which].browser.submit(people[which].told(**wanted))

    pages = all_answered(20, press)
    ends = [page.url.partition("?")[0] for page in pages]
    assert ends.count("/register/person/done") == 1, ends
    assert {page.status for page in pages} <= {200, 409}
    world = unseen.world
    rows = (count(world, Person), count(world, Credential), count(world, LoginName))
    assert rows == (1, 1, 1 if same == "account" else 0), "nothing half-made"
    with world.reading() as db:
        done = db.scalars(select(AuditEvent).where(AuditEvent.action == Action.PERSON_REGISTERED)).all()
    assert len(done) == 1


def forget_the_day(world: World, phone: str) -> None:
    """How many messages this phone was sent today, and how often a form came with it."""
    vault, store = world.backends.vault, world.backends.store
    hour = int(world.now().timestamp()) // 3600
    number, today = vault.index("sms_phone", phone).hex(), civil_day(world.now())
    store.delete(f"sms-day:{number}:{today}", f"sms-open:{number}:{today}")
    store.delete(f"sms-from:127.0.0.1:{hour}", f"ceiling:register:{vault.index('phone', phone).hex()}:{hour}")
