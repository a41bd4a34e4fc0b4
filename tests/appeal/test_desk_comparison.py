"""What was told beside what is on record: asked when an appeal is taken, marked where it differs (E14)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict

import pytest

from idp.accounts.audit import Action, Origin
from idp.adapters.registry import CompanyRecord, Registry
from idp.appeal import comparison, filing
from idp.appeal.comparison import Asked, Verdict
from idp.appeal.models import Appeal
from idp.demo import world as demo
from tests.appeal.builders import an_appeal
from tests.appeal.builders import told_of as statement_of
from tests.appeal.reviewing import a_supervisor, an_agent, told_of
from tests.relying_parties.simulating import simulators
from tests.world import ISSUER, World, a_resident_number

TOKEN = "a-token-of-the-registry"


@contextmanager
def with_registry(world: World, **given: str) -> Iterator[World]:
    """The same storage behind a provider that may ask the simulated registry."""
    with simulators(ISSUER, registry_token=TOKEN) as running:
        settings = {"registry_url": running.registry_url, "registry_token": TOKEN, **given}
        with world.rewired(**settings) as other:
            yield other


def on_record(world: World, **changed: str) -> comparison.Comparison:
    """A comparison of what a company tells with a registry that has it `changed`."""
    company = world.a_company()
    appeal = an_appeal(world, company=company)
    claim = appeal.told.claim
    record = CompanyRecord(
        claim.uscc,
        claim.name,
        claim.type,
        claim.representative_name,
        "resident_id",
        claim.document.id_number,
        "normal",
    )
    with world.write() as db:
        row = db.merge(appeal.row(world))
        said = CompanyRecord(**{**asdict(record), **changed})
        comparison.keep(db, world.backends.vault, row, said, now=world.now())
        return comparison.compare(db, world.backends.vault, row)


def marked(parts: comparison.Parts) -> list[str]:
    """The pieces that differ."""
    return [part.text for part in parts if part.differs]


def test_what_is_taken_is_compared_with_the_registry_at_once(world: World) -> None:
    known, holder = demo.company("A"), demo.person("zhaoxl")
    told = statement_of(name="松原示例科技公司", uscc=known.uscc, representative_name=holder.name)
    with with_registry(world) as other:
        agent = an_agent(other)
        appeal = an_appeal(other, told=told)
        page = agent.claims(appeal)
        assert "登记库查询于" in page.text
        assert holder.id_number not in page.html
        assert "<mark>" in page.html
        assert "无法比对" not in page.text, "no registry has 法人账号, 企业手机号码 and 证件有效期"
        assert "2 项不一致" in page.text
        assert "已经重新查询登记库" in agent.presses(appeal, "compare").text
        assert "2 项不一致" in agent.browser.open("/staff/appeals").text
        unknown = an_appeal(other)
        page = agent.claims(unknown)
        assert "登记库没有这家企业，请以材料为准" in page.text
        assert "无法比对" not in page.text
        assert "登记库没有这家企业" in agent.browser.open("/staff/appeals").text
    compared = told_of(world, appeal, Action.APPEAL_COMPARED)
    assert [line.detail for line in compared] == [{"registry": "answered"}] * 2


def test_a_registry_that_is_away_keeps_nobody_from_an_appeal(world: World) -> None:
    with with_registry(world, registry_token="another") as other:
        agent, supervisor = an_agent(other), a_supervisor(other)
        appeal = an_appeal(other)
        page = agent.claims(appeal)
        assert page.status == 200
        assert "没有得到答复" in page.text
        assert "登记库查询失败" in supervisor.browser.open("/staff/appeals").text
        assert "没有答复" in agent.presses(appeal, "compare").text


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_each_difference_is_marked_and_counted_and_numbers_stay_masked(world: World) -> None:
    assert on_record(world).differences == 0
    number = a_resident_number(7)
    for changed, label, shown in (
        ({"name": "第一示例有限公司"}, "企业名称", None),
        ({"type": "个体工商户"}, "法人类型", None),
        ({"representative_name": "林小曼"}, "法定代表人姓名", ["曼"]),
        ({"representative_id_type": "passport"}, "证件类型", None),
        ({"representative_id_number": number}, "证件号码", None),
        ({"status": "revoked"}, "登记状态", ["吊销"]),
    ):
        found = on_record(world, **changed)
        [item] = [one for one in found.items if one.verdict is Verdict.DIFFERS]
        assert (found.differences, item.label) == (1, label)
        assert marked(item.registry) == shown if shown else marked(item.registry)
    found = on_record(world, representative_id_number=number)
    text = str(found)
    assert number not in text
    assert not re.search(r"990100[0-9]{11}", text)


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_the_same_name_typed_otherwise_is_the_same(world: World) -> None:
    company = world.a_company()
    told = statement_of(company, name="第1示例(集团)有限公司", representative_name="林 小满")
    appeal = an_appeal(world, company=company, told=told)
    claim = told.claim
    with world.write() as db:
        row = db.merge(appeal.row(world))
        same = CompanyRecord(
            claim.uscc,
            "第1示例（集团）有限公司",
            claim.type,
            "林小满",
            "resident_id",
            claim.document.id_number,
            "normal",
        )
        comparison.keep(db, world.backends.vault, row, same, now=world.now())
        assert row.differences == 0
        comparison.keep(db, world.backends.vault, row, Asked.NOBODY, now=world.now())
        assert comparison.asked(row) is Asked.NOBODY
        when = row.registry_asked_at
        comparison.keep(db, world.backends.vault, row, Asked.FAILED, now=world.now())
        assert (comparison.asked(row), row.registry_asked_at) == (Asked.NOBODY, when)
    with world.reading() as db:
        kept = appeal.row(world)
        assert comparison.compare(db, world.backends.vault, kept).differences == 0


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_to_an_appeal_that_ended_meanwhile_comes_no_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registry takes its time; the applicant withdraws, and nothing of his company is kept any more."""
    with with_registry(world) as other:
        here, agent = other.platform, an_agent(other)
        tools = filing.Tools(here.vault, here.trail, here.settings)
        ask = comparison.ask

        def slowly(registry: Registry | None, uscc: str) -> CompanyRecord | Asked:
            with other.write() as db:
                filing.withdraw(db, tools, db.get_one(Appeal, appeal.id), Origin(), now=other.now())
            return ask(registry, uscc)

        appeal = an_appeal(other)
        agent.claims(appeal)
        kept = appeal.row(other).registry_asked_at
        monkeypatch.setattr(comparison, "ask", slowly)
        page = agent.presses(appeal, "compare")
        assert (page.status, "您提交的没有生效" in page.text) == (409, True)
        assert appeal.row(other).registry_asked_at == kept
        appeal = an_appeal(other)
        page = agent.claims(appeal)
        assert (page.status, "已撤回" in page.text, "已领取" in page.text) == (200, True, False)
        assert appeal.row(other).registry_sealed is None
