"""Client authentication at every endpoint that clients call.

One method a client, the registered one; presenting two at once is refused (RFC 6749 §2.3). A
malformed header is a failed authentication, never an exception.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

import flask

from idp.access.clients import ClientRegistry, RegisteredClient
from idp.access.jws import UnverifiedJws
from idp.oauth.client_assertion import audiences, check_assertion, read_assertion, spend_assertion
from idp.proof.secret_guesses import WINDOW, TooManyFailures
from idp.web.platform import platform
from idp.web.refusals import Refused
from idp.web.refusals import clients as refusals


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request shows of its client."""

    method: str
    unverified_client_id: str
    secret: str = ""
    assertion: UnverifiedJws | None = None


class TooMany(Refused):
    """Refused before comparing: 429 (RFC 6585 §4).

    `invalid_client` is what §5.2 of RFC 6749 has for a failed authentication, and failed is what those
    before it were; of the codes for "later", `temporarily_unavailable` and `slow_down` belong to other
    endpoints.
    """

    def __init__(self) -> None:
        super().__init__(refusals.TOO_MANY_FAILURES, status=429)

    def get_headers(self) -> list[tuple[str, str]]:
        """With the seconds to wait."""
        return [*super().get_headers(), ("Retry-After", str(WINDOW))]


def authenticate(clients: ClientRegistry, request: Any, *, now: datetime) -> tuple[RegisteredClient, str]:
    """The client that sent `request` and its method. Raises Refused."""
    presented = _presented(request)
    client = clients.find(presented.unverified_client_id)
    if client is not None and client.auth_method != presented.method:
        client = None
    if presented.assertion is not None:
        found = _by_assertion(client, presented.assertion, now=now)
    elif presented.method == "none":
        found = client
    else:
        found = _by_secret(client, presented, now=now)
    # A profile may have forbidden the method since the client was registered.
    if found is None or presented.method not in found.profile.auth_methods:
        raise _failed()
    return found, presented.method


def _by_secret(
    client: RegisteredClient | None, presented: Presented, *, now: datetime
) -> RegisteredClient | None:
    here = platform()
    try:
        right = here.secret_guesses.compare(
            here.store,
            presented.unverified_client_id,
            flask.request.remote_addr or "",
            lambda: client is not None and client.knows_secret(presented.secret, now=now),
            now=now,
        )
    except TooManyFailures:
        raise TooMany from None
    return client if right else None


def _by_assertion(
    client: RegisteredClient | None, assertion: UnverifiedJws, *, now: datetime
) -> RegisteredClient | None:
    if client is None:
        return None
    here = platform()
    ours = audiences(client, issuer=here.settings.issuer, path=flask.request.path)
    check_assertion(assertion, client, here.client_keys, ours=ours, now=now)
    spend_assertion(here.store, assertion, client, now=now)
    return client


def _presented(request: Any) -> Presented:
    header, form = request.headers.get("Authorization"), request.form
    form_id, form_secret = form.get("client_id", ""), form.get("client_secret")
    asserted = "client_assertion" in form or "client_assertion_type" in form
    if (header is not None) + (form_secret is not None) + asserted > 1:
        raise Refused(refusals.TWO_METHODS)
    if header is not None:
        presented = _basic(header)
        if form_id and form_id != presented.unverified_client_id:
            raise Refused(refusals.CLIENT_ID_DIFFERS)
        return presented
    if asserted:
        assertion = read_assertion(form)
        return Presented("private_key_jwt", assertion.claims["iss"], assertion=assertion)
    if form_secret is not None:
        return Presented("client_secret_post", form_id, form_secret)
    return Presented("none", form_id)


def _basic(header: str) -> Presented:
    """RFC 7617 with the form-encoding of RFC 6749 §2.3.1."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise _failed()
    try:
        name, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        raise _failed() from None
    if not colon:
        raise _failed()
    return Presented("client_secret_basic", unquote_plus(name), unquote_plus(secret))


def _failed() -> Refused:
    # RFC 6749 §5.2 and RFC 7662 §2.3: 401, and with it a challenge (RFC 9110 §15.5.2).
    return Refused(refusals.AUTHENTICATION_FAILED, status=401)
