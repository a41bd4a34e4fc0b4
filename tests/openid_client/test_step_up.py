"""A certified client asks for a second proof: once there is a factor, and the very first time (RFC 9470)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pyotp

from tests.openid_client.conftest import CALLBACK, Surfer
from tests.openid_client.driver import OpenIdClient
from tests.pages import FormReader
from tests.running_demo import RunningDemo
from tests.world import PASSWORD, a_resident_number

LOA_2 = "urn:idp:loa:2"
CHECKS = ("state", "nonce", "code_verifier")


class Codes:
    """The codes of an authenticator app, each given out once."""

    def __init__(self, secret: str) -> None:
        self._app, self._last = pyotp.TOTP(secret), 0

    def next(self) -> str:
        """The next unspent code; the one of the step to come counts already (one step of drift)."""
        step = max(int(time.time()) // 30, self._last + 1)
        self._last = step
        return str(self._app.generate_otp(step))


@contextmanager
def a_browser(issuer: str) -> Iterator[Surfer]:
    """A browser nobody has used yet."""
    with httpx2.Client(follow_redirects=False, timeout=20) as http:
        yield Surfer(issuer, http)


def somebody(running_demo: RunningDemo) -> dict[str, str]:
    """A person of his own, so that nobody else meets his second step."""
    number = time.time_ns() // 1_000 % 10**8
    options = {
        "account": f"stepup_{number}",
        "name": "贺新",
        "phone": f"158{number:08d}",
        "password": PASSWORD,
        "id-number": a_resident_number(number),
    }
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    running_demo.idp("person", "add", *words)
    return options


def first_step(surfer: Surfer, running_demo: RunningDemo, address: str, person: dict[str, str]) -> Any:
    """Account, password and captcha, from wherever `address` leads."""
    page = surfer.open(str(surfer.open(address).url).replace("/login/qr", "/login/person"))
    reader = FormReader()
    reader.feed(page.text)
    captcha = running_demo.captcha(reader.forms[0]["fields"]["captcha_id"])
    typed = {"account": person["account"], "password": person["password"], "captcha": captcha}
    return surfer.submit(page, typed)


def test_a_portal_asks_for_a_second_proof_and_the_sign_in_goes_on(
    register: Callable[..., OpenIdClient], running_demo: RunningDemo, surfer: Surfer
) -> None:
    """Section Y and CONTRACT `acr`: first for a person without a factor, then in a browser nobody knows."""
    client, person = register(), somebody(running_demo)

    def complete(sent: dict[str, Any], answer: Any) -> dict[str, Any]:
        checks = {name: sent[name] for name in CHECKS}
        told: dict[str, Any] = client("complete", callback_url=answer.headers["Location"], **checks)
        return told

    sent = client("authorize", redirect_uri=CALLBACK, scope="openid offline_access")
    first = complete(sent, first_step(surfer, running_demo, sent["url"], person))
    assert (first["claims"]["acr"], first["claims"]["amr"]) == ("urn:idp:loa:1", ["pwd"])

    with a_browser(running_demo.issuer) as at_home:
        sent = client("authorize", redirect_uri=CALLBACK, scope="openid")
        complete(sent, first_step(at_home, running_demo, sent["url"], person))
        sent = client("authorize", redirect_uri=CALLBACK, scope="openid", parameters={"acr_values": LOA_2})
        page = at_home.open(sent["url"])
        assert "短信验证码" in page.text, "a phone of record can prove it, too"
        page = at_home.open(linked(page.text, "添加其他第二步验证方式"))
        page = at_home.open(linked(page.text, "添加验证器 App"))
        shown = re.findall(r'tx-secret">(.*?)</dd>', page.text, re.DOTALL)[0]
        codes = Codes(re.sub(r"<[^>]+>|\s", "", shown))
        page = at_home.submit(page, {"name": "旧手机", "code": codes.next()})
        recovery = re.findall(r">\s*([0-9a-z]{5}-[0-9a-z]{5})\s*<", page.text)
        assert len(recovery) == 10
        saved = {"shown_for": re.findall(r'name="shown_for" value="([^"]+)"', page.text)[0]}
        set_up = complete(sent, at_home.submit(page, saved))
        assert set_up["claims"]["acr"] == LOA_2, "who just set a factor up has proved it"

    sent = client("authorize", redirect_uri=CALLBACK, scope="openid", parameters={"acr_values": LOA_2})
    tokens = complete(sent, surfer.submit(surfer.open(sent["url"]), {"code": codes.next()}))
    assert (tokens["claims"]["acr"], tokens["claims"]["amr"]) == (LOA_2, ["pwd", "otp"])
    assert tokens["claims"]["sid"] == first["claims"]["sid"]
    assert tokens["claims"]["auth_time"] == first["claims"]["auth_time"]
    assert client("introspect", token=first["access_token"])["active"] is True
    assert client("refresh", refresh_token=first["refresh_token"])["claims"]["sub"] == first["claims"]["sub"]

    with a_browser(running_demo.issuer) as nobody_knows:
        sent = client("authorize", redirect_uri=CALLBACK, scope="openid")
        page = first_step(nobody_knows, running_demo, sent["url"], person)
        assert page.status_code == 200, "a right password alone opens nothing"
        anew = complete(sent, nobody_knows.submit(page, {"code": recovery[0]}))
        assert (anew["claims"]["acr"], anew["claims"]["sub"]) == (LOA_2, first["claims"]["sub"])


def linked(page: str, words: str) -> str:
    """Where the link with these words leads."""
    found = re.findall(r'<a[^>]*href="([^"]+)"[^>]*>(.*?)</a>', page, re.DOTALL)
    address: str = next(href for href, text in found if words in text)
    return address.replace("&amp;", "&")
