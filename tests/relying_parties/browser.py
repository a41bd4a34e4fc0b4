"""A browser between the portal and the provider, and the people who use it."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from flask import Flask
from pydantic import SecretStr
from werkzeug.test import TestResponse

from relying_parties.social_insurance.config import Settings
from tests.relying_parties.stand_in import CLIENT_ID, CLIENT_SECRET, StandIn

BASE_URL = "http://localhost:8001"
RECORDS = Path(__file__).parents[2] / "relying_parties/social_insurance/demo_records.json"
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


def settings_for(issuer: str, folder: Path, **changes: Any) -> Settings:
    """Settings of a portal that keeps its things in `folder`."""
    given: dict[str, Any] = {
        "issuer": issuer,
        "client_id": CLIENT_ID,
        "client_secret": SecretStr(CLIENT_SECRET),
        "base_url": BASE_URL,
        "secret_key": SecretStr("k" * 40),
        "database": folder / "portal.db",
        "records": RECORDS,
    }
    return Settings(**(given | changes))


class Browser:
    """Follows redirects by hand, so that a test can look at each of them."""

    def __init__(self, app: Flask, provider: StandIn, http: httpx2.Client, base_url: str = BASE_URL) -> None:
        self.client = app.test_client()
        self._base_url = base_url
        self._provider = provider
        self._http = http

    def get(self, address: str, **headers: str) -> TestResponse:
        """Open a page of the portal."""
        parts = urlsplit(address)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        return self.client.get(path, base_url=self._base_url, headers=headers, buffered=True)

    def text(self, address: str) -> str:
        """What a page of the portal says."""
        return self.get(address).text

    def post(self, address: str, form: dict[str, str], **headers: str) -> TestResponse:
        """Send a form to the portal."""
        return self.client.post(address, data=form, base_url=self._base_url, headers=headers)

    def sign_out(self, page: str = "/") -> TestResponse:
        """Press 退出登录 on `page`."""
        token = _TOKEN.search(self.text(page))
        assert token, "no form on this page"
        return self.post("/logout", {"csrf_token": token[1]})

    def begin(self, path: str = "/login") -> str:
        """Start a sign-in; the address of the provider it leads to."""
        answer = self.get(path)
        assert answer.status_code == 303, answer.text
        return answer.location

    def at_provider(self, url: str) -> str:
        """Go to the provider; the address it sends the browser back to."""
        assert url.startswith(self._provider.issuer)
        answer = self._http.get(url)
        assert answer.status_code == 302, answer.text
        return answer.headers["Location"]

    def answer_to(self, who: dict[str, Any], path: str = "/login") -> str:
        """The address by which the provider answers a sign-in of `who`, not opened yet."""
        self._provider.signs_in_as = who
        return self.at_provider(self.begin(path))

    def sign_in(self, who: dict[str, Any], path: str = "/login") -> TestResponse:
        """Sign in as `who`; what the portal says to the provider's answer."""
        return self.get(self.answer_to(who, path))

    def is_signed_in(self) -> bool:
        """Whether the portal knows who this is."""
        return "退出登录" in self.text("/")


def a_person(sub: str = "sub-chuyun", **changes: Any) -> dict[str, Any]:
    """褚云, a natural person on her own behalf."""
    claims = {
        "sub": sub,
        "role": "natural_person",
        "name": "褚云",
        "phone_number_masked": "138****0011",
    }
    return claims | changes


def a_representative(**changes: Any) -> dict[str, Any]:
    """赵晓岚, legal representative of 松原示例科技有限公司."""
    claims = {
        "sub": "sub-zhaoxl",
        "role": "legal_representative",
        "name": "赵晓岚",
        "phone_number_masked": "138****0001",
        "id_type": "resident_id",
        "id_number": "990100197804120240",
        "entity": {
            "uscc": "91990100MA0TX00115",
            "name": "松原示例科技有限公司",
            "type": "企业法人",
            "status": "normal",
        },
    }
    return claims | changes


def an_operator(**changes: Any) -> dict[str, Any]:
    """钱文博, operator of 松原示例科技有限公司 with both rights."""
    return (
        a_representative(
            sub="sub-qianwb",
            role="operator",
            name="钱文博",
            phone_number_masked="138****0002",
            id_number="990100198609230174",
            mandate=a_mandate(),
        )
        | changes
    )


def a_mandate(**changes: Any) -> dict[str, Any]:
    """A mandate with both rights, from 2021-03-04 to 2099-03-31, both days included."""
    mandate = {
        "id": "m-1",
        "valid_from": "2021-03-04T00:00:00+08:00",
        "valid_until": "2099-04-01T00:00:00+08:00",
        "manage_operators": True,
        "manage_seals": False,
        "department": "人事部",
    }
    return mandate | changes


def lisy(uscc: str, company: str) -> dict[str, Any]:
    """李思远, operator of two companies; the portal's records know him for one."""
    return an_operator(
        sub="sub-lisy",
        name="李思远",
        id_number="990100198806170318",
        entity={"uscc": uscc, "name": company, "type": "企业法人", "status": "normal"},
    )
