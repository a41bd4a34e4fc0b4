"""9000: any endpoint that programs call, before it looks at what the request wants."""

from __future__ import annotations

from idp.web.refusals import numbered

_BY_STATUS = {
    400: numbered(
        9001,
        "invalid_request",
        "The request cannot be read.",
        fix="Send well-formed HTTP, and no NUL in the name or the value of a parameter.",
        source="RFC 9110 §15.5.1",
    ),
    404: numbered(
        9002,
        "invalid_request",
        "There is nothing at this address.",
        fix="Take the addresses from the discovery document.",
        source="RFC 9110 §15.5.5",
    ),
    405: numbered(
        9003,
        "invalid_request",
        "This address does not take this method.",
        fix="Use one of the methods in the header Allow.",
        source="RFC 9110 §15.5.6",
    ),
    413: numbered(
        9004,
        "invalid_request",
        "The body is too large.",
        fix="Send at most 128,000 bytes and 200 parameters.",
        source="RFC 9110 §15.5.14",
    ),
    414: numbered(
        9005,
        "invalid_request",
        "The address is too long.",
        fix="Send at most 16,000 characters in the query; push long authorization requests to /oauth/par.",
        source="RFC 9110 §15.5.15",
    ),
    421: numbered(
        9006,
        "invalid_request",
        "This host is not the issuer.",
        fix="Use the issuer exactly as the discovery document names it, scheme and port too.",
        source="RFC 9110 §15.5.20",
    ),
    500: numbered(
        9007,
        "server_error",
        "Something unforeseen went wrong.",
        fix="Nothing was changed. Try once more; if it stays, tell the operator the number of the request.",
        source="RFC 9110 §15.6.1",
    ),
    503: numbered(
        9008,
        "temporarily_unavailable",
        "The provider is busy or recovering.",
        fix="Nothing was changed. Try again after the seconds in the header Retry-After.",
        source="RFC 9110 §15.6.4",
    ),
}


def told_by_status(issuer: str) -> dict[int, dict[str, str]]:
    """The members of the JSON answer to a request that failed with an HTTP status."""
    return {status: refusal.told(issuer, refusal.says) for status, refusal in _BY_STATUS.items()}
