"""账号申诉 in a browser: from the sign-in to a number; a refused file; a draft taken up again (E01–E13)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import expect

from idp.app import open_backends
from idp.config import load_settings
from tests.appeal.builders import ALL_PAPERS, a_document, a_picture
from tests.journeys.chrome import Person
from tests.journeys.test_register_enterprise import code_on, gets_a_code
from tests.running_demo import RunningDemo
from tests.world import a_credit_code, a_resident_number

_TEMPLATE = Path(__file__).parents[2] / "theme/static/appeal/authorisation.docx"
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def looks_over(person: Person, name: str) -> None:
    """The page is fit for everybody; its picture is kept where somebody wants to see it."""
    person.looks_over()
    if kept := os.environ.get("JOURNEY_PICTURES"):
        width = (person.page.viewport_size or {"width": 0})["width"]
        person.page.screenshot(path=f"{kept}/{name}-{width}.png", full_page=True)


def paper(slot: str) -> dict[str, object]:
    """A small real file for a field."""
    if slot == "authorisation":
        return {"name": "授权书.docx", "mimeType": _DOCX, "buffer": _TEMPLATE.read_bytes()}
    if slot == "licence":
        return {"name": "营业执照.pdf", "mimeType": "application/pdf", "buffer": a_document()}
    return {"name": f"{slot}.jpg", "mimeType": "image/jpeg", "buffer": a_picture()}


def uploads(person: Person, slot: str) -> None:
    """Choose a file, and wait until the page says that it is there."""
    person.page.set_input_files(f"#{slot}", paper(slot))  # type: ignore[arg-type]  # Playwright's own mapping
    expect(person.page.locator(f"[data-upload={slot}] [data-upload-kept]")).to_be_visible()


def a_minute_goes_by(demo: RunningDemo, phone: str) -> None:
    """What a phone has to wait for its next code is over: people are slower than this."""
    backends = open_backends(load_settings(demo.environment()))
    try:
        backends.store.delete(f"sms-gap:{backends.vault.index('sms_phone', phone).hex()}")
    finally:
        backends.close()


def asks_how_it_stands(person: Person, demo: RunningDemo, phone: str) -> None:
    """On the page of a look-up: the code that the phone is sent, where number and phone belong together."""
    a_minute_goes_by(demo, phone)
    person.page.get_by_role("button", name="获取验证码").click()
    person.page.locator("text=填写的信息都正确的话").wait_for()


def begins(person: Person, demo: RunningDemo, kind: str) -> tuple[str, str]:
    """身份验证, both phones; the number that the page of the papers tells, and the company's phone."""
    number = 1_000_000 + secrets.randbelow(9_000_000)
    phone, own = f"1371{number}", f"1372{number}"
    person.open(f"{person.issuer}/login/legal")
    person.press("账号申诉")
    looks_over(person, "choice")
    person.page.locator("main .tx-apps a", has_text=kind).first.click()
    looks_over(person, "identity")
    person.page.check("[name=term][value='20']", force=True)
    person.fill(
        name=f"第{number}申诉示例有限公司",
        uscc=a_credit_code(number),
        representative_name="田小禾",
        id_number=a_resident_number(number),
        valid_from="2021-03-04",
        account=f"shensu_{number}",
        phone=phone,
    )
    gets_a_code(person)
    person.fill(code=code_on(demo, phone))
    person.press("下一步")
    looks_over(person, "operator")
    person.fill(phone=own)
    gets_a_code(person)
    person.fill(code=code_on(demo, own))
    person.press("下一步，上传材料")
    expect(person.page.locator("[aria-current=step]")).to_have_text("材料上传")
    return person.page.locator(".tx-notice .tx-num").first.inner_text(), phone


def test_an_applicant_files_his_appeal_from_the_sign_in_to_its_number(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    """E01 to E13: the counter counts, each file is kept as it is chosen, going back leads to the end."""
    person = somebody(script=True)
    number, _ = begins(person, running_demo, "未注册")
    looks_over(person, "materials")
    for slot in ALL_PAPERS:
        uploads(person, slot)
    person.fill(remark="字" * 163)
    expect(person.page.locator("[data-counted-so-far]")).to_have_text("163/150")
    person.press("下一步，提交申诉")
    assert "最多 150 字，目前 163 字" in person.reads()
    looks_over(person, "materials-refused")
    person.fill(remark="注册时提示法定代表人信息不匹配，核对无误，请协助注册")
    person.press("下一步，提交申诉")
    assert "/appeal/done" in person.page.url
    assert number in person.reads()
    looks_over(person, "done")
    end = person.page.url
    person.page.go_back()
    person.page.reload()
    assert person.page.url == end
    person.press("查询申诉进度")
    assert person.page.input_value("[name=number]") == number


def test_a_refused_file_and_a_draft_that_is_taken_up_again_and_taken_back(
    somebody: Callable[..., Person], running_demo: RunningDemo
) -> None:
    """E07, X21: in another browser, by the number and the phone's code."""
    person = somebody(width=360, script=True)
    number, phone = begins(person, running_demo, "未注册")
    looks_over(person, "materials")
    fake = {"name": "证件.jpg", "mimeType": "image/jpeg", "buffer": b"MZ\x90\x00 renamed"}
    person.fill(remark="手机号码已停用")
    person.page.set_input_files("#operator_front", fake)  # type: ignore[arg-type]  # Playwright's own mapping
    expect(person.page.locator("[data-upload=operator_front] .govuk-error-message")).to_be_visible()
    uploads(person, "licence")
    looks_over(person, "refused-file")
    other = somebody(width=360, script=True)
    other.open(f"{other.issuer}/appeal")
    other.press("查询进度或继续未提交的申诉")
    looks_over(other, "result")
    other.fill(number=number, phone=phone)
    other.solve_captcha()
    other.press("下一步")
    asks_how_it_stands(other, running_demo, phone)
    looks_over(other, "result-code")
    other.fill(code=code_on(running_demo, phone))
    other.press("查看进度")
    looks_over(other, "standing-draft")
    other.press("继续填写")
    assert "营业执照.pdf" in other.reads()
    assert other.page.input_value("[name=remark]") == "手机号码已停用"
    other.page.go_back()
    other.press("撤回申诉")
    looks_over(other, "withdraw")
    other.press("确认撤回")
    assert "上传的材料已删除" in other.reads()
    looks_over(other, "standing-withdrawn")
    person.page.reload()
    assert "这件申诉已经撤回" in person.reads()
    looks_over(person, "sent-in")
