"""Console: the signing keys are shown, rotated, and removed when one has leaked (SECURITY 82)."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from idp.access.keys import ALGORITHMS
from idp.accounts.audit import AuditEvent
from idp.accounts.staff import StaffRole
from tests.keys import WINDOW, aged, attentive, kid_of, ring, rotated, stored
from tests.staff.filling import filled, sent
from tests.world import Browser, World, error_sentences

ROTATE = "/staff/keys/rotate?alg=ES256"


def trail(world: World) -> list[AuditEvent]:
    """What the trail tells of keys."""
    with world.reading() as db:
        of_keys = select(AuditEvent).where(AuditEvent.target.startswith("key:"))
        return list(db.scalars(of_keys.order_by(AuditEvent.id)))


def removing(world: World, kid: str) -> Browser:
    """An administrator who is asked whether this key has leaked."""
    browser = world.at_the_console()
    assert browser.open(f"/staff/keys/remove?kid={kid}").status == 200
    return browser


def version(world: World) -> bytes | None:
    """What running processes compare to know whether the keys changed."""
    return world.backends.store.get("version:keys")


def test_the_keys_are_listed_with_their_states_and_never_their_private_halves(world: World) -> None:
    # A next key that was made just now, however long ago this worker's keys were.
    rotated(world, "ES256")
    page = world.at_the_console().open("/staff/keys")
    for alg in ALGORITHMS:
        for state in ("active", "next"):
            assert kid_of(world, alg, state) in page.text
    for word in ("正在签名", "下一把", "一直公布", "起可以启用"):
        assert word in page.text, word
    assert "private" not in page.html
    assert '"d"' not in page.html


def test_a_rotation_takes_the_next_key_and_keeps_what_was_signed(world: World) -> None:
    aged(world)
    active, upcoming = kid_of(world, "ES256", "active"), kid_of(world, "ES256", "next")
    before, browser = version(world), world.at_the_console()
    browser.open(ROTATE)
    page = sent(browser)
    assert page.status == 200
    assert (kid_of(world, "ES256", "active"), kid_of(world, "ES256", "retired")) == (upcoming, active)
    assert "停止签名，公布到" in page.text
    assert active in {key["kid"] for key in json.loads(ring(world).jwks)["keys"]}
    (event,) = trail(world)
    assert (event.action, event.actor.partition(":")[0]) == ("key_rotated", "staff")
    assert version(world) != before


def test_running_processes_are_told(world: World) -> None:
    aged(world)
    with world.rewired() as another:
        other = attentive(another)
        assert other.platform.keys.signing["ES256"].kid == kid_of(world, "ES256", "active")
        browser = world.at_the_console()
        browser.open(ROTATE)
        sent(browser)
        assert other.platform.keys.signing["ES256"].kid == kid_of(world, "ES256", "active")


def test_a_rotation_too_early_is_refused_with_the_time_to_wait(world: World) -> None:
    aged(world)
    browser = world.at_the_console()
    browser.open(ROTATE)
    form = filled(browser.page) if browser.page else {}
    assert sent(browser).status == 200
    before, keys = version(world), {key.kid: key.state for key in stored(world)}
    again = browser.post(ROTATE, form)
    assert again.status == 409
    assert error_sentences(again)[0].startswith("ES256 的下一把密钥公布的时间还不够长")
    minutes = int(WINDOW.total_seconds()) // 60
    assert any(f"还要等 {waited} 分" in again.text for waited in (minutes, minutes - 1))
    assert {key.kid: key.state for key in stored(world)} == keys
    assert (len(trail(world)), version(world)) == (1, before)


@pytest.mark.parametrize("state", ["active", "next"])
def test_a_leaked_key_is_gone_at_once_with_all_it_signed(world: World, state: str) -> None:
    kid, before = kid_of(world, "ES256", state), version(world)
    browser = removing(world, kid)
    assert browser.page is not None
    assert "访问令牌一秒内全部被拒绝" in browser.page.text
    page = sent(browser, typed=kid[:6])
    assert page.status == 200
    assert "请通知接入方立即重新读取公钥" in page.text
    assert kid in ring(world).removed
    assert kid not in ring(world).jwks.decode()
    (event,) = trail(world)
    assert (event.action, event.target) == ("key_withdrawn", f"key:{kid}")
    assert version(world) != before


def test_what_breaks_is_said_for_each_algorithm(world: World) -> None:
    page = removing(world, kid_of(world, "RS256", "active")).page
    assert page is not None
    assert "访问令牌" not in page.text
    assert "ID 令牌不能再作为提示" in page.text


def test_the_wrong_characters_remove_nothing(world: World) -> None:
    kid = kid_of(world, "ES256", "active")
    browser = removing(world, kid)
    for typed in (
        "",
        kid[:5],
        kid[:7],
        kid[:6].swapcase(),
        kid_of(world, "RS256", "active")[:6],
        "密钥编号前六",
    ):
        page = sent(browser, typed=typed)
        assert page.status == 400
        assert error_sentences(page) == ["与这把密钥编号的前 6 位不一致，没有撤销。请核对后再填"]
    assert kid_of(world, "ES256", "active") == kid
    assert trail(world) == []


def test_a_key_is_removed_once(world: World) -> None:
    kid = kid_of(world, "ES256", "active")
    browser = removing(world, kid)
    form = filled(browser.page) if browser.page else {}
    assert sent(browser, typed=kid[:6]).status == 200
    left = {key.kid: key.state for key in stored(world)}
    again = browser.post(f"/staff/keys/remove?kid={kid}", {**form, "typed": kid[:6]})
    assert again.status == 409
    assert "已经撤销过了" in again.text
    assert {key.kid: key.state for key in stored(world)} == left
    assert "已移除" in browser.open("/staff/keys").text


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_a_key_that_is_none_is_said_to_be(world: World) -> None:
    for address in [
        "rotate",
        "rotate?alg=HS256",
        "rotate?alg=",
        "remove",
        "remove?kid=x",
        "remove?kid=%27%20OR%201",
    ]:
        page = world.at_the_console().open(f"/staff/keys/{address}")
        assert page.status == 404
        assert "没有这把密钥" in page.text


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_only_administrators_see_keys(world: World) -> None:
    for role in [role for role in StaffRole if role is not StaffRole.ADMIN]:
        browser = world.at_the_console(role)
        for address in ("/staff/keys", ROTATE, f"/staff/keys/remove?kid={kid_of(world, 'ES256', 'active')}"):
            assert browser.open(address).status == 403, address


def test_a_form_without_its_token_changes_no_key(world: World) -> None:
    aged(world)
    kid = kid_of(world, "ES256", "active")
    browser = world.at_the_console()
    for address in (ROTATE, f"/staff/keys/remove?kid={kid}"):
        assert browser.post(address, {"typed": kid[:6]}).status == 400
    assert kid_of(world, "ES256", "active") == kid
