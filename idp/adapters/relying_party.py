"""Relying parties as receivers: where back-channel logout tokens go.

In production only the public network is called (see ``outside``). Redirects are not followed, and
nobody is waited for longer than a few seconds.
"""

from __future__ import annotations

import httpx2

from idp.adapters.outside import NotOutside, OutsideTransport

_SECONDS = 5.0
_LONGEST = 1_000_000
_HEADERS = {"Accept-Encoding": "identity"}
# OpenID Connect Back-Channel Logout 1.0 §2.8: done; 400 also from those who were signed out already.
_DONE = frozenset({200, 204, 400})


class NotReached(Exception):
    """The relying party did not take the message now; the sentence holds no secret."""


class RelyingParties:
    """Posts logout tokens. `inside_allowed` lets addresses of this machine be called (demo mode)."""

    def __init__(self, *, inside_allowed: bool, transport: httpx2.BaseTransport | None = None) -> None:
        outside = OutsideTransport(inside_allowed=inside_allowed, seconds=_SECONDS, longest=_LONGEST)
        self._http = httpx2.Client(headers=_HEADERS, follow_redirects=False, transport=transport or outside)

    def post_logout_token(self, address: str, token: str) -> None:
        """Deliver one logout token. Raises NotReached when it has to be tried again."""
        try:
            answer = self._http.post(address, data={"logout_token": token})
        except NotOutside as fault:
            raise NotReached(str(fault)) from None
        except httpx2.HTTPError as fault:
            raise NotReached(type(fault).__name__) from None
        if answer.status_code not in _DONE:
            raise NotReached(f"answered {answer.status_code}")

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()
