"""Key sets of clients, fetched from the `jwks_uri` they registered: the only addresses ever fetched."""

from __future__ import annotations

_SECONDS = 3.0
_LONGEST = 32_000
_HEADERS = {"Accept": "application/jwk-set+json, application/json", "Accept-Encoding": "identity"}


class NotFetched(Exception):
    """There is no key set to be had there now; the sentence holds no secret."""


class KeySets:
    """Fetches key sets. `inside_allowed` lets addresses of this machine be called, in clear too (demo)."""

    def __init__(self, *, inside_allowed: bool) -> None:
        self._inside_allowed = inside_allowed

    def fetch(self, address: str) -> bytes:
        """What stands at `address`, at most 32 kB of it, within 3 seconds. Raises NotFetched."""
        if not address.startswith("https://") and not self._inside_allowed:
            raise NotFetched("a key set is fetched over https only")
        # A process none of whose clients has a jwks_uri goes without an HTTP client, 2 MB.
        import httpx2  # noqa: PLC0415 - see above

        from idp.adapters.outside import OutsideTransport  # noqa: PLC0415 - see above

        transport = OutsideTransport(inside_allowed=self._inside_allowed, seconds=_SECONDS, longest=_LONGEST)
        with httpx2.Client(transport=transport, follow_redirects=False) as http:
            try:
                answer = http.get(address, headers=_HEADERS)
            except (httpx2.HTTPError, httpx2.InvalidURL) as fault:
                raise NotFetched(type(fault).__name__) from None
        if answer.status_code != 200:
            raise NotFetched(f"answered {answer.status_code}")
        return answer.content
