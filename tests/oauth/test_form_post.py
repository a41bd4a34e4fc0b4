"""response_mode=form_post: the answer as a form that the browser posts to the portal."""

from __future__ import annotations

from tests.oauth.asking import a_signed_in_person
from tests.portals import Authorization
from tests.world import CALLBACK, ISSUER, Browser, Page, World


def ask(browser: Browser, asked: Authorization, scope: str = "openid", **more: str) -> Page:
    """What a request for a form is answered with."""
    return browser.open(asked.address(scope, response_mode="form_post", **more), follow=False)


def posted(page: Page) -> dict[str, str]:
    """What the page would post to the portal."""
    form = page.form()
    assert (page.status, page.location, form["method"]) == (200, "", "post")
    fields: dict[str, str] = form["fields"]
    return fields


def test_the_code_comes_in_a_form_with_state_and_issuer(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(world.a_client())
    page = ask(browser, asked)
    assert page.form()["action"] == CALLBACK
    fields = posted(page)
    assert set(fields) == {"code", "state", "iss"}
    assert (fields["state"], fields["iss"]) == (asked.state, ISSUER)
    assert asked.redeem(browser, fields["code"]).status_code == 200


def test_errors_come_in_a_form_too(world: World) -> None:
    asked = Authorization(world.a_client())
    for more, error in (
        ({"prompt": "none"}, "login_required"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"request": "x.y.z"}, "invalid_request_object"),
    ):
        fields = posted(ask(world.browser(), asked, **more))
        assert set(fields) == {"error", "error_description", "error_uri", "state", "iss"}
        assert (fields["error"], fields["state"], fields["iss"]) == (error, asked.state, ISSUER)


def test_it_is_sent_by_a_script_of_ours_and_by_a_button_without(world: World) -> None:
    page = ask(a_signed_in_person(world), Authorization(world.a_client(name="示例网厅")))
    assert '<script type="module" src="/theme/form_post.js?v=' in page.html
    assert "继续" in page.text
    assert "正在返回示例网厅" in page.text
    script = world.browser().open("/theme/form_post.js")
    assert script.status == 200
    assert "javascript" in (script.response.mimetype or "")
    assert script.response.headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_may_lead_to_the_portal_alone_and_is_kept_by_nobody(world: World) -> None:
    client = world.a_client(
        redirect_uris=("https://portal.example/callback", "https://portal.example:8443/other")
    )
    page = ask(a_signed_in_person(world), Authorization(client))
    headers = page.response.headers
    policy = headers["Content-Security-Policy"]
    assert "form-action 'self' https://portal.example;" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"


def test_no_other_page_runs_scripts(world: World) -> None:
    browser, client = a_signed_in_person(world), world.a_client(first_party=False)
    page = ask(browser, Authorization(client))
    consent = browser.open(page.location)
    assert "同意" in consent.text
    assert "script-src" not in consent.response.headers["Content-Security-Policy"]
    redirected = browser.open(Authorization(world.a_client()).address("openid"), follow=False)
    assert "script-src" not in redirected.response.headers["Content-Security-Policy"]


def test_it_holds_until_the_person_has_signed_in_and_agreed(world: World) -> None:
    person, browser, asked = world.a_person(), world.browser(), Authorization(world.a_client())
    page = browser.open(asked.address("openid", response_mode="form_post"))
    assert posted(browser.sign_in_person(person, at=page.url))["state"] == asked.state
    third = Authorization(world.a_client(first_party=False))
    for decision, name in (("deny", "error"), ("allow", "code")):
        browser.open(third.address("openid", response_mode="form_post"))
        assert name in posted(browser.submit({"decision": decision}))


def test_the_form_carries_nothing_but_the_answer(world: World) -> None:
    client = world.a_client(redirect_uris=("https://portal.example/cb?tenant=7&x=%22",))
    page = ask(a_signed_in_person(world), Authorization(client), state="\"'><script>alert(1)</script>")
    assert page.form()["action"] == "https://portal.example/cb?tenant=7&x=%22"
    assert "csrf_token" not in posted(page)
    assert posted(page)["state"] == "\"'><script>alert(1)</script>"
    assert page.html.count("<script") == 1


def test_an_untrusted_address_gets_no_form(world: World) -> None:
    asked = Authorization(world.a_client())
    address = asked.address("openid", response_mode="form_post", redirect_uri="https://evil.example/")
    page = a_signed_in_person(world).open(address)
    assert page.status == 400
    assert "https://evil.example" not in page.html
    assert "evil.example" not in page.response.headers["Content-Security-Policy"]


def test_query_is_what_one_gets_by_default_and_by_name(world: World) -> None:
    browser, asked = a_signed_in_person(world), Authorization(world.a_client())
    for mode in ("", "query"):
        page = browser.open(asked.address("openid", response_mode=mode), follow=False)
        assert set(page.query) == {"code", "state", "iss"}


def test_a_mode_that_is_not_offered_is_refused_by_redirect(world: World) -> None:
    asked = Authorization(world.a_client())
    for mode in ("fragment", "jwt", "form_post.jwt", "FORM_POST"):
        page = world.browser().open(asked.address("openid", response_mode=mode), follow=False)
        assert page.query["error"] == "invalid_request", mode
    doubled = asked.address("openid") + "&response_mode=form_post&response_mode=form_post"
    assert world.browser().open(doubled, follow=False).query["error"] == "invalid_request"
