"""A phone with one of the apps on it: signed in as an app signs in, and calling as an app calls.

The key is the phone's own and every call is proved with it; a nonce that is asked for is brought. What a
browser waits with is made here too, for tests that need a ticket and no page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from werkzeug.test import TestResponse

from idp.access.clients import announce_change
from idp.access.registration import NewClient, add_client
from idp.accounts import standing
from idp.crypto import new_token
from idp.proof import tickets
from idp.proof.ticket_record import Asked, Purpose, Seen, Ticket
from tests.oauth.keyholders import ADpopKey, with_nonce
from tests.portals import Authorization
from tests.world import ISSUER, AClient, APerson, Browser, World

APP_ORIGIN = "http://localhost:8004"
"""Beside the provider, as in the demo: a passkey of the one host is used by both."""
SCOPE = "openid profile app offline_access"
PIN = "730518"
ANDROID = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/130.0.0.0 Mobile Safari/537.36"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36"


@dataclass
class APhone:
    """A phone whose app holds the tokens of one person."""

    world: World
    person: APerson
    client: AClient
    channel: str = "jishiban"
    key: ADpopKey = field(default_factory=ADpopKey)
    token: str = ""
    refresh_token: str = ""
    address: str = "127.0.0.1"
    user_agent: str = ANDROID
    nonce: str | None = None

    @classmethod
    def of(
        cls,
        world: World,
        person: APerson,
        channel: str = "jishiban",
        *,
        browser: Browser | None = None,
        scope: str = SCOPE,
        **given: Any,
    ) -> APhone:
        """A phone on which `person` signed in to the app, in `browser` where one is given."""
        phone = cls(world, person, an_app(world, channel), channel, **given)
        if browser is None:
            browser = world.browser(address=phone.address, user_agent=phone.user_agent)
        asked = Authorization(phone.client)
        phone._keep(
            with_nonce(
                world,
                "/oauth/token",
                phone.key,
                {
                    "grant_type": "authorization_code",
                    "code": app_code(browser, asked, person, scope),
                    "redirect_uri": phone.client.redirect_uri,
                    "code_verifier": asked.verifier,
                    "client_id": phone.client.client_id,
                },
            )
        )
        return phone

    def refresh(self) -> None:
        """Get new tokens, as an app does before the old ones run out."""
        values = {
            "grant_type": "refresh_token",
            "refresh_token": self.refresh_token,
            "client_id": self.client.client_id,
        }
        self._keep(with_nonce(self.world, "/oauth/token", self.key, values))

    def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **more: Any
    ) -> TestResponse:
        """A proved call with the latest nonce, once more where another is asked for.

        `more` goes to the test client.
        """
        token = self.token if token is None else token

        def once(nonce: str | None) -> TestResponse:
            proof = self.key.proof(method, ISSUER + path, nonce=nonce, access_token=token)
            headers = {"User-Agent": self.user_agent, **more.get("headers", {})}
            sent: dict[str, Any] = {**more, "headers": {**headers, "DPoP": proof}}
            if token:
                sent["headers"]["Authorization"] = f"DPoP {token}"
            if body is not None:
                sent["json"] = body
            return self.world.app.test_client(use_cookies=False).open(
                path,
                method=method,
                base_url=ISSUER,
                environ_base={"REMOTE_ADDR": self.address},
                **sent,
            )

        answer = once(self.nonce)
        if (answer.get_json(silent=True) or {}).get("error") != "use_dpop_nonce":
            return answer
        self.nonce = answer.headers["DPoP-Nonce"]
        return once(self.nonce)

    def me(self) -> dict[str, Any]:
        """Who the app says is signed in."""
        return _told(self.call("GET", "/scan/me"))

    def recent(self) -> list[dict[str, Any]]:
        """His latest scans."""
        scans: list[dict[str, Any]] = _told(self.call("GET", "/scan/recent"))["scans"]
        return scans

    def set_pin(self, pin: str = PIN, **more: Any) -> TestResponse:
        """Set the PIN and give the agreement that is asked for; `current` comes with `more`."""
        agreement = self.me()["pin"]["agreement"]["version"]
        return self.call("POST", "/scan/pin", {"pin": pin, "agreement": agreement, **more})

    def scan(self, ticket: str, *, surface: str = "app") -> TestResponse:
        """Scan the QR code of a ticket (its id)."""
        return self.call("POST", f"/scan/tickets/{ticket}/scan", {"surface": surface})

    def scanned(self, ticket: str, *, surface: str = "app") -> dict[str, Any]:
        """The same, when nothing stands in the way: what the phone shows."""
        return _told(self.scan(ticket, surface=surface))

    def confirm(
        self,
        ticket: str,
        *,
        identity: str = standing.HIMSELF,
        number: str | None = None,
        pin: str | None = None,
        **more: Any,
    ) -> TestResponse:
        """Confirm as `identity`; without `number` with the one the browser shows."""
        if number is None:
            found = tickets.find(self.world.platform.store, ticket)
            number = found.number if found else ""
        unlock = {"pin": pin} if pin is not None else None
        body = {"identity": identity, "number": number, "unlock": unlock, **more}
        return self.call("POST", f"/scan/tickets/{ticket}/confirm", body)

    def deny(self, ticket: str) -> TestResponse:
        """Refuse."""
        return self.call("POST", f"/scan/tickets/{ticket}/deny", {})

    def _keep(self, answer: TestResponse) -> None:
        tokens = _told(answer)
        self.token, self.refresh_token = tokens["access_token"], tokens.get("refresh_token", "")


def an_app(world: World, channel: str = "jishiban", **given: Any) -> AClient:
    """The registered client of a channel, the same one whenever it is asked for."""
    client_id = f"app-{channel}"
    if world.platform.clients.find(client_id):
        return AClient(client_id, "", f"{APP_ORIGIN}/callback")
    fields: dict[str, Any] = {
        "client_id": client_id,
        "name": "吉事办",
        "redirect_uris": (f"{APP_ORIGIN}/callback",),
        "post_logout_redirect_uris": (),
        "auth_method": "none",
        "dpop": True,
        "scopes": ("openid", "profile", "offline_access", "app"),
        "channel": channel,
        "grant_types": ("authorization_code", "refresh_token"),
        "first_party": True,
        **given,
    }
    with world.write() as db:
        add_client(db, NewClient(**fields), production=False, now=world.now())
    announce_change(world.backends.store)
    return AClient(client_id, "", f"{APP_ORIGIN}/callback")


def app_code(browser: Browser, asked: Authorization, person: APerson, scope: str = SCOPE) -> str:
    """The code an app brings back, for which `person` signs in where that is asked."""
    page = browser.open(asked.address(scope))
    if "code" not in page.query:
        if not page.url.startswith("/login/person?"):
            browser.open(f"/login/person?tx={page.url.partition('tx=')[2]}")
        page = browser.submit_with_captcha({"account": person.account, "password": person.password})
    assert "code" in page.query, (page.status, page.location, page.text)
    return page.query["code"]


def a_ticket(
    world: World,
    *,
    browser: Seen | None = None,
    lifetime: timedelta = timedelta(seconds=120),
    **asked: Any,
) -> tuple[Ticket, str]:
    """A ticket some browser waits with, and the secret it waits with; fields of Asked may be given."""
    fields: dict[str, Any] = {
        "purpose": Purpose.LOGIN,
        "portal": "示例网厅",
        "reason": "请求您登录，用于办理业务",
        **asked,
    }
    secret = new_token()
    made = tickets.open_ticket(
        world.platform.store,
        Asked(**fields),
        browser or Seen(WINDOWS, "127.0.0.1"),
        secret=secret,
        lifetime=lifetime,
        now=world.now(),
    )
    return made, secret


def legal_key(company: Any) -> str:
    """The identity of a company's legal representative."""
    return f"legal:{company.row.id}"


def mandate_key(operator: Any) -> str:
    """The identity of an operator."""
    return f"mandate:{operator.mandate.id}"


def other_number(told: Mapping[str, Any], right: str) -> str:
    """One of the numbers the phone shows that the browser does not."""
    return next(str(number) for number in told["numbers"] if number != right)


def _told(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 200, (answer.status_code, answer.get_json(silent=True))
    told: dict[str, Any] = answer.get_json()
    return told
