"""个人注册 as one meets it: the steps, each field wrong in each way, what is written in the end (B22, X9)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from idp.accounts.agreements import CURRENT, Acceptance
from idp.accounts.audit import Action, AuditEvent
from idp.accounts.models import LoginName, Person
from idp.accounts.staff import StaffMember
from tests.messages import waiting
from tests.person.registering import (
    NEW_PASSWORD,
    Newcomer,
    RegistrationWorld,
    a_newcomer,
)
from tests.portals import Authorization
from tests.world import a_resident_number, error_sentences

_WRONG = [
    ("name", "　", "请填写姓名"),
    ("name", "白", "请填写证件上的完整姓名"),
    ("name", "Ada\nLovelace", "姓名最多 100 个字，不能换行"),
    ("name", "白" * 101, "姓名最多 100 个字，不能换行"),
    ("id_type", "身份证", "请选择证件类型"),
    ("id_number", "", "请填写证件号码"),
    ("id_number", "99010019780412024", "居民身份证号码应为 18 位，目前填写了 17 位"),
    ("id_number", "990100197804120241", "证件号码不正确，请对照证件核对"),
    ("term", "15", "请选择证件有效期"),
    ("valid_from", "", "请选择身份证有效开始日期"),
    ("valid_from", "2020-13-01", "有效开始日期不正确，请按证件填写，例如 2019-03-08"),
    ("valid_from", "2099-01-01", "有效开始日期不能早于 1984 年，也不能晚于今天"),
    (
        "valid_until",
        "2039-01-01",
        "按 20 年计算，结束日期应为 2040-01-01，请核对有效期",
    ),
    (
        "term",
        "5",
        "按 5 年计算，证件已于 2025-01-01 到期。请核对有效期；确实到期的，请换领新证件后再办理",
    ),
    ("phone", "", "请填写手机号码"),
    ("phone", "1370000000", "手机号码不正确，应为 11 位的内地手机号码"),
    ("phone", "+1 415 555 2671", "手机号码不正确，应为 11 位的内地手机号码"),
    ("code", "1" * 41, "短信验证码是 6 位数字"),
    ("account", "abc", "账号应为 6-20 位字符，以字母开头，只能用字母、数字和下划线，也不能是信用代码的样子"),
    (
        "account",
        "1_yunfei",
        "账号应为 6-20 位字符，以字母开头，只能用字母、数字和下划线，也不能是信用代码的样子",
    ),
    ("account", "E87654321", "账号不能是证件号码的样子，请换一个"),
    ("new_password", "", "请设置密码"),
    ("new_password", "Ab1", "密码至少 8 个字符，目前是 3 个"),
    ("new_password", "abcdefghijk", "密码要包含数字、字母、符号中的至少两种"),
    ("new_password", "password123", "这个密码太常见，容易被猜到，请换一个"),
    ("new_password", "x13799999999x", "密码里不能包含账号、手机号或证件号码"),
    ("new_password", "bai_yunfei99", "密码里不能包含账号、手机号或证件号码"),
    ("confirm_password", "Paper-lantern 78", "两次填写的密码不一样"),
    ("confirm_password", "", "请再次输入密码"),
    ("agreed", "", "请阅读并勾选同意《注册协议》与《隐私政策》"),
]
"""Field, what is typed there, what is said of it."""


def signs_in(person: Newcomer, typed: str) -> bool:
    """Whether he comes in by this name, in a browser that nobody knows."""
    browser = person.world.browser()
    browser.open("/login/person")
    return browser.submit_with_captcha({"account": typed, "password": NEW_PASSWORD}).url == "/center/person"


def test_a_person_registers_and_signs_in_by_each_of_his_names(here: RegistrationWorld) -> None:
    """B22, X9, B18."""
    person = a_newcomer(here)
    page = person.sends(account="Bai_Yunfei")
    assert page.url.startswith("/register/person/face?j=")
    assert "白*飞" in page.text
    assert person.id_number not in page.html
    page = person.agrees()
    assert "请完成人脸验证，确保本人操作" in page.text
    assert "人脸核验已通过" in person.shows_his_face().text
    assert not person.has_account
    page = person.browser.submit()
    assert page.url.startswith("/register/person/done?j=")
    assert "bai_yunfei" in page.text
    assert 'href="/login/person"' in page.html
    assert "退出" not in page.text, "nobody is signed in by registering"
    assert all(signs_in(person, typed) for typed in ("bai_yunfei", person.phone, person.id_number))


def test_what_is_known_of_him_afterwards(here: RegistrationWorld) -> None:
    person = a_newcomer(here)
    person.registers()
    row, vault = person.row(), here.world.backends.vault
    assert row
    assert (row.name(vault), row.phone(vault), row.id_type) == ("白云飞", person.phone, "resident_id")
    assert (row.id_valid_from, row.id_valid_until) == (date(2020, 1, 1), date(2040, 1, 1))
    assert row.brought_from == ""
    with here.world.reading() as db:
        assert db.scalars(select(LoginName).where(LoginName.person_id == row.id)).all() == []


def test_he_is_told_by_sms_and_the_trail_says_how_he_proved_himself(here: RegistrationWorld) -> None:
    """Y, "notices"; SECURITY 56."""
    person = a_newcomer(here)
    person.registers()
    row = person.row()
    assert row
    assert "您的个人账号已注册" in waiting(here.world, person.phone)[-1]["text"]
    with here.world.reading() as db:
        [line] = db.scalars(select(AuditEvent).where(AuditEvent.action == Action.PERSON_REGISTERED))
        [checked] = db.scalars(select(AuditEvent).where(AuditEvent.action == Action.FACE_CHECKED))
    assert (line.actor, line.target) == (f"person:{row.id}", f"person:{row.id}")
    assert line.detail == {"taken_over": False, "face_check": checked.detail["face_check"]}


def test_both_texts_are_linked_and_the_versions_he_agreed_to_are_kept(here: RegistrationWorld) -> None:
    """B16."""
    person = a_newcomer(here)
    page = person.asks_for_a_code()
    assert 'href="/pages/terms"' in page.html
    assert 'href="/pages/privacy"' in page.html
    person = a_newcomer(here)
    person.registers()
    row = person.row()
    assert row
    with here.world.reading() as db:
        kept = db.scalars(select(Acceptance).where(Acceptance.account == f"person:{row.id}")).all()
    assert {each.document: each.version for each in kept} == CURRENT


def test_the_fields_stand_in_their_order(here: RegistrationWorld) -> None:
    """M; the summary lists them in the same order."""
    browser = here.world.browser()
    page = browser.open("/register/person")
    order = ["姓名", "证件类型", "证件号码", "证件有效期", "身份证有效开始日期", "身份证有效结束日期"]
    order += ["手机号码", "图形验证码", "短信验证码"]
    places = [page.html.index(f">{label}<") for label in order]
    places += [page.html.index(f'for="{name}"') for name in ("account", "new_password", "agreed")]
    assert places == sorted(places)
    assert error_sentences(browser.submit({})) == [
        "请填写姓名",
        "请填写证件号码",
        "请选择身份证有效开始日期",
        "请填写手机号码",
        "请填写短信验证码",
        "请设置密码",
        "请再次输入密码",
        "请阅读并勾选同意《注册协议》与《隐私政策》",
    ]


def test_a_field_that_is_wrong_says_how_and_the_rest_stays(here: RegistrationWorld) -> None:
    """M, X1, X2. Passwords do not stay; nothing is sent or made."""
    person = a_newcomer(here, phone="13799999999")
    person.browser.open("/register/person")
    for field, typed, sentence in _WRONG:
        told = person.told(account="bai_yunfei")
        told |= {"confirm_password": typed} if field == "new_password" else {}
        page = person.browser.submit({**told, field: typed})
        assert sentence in error_sentences(page), (field, typed)
        assert field == "code" or "请填写短信验证码" in error_sentences(page)
        shown = page.form()["fields"]
        assert {name: shown[name] for name in ("name", "id_number") if name != field} == {
            name: told[name] for name in ("name", "id_number") if name != field
        }
        assert shown["new_password"] == shown["confirm_password"] == ""
        assert NEW_PASSWORD not in page.html
    assert person.row() is None


def test_without_a_code_nobody_goes_on(here: RegistrationWorld) -> None:
    person = a_newcomer(here)
    person.browser.open("/register/person")
    for typed, sentence in (
        ("", "请填写短信验证码"),
        ("12345", "短信验证码是 6 位数字"),
        ("123456", "短信验证码已过期或已使用，请重新获取"),
    ):
        page = person.browser.submit(person.told(code=typed))
        assert error_sentences(page) == [sentence], typed


def test_whatever_else_a_form_says_is_not_read(here: RegistrationWorld) -> None:
    """SECURITY 59, 60."""
    person = a_newcomer(here)
    more = {
        "role": "administrator",
        "is_staff": "1",
        "status": "active",
        "verified": "1",
        "phone_proved": person.phone,
        "face": "passed",
        "id": "00000000-0000-7000-8000-000000000000",
        "brought_from": "elsewhere",
        "suspended_at": "2020-01-01",
    }
    person.browser.open("/register/person")
    page = person.browser.submit({**person.told(), **more})
    assert error_sentences(page) == ["请填写短信验证码"]
    page = person.browser.open("/register/person/face?phone_proved=1&told=1")
    assert page.status == 400
    person = a_newcomer(here)
    person.registers(**more)
    row = person.row()
    assert row
    assert (row.brought_from, row.suspended_at) == ("", None)
    assert str(row.id) != more["id"]
    with here.world.reading() as db:
        assert db.scalars(select(StaffMember)).all() == []


def test_blanks_of_an_input_method_are_not_part_of_a_name(unseen: RegistrationWorld) -> None:
    for typed in ("白 云 飞", "　白云飞 ", "白云飞"):
        person = a_newcomer(unseen)
        person.sends(name=typed)
        row = person.row()
        assert row, typed
        assert row.name(unseen.world.backends.vault) == "白云飞"


def test_a_passport_and_a_name_of_several_words_register_too(here: RegistrationWorld) -> None:
    person = a_newcomer(here, name="Ada  Lovelace", id_number="EX1234567")
    page = person.registers(id_type="passport", id_number="ex 1234567", term="10")
    assert page.url.startswith("/register/person/done")
    row = person.row()
    assert row
    assert (row.id_type, row.id_valid_until) == ("passport", date(2030, 1, 1))


def test_a_document_without_a_last_day_is_kept_as_such(here: RegistrationWorld) -> None:
    """B09: 长期有效."""
    person = a_newcomer(here)
    person.registers(term="long")
    row = person.row()
    assert row
    assert row.id_valid_until is None


def test_a_number_typed_in_full_width_or_small_letters_is_the_same(here: RegistrationWorld) -> None:
    """SECURITY 21, 58."""
    number = next(each for each in map(a_resident_number, range(600, 900)) if each.endswith("X"))
    person = a_newcomer(here, id_number=number)
    wide = str.maketrans("0123456789X", "０１２３４５６７８９ｘ")
    page = person.sends(id_number=number.translate(wide), valid_from="2020年1月1日")
    assert page.url.startswith("/register/person/face")


def test_without_the_face_the_elements_and_the_phone_do(unseen: RegistrationWorld) -> None:
    """X9 is a setting: then there is no step for it."""
    assert "实名核验" not in a_newcomer(unseen).asks_for_a_code().text
    person = a_newcomer(unseen)
    page = person.sends()
    assert page.url.startswith("/register/person/done?j=")
    assert person.has_account


def test_the_page_before_says_which_registration_is_whose(here: RegistrationWorld) -> None:
    """B01, B22, B23."""
    page = here.world.browser().open("/register")
    for words in ("个人注册", "我用过 E章通 App", "法定代表人和经办人，也先注册个人账号", "请准备"):
        assert words in page.text
    for href in ('href="/register/person"', 'href="/register/moved"', 'href="/login/person"'):
        assert href in page.html


def test_where_nobody_can_be_checked_the_pages_say_so(here: RegistrationWorld) -> None:
    """X9, B22: nobody gets an account on his word alone."""
    steps = ("", "/person", "/person/face", "/moved", "/moved/identity", "/moved/password")
    for lacking in ({"population_url": ""}, {"face_url": "", "face_key": ""}):
        with here.world.rewired(**lacking) as there:
            for step in steps:
                page = there.browser().open(f"/register{step}")
                assert (page.status, "这里不能在线注册个人账号" in page.text) == (404, True), step
                assert "拨打服务热线" in page.text
            assert "/register" not in there.browser().open("/login/person").html


def test_what_the_browser_came_for_goes_along_to_the_login(here: RegistrationWorld) -> None:
    client = here.world.a_client()
    person = a_newcomer(here)
    page = person.browser.open(Authorization(client).address("openid"))
    transaction = page.url.partition("tx=")[2]
    assert transaction
    page = person.browser.open(f"/login/person?tx={transaction}")
    assert f"/register?tx={transaction}" in page.html
    page = person.browser.open(f"/register?tx={transaction}")
    assert f"/register/person?tx={transaction}" in page.html
    page = person.registers(at=f"/register/person?tx={transaction}")
    assert f'href="/login/person?tx={transaction}"' in page.html


def test_nobody_is_in_the_database_under_a_name_one_can_read(here: RegistrationWorld) -> None:
    person = a_newcomer(here)
    person.registers()
    with here.world.reading() as db:
        row = db.scalars(select(Person)).one()
    kept = repr([getattr(row, column.key) for column in Person.__table__.columns]).encode()
    assert not any(word.encode() in kept for word in (person.name, person.phone, person.id_number))
