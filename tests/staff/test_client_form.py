"""Console: a relying party is added and changed by one form; of two who change it the later one is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from idp.access.client_keys import public_key
from idp.access.clients import Client, announce_change
from idp.access.registration import NewClient, registration_of
from tests.oauth.asking import at_once
from tests.oauth.devices import changed
from tests.portals import post_as
from tests.staff.filling import filled, sent
from tests.staff.registered import EVERYTHING, KEYS, copied, editing, known, row, trail
from tests.web.test_outages import cut_off
from tests.world import CALLBACK, AClient, Page, World, error_sentences


def test_an_added_client_can_be_used_at_once_and_its_secret_is_shown_once(world: World) -> None:
    browser = world.at_the_console()
    browser.open("/staff/clients/new")
    page = sent(browser, name="新网厅", redirect_uris=CALLBACK)
    assert page.status == 200
    client_id, secret, *_rest = copied(page)
    assert "只显示这一次" in page.text
    assert "/help/errors" in page.html
    client = AClient(client_id, secret)
    with world.rewired() as other:
        assert other.platform.clients.find(client_id) is not None
    assert post_as(world, client, "/oauth/introspect", {"token": "x"}).status_code == 200
    assert secret not in browser.open(f"/staff/clients/client?id={client_id}").html
    (event,) = trail(world, client_id)
    assert (event.action, event.actor.partition(":")[0]) == ("client_added", "staff")
    assert secret not in json.dumps(event.detail)


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_a_new_client_asks_for_little_at_first_and_says_what_it_must_have(world: World) -> None:
    page = world.at_the_console().open("/staff/clients/new")
    ticked = [
        scope
        for scope in ("openid", "profile", "phone", "identity", "entity", "offline_access")
        if f'value="{scope}" checked' in " ".join(page.html.split())
    ]
    assert ticked == ["openid", "profile"]
    label = " ".join(page.html.split()).partition('for="redirect_uris"')[2].partition("</label>")[0]
    assert "选填" not in label
    assert "用授权码登录时必填" in page.text


def test_a_form_sent_again_adds_nothing(world: World) -> None:
    browser = world.at_the_console()
    first = filled(browser.open("/staff/clients/new")) | {"name": "新网厅", "redirect_uris": CALLBACK}
    assert browser.post("/staff/clients/new", first).status == 200
    again = browser.post("/staff/clients/new", first)
    assert again.status == 400
    assert error_sentences(again) == [f"应用编号 {first['client_id']} 已经有应用在使用"]
    assert "共 1 个应用" in browser.open("/staff/clients").text


def test_a_client_with_keys_gets_no_secret(world: World) -> None:
    browser = world.at_the_console()
    browser.open("/staff/clients/new")
    page = sent(
        browser,
        name="新网厅",
        redirect_uris=CALLBACK,
        auth_method="private_key_jwt",
        jwks=json.dumps(KEYS),
        profile="fapi2",
        id_token_alg="ES256",
    )
    assert page.status == 200
    assert "只显示这一次" not in page.text
    client = row(world, copied(page)[0])
    assert (client.secret_hash, client.jwks, client.assertion_alg) == (None, KEYS, "ES256")


def test_what_is_wrong_is_said_at_its_field_in_chinese_and_what_was_typed_stays(world: World) -> None:
    browser = world.at_the_console()
    browser.open("/staff/clients/new")
    page = sent(
        browser,
        name=" ",
        redirect_uris="http://portal.example/cb\nhttps://portal.example/*",
        grant_types=["refresh_token"],
        scopes=["profile"],
        default_max_age="一小时",
        jwks="{",
    )
    assert page.status == 400
    assert error_sentences(page) == [
        "公钥不是有效的 JSON。请粘贴完整的 JWKS，以 { 开头，以 } 结尾",
        "登录有效时长应为整数秒，例如 3600；不限就不用填",
    ]
    page = sent(browser, default_max_age="3600", jwks="")
    assert error_sentences(page) == [
        "请填写应用名称，不超过 120 个字",
        "「http://portal.example/cb」应以 https:// 开头",
        "选择刷新令牌时，还要选择授权码或设备授权",
    ]
    kept = filled(page)
    assert kept["redirect_uris"] == "http://portal.example/cb\nhttps://portal.example/*"
    assert (kept["grant_types"], kept["scopes"]) == ("refresh_token", "profile")
    assert "错误：" in page.html


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_a_key_set_that_is_none_is_refused(world: World) -> None:
    for jwks in [
        '"text"',
        "[]",
        "{}",
        '{"keys": []}',
        '{"keys": [{"kty": "oct", "k": "YQ"}]}',
        "[" * 5000,
        "NaN",
    ]:
        browser = world.at_the_console()
        browser.open("/staff/clients/new")
        page = sent(browser, name="新网厅", redirect_uris=CALLBACK, auth_method="private_key_jwt", jwks=jwks)
        assert page.status == 400
        assert error_sentences(page)
        assert 'id="jwks-error"' in page.html


def test_every_promise_that_a_profile_breaks_is_said_in_chinese(world: World) -> None:
    browser = world.at_the_console()
    browser.open("/staff/clients/new")
    page = sent(browser, name="新网厅", redirect_uris=CALLBACK, profile="fapi2")
    assert page.status == 400
    assert error_sentences(page) == [
        "安全等级 fapi2 只接受认证方式 private_key_jwt，目前是 client_secret_basic",
        "安全等级 fapi2 的 ID 令牌只接受 PS256、ES256、EdDSA，目前是 RS256",
    ]


INSIDE = (
    "127.0.0.1",
    "10.0.0.8",
    "169.254.169.254",
    "localhost",
    "[::1]",
    "[fd00::1]",
    "[::ffff:10.0.0.1]",
    "2130706433",
)


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_no_address_of_the_form_leads_into_the_network(world: World) -> None:
    for field in ["redirect_uris", "post_logout_redirect_uris", "backchannel_logout_uri", "jwks_uri"]:
        browser = world.at_the_console()
        browser.open("/staff/clients/new")
        for host in INSIDE:
            inside = f"https://{host}/latest/meta-data"
            page = sent(browser, **{"name": "新网厅", "redirect_uris": CALLBACK, field: inside})
            assert page.status == 400
            (sentence,) = error_sentences(page)
            assert inside in sentence
            assert f'id="{field}-error"' in page.html
        with world.reading() as db:
            assert db.scalars(select(Client)).all() == []


def test_nobody_is_sent_back_to_this_platform(world: World) -> None:
    with world.rewired(issuer="https://idp.example") as other:
        admin = other.at_the_console()
        # A cookie that goes over TLS alone has a name that says so.
        token = admin.cookie("idp_staff") or ""
        admin.client.set_cookie("__Host-idp_staff", token, domain="idp.example", secure=True)
        admin.open("/staff/clients/new")
        page = sent(admin, name="新网厅", redirect_uris="https://idp.example/cb")
    assert error_sentences(page) == ["「https://idp.example/cb」是本平台自己的地址。请填写应用的地址"]


def test_what_the_form_shows_is_what_is_registered(world: World) -> None:
    client = world.a_client(**EVERYTHING)
    browser = editing(world, client)
    before = row(world, client.client_id)
    page = sent(browser)
    assert page.status == 200
    assert "已保存" in page.text
    after = row(world, client.client_id)
    assert registration_of(after) == registration_of(before)
    assert after.changed_at == before.changed_at
    assert trail(world, client.client_id) == []


def test_every_field_arrives(world: World) -> None:
    client = world.a_client()
    browser = editing(world, client)
    typed: dict[str, Any] = {}
    for name, value in EVERYTHING.items():
        if isinstance(value, bool):
            typed[name] = "y" if value else []
        elif name in {"grant_types", "default_acr_values"}:
            typed[name] = list(value)
        else:
            typed[name] = "\n".join(value) if isinstance(value, tuple) else value
    typed |= {
        "scopes": ["openid", "identity", "offline_access"],
        "resource_scopes": "seal:verify",
        "jwks": json.dumps(KEYS),
    }
    page = sent(browser, **typed)
    assert "已保存" in page.text, error_sentences(page)
    saved = registration_of(row(world, client.client_id))
    assert {*saved.scopes} == {*EVERYTHING["scopes"]}
    for name, value in EVERYTHING.items():
        if name != "scopes":
            assert getattr(saved, name) == value, name
    (event,) = trail(world, client.client_id)
    assert event.action == "client_changed"
    assert {"client_name", "redirect_uris", "jwks", "profile", "contacts"} <= {*event.detail["fields"]}
    assert event.detail["after"]["client_name"] == EVERYTHING["name"]
    # Nobody's address stands in the trail.
    assert "ops@portal.example" not in json.dumps(event.detail)


def test_what_the_form_cannot_say_stays(world: World) -> None:
    client = world.a_client()
    with world.write() as db:
        db.get_one(Client, client.client_id).default_acr_values = ["urn:idp:loa:2", "urn:idp:loa:1"]
    before = registration_of(row(world, client.client_id))
    browser = editing(world, client)
    foreign = {
        "registered_with": "1",
        "secret": "x" * 40,
        "secret_hash": "x",
        "client_id": "mine",
        "created_at": "1",
    }
    sent(browser, name="改名", **foreign)
    after = row(world, client.client_id)
    assert registration_of(after) == NewClient(**{**_as_dict(before), "name": "改名"})
    assert known(world, client.client_id).knows_secret(client.secret, now=world.now())


def _as_dict(new: NewClient) -> dict[str, Any]:
    return {name: getattr(new, name) for name in NewClient.__dataclass_fields__}


def test_a_change_is_used_at_once_by_every_process(world: World) -> None:
    client = world.a_client()
    with world.rewired() as other:
        assert known(other, client.client_id).redirect_uris == (CALLBACK,)
        sent(editing(world, client), redirect_uris="https://portal.example/moved")
        assert known(other, client.client_id).redirect_uris == ("https://portal.example/moved",)


def test_nothing_is_announced_before_it_is_committed(world: World) -> None:
    client = world.a_client()
    announced = world.backends.store.get("version:clients")
    sent(editing(world, client), name="")
    assert world.backends.store.get("version:clients") == announced
    sent(editing(world, client), name="改名")
    assert world.backends.store.get("version:clients") != announced


def test_another_way_of_proving_takes_the_secret_and_back_again_makes_one(world: World) -> None:
    client = world.a_client()
    sent(editing(world, client), auth_method="none")
    assert row(world, client.client_id).secret_hash is None
    page = sent(editing(world, client), auth_method="client_secret_basic")
    client_id, secret, *_rest = copied(page)
    assert client_id == client.client_id
    assert known(world, client_id).knows_secret(secret, now=world.now())
    assert not known(world, client_id).knows_secret(client.secret, now=world.now())
    assert [event.action for event in trail(world, client_id)] == [
        *("client_changed", "client_changed", "client_secret_rotated")
    ]
    assert trail(world, client_id)[-1].detail == {"fields": ["token_endpoint_auth_method"]}


def test_a_key_by_another_name_is_a_change_that_the_trail_tells(world: World) -> None:
    """SECURITY 77: before and after differ where what is stored does."""
    (key,) = KEYS["keys"]
    client = world.a_client(auth_method="private_key_jwt", jwks={"keys": [{**key, "kid": "old"}]})
    sent(editing(world, client), jwks=json.dumps({"keys": [{**key, "kid": "新"}]}))
    (event,) = trail(world, client.client_id)
    (before,), (after,) = event.detail["before"]["jwks"], event.detail["after"]["jwks"]
    assert 'kid="old"' in before
    assert before != after
    known_key = public_key(key)
    assert known_key
    assert before.split()[0] == after.split()[0] == known_key.thumbprint()


def test_a_set_registered_before_with_half_a_character_can_be_looked_at_and_mended(world: World) -> None:
    (key,) = KEYS["keys"]
    client = world.a_client(auth_method="private_key_jwt", jwks=KEYS)
    changed(world, client, jwks={"keys": [{**key, "kid": "\ud800"}]})
    browser = editing(world, client)
    page = sent(browser, name="改名")
    assert page.status == 400
    assert "半个字符" in error_sentences(page)[0]
    assert "已保存" in sent(browser, name="改名", jwks=json.dumps(KEYS)).text


def test_the_later_of_two_administrators_is_told_and_may_save_knowingly(world: World) -> None:
    client = world.a_client()
    first, second = world.a_staff_member(name="秦工"), world.a_staff_member(name="赵敏")
    early, late = world.at_the_console(member=first), world.at_the_console(member=second)
    for browser in (early, late):
        browser.open(f"/staff/clients/edit?id={client.client_id}")
    assert "已保存" in sent(early, name="先改的", contacts="张").text
    page = sent(late, name="后改的")
    assert page.status == 409
    assert "还没有保存" in page.text
    assert f"{first.account}（秦*）" in page.text
    assert "修改应用：应用名称、联系人" in page.text.replace("联系人、应用名称", "应用名称、联系人")
    assert row(world, client.client_id).name == "先改的"
    assert filled(page)["name"] == "后改的"
    assert "仍然保存" in page.text
    assert "已保存" in sent(late).text
    assert row(world, client.client_id).name == "后改的"


def test_one_who_saves_while_a_command_changes_is_told_too(world: World) -> None:
    client = world.a_client()
    browser = editing(world, client)
    other = world.at_the_console()
    other.open(f"/staff/clients/secret?id={client.client_id}")
    assert sent(other).status == 200
    page = sent(browser, name="改名")
    assert page.status == 409
    assert "更换应用密钥" in page.text


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "version", ["", "x", "2026-01-01", "2026-01-01T00:00:00", "9999-12-31T23:59:59+00:00"]
)
def test_an_invented_version_overwrites_nothing(world: World, version: str) -> None:
    client = world.a_client()
    page = sent(editing(world, client), name="改名", version=version)
    assert page.status == 409
    assert row(world, client.client_id).name == "示例网厅"


def test_of_two_who_save_at_the_same_moment_one_is_told(world: World) -> None:
    client = world.a_client()
    browsers = [editing(world, client) for _ in range(4)]
    forms = [filled(browser.page) for browser in browsers if browser.page]
    address = f"/staff/clients/edit?id={client.client_id}"

    def save(number: int) -> Page:
        form = {**forms[number], "name": f"第 {number} 个"}
        return browsers[number].post(address, form, follow=False)

    assert sorted(page.status for page in at_once(4, save)) == [303, 409, 409, 409]
    assert len(trail(world, client.client_id)) == 1


def test_a_change_that_could_not_be_announced_is_saved_and_said_so(world: World, tmp_path: Path) -> None:
    client = world.a_client()
    with cut_off(world, "store", tmp_path) as lame:
        page = sent(editing(lame, client), name="改名")
    assert page.status == 503
    assert "已经保存，还没有全部生效" in page.text
    assert row(world, client.client_id).name == "改名"
    assert "已保存" in sent(editing(world, client)).text
    assert known(world, client.client_id).name == "改名"


@pytest.mark.parametrize("way", ["new", "secret", "edit"])
def test_a_secret_that_could_not_be_announced_is_shown_all_the_same(
    world: World, tmp_path: Path, way: str
) -> None:
    client = world.a_client(auth_method="none" if way == "edit" else "client_secret_basic")
    typed = {
        "new": {"name": "新网厅", "redirect_uris": CALLBACK},
        "secret": {},
        "edit": {"auth_method": "client_secret_basic"},
    }
    with cut_off(world, "store", tmp_path) as lame:
        browser = lame.at_the_console()
        browser.open(f"/staff/clients/{way}?id={client.client_id}")
        page = sent(browser, **typed[way])
    assert page.status == 200
    assert "已经保存，还没有全部生效" in page.text
    client_id, secret, *_rest = copied(page)
    announce_change(world.backends.store)
    assert known(world, client_id).knows_secret(secret, now=world.now())
