"""What was allowed to applications is seen and taken back, at once and everywhere (MISSION Y)."""

from __future__ import annotations

from sqlalchemy import select

from idp.access.consents import Consent
from idp.accounts.audit import AuditEvent
from idp.accounts.outbox import OutboxMessage
from tests.entering import enter
from tests.oauth.asking import introspect, refresh
from tests.portals import Authorization, get_with
from tests.security.acting import ROOM, links_on, signed_in
from tests.world import AClient, AnOperator, Browser, World

BACKCHANNEL = "https://portal.example/backchannel"


def allows(browser: Browser, client: AClient, scope: str = "openid profile offline_access") -> dict[str, str]:
    """Allow a third-party client what it asks for; its tokens."""
    asked = Authorization(client)
    browser.open(asked.address(scope))
    page = browser.submit({"decision": "allow"}, follow=False)
    tokens: dict[str, str] = asked.redeem(browser, page.query["code"]).get_json()
    return tokens


def a_third_party(world: World, name: str = "外部网站") -> AClient:
    return world.a_client(first_party=False, name=name, backchannel_logout_uri=BACKCHANNEL)


def withdraws(browser: Browser, at: str = ROOM) -> None:
    browser.open(links_on(browser.open(at), "/withdraw")[0])
    assert browser.page is not None
    page = browser.submit(number=1)
    assert "授权已撤回" in page.text


def test_what_was_allowed_is_listed_in_words(world: World) -> None:
    _, browser = signed_in(world)
    assert "您还没有同意过任何应用" in browser.open(ROOM).text
    allows(browser, a_third_party(world))
    world.a_client(name="第一方网厅")
    page = browser.open(ROOM)
    assert "外部网站" in page.text
    assert "第一方网厅" not in page.text
    page = browser.open(links_on(page, "/withdraw")[0])
    assert "您的姓名和登录名" in page.text


def test_withdrawing_ends_every_token_of_the_application_at_once(world: World) -> None:
    _, browser = signed_in(world)
    client, other = a_third_party(world), a_third_party(world, "另一个网站")
    kept = allows(browser, other)
    tokens = allows(browser, client)
    assert get_with(world, tokens["access_token"]).status_code == 200
    withdraws(browser)
    assert get_with(world, tokens["access_token"]).status_code == 401
    assert introspect(world, client, tokens["access_token"]) == {"active": False}
    assert refresh(world, client, tokens["refresh_token"]).status_code == 400
    assert get_with(world, kept["access_token"]).status_code == 200
    assert browser.open(ROOM, follow=False).status == 200, "the sign-in itself goes on"
    assert browser.open(Authorization(client).address("openid profile")).url.startswith("/oauth/consent")


def test_the_application_is_told_and_no_other(world: World) -> None:
    _, browser = signed_in(world)
    client, other = a_third_party(world), a_third_party(world, "另一个网站")
    allows(browser, other)
    allows(browser, client)
    withdraws(browser)
    with world.reading() as db:
        told = db.scalars(select(OutboxMessage.subject).where(OutboxMessage.kind == "logout")).all()
        event = db.scalars(select(AuditEvent).where(AuditEvent.action == "consent_withdrawn")).one()
    assert told == [f"client:{client.client_id}"]
    assert event.target == f"client:{client.client_id}"


def test_another_persons_or_capacitys_consent_stays(world: World) -> None:
    operator: AnOperator = world.an_operator()
    client = a_third_party(world)
    as_operator, stranger = world.browser(), signed_in(world)[1]
    enter(as_operator, operator)
    _, himself = signed_in(world, operator.person)
    for_company = allows(as_operator, client, "openid profile entity offline_access")
    for_stranger = allows(stranger, client)
    mine = allows(himself, client)
    withdraws(himself)
    assert get_with(world, mine["access_token"]).status_code == 401
    for tokens in (for_company, for_stranger):
        assert get_with(world, tokens["access_token"]).status_code == 200
    withdraws(as_operator, "/center/operator/security")
    assert get_with(world, for_company["access_token"]).status_code == 401
    with world.reading() as db:
        assert len(db.scalars(select(Consent)).all()) == 1


def test_what_was_never_allowed_is_not_there(world: World) -> None:
    _, browser = signed_in(world)
    first_party = world.a_client()
    for client_id in (first_party.client_id, a_third_party(world).client_id, "nobody", "%00"):
        assert browser.open(f"{ROOM}/apps/{client_id}/withdraw").status in {400, 404}
