"""Registering a company: what is asked, in which order it is looked at, what comes of it (B01–B21, B25)."""

from __future__ import annotations

import re
from datetime import date

from sqlalchemy import select

from idp.accounts.agreements import CURRENT, Acceptance
from idp.accounts.audit import Action, AuditEvent
from idp.accounts.models import Credential, Enterprise, LegalAccount, LoginName, Person
from tests.enterprise.applying import FIRST_DAY, NEW_PASSWORD, START, Applicant, Office, journey_of
from tests.enterprise.pending import a_waiting_company
from tests.messages import last_code, waiting
from tests.oauth.asking import later
from tests.world import Browser, error_sentences

TAKEN = "这个账号已被使用，请换一个"


def nobody_registered(here: Office) -> bool:
    """Whether there is nothing at all of a company or its representative."""
    return not any(here.rows(table) for table in (Enterprise, LegalAccount, LoginName, Credential, Person))


def test_a_company_registers_by_the_face_of_its_representative_and_signs_in_by_both_names(
    here: Office,
) -> None:
    """B01, B17, B18: form, face on a phone by QR, the end, 前往登录."""
    applicant, browser = Applicant(here), here.world.browser()
    page = applicant.sends(browser, account="XiangHai_Farm")
    assert page.url.startswith("/register/enterprise/face?j=")
    assert "请法定代表人本人刷脸" in page.text
    assert nobody_registered(here)
    assert "人脸核验已通过" in applicant.shows_face(browser).text
    page = applicant.goes_on(browser)
    assert page.url.startswith("/register/enterprise/done?j=")
    assert "xianghai_farm" in page.text
    assert 'href="/login/legal"' in page.html
    assert "您的企业账号已注册" in waiting(here.world, applicant.phone)[-1]["text"]
    for typed in ("xianghai_farm", applicant.uscc):
        other = here.world.browser()
        other.open("/login/legal")
        page = other.submit_with_captcha({"account": typed, "password": NEW_PASSWORD})
        assert page.url == "/center/enterprise", page.text


def test_what_is_kept_of_it(here: Office) -> None:
    """Y: the Person is made by his document, with no password and no phone of his own."""
    applicant, browser = Applicant(here), here.world.browser()
    applicant.sends(browser)
    sent = here.world.now()
    applicant.shows_face(browser)
    applicant.goes_on(browser)
    account, person = here.account_of(applicant.uscc), here.representative_of(applicant.uscc)
    vault = here.world.backends.vault
    assert (account.phone(vault), person.phone(vault)) == (applicant.phone, None)
    assert (person.name(vault), person.id_number(vault)) == ("田小禾", applicant.id_number)
    assert (person.id_valid_from, person.id_valid_until) == (date(2021, 3, 4), date(2041, 3, 4))
    key = f"legal:{account.id}"
    with here.world.reading() as db:
        accepted = db.scalars(select(Acceptance).where(Acceptance.account == key)).all()
        assert {one.document: one.version for one in accepted} == CURRENT
        assert all(one.accepted_at <= sent for one in accepted), "with the form, not with the face"
        assert not db.scalars(select(Credential).where(Credential.person_id == person.id)).all()
        lines = db.scalars(select(AuditEvent).order_by(AuditEvent.id)).all()
    by_action = {line.action: line for line in lines}
    made = by_action[Action.ENTERPRISE_REGISTERED]
    assert (made.target, made.actor) == (key, f"person:{person.id}")
    assert made.detail == {
        "proved_by": "face",
        "face_check": by_action[Action.FACE_CONSENTED].detail["face_check"],
    }
    told = " ".join(str(line.detail) for line in lines)
    assert not [secret for secret in (applicant.phone, applicant.id_number, "田小禾") if secret in told]


def test_the_fields_stand_in_the_order_of_the_guide(here: Office) -> None:
    """B02 to B16."""
    browser = here.world.browser()
    page = browser.open(START)
    order = ["法人账号", "法人类型", "企业名称", "统一社会信用代码", "法定代表人姓名", "证件类型"]
    order += ["法定代表人证件号码", "证件有效期", "身份证有效开始日期", "身份证有效结束日期", "手机号码"]
    order += ["图形验证码", "短信验证码", "设置密码", "确认密码"]
    places = [page.html.index(f">{label}<") for label in order]
    assert places == sorted(places)
    assert page.html.index("获取验证码") < page.html.index("《注册协议》") < page.html.index("《隐私政策》")
    assert "字母开头，可以用字母、数字和下划线，6 到 20 位" in page.text
    assert page.form()["fields"]["term"] == "5"
    assert {"注册", "已有账号？请登录"} <= set(page.text.split())
    assert "填写进度" not in browser.submit({"again": "1"}).text
    page = browser.submit()
    assert "填写进度 法人信息 3 处待改 法定代表人信息 5 处待改 登录密码 2 处待改" in page.text
    assert error_sentences(page) == [
        "请填写账号",
        "请填写企业名称",
        "请填写统一社会信用代码",
        "请填写法定代表人姓名",
        "请填写法定代表人证件号码",
        "请选择身份证有效开始日期",
        "请填写法定代表人的手机号码",
        "请填写短信验证码",
        "请设置密码",
        "请再次输入密码",
        "请阅读并勾选同意《注册协议》与《隐私政策》",
    ]


WRONG = [
    ({"account": "1farm"}, "账号应为 6-20 位字符，以字母开头，"),
    ({"type": "公司"}, "请选择法人类型"),
    ({"name": "第" * 201}, "名称最多 200 个字，不能换行"),
    ({"uscc": "9199010"}, "统一社会信用代码应为 18 位，目前填写了 7 位"),
    ({"representative_name": "田"}, "请填写法定代表人的完整姓名"),
    ({"id_type": "licence"}, "请选择证件类型"),
    ({"id_number": "99010019"}, "居民身份证号码应为 18 位，目前填写了 8 位"),
    ({"term": "7"}, "请选择证件有效期"),
    ({"valid_from": "2021-02-30"}, "有效开始日期不正确，"),
    ({"valid_until": "2041-03-05"}, "按 20 年计算，结束日期应为 2041-03-04，请核对有效期"),
    ({"term": "5", "valid_from": "2011-03-04"}, "按 5 年计算，证件已于 2016-03-04 到期。请核对有效期"),
    ({"phone": "12345"}, "手机号码不正确，应为 11 位的内地手机号码"),
    ({"new_password": "short1", "confirm_password": "short1"}, "密码至少 8 个字符，目前是 6 个"),
    ({"confirm_password": "another one 9"}, "两次填写的密码不一样"),
    ({"agreed": ""}, "请阅读并勾选同意《注册协议》与《隐私政策》"),
]


def test_each_field_that_is_wrong_says_so_and_what_was_typed_and_proved_is_kept(unseen: Office) -> None:
    """The code is looked at before everything else: it is typed once."""
    applicant, browser = Applicant(unseen), unseen.world.browser()
    applicant.asks_for_a_code(browser)
    code = last_code(unseen.world, applicant.phone)
    page = applicant.sends_again(browser, code=code, agreed="")
    assert "手机号码已验证" in page.text
    assert "登录密码 请再填一次" in page.text, "the page does not keep it"
    for changed, sentence in WRONG:
        page = applicant.sends_again(browser, **changed)
        said, *more = error_sentences(page)
        assert more == (["请填写短信验证码"] if "phone" in changed else []), changed
        assert ("手机号码已验证" in page.text) is ("phone" not in changed)
        assert sentence in said
        assert page.html.count(said) == 2, "in the summary and beside the field"
        fields, told = page.form()["fields"], applicant.told(**changed)
        kept = [name for name in ("account", "name", "uscc", "id_number", "phone") if told[name]]
        assert [fields[name] for name in kept] == [told[name] for name in kept]
        assert fields["new_password"] == fields["confirm_password"] == ""
    assert applicant.sends_again(browser).url.startswith("/register/enterprise/done")


def test_a_password_holds_nothing_that_others_know(unseen: Office) -> None:
    """X2: not the account, the phone, the number or the credit code."""
    applicant, browser = Applicant(unseen), unseen.world.browser()
    browser.open(START)
    for word in (applicant.told()["account"], applicant.phone, applicant.id_number, applicant.uscc):
        password = f"x {word} 9"
        page = applicant.sends_again(browser, new_password=password, confirm_password=password)
        assert error_sentences(page) == ["请填写短信验证码", "密码里不能包含账号、手机号或证件号码"]


def test_a_credit_code_is_one_however_it_is_typed(unseen: Office) -> None:
    """SECURITY 58: case, spaces, full-width forms; the letters a code never has are no code."""
    applicant, browser = Applicant(unseen), unseen.world.browser()
    typed = "".join(chr(ord(one) + 0xFEE0) for one in applicant.uscc.lower())
    applicant.sends(browser, uscc=f" {typed[:8]} {typed[8:]}", account="xianghai_one")
    assert unseen.company(applicant.uscc) is not None
    again = Applicant(unseen)
    assert "该企业已注册" in again.sends(unseen.world.browser(), uscc=applicant.uscc.lower()).text
    for letter in "IOSVZ":
        page = again.sends_again(browser_at_form(unseen), uscc=letter + applicant.uscc[1:])
        assert error_sentences(page)[0] == "统一社会信用代码不正确，请对照营业执照或登记证书核对"


def browser_at_form(here: Office) -> Browser:
    """A browser with an empty form open."""
    browser = here.world.browser()
    browser.open(START)
    return browser


def test_the_name_of_what_is_no_company_is_called_another(here: Office) -> None:
    """X10."""
    page = Applicant(here).sends_again(browser_at_form(here), type="事业单位法人", name="")
    assert "请填写单位名称" in error_sentences(page)


def test_nothing_is_said_of_codes_and_names_before_the_phone_is_proved(here: Office) -> None:
    """SECURITY 3."""
    known = here.world.a_company()
    browser, applicant = here.world.browser(), Applicant(here)
    applicant.asks_for_a_code(browser, uscc=known.uscc, account=known.account)
    for code, sentence in (("", "请填写短信验证码"), ("12345", "短信验证码是 6 位数字")):
        page = applicant.sends_again(browser, uscc=known.uscc, account=known.account, code=code)
        assert error_sentences(page) == [sentence]
    right = last_code(here.world, applicant.phone)
    wrong = "000000" if right != "000000" else "111111"
    page = applicant.sends_again(browser, uscc=known.uscc, account=known.account, code=wrong)
    assert error_sentences(page) == ["短信验证码不正确，还可以再试 4 次"]
    page = applicant.sends_again(browser, uscc=known.uscc, account=known.account, code=right)
    assert (page.status, "该企业已注册" in page.text) == (409, True)
    assert {"前往登录", "忘记密码"} <= set(page.text.split())


def test_a_company_that_waits_to_be_activated_is_led_to_its_activation(here: Office) -> None:
    """B19."""
    pending, browser = a_waiting_company(here.world), here.world.browser()
    page = Applicant(here).sends(browser, uscc=pending.company.uscc)
    assert page.status == 409
    assert "该企业账号待激活" in page.text
    assert 'href="/activate"' in page.html


def test_an_account_name_that_is_taken_is_said_at_its_field_and_the_phone_stays_proved(here: Office) -> None:
    """X1: unique over people and companies."""
    person, browser, applicant = here.world.a_person(), here.world.browser(), Applicant(here)
    page = applicant.sends(browser, account=person.account.upper())
    assert (page.status, error_sentences(page)) == (409, [TAKEN])
    assert "手机号码已验证" in page.text
    assert "code" not in page.form()["fields"]
    page = applicant.sends_again(browser)
    assert page.url.startswith("/register/enterprise/face")


def test_another_phone_wants_a_code_of_its_own(here: Office) -> None:
    person, browser, applicant = here.world.a_person(), here.world.browser(), Applicant(here)
    applicant.sends(browser, account=person.account)
    page = applicant.sends_again(browser, phone="13600000001")
    assert error_sentences(page) == ["请填写短信验证码"]
    assert "手机号码已验证" not in page.text
    page = applicant.sends_again(browser, phone="13600000001", code=last_code(here.world, applicant.phone))
    assert error_sentences(page) == ["短信验证码已过期或已使用，请重新获取"]


def test_every_message_wants_a_captcha(here: Office) -> None:
    """B13."""
    browser, applicant = browser_at_form(here), Applicant(here)
    page = browser.submit({**applicant.told(), "send": "1"})
    assert error_sentences(page) == ["请填写图形验证码"]
    assert page.form()["fields"]["name"] == applicant.told()["name"]
    page = browser.submit_with_captcha({**applicant.told(phone=""), "send": "1"})
    assert error_sentences(page) == ["请填写 11 位手机号码"]
    assert waiting(here.world, applicant.phone) == []


def test_what_no_registry_knows_so_ends_it_and_nobody_hears_which_part(here: Office) -> None:
    """B20, B21."""
    browser, applicant = here.world.browser(), Applicant(here)
    page = applicant.sends(browser, representative_name="田不符")
    other = Applicant(here).sends(here.world.browser(), name="向海不符示例有限公司")
    for each in (page, other):
        assert each.status == 403
        assert "法人信息不匹配" in each.text
        assert "填写的企业、法定代表人或手机号码与登记机关的记录不一致" in each.text
        assert here.world.settings.hotline in each.text
    assert nobody_registered(here)
    page = browser.open(f"{START}?j={journey_of(browser)}")
    assert page.form()["fields"]["uscc"] == applicant.uscc, "what was typed can be corrected"
    assert applicant.sends_again(browser).url.startswith("/register/enterprise/face")


def test_whoever_is_refused_and_appeals_types_nothing_twice_but_proves_his_phone_again(here: Office) -> None:
    """E05: what was typed comes along in this browser alone."""
    browser, applicant = here.world.browser(), Applicant(here)
    page = applicant.sends(browser, representative_name="田不符")
    [led] = re.findall(r'href="(/appeal\?told=[\w-]+)"', page.html)
    for someone, comes_along in ((browser, True), (here.world.browser(), False)):
        choice = someone.open(led)
        [address] = re.findall(r'href="(/appeal/identity[^"]*kind=unregistered)"', choice.html)
        form = someone.open(address.replace("&amp;", "&"))
        typed = form.form()["fields"]
        for name in ("name", "uscc", "representative_name", "id_number", "valid_from", "account", "phone"):
            told = applicant.told(representative_name="田不符")[name]
            assert typed[name] == (told if comes_along else ""), (name, comes_along)
        assert "手机号码已验证" not in form.text
    for nonsense in ("x", "A" * 22, journey_of(browser)):
        form = browser.open(f"/appeal/identity?kind=unregistered&told={nonsense}")
        assert (form.status, form.form()["fields"]["uscc"]) == (200, ""), nonsense


def test_a_company_that_is_no_more_is_told_so(here: Office) -> None:
    for word, sentence in (("吊销", "营业执照已被吊销，不能注册"), ("注销", "已注销，不能注册")):
        page = Applicant(here).sends(here.world.browser(), name=f"向海{word}示例有限公司")
        assert (page.status, sentence in page.text) == (403, True), word
    another = {"name": "向海注销示例有限公司", "representative_name": "田不符"}
    page = Applicant(here).sends(here.world.browser(), **another)
    assert "法人信息不匹配" in page.text, "only who represents it hears of it"
    assert nobody_registered(here)


def test_a_registry_that_gives_no_answer_costs_nothing_of_what_was_typed_and_proved(here: Office) -> None:
    for changed in ({"name": "向海故障示例有限公司"}, {"representative_name": "田故障"}):
        browser, applicant = here.world.browser(), Applicant(here)
        page = applicant.sends(browser, **changed)
        assert page.status == 503, changed
        [said] = error_sentences(page)
        assert said.startswith("现在无法核验企业和身份信息")
        assert "密码请再填一次" in said
        assert "没有提交成功" in page.text
        assert page.form()["fields"]["uscc"] == applicant.uscc
        assert applicant.sends_again(browser).url.startswith("/register/enterprise/face")


def test_what_the_registries_are_asked_is_what_was_typed_and_the_company_is_kept_so(unseen: Office) -> None:
    applicant, browser = Applicant(unseen), unseen.world.browser()
    applicant.sends(browser, type="农民专业合作社", term="long", id_type="passport", id_number="e1234567")
    company, person = unseen.company(applicant.uscc), unseen.representative_of(applicant.uscc)
    assert company is not None
    assert (company.type, company.status) == ("农民专业合作社", "normal")
    assert (person.id_type, person.id_number(unseen.world.backends.vault)) == ("passport", "E1234567")
    assert (str(person.id_valid_from), person.id_valid_until) == (FIRST_DAY, None)


def test_one_phone_tries_so_many_and_then_one_a_minute(here: Office) -> None:
    """SECURITY 3: a proved phone is no list of who is registered."""
    person, browser, applicant = here.world.a_person(), here.world.browser(), Applicant(here)
    applicant.sends(browser, account=person.account)
    statuses = [applicant.sends_again(browser, account=person.account).status for _ in range(11)]
    assert statuses[:9] == [409] * 9
    assert statuses[-1] == 429
    with later(minutes=2):
        assert applicant.sends_again(browser, account=person.account).status == 409


def test_fields_that_nobody_asked_for_change_nothing(unseen: Office) -> None:
    """SECURITY 59, 60."""
    applicant, browser = Applicant(unseen), unseen.world.browser()
    more = {"role": "admin", "status": "revoked", "verified": "1", "is_staff": "1", "activated_at": ""}
    more |= {
        "phone_proved": applicant.phone,
        "password_hash": "x",
        "proof": "face",
        "id": "1",
        "suspended_at": "1",
    }
    applicant.asks_for_a_code(browser, **more)
    assert error_sentences(applicant.sends_again(browser, **more)) == ["请填写短信验证码"]
    code = last_code(unseen.world, applicant.phone)
    assert applicant.sends_again(browser, code=code, **more).url.startswith("/register/enterprise/done")
    company = unseen.company(applicant.uscc)
    assert company is not None
    assert (company.status, company.suspended_at) == ("normal", None)


def test_where_no_face_is_asked_for_the_form_is_the_last_step(unseen: Office) -> None:
    """X9."""
    applicant = Applicant(unseen)
    page = applicant.sends(unseen.world.browser())
    assert page.url.startswith("/register/enterprise/done")
    with unseen.world.reading() as db:
        [line] = db.scalars(select(AuditEvent).where(AuditEvent.action == Action.ENTERPRISE_REGISTERED)).all()
    assert line.detail == {"proved_by": "phone"}


def test_where_nobody_can_be_checked_nobody_registers(here: Office) -> None:
    for missing in ("registry_url", "population_url", "face_url"):
        with here.world.rewired(**{missing: ""}) as there:
            for step in ("", "/face", "/representative"):
                page = there.browser().open(START + step)
                assert page.status == 404, (missing, step)
                assert "这里不能自助注册法人账号" in page.text
                assert 'href="/activate"' in page.html
