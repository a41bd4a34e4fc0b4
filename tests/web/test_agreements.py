"""注册协议 and 隐私政策: the current version with its day, and every version ever accepted (B16)."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from idp.accounts import agreements
from idp.accounts.agreements import CURRENT, VERSIONS, Acceptance
from tests.world import World


@pytest.mark.parametrize(("name", "title"), [("terms", "注册协议"), ("privacy", "隐私政策")])
def test_a_text_says_which_version_it_is_and_since_when(world: World, name: str, title: str) -> None:
    page = world.browser().open(f"/pages/{name}")
    since = VERSIONS[name][CURRENT[name]]
    assert title in page.text
    assert (
        f"{CURRENT[name]} 版，{since.year} 年 {since.month} 月 {since.day} 日起施行，现行版本。" in page.text
    )
    assert since <= world.now().date()


def test_every_version_that_could_be_accepted_stays_readable(world: World) -> None:
    for name, versions in VERSIONS.items():
        assert next(iter(versions)) == CURRENT[name], "the newest stands first"
        for version in versions:
            page = world.browser().open(f"/pages/{name}/{version}")
            assert page.status == 200
            assert f"{version} 版" in page.text
            assert f'href="/pages/{name}/{version}"' in world.browser().open(f"/pages/{name}").html


def test_a_version_that_was_replaced_leads_to_the_current_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CURRENT, "terms", "2027-01")
    page = world.browser().open("/pages/terms/2026-11")
    assert "已有新版本" in page.text
    assert "现行版本。" not in page.text
    assert 'href="/pages/terms">查看现行版本</a>' in page.html


@pytest.mark.parametrize(
    "address", ["terms/2020-01", "about/2026-11", "terms/..", "terms/2026-11/x", "agreement", "terms-2026-11"]
)
def test_there_is_no_other_text(world: World, address: str) -> None:
    assert world.browser().open(f"/pages/{address}").status == 404


def test_the_privacy_policy_names_what_the_law_asks_for(world: World) -> None:
    """个人信息保护法 §§ 17, 23, 29, 30, 44–50: what, why, who, how long, and one's rights."""
    text = world.browser().open("/pages/privacy").text
    for told in ("姓名", "证件号码", "手机号码", "人脸", "人口库", "工商登记", "短信服务商", "敏感个人信息"):
        assert told in text
    for right in ("查阅", "复制", "更正", "删除", "撤回同意", "注销账号", "解释", "投诉"):
        assert right in text
    for how_long in ("5 分钟", "180 天", "六个月"):
        assert how_long in text
    assert world.settings.hotline in text


def test_the_texts_are_in_the_map_and_at_the_foot_of_every_page(world: World) -> None:
    """A23."""
    for address in ("/pages/sitemap", "/login/legal"):
        html = world.browser().open(address).html
        assert 'href="/pages/terms">注册协议</a>' in html
        assert 'href="/pages/privacy">隐私政策</a>' in html


def test_which_version_an_account_accepted_and_when_is_written_down(world: World) -> None:
    then = world.now()
    with world.write() as db:
        agreements.accept(db, "person:1", accepted_at=then)
        agreements.accept(db, "person:2", accepted_at=then, versions={"terms": "2025-01"})
    with world.reading() as db:
        rows = db.scalars(select(Acceptance).order_by(Acceptance.account, Acceptance.document)).all()
    assert [(row.account, row.document, row.version) for row in rows] == [
        ("person:1", "privacy", CURRENT["privacy"]),
        ("person:1", "terms", CURRENT["terms"]),
        ("person:2", "terms", "2025-01"),
    ]
    assert {row.accepted_at for row in rows} == {then}
