"""2000: who calls was not proved."""

from __future__ import annotations

from idp.web.refusals import numbered

AUTHENTICATION_FAILED = numbered(
    2001,
    "invalid_client",
    "Client authentication failed.",
    fix="Check client_id and secret, and that you use the one method the client registered "
    "(token_endpoint_auth_method). In HTTP Basic both are form-encoded first. The answer is the same for an "
    "unknown client and a wrong secret.",
    source="RFC 6749 §5.2",
)
TWO_METHODS = numbered(
    2002,
    "invalid_request",
    "Use one client authentication method, not two.",
    fix="Send the Authorization header or the body's client_secret or client_assertion, never two of them.",
    source="RFC 6749 §2.3",
)
CLIENT_ID_DIFFERS = numbered(
    2003,
    "invalid_request",
    "client_id differs from the authenticated client.",
    fix="Leave client_id out of the body, or send the one you authenticate as.",
    source="RFC 6749 §3.2.1",
)
ASSERTION_MALFORMED = numbered(
    2004,
    "invalid_client",
    "The client assertion is not a signed JWT of at most 8 kB.",
    fix="Send client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer and, as "
    "client_assertion, a compact JWS without crit, every name in it once, its typ left out, JWT or "
    "client-authentication+jwt.",
    source="RFC 7523 §2.2, RFC 7515 §4",
)
ASSERTION_NAMES = numbered(
    2005,
    "invalid_client",
    "iss, sub and client_id of a client assertion must all be the client.",
    fix="Set iss and sub to your client_id; leave the parameter client_id out, or send the same.",
    source="RFC 7523 §3, RFC 7521 §4.2",
)
ASSERTION_ALGORITHM = numbered(
    2006,
    "invalid_client",
    "The client assertion is not signed with the algorithm this client registered.",
    fix="Sign with token_endpoint_auth_signing_alg as registered: one algorithm a client, never none or "
    "HMAC.",
    source="OpenID Connect Registration §2, RFC 8725 §3.1",
)
ASSERTION_SIGNATURE = numbered(
    2007,
    "invalid_client",
    "No registered key of this client made the signature of the client assertion.",
    fix="Set kid to the name the key has in your jwks. A jwks_uri is fetched anew for an unknown kid, "
    "at most once a minute, and must answer 200 over https within 3 seconds, without a redirect, with at "
    "most 32 kB.",
    source="RFC 7523 §3, OpenID Connect Core §10.1",
)
ASSERTION_AUDIENCE = numbered(
    2008,
    "invalid_client",
    "The client assertion is meant for somebody else.",
    fix="Set aud to the issuer, as one string; the token endpoint or the endpoint you call will do too, but "
    "not for a client of profile fapi2. An array must not name anybody else.",
    source="RFC 7523 §3, FAPI 2.0 Security Profile §5.3.2.1",
)
ASSERTION_TIME = numbered(
    2009,
    "invalid_client",
    "The client assertion has expired, is not valid yet, or is valid for more than 5 minutes.",
    fix="Set exp to a minute from now and iat to now, in seconds, and keep your clock right: 10 seconds are "
    "tolerated.",
    source="RFC 7523 §3",
)
ASSERTION_REPLAYED = numbered(
    2010,
    "invalid_client",
    "The client assertion was used before, or its jti is missing or too long.",
    fix="Make an assertion for each request, retries too, each with a fresh random jti of at most 128 "
    "characters.",
    source="RFC 7523 §3, OpenID Connect Core §9",
)
TOO_MANY_FAILURES = numbered(
    2011,
    "invalid_client",
    "Too many failed authentications of this client from this address.",
    fix="Wait for as long as Retry-After says, then send the right secret: it is not even compared before. "
    "Look for an instance of yours that still sends an old one.",
    source="RFC 6585 §4, RFC 6749 §2.3.1",
)
