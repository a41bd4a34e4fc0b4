"""Every refusal an integrator can meet: a number, the registered error, what is said, how to mend it.

``docs/errors.md`` is generated from here (``idp errors``), and every OAuth error carries an
``error_uri`` that leads to its number at ``/help/errors``. A number is never given twice.

==== ==================================================================
1000 ``pages``: nobody knows yet where to send an error
1100 ``authorization``: the authorization request
1200 ``requests``: pushed and signed requests
1300 ``answers``: what the sign-in did not give
2000 ``clients``: client authentication
2100 ``grants``: the token endpoint, a hundred a grant
3000 ``dpop``: proofs of possession
4000 ``resources``: using, asking about and ending tokens
5000 ``registration``: dynamic client registration
6000 ``scan``: the phone that scans
6060 ``face``: the phone that shows a face
9000 ``anywhere``: any endpoint, before it looks at what the request wants
==== ==================================================================
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Error

HELP = "/help/errors"
_CATALOGUE: dict[int, Refusal] = {}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One numbered refusal.

    `error` is the registered code; `says` the error_description, printable ASCII without quotes
    (RFC 6749 §5.2), with `{names}` for what the request itself said of itself; `fix` what the
    integrator does about it; `source` the RFC section or behaviour it comes from. `zh` is the sentence for
    the person whose program shows it to him as it is.
    """

    number: int
    error: str
    says: str
    fix: str
    source: str
    zh: str = ""

    def uri(self, issuer: str) -> str:
        """Where the number is explained."""
        return f"{issuer}{HELP}#{self.number}"

    def told(self, issuer: str, said: str) -> dict[str, str]:
        """The members of an error, with `said` as its description (RFC 6749 §4.1.2.1, §5.2)."""
        return {"error": self.error, "error_description": said, "error_uri": self.uri(issuer)}


def numbered(number: int, error: str, says: str, *, fix: str, source: str, zh: str = "") -> Refusal:
    """A refusal in the catalogue. Raises ValueError when the number is taken or `says` cannot be sent."""
    sendable = says.isascii() and says.isprintable() and not set(says) & {'"', "\\"}
    if number in _CATALOGUE or not sendable:
        raise ValueError(number)
    _CATALOGUE[number] = Refusal(number, error, says, fix, source, zh)
    return _CATALOGUE[number]


def catalogue() -> list[Refusal]:
    """Every refusal, by number."""
    return [_CATALOGUE[number] for number in sorted(_CATALOGUE)]


class Refused(OAuth2Error):
    """A numbered refusal as an exception that Authlib answers with."""

    def __init__(self, refusal: Refusal, *, status: int = 400, **facts: Any) -> None:
        self.refusal = refusal
        self.error = refusal.error
        super().__init__(description=refusal.says.format(**facts), status_code=status)


class AuthorizationError(Exception):
    """A numbered refusal that goes back to the client's redirect address."""

    def __init__(self, refusal: Refusal, **facts: Any) -> None:
        super().__init__(refusal.says.format(**facts))
        self.refusal = refusal
        self.facts = facts

    @property
    def error(self) -> str:
        """The registered error code."""
        return self.refusal.error

    def to_program(self) -> Refused:
        """The same, as the JSON answer of an endpoint that the client calls itself."""
        return Refused(self.refusal, **self.facts)
