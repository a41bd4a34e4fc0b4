"""Who may call as a phone, in what form, and from which pages: everybody else hears why, and nothing more."""

from __future__ import annotations

import json
from itertools import product
from typing import Any

from sqlalchemy import update
from werkzeug.test import TestResponse

from idp.access.clients import Client, announce_change
from idp.accounts.sessions import SigninSession
from tests.entering import has_entered
from tests.oauth.asking import tokens_for
from tests.oauth.keyholders import ADpopKey
from tests.portals import get_with
from tests.scan.phones import APP_ORIGIN, APhone, a_ticket, an_app
from tests.world import ISSUER, World

CALLS = [("GET", "/scan/me"), ("GET", "/scan/recent"), ("POST", "/scan/pin")] + [
    ("POST", f"/scan/tickets/{'A' * 22}/{step}") for step in ("scan", "confirm", "deny")
]


def refused(answer: TestResponse) -> tuple[int, str]:
    told = answer.get_json()
    assert told["message"].endswith("。"), told
    assert told["error_description"].isascii()
    assert "Set-Cookie" not in answer.headers
    return answer.status_code, told["error"]


def bare(world: World, method: str, path: str, **more: Any) -> TestResponse:
    """A call without a proof."""
    return world.app.test_client(use_cookies=False).open(path, method=method, base_url=ISSUER, **more)


def test_without_a_token_nothing_is_answered(world: World) -> None:
    for method, path in CALLS:
        answer = bare(world, method, path, data=b"{}" if method == "POST" else None)
        assert refused(answer) == (401, "invalid_token"), path
        assert "DPoP" in answer.headers["WWW-Authenticate"], path
        assert "error=" not in answer.headers["WWW-Authenticate"], path


def test_a_token_without_its_proof_opens_nothing(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    assert (
        refused(bare(world, "GET", "/scan/me", headers={"Authorization": f"Bearer {phone.token}"}))[0] == 401
    )
    assert refused(bare(world, "GET", "/scan/me", headers={"Authorization": f"DPoP {phone.token}"}))[0] == 401
    phone.key = ADpopKey()
    assert refused(phone.call("GET", "/scan/me"))[0] == 401


def test_a_proof_counts_once(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    nonce = phone.call("GET", "/scan/me").headers["DPoP-Nonce"]
    proof = phone.key.proof("GET", f"{ISSUER}/scan/me", nonce=nonce, access_token=phone.token)
    headers = {"Authorization": f"DPoP {phone.token}", "DPoP": proof}
    assert bare(world, "GET", "/scan/me", headers=headers).status_code == 200
    assert refused(bare(world, "GET", "/scan/me", headers=headers)) == (401, "invalid_dpop_proof")


def proved(world: World, phone: APhone, *, seconds: int, nonce: str) -> TestResponse:
    """A call whose proof was made so many seconds from now."""
    iat = int(world.now().timestamp()) + seconds
    proof = phone.key.proof("GET", f"{ISSUER}/scan/me", nonce=nonce, access_token=phone.token, iat=iat)
    return bare(world, "GET", "/scan/me", headers={"Authorization": f"DPoP {phone.token}", "DPoP": proof})


def test_a_phone_whose_clock_is_wrong_is_told_so_and_not_to_sign_in(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    nonce = phone.call("GET", "/scan/me").headers["DPoP-Nonce"]
    for seconds in (-90, 30):
        answer = proved(world, phone, seconds=seconds, nonce=nonce)
        assert refused(answer) == (401, "invalid_dpop_proof"), seconds
        assert "自动设置时间" in answer.get_json()["message"], seconds
        assert "不用重新登录" in answer.get_json()["message"], seconds


def test_a_proof_that_is_no_proof_does_not_ask_for_a_new_sign_in(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    headers = {"Authorization": f"DPoP {phone.token}", "DPoP": "x"}
    answer = bare(world, "GET", "/scan/me", headers=headers)
    assert refused(answer) == (401, "invalid_dpop_proof")
    assert "登录" not in answer.get_json()["message"]


def test_a_portals_token_is_no_apps(world: World) -> None:
    portal = tokens_for(has_entered(world, world.a_person()), world.a_client())["access_token"]
    answer = get_with(world, portal, "/scan/me")
    assert refused(answer) == (403, "unauthorized_client")


def test_a_token_without_the_scope_opens_nothing(world: World) -> None:
    phone = APhone.of(world, world.a_person(), scope="openid offline_access")
    answer = phone.call("GET", "/scan/me")
    assert refused(answer) == (403, "insufficient_scope")
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    ticket, _ = a_ticket(world)
    assert refused(phone.scan(ticket.id)) == (403, "insufficient_scope")


def test_an_app_that_lost_its_channel_opens_nothing_at_once(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    with world.write() as db:
        db.execute(update(Client).where(Client.client_id == phone.client.client_id).values(channel=None))
    announce_change(world.backends.store)
    assert refused(phone.call("GET", "/scan/me")) == (403, "unauthorized_client")


def test_a_sign_in_that_ended_opens_nothing_on_the_next_call(world: World) -> None:
    phone = APhone.of(world, world.a_person())
    with world.write() as db:
        db.execute(update(SigninSession).values(ended_at=world.now(), end_reason="signed_out"))
    answer = phone.call("GET", "/scan/me")
    assert refused(answer) == (401, "invalid_token")
    assert "重新登录" in answer.get_json()["message"]


BODIES = [
    b"",
    b"[]",
    b"null",
    b'"x"',
    b"{",
    b"\xff\xfe",
    b"[" * 60_000,
    b'{"a":' * 20_000,
    json.dumps({"surface": "x" * 1_000_000}).encode(),
    json.dumps({"surface": 7, "identity": ["person"], "number": 47, "pin": 123456}).encode(),
    json.dumps(
        {"surface": "\ud800", "identity": "\ud800", "number": "４７", "pin": "1", "agreement": {}}
    ).encode(),
    json.dumps({"surface": "web", "identity": "person", "number": "47", "unlock": "730518"}).encode(),
    json.dumps({"surface": None, "identity": "person", "number": "47", "unlock": {"pin": ["7"]}}).encode(),
    json.dumps({"surface": {}, "identity": "person", "number": "4 7", "far": "yes"}).encode(),
    json.dumps({"identity": "person\x00", "number": "47", "pin": 1}).encode(),
]


def test_a_body_that_is_not_what_a_call_takes_is_refused(world: World) -> None:
    phone, (ticket, _) = APhone.of(world, world.a_person()), a_ticket(world)
    paths = ("/scan/pin", *(f"/scan/tickets/{ticket.id}/{step}" for step in ("scan", "confirm")))
    for body, path, content_type in product(BODIES, paths, ("application/json", "text/plain")):
        answer = phone.call("POST", path, data=body, content_type=content_type)
        expected = {(400, "invalid_request"), (413, "invalid_request")}
        assert refused(answer) in expected, (path, content_type, body[:80])


def test_an_answer_to_a_wrong_method_is_json_too(world: World) -> None:
    for method, path in (
        ("GET", f"/scan/tickets/{'A' * 22}/scan"),
        ("PUT", "/scan/me"),
        ("GET", "/scan/pin"),
    ):
        answer = bare(world, method, path)
        assert (answer.status_code, answer.mimetype) == (405, "application/json")


PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,dpop"}
OPEN = [
    "/oauth/token",
    "/oauth/revoke",
    "/oauth/userinfo",
    "/scan/me",
    "/scan/pin",
    f"/scan/tickets/{'A' * 22}/scan",
]
CLOSED = [
    "/oauth/introspect",
    "/oauth/par",
    "/oauth/authorize",
    "/login/person",
    "/",
    f"/scan/wait/{'A' * 22}",
]
OTHERS = (
    "null",
    "https://evil.example",
    f"{APP_ORIGIN}/",
    f"{APP_ORIGIN}.evil.example",
    "http://localhost",
    "*",
    "https://portal.example",
    "HTTP://LOCALHOST:8004",
)


def allowed(answer: TestResponse) -> str | None:
    return answer.headers.get("Access-Control-Allow-Origin")


def test_the_page_of_an_app_may_call(world: World) -> None:
    an_app(world)
    for path in OPEN:
        asked = bare(world, "OPTIONS", path, headers={"Origin": APP_ORIGIN, **PREFLIGHT})
        assert (asked.status_code, asked.data, allowed(asked)) == (204, b"", APP_ORIGIN), path
        headers = set(asked.headers["Access-Control-Allow-Headers"].split(", "))
        assert {"Authorization", "DPoP", "Content-Type"} <= headers, path
        assert "POST" in asked.headers["Access-Control-Allow-Methods"] or path == "/scan/me", path
        called = bare(world, "POST", path, headers={"Origin": APP_ORIGIN})
        wrong = bare(world, "PUT", path, headers={"Origin": APP_ORIGIN})
        assert wrong.status_code == 405, path
        for answer in (called, wrong):
            assert allowed(answer) == APP_ORIGIN, path
            assert "DPoP-Nonce" in answer.headers["Access-Control-Expose-Headers"], path
            assert "Origin" in answer.vary, path
        assert "Access-Control-Allow-Credentials" not in {**asked.headers, **called.headers}, path


def test_no_other_page_may_call(world: World) -> None:
    an_app(world)
    world.a_client()
    for path, origin in product(OPEN, OTHERS):
        asked = bare(world, "OPTIONS", path, headers={"Origin": origin, **PREFLIGHT})
        called = bare(world, "POST", path, headers={"Origin": origin})
        assert {allowed(asked), allowed(called)} == {None}, (path, origin)


def test_the_page_of_an_app_may_call_nothing_else(world: World) -> None:
    an_app(world)
    for path, method in product(CLOSED, ("OPTIONS", "GET", "POST", "PUT")):
        answer = bare(world, method, path, headers={"Origin": APP_ORIGIN, **PREFLIGHT})
        assert allowed(answer) is None, (method, path)


def test_an_app_registered_a_moment_ago_may_call(world: World) -> None:
    headers = {"Origin": APP_ORIGIN, **PREFLIGHT}
    assert allowed(bare(world, "OPTIONS", "/scan/me", headers=headers)) is None
    an_app(world)
    assert allowed(bare(world, "OPTIONS", "/scan/me", headers=headers)) == APP_ORIGIN
