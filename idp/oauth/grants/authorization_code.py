"""grant_type=authorization_code (RFC 6749 §4.1.3, RFC 7636, OIDC Core §3.1.3)."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import InvalidGrantError, grants
from authlib.oauth2.rfc7636 import CodeChallenge

from idp.access.grants import CodeRecord, GrantRefused, first_refresh_token, open_grant, redeem_code
from idp.oauth.grants.issue import Issuer, token_answer
from idp.web.platform import db, platform


class S256(CodeChallenge):
    """PKCE at the token endpoint. The authorization request was checked by `rules.check_pkce`."""

    def __call__(self, grant: Any) -> None:
        """Check the verifier once the code has been taken."""
        grant.register_hook("after_validate_token_request", self.validate_code_verifier)


class RedeemedCode:
    """A taken code with the questions Authlib asks."""

    code_challenge_method = "S256"

    def __init__(self, record: CodeRecord) -> None:
        self.record = record
        self.code_challenge = record.code_challenge

    def get_redirect_uri(self) -> str:
        """The redirect address the code was sent to."""
        return self.record.redirect_uri

    def get_scope(self) -> str:
        """What was allowed."""
        return self.record.scope


class AuthorizationCodeGrant(grants.AuthorizationCodeGrant):
    """A code for tokens, once."""

    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "client_secret_post", "none")

    def query_authorization_code(self, code: str, client: Any) -> RedeemedCode | None:
        """Take the code: from here on nobody else can."""
        record = redeem_code(
            db(), platform().store, code[:200], client_id=client.client_id, now=self.server.now()
        )
        return RedeemedCode(record) if record else None

    def create_token_response(self) -> Any:
        """Open the grant, if the sign-in still counts, and make its tokens."""
        request: Any = self.request
        record = request.authorization_code.record
        now = self.server.now()
        try:
            live = open_grant(db(), platform().store, record, now=now)
        except GrantRefused as refused:
            raise InvalidGrantError(str(refused)) from refused
        client = request.client.registered
        refresh = (
            first_refresh_token(db(), live.grant, now=now)
            if "offline_access" in record.scope.split()
            else None
        )
        issuer = Issuer(platform().settings, platform().keys)
        answer = token_answer(
            issuer, live, client, record.scope, nonce=record.nonce, refresh_token=refresh, now=now
        )
        return 200, answer, self.TOKEN_RESPONSE_HEADER
