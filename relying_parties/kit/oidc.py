"""The portal's side of OpenID Connect: an authorization request, its answer, the sign-out address.

Authorization code with PKCE S256, state and nonce; the answer must name its issuer (RFC 9207), so that an
answer of another provider is never taken to this one (RFC 9700 §2.1, §4.4).
"""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from relying_parties.kit.id_token import Expected, verify_id_token
from relying_parties.kit.identity import Identity, Kind
from relying_parties.kit.provider import AnswerRefused, Provider

LONGEST_CODE: Final = 2000
CALLBACK_PATH: Final = "/callback"
SIGNED_OUT_PATH: Final = "/signed-out"
_SCOPES = {Kind.UNIT: "openid profile phone identity entity", Kind.PERSON: "openid profile phone"}


@dataclass(frozen=True)
class AuthorizationRequest:
    """A request about to be sent; all but `url` stays on the server."""

    url: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True)
class Begun:
    """What was kept of a request until its answer came."""

    kind: Kind
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    signed_in_since: datetime | None = None


@dataclass(frozen=True)
class SignIn:
    """A verified sign-in, with the ID token that later asks for sign-out."""

    identity: Identity
    id_token: str = field(repr=False)
    sid: str | None = None


class RelyingParty:
    """One client of one provider."""

    def __init__(self, provider: Provider, client_id: str, acr: str) -> None:
        self.provider = provider
        self._client_id = client_id
        self._acr = acr

    def begin(self, kind: Kind, address: str, *, anew: bool, now: datetime) -> AuthorizationRequest:
        """A request for a sign-in of `kind`, to be answered at the portal's `address`.

        `anew` asks for one even of a browser already signed in.

        Raises ProviderUnavailable.
        """
        endpoint = self.provider.metadata(now).authorization_endpoint
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        query = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": address + CALLBACK_PATH,
            "scope": _SCOPES[kind],
            "state": state,
            "nonce": nonce,
            "code_challenge": _s256(verifier),
            "code_challenge_method": "S256",
            "acr_values": self._acr,
        }
        if anew:
            query["prompt"] = "login"
        return AuthorizationRequest(_with_query(endpoint, query), state, nonce, verifier)

    def check_response_issuer(self, claimed_issuer: str | None) -> None:
        """Return if the authorization response, an error too, names this provider (RFC 9207 §2.4).

        Raises AnswerRefused.
        """
        if claimed_issuer != self.provider.issuer:
            raise AnswerRefused("the response's iss (RFC 9207)")

    def finish(self, begun: Begun, code: str, address: str, now: datetime) -> SignIn:
        """The sign-in that `code`, sent to `address`, stands for.

        Raises AnswerRefused, ProviderUnavailable.
        """
        if not 0 < len(code) <= LONGEST_CODE:
            raise AnswerRefused("no usable code")
        tokens = self.provider.redeem(code, begun.verifier, address + CALLBACK_PATH, now)
        expected = Expected(
            issuer=self.provider.issuer,
            client_id=self._client_id,
            nonce=begun.nonce,
            access_token=tokens.access_token,
            acr=self._acr,
            signed_in_since=begun.signed_in_since,
        )
        claims = verify_id_token(tokens.id_token, lambda kid: self.provider.key(kid, now), expected, now)
        userinfo = self.provider.userinfo(tokens.access_token, now)
        sid = claims.get("sid")
        identity = Identity.read(begun.kind, claims, userinfo, now)
        return SignIn(identity, tokens.id_token, sid if isinstance(sid, str) else None)

    def sign_out_url(self, id_token: str, state: str, address: str, now: datetime) -> str:
        """Where the browser ends its session at the provider (OpenID Connect RP-Initiated Logout 1.0 §2).

        Raises ProviderUnavailable.
        """
        query = {
            "id_token_hint": id_token,
            "client_id": self._client_id,
            "post_logout_redirect_uri": address + SIGNED_OUT_PATH,
            "state": state,
        }
        return _with_query(self.provider.metadata(now).end_session_endpoint, query)


def _s256(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _with_query(endpoint: str, query: dict[str, str]) -> str:
    return endpoint + ("&" if "?" in endpoint else "?") + urlencode(query)
