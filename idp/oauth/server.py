"""Authlib's authorization server with our requests, our client authentication and our tokens."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    ClientMixin,
    OAuth2Payload,
    OAuth2Request,
)
from flask import Request, Response, jsonify

from idp.access.clients import ClientRegistry, RegisteredClient
from idp.oauth import client_auth
from idp.web.refusals import Refused
from idp.web.refusals import grants as refusals

# What Authlib refuses by itself.
_OF_AUTHLIB = {
    refusal.error: refusal
    for refusal in (
        refusals.INVALID_REQUEST,
        refusals.GRANT_TYPE_UNKNOWN,
        refusals.GRANT_TYPE_NOT_ALLOWED,
        refusals.CODE_REFUSED,
        refusals.SCOPE_WIDENED,
    )
}
_TRANSPORT_IS_CHECKED_ELSEWHERE = "https://issuer.invalid/"


class FormPayload(OAuth2Payload):
    """The parameters of the body alone: a token endpoint never reads its query (RFC 6749 §3.2)."""

    def __init__(self, request: Request) -> None:
        self._form = request.form

    @property
    def data(self) -> Any:
        """One value a name."""
        return self._form

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        """Every value of every name."""
        return defaultdict(list, self._form.to_dict(flat=False))


class FormRequest(OAuth2Request):
    """A request to an endpoint that clients call. The body was checked by `check_form`."""

    def __init__(self, request: Request) -> None:
        # Authlib insists on https here; whether http may be used is decided once, by the issuer setting.
        super().__init__(request.method, _TRANSPORT_IS_CHECKED_ELSEWHERE, headers=request.headers)  # type: ignore[call-overload]  # werkzeug headers are a mapping to Authlib
        self._flask_request = request
        self.payload = FormPayload(request)

    @property
    def args(self) -> Any:
        """Nothing: query parameters do not count."""
        return {}

    @property
    def form(self) -> Any:
        """The body's parameters."""
        return self._flask_request.form


class Server(AuthorizationServer):
    """The endpoints clients call. One object an application; it keeps nothing of a request."""

    def __init__(self, clients: ClientRegistry, issuer: str, clock: Any) -> None:
        super().__init__()
        self.clients = clients
        self.issuer = issuer
        self._clock = clock

    def get_error_uri(self, request: Any, error: Any) -> str | None:  # noqa: ARG002 - Authlib's signature
        """Where the refusal is explained."""
        refusal = error.refusal if isinstance(error, Refused) else _OF_AUTHLIB.get(error.error)
        return refusal.uri(self.issuer) if refusal else None

    def now(self) -> datetime:
        """The instant of the request in hand."""
        instant: datetime = self._clock()
        return instant

    def authenticate_client(self, request: Any, methods: Any, endpoint: str = "token") -> Client:  # noqa: ARG002 - Authlib's signature
        """The client, by its one registered method."""
        found, request.auth_method = client_auth.authenticate(self.clients, request, now=self.now())
        return Client(found)

    def save_token(self, token: Any, request: Any) -> None:
        """Nothing left to do: grants and refresh tokens are stored before tokens are made."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """No signals: what must be remembered goes to the audit trail."""

    def create_oauth2_request(self, request: Request) -> Any:
        """The request as Authlib reads it; one that is already wrapped stays."""
        return request if isinstance(request, OAuth2Request) else FormRequest(request)

    def handle_response(self, status: int, body: Any, headers: Any) -> Response:
        """A JSON answer that nobody may keep."""
        response = jsonify(body if isinstance(body, dict) else dict(body or {}))
        response.status_code = status
        for name, value in headers:
            response.headers[name] = value
        if status == 401:
            response.headers["WWW-Authenticate"] = 'Basic realm="oauth", charset="UTF-8"'
        response.headers["Cache-Control"] = "no-store"
        return response


class Client(ClientMixin):
    """A registered client with the questions Authlib asks."""

    def __init__(self, registered: RegisteredClient) -> None:
        self.registered = registered
        self.client_id = registered.client_id

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether the client registered for this grant."""
        return grant_type in self.registered.grant_types


def check_form(request: Request) -> None:
    """Return if the body is a form and doubles no parameter but `resource` (RFC 8707 §2). Raises Refused."""
    if request.mimetype != "application/x-www-form-urlencoded":
        raise Refused(refusals.NOT_A_FORM)
    fields = request.form.to_dict(flat=False).items()
    if any(len(values) > 1 for name, values in fields if name != "resource"):
        raise Refused(refusals.DOUBLED_FIELD)
