"""5000: registering a client by a program."""

from __future__ import annotations

from idp.web.refusals import numbered

NO_TOKEN = numbered(
    5001,
    "invalid_token",
    "Registering needs an initial access token.",
    fix="Send Authorization: Bearer with the initial access token that the administrator of this provider "
    "gave you (`idp client invite`).",
    source="RFC 7591 §3",
)
TOKEN_REFUSED = numbered(
    5002,
    "invalid_token",
    "The initial access token is unknown, ended, expired or used up.",
    fix="Ask the administrator for another one. A refused registration uses nothing up.",
    source="RFC 7591 §3",
)
NOT_JSON = numbered(
    5003,
    "invalid_client_metadata",
    "The body must be one JSON object of client metadata, as application/json in UTF-8.",
    fix="Send the metadata as a JSON object with Content-Type: application/json; a form is not read.",
    source="RFC 7591 §3.1",
)
TOO_LARGE = numbered(
    5004,
    "invalid_client_metadata",
    "The metadata are larger than 64 kB.",
    fix="Register a jwks_uri in place of a large jwks, and fewer addresses.",
    source="RFC 7591 §3.1",
)
REDIRECT_REFUSED = numbered(
    5005,
    "invalid_redirect_uri",
    "An address cannot be registered: {reason}",
    fix="Register exact https addresses, all on one host, without fragment, user part or wildcard. "
    "Several hosts need a sector, which an administrator sets.",
    source="RFC 7591 §3.2.2",
)
METADATA_REFUSED = numbered(
    5006,
    "invalid_client_metadata",
    "The metadata cannot be registered: {reason}",
    fix="error_description names the member and what it may be; the discovery document lists what there is.",
    source="RFC 7591 §3.2.2",
)
PROFILE_FORBIDS = numbered(
    5007,
    "invalid_client_metadata",
    "The security profile forbids this: {reason}",
    fix="The initial access token registers clients of one security profile. Change each member that "
    "error_description names, or ask the administrator for a token of another profile.",
    source="RFC 7591 §3.2.2, FAPI 2.0 Security Profile §5.3",
)
FOR_AN_ADMINISTRATOR = numbered(
    5008,
    "invalid_client_metadata",
    "Only an administrator decides: {names}.",
    fix="Leave these members out, and ask the administrator to set them after the registration.",
    source="RFC 7591 §2, §5",
)
SCOPE_NOT_INVITED = numbered(
    5009,
    "invalid_client_metadata",
    "This initial access token does not register the scope: {names}.",
    fix="Leave the scopes out of the member scope, or ask the administrator for a token that registers them "
    "(`idp client invite --scope`). Without the member scope you get what the token gives by default.",
    source="RFC 7591 §2",
)
NAME_OF_THE_PLATFORM = numbered(
    5011,
    "invalid_client_metadata",
    "client_name may not contain the name of this platform.",
    fix="Name your own system: people read the name where they decide whether to trust it.",
    source="RFC 7591 §5",
)
SOFTWARE_STATEMENT = numbered(
    5010,
    "unapproved_software_statement",
    "Software statements are not accepted.",
    fix="Leave software_statement out and send the metadata themselves: no issuer of statements is trusted "
    "here.",
    source="RFC 7591 §2.3",
)
