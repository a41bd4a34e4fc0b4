"""1200: pushed and signed requests."""

from __future__ import annotations

from idp.web.refusals import numbered

OBJECT_MALFORMED = numbered(
    1201,
    "invalid_request_object",
    "The request object is not a signed JWT, is longer than 16000 characters, or carries crit.",
    fix="Send a compact JWS of at most 16,000 characters: three parts in base64url, two JSON objects without "
    "doubled names, no crit in the header.",
    source="RFC 9101 §6",
)
NO_REQUEST_URI = numbered(
    1202,
    "request_uri_not_supported",
    "request_uri is not supported.",
    fix="Push the request to /oauth/par and send the request_uri it answers with; nothing else is fetched.",
    source="RFC 9101 §10.4",
)
PAR_REQUIRED = numbered(
    1203,
    "invalid_request",
    "This client must push its authorization requests.",
    fix="Send the parameters to /oauth/par, and the person to /oauth/authorize with client_id and the "
    "request_uri of the answer.",
    source="RFC 9126 §5",
)
SIGNED_REQUIRED = numbered(
    1204,
    "invalid_request",
    "This client must sign its authorization requests.",
    fix="Put the parameters into a signed request object and send it as request.",
    source="RFC 9101 §10.5",
)
REQUEST_URI_PUSHED = numbered(
    1205,
    "invalid_request",
    "A pushed request must not hold a request_uri.",
    fix="Push the parameters themselves, or a request object as request.",
    source="RFC 9126 §2.1",
)
OBJECT_ALGORITHM = numbered(
    1206,
    "invalid_request_object",
    "The request object is not signed with an algorithm of this client.",
    fix="Sign with the registered request_object_signing_alg, or without one with RS256, PS256, ES256 or "
    "EdDSA (profile fapi2: not RS256). none and HMAC are not offered.",
    source="RFC 9101 §10.2",
)
OBJECT_SIGNATURE = numbered(
    1207,
    "invalid_request_object",
    "The signature of the request object is not by a registered key of this client.",
    fix="Register the public key in jwks or publish it at jwks_uri, and name it by kid. Keys and addresses "
    "in the header are not looked at.",
    source="RFC 9101 §6.2",
)
OBJECT_TYPE = numbered(
    1208,
    "invalid_request_object",
    "The typ of this JWT is not that of a request object, or it says what only other JWTs say.",
    fix="Set typ to oauth-authz-req+jwt, or leave it out; put no sub and no events into the object.",
    source="RFC 9101 §10.8",
)
OBJECT_ISSUER = numbered(
    1209,
    "invalid_request_object",
    "iss and client_id of the request object must be the client_id of the request.",
    fix="Set iss to your client_id, and send the same client_id beside the object.",
    source="RFC 9101 §5",
)
OBJECT_AUDIENCE = numbered(
    1210,
    "invalid_request_object",
    "aud of the request object must contain the issuer.",
    fix="Set aud to the issuer, character by character as in the discovery document.",
    source="RFC 9101 §4",
)
OBJECT_TIME = numbered(
    1211,
    "invalid_request_object",
    "The request object is expired, not valid yet, or valid for longer than 10 minutes.",
    fix="Set exp to at most 10 minutes ahead; nbf and iat may not lie in the future. Keep your clock right.",
    source="RFC 9101 §10.3: the replay of a request is bounded by its exp",
)
OBJECT_REPLAYED = numbered(
    1212,
    "invalid_request_object",
    "The jti of the request object was used before, or is longer than 128 characters.",
    fix="Make a new request object with a new jti for each request.",
    source="RFC 7519 §4.1.7",
)
OBJECT_VALUES = numbered(
    1213,
    "invalid_request_object",
    "A parameter of the request object is not text.",
    fix="Write every parameter as a JSON string; max_age may be a number, claims an object, resource an "
    "array of strings.",
    source="OpenID Connect Core §6.1",
)
OBJECT_NESTED = numbered(
    1214,
    "invalid_request_object",
    "A request object must not hold request or request_uri.",
    fix="Put the parameters themselves into the object.",
    source="RFC 9101 §4",
)
KEY_DIFFERS = numbered(
    1215,
    "invalid_request",
    "dpop_jkt is not the thumbprint of the key that signed the DPoP header.",
    fix="Use one key for both, or leave dpop_jkt out.",
    source="RFC 9449 §10.1",
)
REQUEST_URI_GONE = numbered(
    1216,
    "invalid_request_uri",
    "The request_uri is unknown, expired, used, or another client's.",
    fix="The person sees a page. Push each request just before its use: it can be opened for 300 seconds, "
    "with the client_id that pushed it, and gives one answer.",
    source="RFC 9126 §4",
)
