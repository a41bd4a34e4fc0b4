"""Console: relying parties are listed, shown, given new secrets and removed, by administrators alone."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from idp.access import registration_tokens
from idp.access.clients import announce_change
from idp.accounts.outbox import NotDelivered, deliver_due, enqueue
from idp.accounts.staff import StaffRole
from tests.portals import post_as
from tests.staff.filling import filled, sent
from tests.staff.registered import copied, known, row, trail
from tests.world import World, error_sentences


def test_the_list_names_what_one_looks_for(world: World) -> None:
    client = world.a_client(name="社保网厅", profile="basic")
    page = world.at_the_console().open("/staff/clients")
    for word in ("社保网厅", client.client_id, "密钥", "基本", "自有", "共 1 个应用"):
        assert word in page.text, word


def test_nothing_is_there_yet_and_the_page_says_what_to_do(world: World) -> None:
    page = world.at_the_console().open("/staff/clients")
    assert "还没有接入的应用" in page.text
    assert "/staff/clients/new" in page.html


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize("typed", ["社保", "si-PORTAL", "SI.example", "  社保 "])
def test_a_client_is_found_by_name_id_or_redirect_host(world: World, typed: str) -> None:
    world.a_client(name="社保网厅", client_id="si-portal", redirect_uris=("https://si.example/cb",))
    world.a_client(name="人社门户", client_id="hr", redirect_uris=("https://hr.example/si",))
    page = world.at_the_console().open("/staff/clients", query_string={"q": typed})
    assert "社保网厅" in page.text
    assert "人社门户" not in page.text


def test_signs_stand_for_themselves_in_a_search(world: World) -> None:
    for typed in ["%", "_", "'", '"', "\\", "' OR 1=1 --", "[", "portal.example/callback"]:
        world.a_client(name="社保网厅")
        browser = world.at_the_console()
        assert "没有符合的应用" in browser.open("/staff/clients", query_string={"q": typed}).text
        world.a_client(name=f"名{typed}称"[:40])
        found = browser.open("/staff/clients", query_string={"q": typed})
        assert "共 1 个应用" in found.text
        assert "社保网厅" not in found.text


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_an_endless_search_is_refused_politely(world: World) -> None:
    for length in [101, 10_000]:
        page = world.at_the_console().open("/staff/clients", query_string={"q": "x" * length})
        assert page.status == 200
        assert error_sentences(page) == ["搜索内容最多 100 个字，请写短一些"]
        assert len(page.html) < 20_000


def test_there_are_twenty_a_page(world: World) -> None:
    for number in range(41):
        world.a_client(name=f"应用 {number:02d}")
    browser = world.at_the_console()
    first = browser.open("/staff/clients")
    assert first.html.count("/staff/clients/client?") == 20
    assert "共 41 个应用" in first.text
    assert "应用 40" in browser.open("/staff/clients?page=3").text
    for odd in ("0", "-1", "99", "x", "1e9"):
        assert browser.open(f"/staff/clients?page={odd}").status == 200, odd


def test_the_page_of_a_client_says_what_became_of_its_logout_messages(world: World) -> None:
    client = world.a_client(backchannel_logout_uri="https://portal.example/logout")
    browser = world.at_the_console()
    address = f"/staff/clients/client?id={client.client_id}"
    database, vault = world.backends.database, world.backends.vault

    def told_at(after: timedelta, deliver: Any) -> str:
        deliver_due(database, vault, {"logout": deliver}, now=world.now() + after)
        return browser.open(address).text

    def refuse(_payload: dict[str, Any]) -> None:
        raise NotDelivered("answered 503")

    def queue() -> None:
        with world.write() as db:
            subject = f"client:{client.client_id}"
            enqueue(db, vault, kind="logout", subject=subject, payload={}, now=world.now())

    assert "还没有要发的通知" in browser.open(address).text
    queue()
    assert "等待中" in told_at(timedelta(seconds=1), refuse)
    assert "answered 503" in browser.open(address).text
    for hour in range(1, 8):
        told_at(timedelta(hours=2 * hour), refuse)
    assert "已放弃" in browser.open(address).text
    queue()
    assert "已送达" in told_at(timedelta(seconds=1), lambda _payload: None)


def test_a_client_that_registered_itself_is_marked(world: World) -> None:
    invitation = registration_tokens.Invitation("合作单位")
    with world.write() as db:
        token, _clear = registration_tokens.invite(db, invitation, now=world.now())
    client = world.a_client(registered_with=token.id, first_party=False)
    browser = world.at_the_console()
    assert "自行登记" in browser.open("/staff/clients").text
    page = browser.open(f"/staff/clients/client?id={client.client_id}")
    assert "由「合作单位」凭邀请登记" in page.text


def test_an_id_that_is_nobodys_is_said_to_be(world: World) -> None:
    for client_id in ["", "nobody", "x" * 65, "é", "../edit", "' OR 1=1 --"]:
        for page in ["client", "edit", "secret", "remove"]:
            answer = world.at_the_console().open(f"/staff/clients/{page}", query_string={"id": client_id})
            assert answer.status == 404
            assert "没有这个应用" in answer.text


def test_an_id_with_slashes_is_as_good_as_another(world: World) -> None:
    client = world.a_client(client_id="https://old.example/sp?x=1&y")
    browser = world.at_the_console()
    page = browser.open("/staff/clients")
    (address,) = {
        found.replace("&amp;", "&") for found in re.findall(r'href="(/staff/clients/client[^"]*)"', page.html)
    }
    assert client.client_id in browser.open(address).text
    (address,) = set(
        re.findall(r'href="(/staff/clients/edit[^"]*)"', browser.page.html if browser.page else "")
    )
    browser.open(address.replace("&amp;", "&"))
    assert "已保存" in sent(browser, name="改名").text


def test_a_new_secret_works_beside_the_old_one_for_a_day(world: World) -> None:
    client = world.a_client()
    browser = world.at_the_console()
    stale = filled(browser.open(f"/staff/clients/secret?id={client.client_id}"))
    page = sent(browser)
    secret = copied(page)[1]
    seen = known(world, client.client_id)
    for held in (secret, client.secret):
        assert seen.knows_secret(held, now=world.now())
    assert not seen.knows_secret(client.secret, now=world.now() + timedelta(hours=25))
    assert "旧密钥在" in browser.open(f"/staff/clients/client?id={client.client_id}").text
    (event,) = trail(world, client.client_id)
    assert event.action == "client_secret_rotated"
    assert secret not in json.dumps(event.detail)
    # Sent again by a reload it would have ended the secret that the relying party still uses.
    again = browser.post(f"/staff/clients/secret?id={client.client_id}", stale)
    assert again.status == 409
    assert known(world, client.client_id).knows_secret(client.secret, now=world.now())


def test_a_client_without_a_secret_has_none_to_renew(world: World) -> None:
    client = world.a_client(auth_method="none")
    page = world.at_the_console().open(f"/staff/clients/secret?id={client.client_id}")
    assert page.status == 400
    assert "这个应用没有密钥" in page.text


def test_a_removed_client_is_nobody_at_once(world: World) -> None:
    client = world.a_client()
    assert known(world, client.client_id)
    browser = world.at_the_console()
    browser.open(f"/staff/clients/remove?id={client.client_id}")
    refused = sent(browser, reason="")
    assert refused.status == 400
    assert error_sentences(refused)
    assert "应用已删除" in sent(browser, reason="合同到期").text
    assert world.platform.clients.find(client.client_id) is None
    assert post_as(world, client, "/oauth/introspect", {"token": "x"}).status_code == 401
    (event,) = trail(world, client.client_id)
    assert (event.action, event.detail["reason"]) == ("client_removed", "合同到期")
    assert browser.open(f"/staff/clients/edit?id={client.client_id}").status == 404


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_only_administrators_come_here(world: World) -> None:
    for role in [role for role in StaffRole if role is not StaffRole.ADMIN]:
        client = world.a_client()
        browser = world.at_the_console(role)
        for page in (
            "",
            "/new",
            *(f"/{name}?id={client.client_id}" for name in ("client", "edit", "secret", "remove")),
        ):
            assert browser.open(f"/staff/clients{page}").status == 403, page


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_a_form_without_its_token_changes_nothing(world: World) -> None:
    for page in ["new", "edit", "secret", "remove"]:
        client = world.a_client()
        browser = world.at_the_console()
        address = f"/staff/clients/{page}?id={client.client_id}"
        values = filled(browser.open(address)) | {"name": "改名", "reason": "测试一下"}
        del values["csrf_token"]
        assert browser.post(address, values).status == 400
        assert row(world, client.client_id).name == "示例网厅"
        assert trail(world, client.client_id) == []


def test_demo_mode_takes_loopback_addresses(world: World) -> None:
    with world.rewired(mode="demo") as demo:
        browser = demo.at_the_console()
        browser.open("/staff/clients/new")
        page = sent(browser, name="本机网厅", redirect_uris="http://localhost:8001/callback")
    assert page.status == 200
    announce_change(world.backends.store)
    assert row(world, copied(page)[0]).redirect_uris == ["http://localhost:8001/callback"]
