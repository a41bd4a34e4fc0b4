"""grant_type=refresh_token with rotation and reuse detection (RFC 6749 §6, RFC 9700 §4.14)."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, InvalidScopeError, TokenMixin, grants

from idp.access.grants import GrantRefused, LiveGrant, RefreshReused, ScopeWidened, rotate_refresh_token
from idp.accounts.audit import Action, Event
from idp.oauth.grants.issue import Issuer, token_answer
from idp.web import signin
from idp.web.platform import db, platform


class RotatedToken(TokenMixin):
    """A spent refresh token with its successor, and the questions Authlib asks."""

    def __init__(self, live: LiveGrant, successor: str) -> None:
        self.live = live
        self.successor = successor

    def check_client(self, client: Any) -> bool:
        """Whether the token belongs to this client."""
        return bool(self.live.grant.client_id == client.client_id)

    def get_scope(self) -> str:
        """What was allowed."""
        return self.live.grant.scope


class RefreshTokenGrant(grants.RefreshTokenGrant):
    """A refresh token for tokens, once; its successor comes with them."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")

    def authenticate_refresh_token(self, refresh_token: str) -> RotatedToken:
        """Spend the token. Reuse ends the family and is remembered."""
        here, now = platform(), self.server.now()
        request: Any = self.request
        client_id, wanted = request.client.client_id, request.payload.scope
        try:
            live, successor = rotate_refresh_token(
                db(),
                refresh_token[:200],
                client_id=client_id,
                wanted=frozenset(wanted.split(" ")) if wanted else frozenset(),
                key=here.refresh_key,
                grace=here.settings.seconds("refresh_grace"),
                now=now,
            )
        except ScopeWidened as refused:
            raise InvalidScopeError(str(refused)) from refused
        except GrantRefused as refused:
            if isinstance(refused, RefreshReused):
                event = Event(Action.TOKEN_REUSED, target=f"client:{client_id}")
                here.trail.record(db(), event, signin.origin(actor=f"client:{client_id}"), now=now)
            raise InvalidGrantError(str(refused)) from refused
        return RotatedToken(live, successor)

    def create_token_response(self) -> Any:
        """Fresh tokens for the same sign-in; `auth_time` stays what it was."""
        request: Any = self.request
        rotated: RotatedToken = request.refresh_token
        asked = request.payload.scope
        scope = " ".join(sorted(set(asked.split()))) if asked else rotated.get_scope()
        answer = token_answer(
            Issuer(platform().settings, platform().keys),
            rotated.live,
            request.client.registered,
            scope,
            nonce=None,
            refresh_token=rotated.successor,
            now=self.server.now(),
        )
        return 200, answer, self.TOKEN_RESPONSE_HEADER
