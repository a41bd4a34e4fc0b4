"""grant_type=refresh_token with rotation and reuse detection (RFC 6749 §6, RFC 9700 §4.14)."""

from __future__ import annotations

from typing import Any

import flask
from authlib.oauth2.rfc6749 import TokenMixin, grants

from idp.access.app_sessions import AppUnused, is_of_app, note_use
from idp.access.grants import Grant, GrantRefused, LiveGrant, SignInEnded
from idp.access.profiles import AUTH_METHODS
from idp.access.refresh_tokens import RefreshReused, RefreshUnknown, ScopeWidened, rotate_refresh_token
from idp.accounts.audit import Action, Event
from idp.oauth.grants.issue import Issuer, audience_held, scope_held, token_answer
from idp.web import signin
from idp.web.dpop import bound_key
from idp.web.platform import db, platform
from idp.web.refusals import Refused, dpop
from idp.web.refusals import grants as refusals

_REFUSALS = {
    RefreshUnknown: refusals.REFRESH_UNKNOWN,
    RefreshReused: refusals.REFRESH_REUSED,
    SignInEnded: refusals.SIGN_IN_ENDED,
    ScopeWidened: refusals.SCOPE_WIDENED,
    AppUnused: refusals.APP_UNUSED,
}


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

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def authenticate_refresh_token(self, refresh_token: str) -> RotatedToken:
        """Spend the token. Reuse ends the family and is remembered."""
        here, now = platform(), self.server.now()
        request: Any = self.request
        client_id, wanted = request.client.client_id, request.payload.scope
        self.dpop_jkt = bound_key(flask.request, request.client.registered)
        try:
            live, successor = rotate_refresh_token(
                db(),
                here.vault,
                refresh_token[:200],
                client_id=client_id,
                wanted=frozenset(wanted.split(" ")) if wanted else frozenset(),
                admit=self._admit,
                rotates=request.client.registered.profile.rotates_refresh_tokens,
                key=here.refresh_key,
                grace=here.settings.seconds("refresh_grace"),
                now=now,
            )
            if is_of_app(live.grant):
                note_use(db(), here.vault, live, idle=here.settings.seconds("app_idle"), now=now)
        except GrantRefused as refused:
            if isinstance(refused, RefreshReused):
                event = Event(Action.TOKEN_REUSED, target=f"client:{client_id}")
                here.trail.record(db(), event, signin.origin(actor=f"client:{client_id}"), now=now)
            raise Refused(_REFUSALS[type(refused)]) from refused
        return RotatedToken(live, successor)

    def _admit(self, grant: Grant) -> None:
        """Refuse a key that is not the grant's, and what it was not given for or the client has lost."""
        if grant.dpop_jkt not in {None, self.dpop_jkt}:
            raise Refused(dpop.OTHER_KEY_THAN_GRANT)
        request: Any = self.request
        # Without offline_access the token would not have been given (OpenID Connect Core §11).
        if not request.client.registered.may_refresh:
            raise Refused(refusals.REFRESH_UNKNOWN)
        self._scope(grant)
        self._audience(grant)

    def _scope(self, grant: Grant) -> str:
        request: Any = self.request
        asked = request.payload.scope
        wanted = " ".join(sorted(set(asked.split()))) if asked else grant.scope
        return scope_held(request.client.registered, wanted)

    def _audience(self, grant: Grant) -> tuple[str, ...]:
        request: Any = self.request
        client, asked = request.client.registered, request.payload.datalist["resource"]
        return audience_held(client, grant.resources or (), asked, issuer=platform().settings.issuer)

    def create_token_response(self) -> Any:
        """Fresh tokens for the same sign-in; `auth_time` stays what it was."""
        request: Any = self.request
        rotated: RotatedToken = request.refresh_token
        answer = token_answer(
            Issuer(platform().settings, platform().keys, platform().vault),
            rotated.live,
            request.client.registered,
            self._scope(rotated.live.grant),
            audience=self._audience(rotated.live.grant),
            dpop_jkt=self.dpop_jkt,
            nonce=None,
            refresh_token=rotated.successor,
            now=self.server.now(),
        )
        return 200, answer, self.TOKEN_RESPONSE_HEADER
