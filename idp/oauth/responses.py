"""How the answer to an authorization request travels: by a redirect, or by a form the browser posts.

Whatever it says, `iss` stands in it, so that the client knows whose answer it is (RFC 9207), and
`state` as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import make_response, redirect
from werkzeug.wrappers import Response

from idp.access.clients import origin_of
from idp.access.pending import PendingRequest
from idp.web.platform import settings
from idp.web.refusals import AuthorizationError
from idp.web.render import page
from idp.web.security import allow_form_to, allow_scripts

RESPONSE_MODES = ("query", "form_post")
_LONGEST_STATE = 2048


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """A registered redirect address, with what the request said of the way back."""

    redirect_uri: str
    client_name: str
    state: str | None
    by_form: bool

    def parameters(self, values: Mapping[str, str], *, issuer: str) -> dict[str, str]:
        """An authorization response."""
        state = {"state": self.state} if self.state is not None else {}
        return {**values, **state, "iss": issuer}

    def with_query(self, values: Mapping[str, str], *, issuer: str) -> str:
        """The address to redirect to."""
        query = urlencode(self.parameters(values, issuer=issuer))
        return f"{self.redirect_uri}{'&' if '?' in self.redirect_uri else '?'}{query}"


def of_request(request: PendingRequest) -> ReturnAddress:
    """Where the answer to a validated request goes."""
    params = request.params
    by_form = params.get("response_mode") == "form_post"
    return ReturnAddress(request.redirect_uri, request.client_name, params.get("state"), by_form)


def of_refused(redirect_uri: str, client_name: str, values: Mapping[str, list[str]]) -> ReturnAddress:
    """Where the refusal of a request goes; a doubled or endless state is not sent back."""
    states, modes = values.get("state", []), values.get("response_mode", [])
    known = len(states) == 1 and 0 < len(states[0]) <= _LONGEST_STATE
    return ReturnAddress(redirect_uri, client_name, states[0] if known else None, modes == ["form_post"])


def send(to: ReturnAddress, values: Mapping[str, str]) -> Response:
    """Answer the browser in hand with an authorization response."""
    issuer = settings().issuer
    if not to.by_form:
        return redirect(to.with_query(values, issuer=issuer), 303)
    allow_form_to([origin_of(to.redirect_uri)])
    allow_scripts()
    shown = page(
        "oauth/form_post.html",
        portal_name=to.client_name,
        action=to.redirect_uri,
        parameters=to.parameters(values, issuer=issuer),
    )
    return make_response(shown)


def send_error(refused: AuthorizationError, to: ReturnAddress) -> Response:
    """Answer it with a refusal (RFC 6749 §4.1.2.1), and where that is explained."""
    return send(to, refused.refusal.told(settings().issuer, str(refused)))
