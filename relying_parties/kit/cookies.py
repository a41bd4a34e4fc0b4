"""The only place that reads and writes a portal's cookies.

Two opaque keys: the session (named by the portal), and the browser: it binds
sign-ins under way, refusals and form tokens to the browser they were made for. Both are HttpOnly and
SameSite=Lax, which lets them come along when the provider sends the browser back.
"""

import re
from dataclasses import dataclass

from flask import Response, g, request

from relying_parties.kit.session import new_key

_KEY = re.compile(r"[A-Za-z0-9_-]{43}\Z")


@dataclass(frozen=True)
class Cookies:
    """The cookies of one portal."""

    session_name: str
    browser_name: str
    secure: bool

    @classmethod
    def named(cls, prefix: str, *, https: bool) -> "Cookies":
        """`<prefix>_session` and `<prefix>_browser`, the latter bound to the host where https allows it."""
        return cls(f"{prefix}_session", f"{'__Host-' if https else ''}{prefix}_browser", https)

    def session_key(self) -> str | None:
        """The session key this request brought, if it has the form of one."""
        return _well_formed(request.cookies.get(self.session_name))

    def browser_key(self) -> str:
        """This browser's key; a browser without one is given it with the answer to this request."""
        known = _well_formed(request.cookies.get(self.browser_name)) or g.get("new_browser_key")
        if known is None:
            known = g.new_browser_key = new_key()
        return str(known)

    def give_session(self, response: Response, key: str) -> None:
        """Let the browser keep the session `key` until it closes."""
        self._give(response, self.session_name, key)

    def drop_session(self, response: Response) -> None:
        """Take the session key from the browser."""
        response.delete_cookie(self.session_name, secure=self.secure, httponly=True, samesite="Lax")

    def give_new_browser_key(self, response: Response) -> Response:
        """Hand out the browser key that this request made, if it made one (an after-request step)."""
        if "new_browser_key" in g:
            self._give(response, self.browser_name, g.new_browser_key)
        return response

    def _give(self, response: Response, name: str, key: str) -> None:
        response.set_cookie(name, key, secure=self.secure, httponly=True, samesite="Lax", path="/")


def _well_formed(value: str | None) -> str | None:
    return value if value and _KEY.match(value) else None
