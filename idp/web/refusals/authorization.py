"""1100: the authorization request itself; each goes back to the redirect address."""

from __future__ import annotations

from idp.web.refusals import numbered

DOUBLED = numbered(
    1101,
    "invalid_request",
    "A parameter is given more than once.",
    fix="Send every parameter once; only resource may be repeated.",
    source="RFC 6749 §3.1",
)
MALFORMED = numbered(
    1102,
    "invalid_request",
    "The parameter {name} is too long or malformed.",
    fix="Keep state under 2,048 characters, nonce under 512, login_hint under 256; printable text only.",
    source="RFC 6749 §4.1.2.1",
)
NO_RESPONSE_TYPE = numbered(
    1103,
    "invalid_request",
    "response_type is missing.",
    fix="Send response_type=code.",
    source="RFC 6749 §4.1.1",
)
WRONG_RESPONSE_TYPE = numbered(
    1104,
    "unsupported_response_type",
    "Only response_type=code is supported.",
    fix="Use the authorization code flow; implicit and hybrid are not offered.",
    source="OAuth 2.1 §4.1.1",
)
NO_CODES_FOR_CLIENT = numbered(
    1105,
    "unauthorized_client",
    "This client may not use authorization codes.",
    fix="Register the client with the grant authorization_code.",
    source="RFC 6749 §4.1.2.1",
)
WRONG_RESPONSE_MODE = numbered(
    1106,
    "invalid_request",
    "response_mode must be query or form_post.",
    fix="Leave response_mode out, or send query or form_post.",
    source="OAuth 2.0 Multiple Response Types §2.1",
)
REGISTRATION_PARAMETER = numbered(
    1107,
    "registration_not_supported",
    "The registration parameter is not supported.",
    fix="Register the client beforehand, by its administrator or at /oauth/register.",
    source="OpenID Connect Core §3.1.2.6",
)
NO_OPENID = numbered(
    1108,
    "invalid_scope",
    "The scope must contain openid.",
    fix="Add openid to scope.",
    source="OpenID Connect Core §3.1.2.1",
)
SCOPE_NOT_ALLOWED = numbered(
    1109,
    "invalid_scope",
    "This client may not ask for {scopes}.",
    fix="Leave the scope out, or have an administrator register the client for it.",
    source="RFC 6749 §3.3",
)
NO_CHALLENGE = numbered(
    1110,
    "invalid_request",
    "code_challenge is missing: PKCE with S256 is required.",
    fix="Make a code_verifier of 43 to 128 characters for each request and send its SHA-256 in base64url as "
    "code_challenge, with code_challenge_method=S256. Confidential clients too.",
    source="RFC 9700 §2.1.1",
)
CHALLENGE_METHOD = numbered(
    1111,
    "invalid_request",
    "code_challenge_method must be S256.",
    fix="Send code_challenge_method=S256; plain is not offered, and is what a missing one means.",
    source="RFC 7636 §4.3",
)
CHALLENGE_MALFORMED = numbered(
    1112,
    "invalid_request",
    "code_challenge must be 43 base64url characters.",
    fix="Encode the 32 bytes of the SHA-256, not its hexadecimal text, without padding.",
    source="RFC 7636 §4.2",
)
PROMPT_MALFORMED = numbered(
    1113,
    "invalid_request",
    "prompt is malformed.",
    fix="Send none alone, or any of login, consent and select_account, separated by spaces.",
    source="OpenID Connect Core §3.1.2.1",
)
MAX_AGE_MALFORMED = numbered(
    1114,
    "invalid_request",
    "max_age must be a whole number of seconds.",
    fix="Send a number without sign, fraction or unit.",
    source="OpenID Connect Core §3.1.2.1",
)
ENTITY_WITHOUT_SCOPE = numbered(
    1115,
    "invalid_request",
    "The entity parameter needs the scope entity.",
    fix="Add entity to scope, or leave the parameter entity out.",
    source="this provider: whose sign-in answers which request",
)
ENTITY_MALFORMED = numbered(
    1116,
    "invalid_request",
    "entity must be a unified social credit code.",
    fix="Send the 18 characters in capitals, check digit right.",
    source="GB 32100-2015",
)
HINT_NOT_OURS = numbered(
    1117,
    "invalid_request",
    "id_token_hint is not an ID token for this client.",
    fix="Send an ID token that this provider issued to this client_id; an expired one is fine.",
    source="OpenID Connect Core §3.1.2.1",
)
TARGET_UNKNOWN = numbered(
    1118,
    "invalid_target",
    "A resource is not one that this client registered.",
    fix="Name only resources of the registration (`idp client add --resource`), absolute, without fragment.",
    source="RFC 8707 §2",
)
CLAIMS_MALFORMED = numbered(
    1119,
    "invalid_request",
    "claims is malformed: {reason}.",
    fix="Send a JSON object of at most 4,000 characters with the members userinfo and id_token; each claim "
    "in them is null or an object with essential, value or values.",
    source="OpenID Connect Core §5.5",
)
SUBJECTS_DIFFER = numbered(
    1120,
    "invalid_request",
    "id_token_hint and claims name different subjects.",
    fix="Name the person once, by id_token_hint or by the value of sub.",
    source="OpenID Connect Core §5.5.1",
)
KEY_THUMBPRINT = numbered(
    1121,
    "invalid_request",
    "dpop_jkt must be 43 base64url characters.",
    fix="Send the SHA-256 thumbprint of the public key (RFC 7638) in base64url, without padding.",
    source="RFC 9449 §10",
)
APP_WITH_ENTITY = numbered(
    1122,
    "invalid_scope",
    "The scopes app and entity cannot be asked for together.",
    fix="Leave entity out: an app signs in the person himself, who chooses at each scan for whom he acts.",
    source="this provider: whose sign-in answers which request",
)
