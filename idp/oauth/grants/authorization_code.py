"""grant_type=authorization_code (RFC 6749 §4.1.3, RFC 7636, OIDC Core §3.1.3)."""

from __future__ import annotations

from typing import Any

import flask
from authlib.oauth2.rfc6749 import InvalidRequestError, grants
from authlib.oauth2.rfc7636 import CodeChallenge

from idp.access.ended_sessions import end_opened_out_of
from idp.access.grants import CodeRecord, Grant, redeem_code
from idp.access.profiles import AUTH_METHODS
from idp.crypto import hash_token
from idp.oauth.grants.redeemed import answer_redeemed
from idp.web.dpop import bound_key
from idp.web.platform import db, platform
from idp.web.refusals import Refused, dpop
from idp.web.refusals import grants as refusals


class S256(CodeChallenge):
    """PKCE at the token endpoint. The authorization request was checked by `rules.check_pkce`."""

    def __call__(self, grant: Any) -> None:
        """Check the verifier once the code has been taken."""
        grant.register_hook("after_validate_token_request", self.validate_code_verifier)

    def validate_code_verifier(self, grant: Any, result: Any) -> None:
        """A verifier that is missing or malformed fits no more than a wrong one (RFC 7636 §4.6)."""
        try:
            super().validate_code_verifier(grant, result)
        except InvalidRequestError:
            raise Refused(refusals.CODE_REFUSED) from None


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

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def query_authorization_code(self, code: str, client: Any) -> RedeemedCode | None:
        """Take the code: from here on nobody else can."""
        # Before the code is taken: a client that only lacked a nonce comes back with the same code.
        self.dpop_jkt = bound_key(flask.request, client.registered)
        record = redeem_code(
            db(), platform().store, code[:200], client_id=client.client_id, now=self.server.now()
        )
        if record is None:
            # A replay has ended what the code gave; of a phone, what that opened goes with it.
            replayed = Grant.code_hash == hash_token(code[:200])
            end_opened_out_of(db(), platform().vault, replayed, now=self.server.now())
        if record and record.dpop_jkt not in {None, self.dpop_jkt}:
            raise Refused(dpop.OTHER_KEY_THAN_CODE)
        if record is None or client.registered.was_registered_after(record.minted_at):
            return None
        return RedeemedCode(record)

    def create_token_response(self) -> Any:
        """Open the grant, if the sign-in still counts, and make its tokens."""
        request: Any = self.request
        answer = answer_redeemed(
            request.authorization_code.record,
            request.client.registered,
            request.payload.datalist["resource"],
            dpop_jkt=self.dpop_jkt,
            now=self.server.now(),
        )
        return 200, answer, self.TOKEN_RESPONSE_HEADER
