"""1300: the request was right, and the sign-in did not give what it asks for."""

from __future__ import annotations

from idp.web.refusals import numbered

LOGIN_REQUIRED = numbered(
    1301,
    "login_required",
    "The person must sign in.",
    fix="Nobody is signed in, or not freshly enough: send the request again without prompt=none.",
    source="OpenID Connect Core §3.1.2.6",
)
COMPANY_REQUIRED = numbered(
    1302,
    "interaction_required",
    "The person must choose the company he acts for.",
    fix="Send the request again without prompt=none; entity=<credit code> saves the choice.",
    source="OpenID Connect Core §3.1.2.6",
)
OTHER_IDENTITY = numbered(
    1303,
    "interaction_required",
    "The sign-in is of another identity.",
    fix="Scope entity is answered only for a company, a request without it only for a person signed in as "
    "himself. Send the request again without prompt=none.",
    source="OpenID Connect Core §3.1.2.6",
)
CONSENT_REQUIRED = numbered(
    1304,
    "consent_required",
    "The person must allow this client first.",
    fix="Send the request again without prompt=none.",
    source="OpenID Connect Core §3.1.2.6",
)
PROOF_REQUIRED = numbered(
    1306,
    "interaction_required",
    "The person must prove more than this sign-in did.",
    fix="The sign-in is below every level of acr_values: send the request again without prompt=none.",
    source="OpenID Connect Core §3.1.2.6",
)
UNMET = numbered(
    1307,
    "unmet_authentication_requirements",
    "None of the levels in acr_values can be reached here.",
    fix="Ask for a level that acr_values_supported in the discovery document lists, or leave acr_values out; "
    "levels the client registered as default_acr_values count as asked for. acr_values is taken as "
    "necessary, so that nobody is sent round for a level he cannot get.",
    source="RFC 9470 §5, OpenID Connect Core Unmet Authentication Requirements 1.0",
)
DENIED = numbered(
    1305,
    "access_denied",
    "The person refused.",
    fix="Say on your page that nothing was shared, and offer to try again.",
    source="RFC 6749 §4.1.2.1",
)
