"""1000: said on a page, because nobody knows yet whether the redirect address may be trusted."""

from __future__ import annotations

from idp.web.refusals import numbered

UNKNOWN_CLIENT = numbered(
    1001,
    "invalid_request",
    "The client is not registered here.",
    fix="Send the client_id exactly as `idp client show` prints it; check that you talk to the right issuer.",
    source="RFC 6749 §4.1.2.1",
)
UNREGISTERED_REDIRECT = numbered(
    1002,
    "invalid_request",
    "The redirect_uri is not one that this client registered.",
    fix="Register the address and send it character by character the same: scheme, port, path, trailing "
    "slash and query count. Send it once.",
    source="RFC 9700 §2.1",
)
LOGOUT_REFUSED = numbered(
    1003,
    "invalid_request",
    "The logout request contradicts itself, or its post_logout_redirect_uri is not registered.",
    fix="Send an id_token_hint that this provider issued to you, the client_id it was issued to, and a "
    "post_logout_redirect_uri exactly as registered.",
    source="OpenID Connect RP-Initiated Logout 1.0 §3",
)
