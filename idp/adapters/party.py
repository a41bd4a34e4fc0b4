"""A party outside that this installation asks while a person waits: within seconds, and by a few at once.

Its address is the operator's own setting and may lie inside his network. The library is loaded with the first
question: a process that asks nobody does not pay for it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from idp.config import SettingsRefused, is_loopback

if TYPE_CHECKING:
    import httpx2

AT_ONCE: Final = 4
"""Questions to one party under way in one process, so that a slow one holds few threads."""
_SECONDS = 3.0
_JSON = {"Content-Type": "application/json"}


class Silent(Exception):
    """It did not answer, or not in JSON; no personal data is in the words."""


class Crowded(Exception):
    """As many questions as may be are under way; this one was not asked."""


def check_not_in_clear(setting: str, url: str) -> None:
    """Return if what is told to `url` cannot be read on the way. Raises SettingsRefused, naming `setting`."""
    parts = urlsplit(url)
    in_clear = parts.scheme == "http" and is_loopback(parts.hostname or "")
    if not parts.hostname or not (parts.scheme == "https" or in_clear):
        raise SettingsRefused(f"{setting} must be an https address, or http on loopback.")


class Party:
    """One party: what every question carries in `headers`, and how many octets of an answer are read."""

    def __init__(self, *, longest: int, headers: Mapping[str, str] | None = None) -> None:
        self._longest = longest
        self._headers = {"Accept-Encoding": "identity", **(headers or {})}
        self._places = threading.BoundedSemaphore(AT_ONCE)

    def ask(self, url: str, body: bytes, **headers: str) -> tuple[int, Any]:
        """The status of the answer to a POST of `body`, a JSON text, and what it says.

        Nobody waits for his turn. Raises Silent, Crowded.
        """
        import httpx2  # noqa: PLC0415 - see above

        if not self._places.acquire(blocking=False):
            raise Crowded
        try:
            answer = self._http.post(
                url, content=body, headers={"Content-Type": "application/json", **headers}
            )
            return answer.status_code, answer.json()
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError, RecursionError) as fault:
            raise Silent(type(fault).__name__) from None
        finally:
            self._places.release()

    @cached_property
    def _http(self) -> httpx2.Client:
        import httpx2  # noqa: PLC0415 - see above

        from idp.adapters.outside import OutsideTransport  # noqa: PLC0415 - it is made of the library

        transport = OutsideTransport(inside_allowed=True, seconds=_SECONDS, longest=self._longest)
        return httpx2.Client(headers=self._headers, follow_redirects=False, transport=transport)


class Records(Party):
    """Records that whoever shows a bearer `token` may ask; `setting` is what `url` and token are called.

    The address is the operator's own setting and may lie inside his network. Raises SettingsRefused for one
    that would send ID numbers and the token in clear, and where there is no token.
    """

    def __init__(self, setting: str, url: str, token: str, *, longest: int) -> None:
        check_not_in_clear(f"IDP_{setting}_URL", url)
        if not token:
            raise SettingsRefused(f"IDP_{setting}_URL needs IDP_{setting}_TOKEN beside it.")
        super().__init__(longest=longest, headers={"Authorization": f"Bearer {token}"})
        self._url = url

    def look_up(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The object that answers `question`. Raises Silent, for another status than 200 too; Crowded."""
        status, said = self.ask(self._url, json.dumps(question).encode())
        if status != HTTPStatus.OK:
            raise Silent(f"answered {status}")
        if not isinstance(said, dict):
            raise Silent("no object")
        return said
