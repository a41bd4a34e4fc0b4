"""RP-initiated logout (OpenID Connect RP-Initiated Logout 1.0).

A hint that names this very session ends it at once; anything less is asked back, so that a link on
a strange page ends nothing. A hint whose key was removed proves nothing either: whoever has a key that
leaked could have written it. It only says which client asks, as `client_id` does. The browser goes
back only to an address registered by the client the request is proved, or said, to come from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.access import jws
from idp.access.clients import ClientRegistry
from idp.access.keys import KeyRing
from idp.access.tokens import LONGEST_TOKEN, read_id_token
from idp.accounts.sessions import SignedIn, SigninSession
from idp.crypto import hash_token

PARAMETERS = ("id_token_hint", "client_id", "post_logout_redirect_uri", "state")


class LogoutRefused(Exception):
    """The address to return to is not registered, or the request contradicts itself: a page, no redirect."""


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """A checked logout request."""

    sid: str | None
    return_to: str | None

    def is_of(self, signed_in: SignedIn) -> bool:
        """Whether the client proved that it speaks of this very session."""
        return self.sid is not None and self.sid == signed_in.session.sid


def parse(
    values: Mapping[str, list[str]], clients: ClientRegistry, keys: KeyRing, *, issuer: str
) -> LogoutRequest:
    """The logout request. Raises LogoutRefused."""
    given = {name: values.get(name, []) for name in PARAMETERS}
    if any(len(found) > 1 for found in given.values()):
        raise LogoutRefused("doubled parameter")
    one = {name: found[0] for name, found in given.items() if found and found[0]}
    hint = one.get("id_token_hint")
    claims = read_id_token(keys, hint, issuer=issuer) if hint else None
    said = claims["aud"] if claims else _said_by(hint, keys) if hint else one.get("client_id", "")
    if one.get("client_id", said) != said:
        raise LogoutRefused("client_id differs from the hint")
    return LogoutRequest(claims["sid"] if claims else None, _return_to(one, clients, said))


def find_unended(db: Session, token: str | None, sid: str | None) -> SigninSession | None:
    """The browser's own sign-in, idle or not, if the client proved that it speaks of it."""
    if token is None or sid is None:
        return None
    mine = select(SigninSession).where(
        SigninSession.token_hash == hash_token(token),
        SigninSession.sid == sid,
        SigninSession.ended_at.is_(None),
    )
    return db.scalars(mine).first()


def _said_by(hint: str, keys: KeyRing) -> str:
    """The client a hint names that a key of ours, removed since, may have signed. Raises LogoutRefused."""
    try:
        unverified = jws.parse(hint, longest=LONGEST_TOKEN)
    except jws.Malformed:
        raise LogoutRefused("no token") from None
    if unverified.kid not in keys.removed:
        raise LogoutRefused("not an ID token of ours")
    return str(unverified.claims.get("aud", ""))


def _return_to(one: Mapping[str, str], clients: ClientRegistry, client_id: str) -> str | None:
    wanted = one.get("post_logout_redirect_uri")
    if wanted is None:
        return None
    client = clients.find(client_id) if client_id else None
    if client is None or wanted not in client.post_logout_redirect_uris:
        raise LogoutRefused("unregistered address")
    state = one.get("state")
    if state is None or len(state) > 2048:
        return wanted
    return f"{wanted}{'&' if '?' in wanted else '?'}{urlencode({'state': state})}"
