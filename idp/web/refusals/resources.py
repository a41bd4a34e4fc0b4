"""4000: using a token, asking about it, ending it."""

from __future__ import annotations

from idp.web.refusals import numbered

TOKEN_REFUSED = numbered(
    4001,
    "invalid_token",
    "The access token is expired, revoked or malformed.",
    fix="Refresh it, or let the person sign in again. It dies with the sign-in, the mandate and the account.",
    source="RFC 6750 §3.1",
)
STEP_UP = numbered(
    4020,
    "insufficient_user_authentication",
    "The sign-in behind this token is too old or too weak for this resource.",
    fix="Send the person through an authorization request with the acr_values and max_age of the challenge. "
    "They are what the client registered as default_acr_values and default_max_age.",
    source="RFC 9470 §3",
)
OTHER_AUDIENCE = numbered(
    4003,
    "invalid_token",
    "The access token is not for this resource.",
    fix="Name the issuer as a resource beside the others, or leave resource out of the token request, to get "
    "a token that userinfo takes.",
    source="RFC 9068 §4, RFC 8707 §2",
)
WRONG_SCHEME = numbered(
    4004,
    "invalid_token",
    "The access token was sent by the wrong scheme.",
    fix="Send a token with token_type DPoP as Authorization: DPoP, with a proof, and one with token_type "
    "Bearer as Authorization: Bearer.",
    source="RFC 9449 §7.1, §7.2",
)
INSUFFICIENT_SCOPE = numbered(
    4005,
    "insufficient_scope",
    "The access token was made without scope openid.",
    fix="Refresh without narrowing the scope, or keep openid in it.",
    source="RFC 6750 §3.1, OpenID Connect Core §5.3",
)
TOKEN_UNBOUND = numbered(
    4006,
    "invalid_token",
    "The tokens of this client must be bound to a key, and this one is not.",
    fix="DPoP was made a duty of the client after this token was issued: refresh it with a proof.",
    source="RFC 9449 §5, §7",
)
TWO_TOKENS = numbered(
    4007,
    "invalid_request",
    "The access token was sent in more than one way.",
    fix="Send it in the Authorization header, or in the body of a POST, not in both.",
    source="RFC 6750 §2, §3.1",
)
NO_TOKEN = numbered(
    4002,
    "invalid_request",
    "The parameter token is missing.",
    fix="Send the token to ask about, or to end, in the body.",
    source="RFC 7662 §2.1, RFC 7009 §2.1",
)
