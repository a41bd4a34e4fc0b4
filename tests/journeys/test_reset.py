"""忘记密码 in a browser, for each kind of account, with the code read on the phone (D01–D06)."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from idp.accounts import directory
from idp.accounts.calendar import civil_day
from idp.accounts.directory import NewMandate, NewPerson
from idp.accounts.models import Enterprise, EnterpriseType
from idp.accounts.models import Person as Holder
from idp.accounts.passwords import PasswordHasher
from idp.app import open_backends
from idp.config import load_settings
from idp.crypto import Vault
from tests.journeys.chrome import Person, read_json
from tests.running_demo import RunningDemo, wait_for
from tests.world import a_credit_code, a_resident_number

OLD, NEW = "Kite-flying 42", "Paper-lantern 77"
TABS = {"legal": "法人登录", "operator": "经办人登录", "person": "个人登录"}


@dataclass(frozen=True)
class Forgetful:
    """Somebody of this test alone: what he types to be recognised, to sign in, and his phone."""

    identity: dict[str, str]
    names: dict[str, str]
    phone: str


def somebody_new(demo: RunningDemo, kind: str) -> Forgetful:
    """An account beside those of the demo, which others sign in to at the same time."""
    number, now = 1_000_000 + secrets.randbelow(9_000_000), datetime.now(UTC)
    settings = load_settings(demo.environment())
    backends, hashed = open_backends(settings), PasswordHasher(settings).hash(OLD)
    phone, account = f"1362{number}", f"reset_{number}"
    holder = NewPerson("唐小禾", phone, a_resident_number(number), account=account, password_hash=hashed)
    try:
        with backends.database.begin() as db:
            person = directory.add_person(db, backends.vault, holder, now=now)
            names = {"account": phone}
            if kind != "person":
                company = a_company(db, person, number, now=now)
                names = {"account": company.uscc}
            if kind == "legal":
                activate(db, backends.vault, company, phone, f"shop_{number}", hashed, now=now)
            if kind == "operator":
                names = {"enterprise": company.uscc, "account": phone}
                today = civil_day(now)
                new = NewMandate(today, today + timedelta(days=9), phone)
                mandate = directory.add_mandate(db, backends.vault, company, person, new, now=now)
                directory.set_mandate_password(db, mandate, hashed, must_change=True, now=now)
    finally:
        backends.close()
    called = "representative_name" if kind == "legal" else "name"
    first = "enterprise" if kind == "operator" else "account"
    told = {first: names[first], called: holder.name, "id_number": holder.id_number or ""}
    return Forgetful(told, names, phone)


def a_company(db: Session, representative: Holder, number: int, *, now: datetime) -> Enterprise:
    """A company, still 待激活."""
    return directory.add_enterprise(
        db,
        uscc=a_credit_code(number),
        name=f"第{number}示例商贸有限公司",
        type_=EnterpriseType.COMPANY,
        representative=representative,
        now=now,
    )


def activate(
    db: Session, vault: Vault, company: Enterprise, phone: str, name: str, hashed: str, *, now: datetime
) -> None:
    """Give it its name and password."""
    assert company.account
    directory.activate(db, vault, company.account, name=name, password_hash=hashed, phone=phone, now=now)


def newest(demo: RunningDemo, phone: str, purpose: str) -> dict[str, Any]:
    """The newest message of this purpose on a phone."""

    def found() -> Any:
        outbox = read_json(f"{demo.issuer}/demo/outbox.json?phone={phone}")
        return next((each for each in outbox if each["purpose"] == purpose), None)

    message: dict[str, Any] = wait_for(found, 20)
    return message


@pytest.mark.journey
def test_a_forgotten_password_is_set_anew_and_every_page_fits_and_is_accessible(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    """An operator's: his first page asks for most."""
    forgetful, person = somebody_new(running_demo, "operator"), somebody(at_every_width=True, script=True)
    person.open(f"{person.issuer}/login/operator")
    person.looks_over()
    person.press("忘记密码？")
    person.looks_over()
    person.fill(**{**dict.fromkeys(forgetful.identity, ""), "id_number": "99010019"})
    person.solve_captcha()
    person.press("下一步")
    assert "居民身份证号码应为 18 位，目前填写了 8 位" in person.reads()
    person.looks_over()
    person.fill(**forgetful.identity)
    person.solve_captcha()
    person.press("下一步")
    assert f"{forgetful.phone[:3]}****{forgetful.phone[-4:]}" in person.reads()
    person.looks_over()
    person.page.get_by_role("button", name="获取验证码").click()
    code = newest(running_demo, forgetful.phone, "reset")["code"]
    person.page.get_by_text("秒后可重新获取").wait_for()
    person.looks_over()
    person.fill(code=f"{(int(code) + 1) % 1_000_000:06d}")
    person.press("下一步")
    assert "短信验证码不正确，还可以再试 4 次" in person.reads()
    person.looks_over()
    person.fill(code=code)
    person.press("下一步")
    person.looks_over()
    person.fill(new_password=NEW, confirm_password="x")
    person.press("保存")
    assert "两次填写的密码不一样" in person.reads()
    person.looks_over()
    person.fill(new_password=NEW, confirm_password=NEW)
    person.press("保存")
    assert "新密码已生效" in person.reads()
    person.looks_over()
    assert "重置" in newest(running_demo, forgetful.phone, "password_reset")["text"]
    person.press("前往登录")
    person.sign_in(TABS["operator"], **forgetful.names, password=OLD)
    assert "账号或密码不正确" in person.reads()
    person.sign_in(TABS["operator"], **forgetful.names, password=NEW)
    assert "/center/" in person.page.url


@pytest.mark.journey
@pytest.mark.parametrize("kind", ["legal", "person"])
def test_the_other_kinds_come_the_same_way_from_a_page_of_their_own(
    somebody: Callable[..., Person], running_demo: RunningDemo, kind: str
) -> None:
    forgetful, person = somebody_new(running_demo, kind), somebody(at_every_width=True, script=True)
    person.open(f"{person.issuer}/login/{kind}")
    person.press("忘记密码？")
    person.looks_over()
    person.fill(**forgetful.identity)
    person.solve_captcha()
    person.press("下一步")
    person.page.get_by_role("button", name="获取验证码").click()
    person.fill(code=newest(running_demo, forgetful.phone, "reset")["code"])
    person.press("下一步")
    person.fill(new_password=NEW, confirm_password=NEW)
    person.press("保存")
    assert "新密码已生效" in person.reads()
    person.looks_over()
    person.press("前往登录")
    person.sign_in(TABS[kind], **forgetful.names, password=NEW)
    assert "/center/" in person.page.url


@pytest.mark.journey
def test_without_a_script_the_code_comes_by_the_same_button(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    forgetful, person = somebody_new(running_demo, "person"), somebody(width=360)
    person.open(f"{person.issuer}/reset")
    person.press("个人账号")
    person.fill(**forgetful.identity)
    person.solve_captcha()
    person.press("下一步")
    person.press("获取验证码")
    assert "验证码正在发送到" in person.reads()
    person.fill(code=newest(running_demo, forgetful.phone, "reset")["code"])
    person.press("下一步")
    person.fill(new_password=NEW, confirm_password=NEW)
    person.press("保存")
    assert "新密码已生效" in person.reads()
    person.page.go_back()
    assert "新密码已生效" in person.reads(), "there is no way back into a journey that has ended"


@pytest.mark.journey
def test_a_stranger_is_told_one_thing_and_where_else_to_turn(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    forgetful, person = somebody_new(running_demo, "legal"), somebody(width=1280, script=True)
    person.open(f"{person.issuer}/reset/legal")
    person.fill(**{**forgetful.identity, "representative_name": "欧阳无人"})
    person.solve_captcha()
    person.press("下一步")
    assert "未找到与所填信息一致的企业账号" in person.reads()
    assert "服务热线" in person.page.inner_text("main")
    person.looks_over()
    pending = running_demo.account("legal", "pending")
    person.open(f"{person.issuer}/login/legal")
    person.sign_in("法人登录", account=pending["uscc"], password=OLD)
    assert "待激活" in person.reads()
    person.looks_over()
    person.press("去激活")
    assert person.page.url.startswith(f"{person.issuer}/activate")
