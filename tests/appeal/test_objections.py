"""After 不是我 no appeal is silent: who decides next reads of it, and who may object hears of all (S73)."""

from __future__ import annotations

from sqlalchemy import select

from idp.accounts.models import LegalAccount
from idp.appeal.models import State
from tests.appeal.approving import (
    account_of,
    approved,
    link_of,
    not_me,
    planned,
    proposed,
    purposes,
    sets,
    without_account,
)
from tests.appeal.builders import an_appeal, told_of
from tests.appeal.reviewing import a_supervisor, an_agent
from tests.messages import waiting
from tests.world import World, a_resident_number

SAID, GONE = "对这个账号报告过「不是我」", "链接已失效"


def test_the_next_appeal_after_not_me_is_decided_knowingly_and_the_owner_may_stop_it_again(
    world: World,
) -> None:
    company = world.a_company()
    own = company.representative.phone
    approved(world, told_of(company, phone="13300000031"), company)
    not_me(world, own, "phone_changed")
    assert account_of(world, company).phone_sealed is None
    appeal = an_appeal(world, company=company, told=told_of(company, phone="13300000032"))
    agent, supervisor = an_agent(world), a_supervisor(world)
    agent.claims(appeal)
    assert SAID in agent.opens(appeal).text
    agent.decides(appeal, "approve")
    assert SAID in supervisor.opens(appeal).text
    before = purposes(world, own)
    supervisor.presses(appeal, "second", decision="confirm")
    assert appeal.row(world).state == State.APPROVED.value
    assert purposes(world, own)[len(before) :] == ["phone_changed"]
    browser = world.browser()
    browser.open(f"/n/{waiting(world, own)[-1]['params'][2]}")
    browser.submit()
    assert account_of(world, company).phone_sealed is None
    assert GONE in world.browser().open(link_of(world, appeal)).text


def test_an_account_that_was_denied_is_given_to_nobody_by_one_alone(world: World) -> None:
    """Not even its password: a plan that one may approve else, and one approved before 不是我."""
    company = world.a_company()
    own = company.representative.phone
    approved(world, told_of(company), company)
    alone, before = (an_appeal(world, company=company) for _ in range(2))
    assert not planned(world, alone).needs_second
    agent = an_agent(world)
    for one in (alone, before):
        agent.claims(one)
    agent.opens(before)
    not_me(world, own, "appeal_reset")
    page = agent.presses(before, "decide", again=True, decision="approve")
    assert (page.status, before.row(world).state) == (409, State.IN_HAND.value)
    assert "复核后生效" in agent.opens(alone).text
    agent.decides(alone, "approve")
    assert alone.row(world).state == State.SECOND.value


def test_what_was_approved_first_before_not_me_is_not_confirmed_after_it(world: World) -> None:
    company = world.a_company()
    approved(world, told_of(company), company)
    appeal = proposed(world, told_of(company, phone="13300000033"), company)
    not_me(world, company.representative.phone, "appeal_reset")
    page = a_supervisor(world).opens(appeal)
    assert SAID in page.text
    assert "现在不能通过" in page.text


def test_a_company_closed_from_elsewhere_hears_of_it_and_is_led_to_an_appeal(world: World) -> None:
    company, reserved = world.a_company(), "13300000009"
    own = company.representative.phone
    with world.write() as db:
        db.scalars(select(LegalAccount)).one().set_phone(world.backends.vault, reserved)
    told = told_of(company, phone=reserved, id_number=a_resident_number(90_021), representative_name="周新")
    sets(world.browser(), link_of(world, approved(world, told, company)))
    page = not_me(world, own, "representative_replaced")
    assert purposes(world, reserved)[-1] == "locked_elsewhere"
    text = waiting(world, reserved)[-1]["text"]
    assert company.name in text
    for said, there in (("账号申诉", True), (world.settings.hotline, True), ("重置密码", False)):
        assert (said in text) is there, said
    assert 'href="/appeal"' in page.html[page.html.index("<main") :]
    assert world.settings.hotline in page.text


def test_a_name_that_is_wrong_is_corrected_by_a_human_and_the_notice_says_so(world: World) -> None:
    mine, other = world.a_company(), world.a_company()
    holder = other.representative
    without_account(world, holder)
    approved(world, told_of(mine, id_number=holder.id_number, representative_name="林改名"), mine)
    reserved = account_of(world, other).phone(world.backends.vault) or ""
    told = next(one for one in waiting(world, reserved) if one["purpose"] == "representative_renamed")
    for page in (
        world.browser().open(f"/n/{told['params'][2]}"),
        not_me(world, reserved, "representative_renamed"),
    ):
        assert "法定代表人姓名有误的，请拨打服务热线" in page.text
    assert "姓名有误" not in not_me(world, mine.representative.phone, "representative_changed").text
