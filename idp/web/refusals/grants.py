"""2100–2499: the token endpoint."""

from __future__ import annotations

from idp.web.refusals import numbered

NOT_A_FORM = numbered(
    2101,
    "invalid_request",
    "The body must be application/x-www-form-urlencoded.",
    fix="Send a POST with this Content-Type; JSON is not read, nor are query parameters.",
    source="RFC 6749 §3.2",
)
DOUBLED_FIELD = numbered(
    2102,
    "invalid_request",
    "A parameter is given more than once.",
    fix="Send every parameter once; only resource may be repeated.",
    source="RFC 6749 §3.2",
)
INVALID_REQUEST = numbered(
    2103,
    "invalid_request",
    "The request is malformed.",
    fix="A required parameter is missing; error_description names it.",
    source="RFC 6749 §5.2",
)
GRANT_TYPE_UNKNOWN = numbered(
    2104,
    "unsupported_grant_type",
    "The grant type is not offered.",
    fix="grant_types_supported in the discovery document lists what is offered.",
    source="RFC 6749 §5.2",
)
GRANT_TYPE_NOT_ALLOWED = numbered(
    2105,
    "unauthorized_client",
    "This client may not use this grant.",
    fix="Register the client for the grant (`idp client add --grant …`).",
    source="RFC 6749 §5.2",
)
CODE_REFUSED = numbered(
    2110,
    "invalid_grant",
    "The code is unknown, expired, spent, or does not fit this request.",
    fix="Redeem a code once, within its life (60 seconds by default), as the client it was issued to, with "
    "the same redirect_uri and the code_verifier of its request. A second use ends the tokens of the first.",
    source="RFC 6749 §5.2",
)
SIGN_IN_ENDED = numbered(
    2111,
    "invalid_grant",
    "The sign-in behind this code or token has ended.",
    fix="The person signed out, or the account, company or mandate ended: end your session and let him sign "
    "in again.",
    source="this provider: no token outlives the right it rests on",
)
CONSENT_WITHDRAWN = numbered(
    2112,
    "invalid_grant",
    "The person has taken back what this code rests on.",
    fix="He withdrew his consent before the code came: send him through a new authorization, which asks him.",
    source="this provider: no token outlives the right it rests on",
)
REFRESH_UNKNOWN = numbered(
    2201,
    "invalid_grant",
    "The refresh token is unknown, expired or revoked.",
    fix="Let the person sign in again. Each refresh gives a new refresh token: keep the newest only.",
    source="RFC 6749 §5.2",
)
REFRESH_REUSED = numbered(
    2202,
    "invalid_grant",
    "The refresh token was used before; every token of this sign-in with the client is revoked.",
    fix="Two of your processes used one refresh token, or somebody stole it. Refresh under a lock, store the "
    "successor before using it; the same token repeated within 30 seconds gets the same answer, one that is "
    "bound to a key for as long as its successor was not used.",
    source="RFC 9700 §4.14.2",
)
SCOPE_WIDENED = numbered(
    2203,
    "invalid_scope",
    "The scope is wider than what was granted.",
    fix="Ask for the granted scope or less; for more, send the person through a new authorization.",
    source="RFC 6749 §6",
)
APP_UNUSED = numbered(
    2204,
    "invalid_grant",
    "The app was unused for too long: its sign-in has ended.",
    fix="Forget the tokens and the key, and let the person sign in again. An app that asks for a token at "
    "least once in 30 days (by default) stays signed in for up to 180.",
    source="this provider: how long a phone stays signed in",
)
INVALID_TARGET = numbered(
    2106,
    "invalid_target",
    "A resource is unknown, or was not granted.",
    fix="Name only resources that the client registered (`idp client add --resource …`) and, at the token "
    "endpoint, that stood in the authorization request.",
    source="RFC 8707 §2",
)
SCOPE_WITHDRAWN = numbered(
    2107,
    "invalid_scope",
    "Nothing of the granted scope is left to this client.",
    fix="The scopes were taken from the client's registration after the person allowed them: register them "
    "again, or send the person through a new authorization for what the client has.",
    source="RFC 6749 §5.2",
)
DEVICE_PENDING = numbered(
    2301,
    "authorization_pending",
    "The person has not answered yet.",
    fix="No fault: poll again after interval seconds.",
    source="RFC 8628 §3.5",
)
DEVICE_TOO_SOON = numbered(
    2302,
    "slow_down",
    "Polled too soon: wait five seconds longer from now on.",
    fix="Wait interval seconds after each answer, add five to the interval at each slow_down, and never let "
    "two requests poll for one device code.",
    source="RFC 8628 §3.5",
)
DEVICE_DENIED = numbered(
    2303,
    "access_denied",
    "The person refused.",
    fix="Stop polling; say on the device that nothing was allowed, and offer to begin again.",
    source="RFC 8628 §3.5",
)
DEVICE_EXPIRED = numbered(
    2304,
    "expired_token",
    "The device code has expired.",
    fix="Begin again with a new request to /oauth/device when the person wants to.",
    source="RFC 8628 §3.5",
)
DEVICE_CODE_REFUSED = numbered(
    2305,
    "invalid_grant",
    "The device code is unknown, spent, or of another client.",
    fix="Redeem a device code once, as the client it was issued to. A second use ends the tokens of the "
    "first.",
    source="RFC 6749 §5.2",
)
DEVICE_KEY_DIFFERS = numbered(
    2306,
    "invalid_grant",
    "The device code is bound to another DPoP key.",
    fix="Prove the key of the first DPoP proof sent for this device code in every later request.",
    source="RFC 9449 §5",
)
DEVICE_REQUEST_UNSIGNED = numbered(
    2307,
    "unauthorized_client",
    "This client must sign its requests, and a device authorization request cannot be signed.",
    fix="Register a client of its own for devices, without require_signed_request_object.",
    source="RFC 9101 §10.5",
)
CLIENT_SCOPE_REFUSED = numbered(
    2401,
    "invalid_scope",
    "A client itself may only have scopes of resources that it is registered for.",
    fix="Ask for registered scopes such as seal:verify; openid and all that say something of a person need a "
    "person to sign in. Without scope the token has all of them.",
    source="RFC 6749 §4.4.2",
)
PUBLIC_CLIENT = numbered(
    2402,
    "unauthorized_client",
    "Only a client that proves itself may have a token of its own.",
    fix="Register the client with a secret or a key.",
    source="RFC 6749 §4.4",
)
