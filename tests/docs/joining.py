"""docs/join.md as an integrator follows it: its command registers, its programs run, a person visits them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx2

from tests.pages import FormReader
from tests.running_demo import RunningDemo, wait_for

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "join.md").read_text(encoding="utf-8")
ADDRESS = "http://localhost:9100"
"""Where the page lets its portals live; a test lets them live elsewhere."""

START_SECONDS = 20


def blocks(language: str) -> list[str]:
    """The page's blocks of code in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def lines_of(code: str) -> int:
    """How many lines say something."""
    return sum(1 for line in code.splitlines() if line.strip())


def register(demo: RunningDemo, address: str) -> Any:
    """What the page's own command answers, for a portal at `address`."""
    [script] = [block for block in blocks("sh") if "client add" in block]
    command = script.replace("\\\n", " ").replace(ADDRESS, address).splitlines()[-1]
    program, *arguments = shlex.split(command)
    assert (program, arguments.pop()) == (".venv/bin/idp", "--json")
    return demo.idp(*arguments)


@contextmanager
def running(demo: RunningDemo, folder: Path, command: Sequence[str], address: str) -> Iterator[None]:
    """A portal of the page, registered, started in `folder` with its four variables, and stopped."""
    client = register(demo, address)
    own = {
        "ISSUER": demo.issuer,
        "PORTAL": address,
        "CLIENT_ID": client["client_id"],
        "CLIENT_SECRET": client["client_secret"],
    }
    words = folder / "words.log"
    with (
        words.open("wb") as log,
        subprocess.Popen(
            command, cwd=folder, env={"PATH": os.environ["PATH"], **own}, stdout=log, stderr=log
        ) as portal,
    ):

        def answers() -> bool:
            assert portal.poll() is None, words.read_text(encoding="utf-8")
            try:
                return httpx2.get(address, trust_env=False).is_success
            except httpx2.ConnectError:
                return False

        try:
            wait_for(answers, START_SECONDS)
            yield
        finally:
            portal.terminate()


@dataclass
class Visitor:
    """Somebody at a browser of his own: the provider's pages he fills in, a portal's he reads."""

    demo: RunningDemo
    portal: str
    http: httpx2.Client

    def reads(self, path: str = "/") -> str:
        """What the portal shows."""
        return self.http.get(self.portal + path, follow_redirects=True).text

    def answer(self, kind: str, *, decision: str = "allow", **wanted: Any) -> str:
        """Sign in with an account of the demo: the callback address that the provider answers with."""
        page = self._at_provider(self.http.get(f"{self.portal}/login"))
        page = self._at_provider(self.http.get(str(page.url).replace("/login/qr", f"/login/{kind}")))
        account = self.demo.account(kind, **wanted)
        company = {"enterprise": account["uscc"]} if kind == "operator" else {}
        typed = {
            "account": account["account"],
            "password": account["password"],
            **company,
        }
        typed["captcha"] = self.demo.captcha(form_of(page)["fields"]["captcha_id"])
        page = self._submit(page, typed)
        if page.is_success:  # consent is asked once; an answer is remembered
            page = self._submit(page, {"decision": decision})
        return page.headers["Location"]

    def sign_in(self, kind: str) -> httpx2.Response:
        """Sign in, and arrive at the portal."""
        return self.http.get(self.answer(kind), follow_redirects=True)

    def leaves_the_provider(self) -> None:
        """Sign out on the provider's own page."""
        page = self.http.get(f"{self.demo.issuer}/oauth/logout")
        assert self._submit(page, {}).is_success

    def is_known_to_the_provider(self) -> bool:
        """Whether the provider lets this browser into a centre without asking."""
        arrived = self._at_provider(self.http.get(f"{self.demo.issuer}/center/operator"))
        return "/login" not in str(arrived.url)

    def _submit(self, page: httpx2.Response, values: dict[str, str]) -> httpx2.Response:
        form = form_of(page)
        address = urljoin(str(page.url), form["action"])
        return self._at_provider(self.http.post(address, data={**form["fields"], **values}))

    def _at_provider(self, answer: httpx2.Response) -> httpx2.Response:
        """The page that an answer ends at, or the redirect that leaves the provider."""
        while answer.is_redirect and answer.headers["Location"].startswith(("/", self.demo.issuer)):
            answer = self.http.get(urljoin(self.demo.issuer, answer.headers["Location"]))
        return answer


def form_of(page: httpx2.Response) -> dict[str, Any]:
    """The page's own form: the first."""
    reader = FormReader()
    reader.feed(page.text)
    return reader.forms[0]
