"""A party outside that this installation asks while a person waits: within seconds, and by a few at once.

Its address is the operator's own setting and may lie inside his network. The library is loaded with the first
question: a process that asks nobody does not pay for it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

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
