"""From a refused registration to the first sign-in, with the two of the staff in between (E01–E17)."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.appeal.builders import ALL_PAPERS
from tests.journeys.chrome import Person, read_json
from tests.journeys.test_appeal_applicant import asks_how_it_stands, begins, uploads
from tests.journeys.test_register_enterprise import Company, code_on, gets_a_code
from tests.running_demo import RunningDemo, wait_for

NEW_PASSWORD = "Paper-lantern 77"


def looks_over(person: Person, name: str) -> None:
    """The page is fit for everybody at both widths; its pictures are kept where somebody wants them."""
    for width in (360, 1280):
        person.page.set_viewport_size({"width": width, "height": 800})
        person.looks_over()
        if kept := os.environ.get("JOURNEY_PICTURES"):
            person.page.screenshot(path=f"{kept}/{name}-{width}.png", full_page=True)


def is_refused(person: Person, company: Company) -> None:
    """Try to register: the registry knows another company, and the page leads to the appeal."""
    company.sends(person)
    assert "法人信息不匹配" in person.reads()
    person.press("账号申诉")


def phones_of(company: Company) -> tuple[str, str]:
    """The company's phone and the operator's; that of the registration has just had a code."""
    return f"1371{company.number}", f"1372{company.number}"


def files(person: Person, demo: RunningDemo, company: Company) -> str:
    """The whole appeal; its number."""
    person.page.locator("main .tx-apps a", has_text="未注册").first.click()
    person.page.check("[name=term][value='20']", force=True)
    phone, own = phones_of(company)
    person.fill(**{**company.told, "phone": phone})
    gets_a_code(person)
    person.fill(code=code_on(demo, phone))
    person.press("下一步")
    person.fill(phone=own)
    gets_a_code(person)
    person.fill(code=code_on(demo, own))
    person.press("下一步，上传材料")
    for slot in ALL_PAPERS:
        uploads(person, slot)
    person.fill(remark="注册时提示法人信息不匹配，核对无误，请协助注册")
    person.press("下一步，提交申诉")
    found = re.search(r"SS-\d{8}-\d{6}", person.reads())
    assert found
    return found.group(0)


def finds(person: Person, number: str) -> None:
    """Open the appeal of this number from the queue."""
    person.open(f"{person.issuer}/staff/appeals?typed={number}")
    with person.page.expect_navigation():
        person.page.locator("tr", has_text=number).get_by_role("link").click()


def decides(person: Person, decision: str, button: str) -> None:
    """Choose a decision and send it."""
    person.page.check(f"[name=decision][value={decision}]", force=True)
    person.press(button)


def link_on(demo: RunningDemo, phone: str) -> str:
    """The one-time link in the newest message that has one."""

    def found() -> Any:
        outbox = read_json(f"{demo.issuer}/demo/outbox.json?phone={phone}")
        told = (re.search(rf"{demo.issuer}/a/\S+", each["text"]) for each in outbox)
        return next((one.group(0) for one in told if one), None)

    return str(wait_for(found, 20))


def test_a_refused_company_appeals_is_approved_twice_and_signs_in(
    somebody: Callable[..., Person], staff: Callable[[str], Person], running_demo: RunningDemo
) -> None:
    """B20, E01–E17, X21, S73: seven files, two of the staff, one link."""
    company = Company(running_demo, known={"name": "洮河不符示例农业有限公司"})
    applicant = somebody(script=True)
    is_refused(applicant, company)
    number = files(applicant, running_demo, company)

    agent = staff("customer_service")
    finds(agent, number)
    agent.press("领取这件申诉")
    assert "登记这家企业" in agent.reads()
    decides(agent, "approve", "提交审核结论")
    assert "已提交复核" in agent.reads()

    supervisor = staff("supervisor")
    finds(supervisor, number)
    decides(supervisor, "confirm", "提交复核结论")
    assert "申诉已通过" in supervisor.reads()

    link = link_on(running_demo, phones_of(company)[0])
    applicant.open(link)
    looks_over(applicant, "link")
    applicant.press("激活账号")
    assert "请设置密码" in applicant.reads()
    looks_over(applicant, "link-refused")
    applicant.fill(new_password=NEW_PASSWORD, confirm_password=NEW_PASSWORD)
    applicant.page.check("[name=agreed]", force=True)
    applicant.press("激活账号")
    expect(applicant.page.locator("h1")).to_have_text("密码已设置")
    looks_over(applicant, "link-done")
    applicant.page.reload()
    expect(applicant.page.locator("h1")).to_have_text("密码已设置")
    applicant.open(link)
    expect(applicant.page.locator("h1")).to_have_text("链接已失效")
    looks_over(applicant, "link-gone")
    applicant.press("回到登录页")
    applicant.sign_in("法人登录", account=company.told["account"], password=NEW_PASSWORD)
    assert applicant.page.url.endswith("/center/enterprise")
    assert company.told["name"] in applicant.reads()


def looks_up(person: Person, demo: RunningDemo, number: str, phone: str) -> str:
    """How the appeal stands, by its number and the phone's code; the address of that page."""
    person.open(f"{person.issuer}/appeal/result")
    person.fill(number=number, phone=phone)
    person.solve_captcha()
    person.press("下一步")
    asks_how_it_stands(person, demo, phone)
    person.fill(code=code_on(demo, phone))
    person.press("查看进度")
    return person.page.url


def test_a_paper_is_asked_for_anew_and_a_refusal_says_why(
    somebody: Callable[..., Person], staff: Callable[[str], Person], running_demo: RunningDemo
) -> None:
    """E14, E15, Y: 待补充材料 and back; then 不通过."""
    applicant = somebody(width=360, script=True)
    number, phone = begins(applicant, running_demo, "未注册")
    for slot in ALL_PAPERS:
        uploads(applicant, slot)
    applicant.fill(remark="注册时提示法人信息不匹配")
    applicant.press("下一步，提交申诉")
    agent, other = staff("customer_service"), staff("supervisor")
    for each in (other, agent):
        finds(each, number)
    agent.press("领取这件申诉")
    other.press("领取这件申诉")
    assert "hekefu" in other.reads(), "two who take it at once: one has it, the other hears who"
    agent.page.check("[name=decision][value=more]", force=True)
    agent.page.check("[name=papers][value=licence]", force=True)
    agent.fill(words="营业执照的照片有反光\n请重新拍照")
    agent.press("提交审核结论")
    assert "待补充材料" in agent.reads()

    standing = looks_up(applicant, running_demo, number, phone)
    assert "营业执照的照片有反光" in applicant.reads()
    looks_over(applicant, "standing-more")
    applicant.press("补充材料")
    uploads(applicant, "licence")
    looks_over(applicant, "supplement")
    applicant.press("下一步，提交补充材料")

    finds(agent, number)
    agent.press("领取这件申诉")
    assert "上次要求补充" in agent.reads()
    looks_over(agent, "supplemented")
    agent.page.check("[name=decision][value=refuse]", force=True)
    agent.fill(words="登记机关没有这家企业")
    agent.press("提交审核结论")
    applicant.open(standing)
    assert "登记机关没有这家企业" in applicant.reads()
    assert "没有通过" in applicant.reads()
    looks_over(applicant, "standing-refused")
