"""Client authentication at the token, introspection and revocation endpoints.

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

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidRequestError

from idp.access.clients import ClientRegistry, RegisteredClient

_FAILED = "Client authentication failed."


@dataclass(frozen=True, slots=True)
class Presented:
    """What a request shows of its client."""

    method: str
    unverified_client_id: str
    secret: str


def authenticate(clients: ClientRegistry, request: Any, *, now: datetime) -> tuple[RegisteredClient, str]:
    """The client that sent `request` and its method. Raises InvalidClientError, InvalidRequestError."""
    presented = _presented(request)
    client = clients.find(presented.unverified_client_id)
    basic = presented.method == "client_secret_basic"
    if client is None or client.auth_method != presented.method:
        raise _failed(basic=basic)
    if presented.method != "none" and not client.knows_secret(presented.secret, now=now):
        raise _failed(basic=basic)
    return client, presented.method


def _presented(request: Any) -> Presented:
    header = request.headers.get("Authorization")
    form_id, form_secret = request.form.get("client_id", ""), request.form.get("client_secret")
    if header is not None:
        if form_secret is not None:
            raise InvalidRequestError("Use one client authentication method, not two.")
        presented = _basic(header)
        if form_id and form_id != presented.unverified_client_id:
            raise InvalidRequestError("client_id differs from the authenticated client.")
        return presented
    if form_secret is not None:
        return Presented("client_secret_post", form_id, form_secret)
    return Presented("none", form_id, "")


def _basic(header: str) -> Presented:
    """RFC 7617 with the form-encoding of RFC 6749 §2.3.1."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        raise _failed(basic=True)
    try:
        name, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        raise _failed(basic=True) from None
    if not colon:
        raise _failed(basic=True)
    return Presented("client_secret_basic", unquote_plus(name), unquote_plus(secret))


def _failed(*, basic: bool) -> InvalidClientError:
    # RFC 6749 §5.2: 401 with a challenge when the client used the Authorization header.
    return InvalidClientError(description=_FAILED, status_code=401 if basic else 400)
