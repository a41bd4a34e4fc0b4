"""One portal put together, and who is signed in to it in the current request."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import ParamSpec
from urllib.parse import quote, urlsplit

from flask import current_app, g, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from relying_parties.kit import session as sessions
from relying_parties.kit.cookies import Cookies
from relying_parties.kit.database import Database
from relying_parties.kit.identity import Identity, Profile
from relying_parties.kit.oidc import RelyingParty
from relying_parties.kit.session import Live
from relying_parties.kit.settings import PortalSettings

_P = ParamSpec("_P")
_EXTENSION = "portal"


class NotAdmitted(Exception):
    """The portal's own records do not let this identity in; the message is the sentence that says why."""


Admit = Callable[[Session, Identity, datetime], None]
"""A portal's own rule, asked in the transaction that opens a session: raises NotAdmitted."""


@dataclass(frozen=True)
class Portal:
    """What the kit needs to know of a portal. `authority` is whom a refused person should turn to."""

    name: str
    authority: str
    settings: PortalSettings
    database: Database
    relying_party: RelyingParty
    cookies: Cookies
    admit: Admit

    def close(self) -> None:
        """Let go of the database and of the connections to the provider."""
        self.database.close()
        self.relying_party.provider.close()


def current_portal() -> Portal:
    """The portal of the running application."""
    portal: Portal = current_app.extensions[_EXTENSION]
    return portal


def current_address() -> str:
    """The portal's address that this request was sent to: sign-ins and forms stay on it."""
    addresses = current_portal().settings.addresses
    return next((each for each in addresses if urlsplit(each).netloc == request.host.lower()), addresses[0])


def now() -> datetime:
    """The time of the current request, one for all it does."""
    if "now" not in g:
        g.now = datetime.now(UTC)
    instant: datetime = g.now
    return instant


def current_session() -> Live | None:
    """The live session of this browser, read once a request."""
    if "live_session" not in g:
        g.live_session = _read_session()
    live: Live | None = g.live_session
    return live


def current_profile() -> Profile | None:
    """Who is signed in in this browser."""
    live = current_session()
    return None if live is None else live.profile


def show_as_nobody() -> None:
    """Let the rest of this request run without asking the database who is signed in."""
    g.live_session = None


def sign_in_required(view: Callable[_P, ResponseReturnValue]) -> Callable[_P, ResponseReturnValue]:
    """Send a browser that is not signed in to the unit sign-in, and back to this page afterwards."""

    @wraps(view)
    def guarded(*args: _P.args, **kwargs: _P.kwargs) -> ResponseReturnValue:
        if current_session() is None:
            return redirect("/login?next=" + quote(request.path), 303)
        return view(*args, **kwargs)

    return guarded


def install(portal: Portal, extensions: dict[str, object]) -> None:
    """Make `portal` the one that `current_portal` finds."""
    extensions[_EXTENSION] = portal


def _read_session() -> Live | None:
    portal, key = current_portal(), current_portal().cookies.session_key()
    if key is None:
        return None
    with portal.database.reading() as session:
        found = sessions.live_session(session, key, now())
    if found is None:
        return None
    live, notice_due = found
    if notice_due:
        with portal.database.writing() as session:
            sessions.notice(session, key, now())
    return live
