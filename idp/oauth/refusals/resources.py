"""4000: using a token, asking about it, ending it."""

from __future__ import annotations

from idp.oauth.refusals import numbered

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
NO_TOKEN = numbered(
    4002,
    "invalid_request",
    "The parameter token is missing.",
    fix="Send the token to ask about, or to end, in the body.",
    source="RFC 7662 §2.1, RFC 7009 §2.1",
)
