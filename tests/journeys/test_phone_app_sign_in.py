"""The app's sign-in: whose answer it takes, what it keeps, how it stays signed in, how it ends."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Request, Route, expect
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from idp.access.refresh_tokens import RefreshToken
from tests.journeys.app_owner import KEPT, OWNER, answer_provider, heading, named, press, signs_in
from tests.journeys.chrome import Person
from tests.running_demo import RunningDemo


@pytest.fixture
def app(running_demo: RunningDemo) -> str:
    return running_demo.url("phone")


@pytest.fixture
def phone(somebody: Callable[..., Person]) -> Person:
    return somebody(width=360, script=True)


def test_the_sign_in_outlives_the_window_and_its_key_never_leaves_the_phone(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    page = signs_in(phone, app, named(running_demo, OWNER))
    page.reload()
    expect(heading(page)).to_contain_text("卫*")
    first = page.evaluate(KEPT)
    assert (first["exported"], first["extractable"]) == ("kept", False)
    assert first["refresh"]
    page.reload()
    expect(heading(page)).to_contain_text("卫*")
    # Each load spends the token of the one before.
    assert page.evaluate(KEPT)["refresh"] != first["refresh"]
    stored = page.evaluate("JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage})")
    assert "ey" not in stored
    assert "code=" not in page.evaluate("location.href + document.referrer")


def test_two_windows_never_spend_the_same_token(phone: Person, running_demo: RunningDemo, app: str) -> None:
    page = signs_in(phone, app, named(running_demo, OWNER))
    spent: list[str] = []
    page.context.on("request", lambda request: spent.extend(_refreshes(request)))
    windows = [page.context.new_page() for _ in range(3)]
    for window in windows:
        window.goto(app + "/me", wait_until="commit")
    for window in windows:
        expect(heading(window)).to_have_text("卫*")
    assert len(spent) >= 3
    # A nonce may be asked for, and the same request comes once more; never from two windows at a time.
    assert [token for token in set(spent) if spent.count(token) > 2] == []
    expect(page.get_by_role("link", name="扫一扫")).to_be_visible()
    page.reload()
    expect(heading(page)).to_contain_text("卫*")


def test_an_answer_lost_on_the_way_is_asked_for_again(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    page = signs_in(phone, app, named(running_demo, OWNER))
    lost: list[Any] = []

    def lose_one(route: Route) -> None:
        answer = route.fetch()
        if answer.status == 200 and not lost:
            lost.append(answer)
            route.abort("connectionreset")
        else:
            route.fulfill(response=answer)

    page.route("**/oauth/token", lose_one)
    page.reload()
    expect(heading(page)).to_contain_text("卫*")
    assert len(lost) == 1
    page.unroute("**/oauth/token")
    page.reload()
    expect(heading(page)).to_contain_text("卫*")


def test_an_answer_lost_on_the_way_is_still_there_after_a_day_without_a_network(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    page = signs_in(phone, app, named(running_demo, OWNER))
    lost: list[int] = []

    def lose(route: Route) -> None:
        answer = route.fetch()
        if answer.status == 200:
            lost.append(answer.status)
            route.abort("connectionreset")
        else:
            route.fulfill(response=answer)

    page.route("**/oauth/token", lose)
    page.reload()
    expect(heading(page)).to_have_text("暂时连不上平台")
    assert lost
    a_day_goes_by(running_demo)
    page.unroute("**/oauth/token")
    press(page, "重试")
    expect(heading(page)).to_contain_text("卫*")
    page.reload()
    expect(heading(page)).to_contain_text("卫*")


def a_day_goes_by(running_demo: RunningDemo) -> None:
    """Every refresh token that is spent was spent a day earlier."""
    engine = create_engine(running_demo.environment()["IDP_DATABASE_URL"])
    with Session(engine) as db:
        for token in db.scalars(select(RefreshToken).where(RefreshToken.used_at.is_not(None))):
            assert token.used_at
            token.used_at -= timedelta(days=1)
        db.commit()
    engine.dispose()


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_what_somebody_between_answers_ends_no_sign_in(
    phone: Person, running_demo: RunningDemo, app: str, status: int
) -> None:
    page = signs_in(phone, app, named(running_demo, OWNER))
    foreign: dict[str, Any] = {"status": status, "body": "<p>blocked</p>", "content_type": "text/html"}
    headers = {"Access-Control-Allow-Origin": app}
    page.route("**/oauth/token", lambda route: route.fulfill(headers=headers, **foreign))
    page.reload()
    expect(heading(page)).to_have_text("暂时连不上平台")
    page.unroute("**/oauth/token")
    press(page, "重试")
    expect(heading(page)).to_contain_text("卫*")


def test_signing_out_forgets_the_key_and_ends_the_sign_in_at_the_provider(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    page = signs_in(phone, app, named(running_demo, OWNER))
    refresh = page.evaluate(KEPT)["refresh"]
    press(page, "我的")
    expect(heading(page)).to_have_text("卫*")
    phone.looks_over()
    with page.expect_response("**/oauth/revoke") as revoked:
        press(page, "退出登录")
    assert revoked.value.status == 200
    expect(heading(page)).to_have_text("已退出登录")
    phone.looks_over()
    assert page.evaluate(KEPT) == {"refresh": None, "exported": None, "extractable": None}
    # Put back by hand, it opens nothing.
    page.evaluate(
        """async (refresh) => {
          const opening = indexedDB.open("tongxing-jishiban");
          const database = await new Promise((done) => { opening.onsuccess = () => done(opening.result); });
          const put = database.transaction("kept", "readwrite").objectStore("kept").put(refresh, "refresh");
          await new Promise((done) => { put.onsuccess = done; });
          database.close();
        }""",
        refresh,
    )
    phone.open(app + "/")
    expect(heading(page)).to_have_text("登录已经结束")


def test_after_signing_out_the_next_one_is_asked_who_he_is(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    page = signs_in(phone, app, named(running_demo, OWNER))
    press(page, "我的")
    press(page, "退出登录")
    expect(heading(page)).to_have_text("已退出登录")
    with page.expect_request(f"{phone.issuer}/oauth/authorize**") as asked:
        press(page, "重新登录")
    assert parse_qs(urlsplit(asked.value.url).query)["prompt"] == ["login"]
    answer_provider(phone, named(running_demo, OWNER))
    expect(heading(page)).to_contain_text("卫*")


def test_a_sign_in_ended_from_the_list_is_said_to_have_ended(
    phone: Person, running_demo: RunningDemo, app: str
) -> None:
    page = signs_in(phone, app, named(running_demo, "sunyt"))
    # The phone's browser is signed in at the provider too, and sees both sign-ins in its list.
    other = page.context.new_page()
    other.goto(f"{phone.issuer}/center/person/sessions")
    listed = other.locator("main tr", has_text="吉事办").or_(other.locator("main li", has_text="吉事办"))
    listed.first.get_by_role("button", name=re.compile("退出")).click()
    other.wait_for_load_state()
    page.reload()
    expect(heading(page)).to_have_text("登录已经结束")
    phone.looks_over()
    press(page, "重新登录")
    answer_provider(phone, named(running_demo, "sunyt"))
    expect(heading(page)).to_contain_text("好")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("code=stolen&state=foreign&iss={issuer}", "不是在这个窗口里开始的"),
        ("code=mixed&state={state}&iss=https://another.example", "不是来自统一身份认证平台"),
        ("error=access_denied&state={state}&iss={issuer}", "您没有同意登录"),
        ("code=guessed&state={state}&iss={issuer}", "没有接受这次登录"),
    ],
)
def test_an_answer_that_is_not_the_providers_signs_nobody_in(
    phone: Person, app: str, answer: str, said: str
) -> None:
    page = phone.page
    phone.open(app + "/")
    with page.expect_request(f"{phone.issuer}/oauth/authorize**") as asked:
        press(page, "登录")
    page.wait_for_url(f"{phone.issuer}/login**")
    state = parse_qs(urlsplit(asked.value.url).query)["state"][0]
    phone.open(f"{app}/callback?" + answer.format(state=state, issuer=phone.issuer))
    expect(heading(page)).to_have_text("登录没有完成")
    expect(page.locator("main")).to_contain_text(said)
    assert page.url == f"{app}/callback"
    assert page.evaluate(KEPT).get("refresh") is None
    phone.looks_over()


@pytest.mark.parametrize(
    "wrong",
    [{"nonce": "another"}, {"aud": "another"}, {"iss": "https://another.example"}, {"exp": 1}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_an_id_token_that_is_not_this_sign_ins_signs_nobody_in(
    phone: Person, running_demo: RunningDemo, app: str, wrong: dict[str, Any]
) -> None:
    page = phone.page

    def swap(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        if "id_token" in told:
            head, body, signature = told["id_token"].split(".")
            claims = json.loads(base64.urlsafe_b64decode(body + "==")) | wrong
            body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
            told["id_token"] = f"{head}.{body}.{signature}"
        route.fulfill(response=answer, json=told)

    page.route("**/oauth/token", swap)
    phone.open(app + "/")
    press(page, "登录")
    answer_provider(phone, named(running_demo, OWNER))
    expect(heading(page)).to_have_text("登录没有完成")
    expect(page.locator("main")).to_contain_text("登录凭据不是给这个 App 的")
    assert page.evaluate(KEPT)["refresh"] is None


def test_the_request_binds_its_answer_to_this_window_and_this_phone(phone: Person, app: str) -> None:
    phone.open(app + "/")
    with phone.page.expect_request(f"{phone.issuer}/oauth/authorize**") as asked:
        press(phone.page, "登录")
    sent = {name: values[0] for name, values in parse_qs(urlsplit(asked.value.url).query).items()}
    assert sent["code_challenge_method"] == "S256"
    assert all(len(sent[name]) == 43 for name in ("code_challenge", "state", "nonce", "dpop_jkt"))
    assert sent["redirect_uri"] == f"{app}/callback"
    assert set(sent["scope"].split()) == {"openid", "profile", "app", "offline_access"}


def _refreshes(request: Request) -> list[str]:
    """The refresh tokens that a request spends."""
    if request.method != "POST" or not request.url.endswith("/oauth/token"):
        return []
    return parse_qs(request.post_data or "").get("refresh_token", [])
