"""/oauth/device: a device without a browser begins (RFC 8628 §3.1, §3.2).

What it asks for is checked as at the authorization endpoint, before anybody types a code: a person
never signs in for a request that would be refused.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from authlib.oauth2.rfc6749 import Endpoint
from flask import request as request_in_hand

from idp.access import assurance, devices, user_codes
from idp.access.clients import RegisteredClient
from idp.access.pending import PendingRequest
from idp.access.profiles import DEVICE_GRANT
from idp.oauth import resource_indicators, rules, step_up
from idp.oauth.rules import Asked
from idp.web.dpop import bound_key
from idp.web.platform import platform
from idp.web.refusals import AuthorizationError, Refused
from idp.web.refusals import grants as refusals

_RULES = (rules.check_lengths, rules.check_scope, rules.check_max_age, rules.check_entity)
_KEPT = ("entity", "acr_values", "max_age")


class DeviceAuthorization(Endpoint):
    """Two codes: one for the device, one for the person."""

    ENDPOINT_NAME = "device_authorization"

    def create_endpoint_response(self, request: Any) -> Any:
        """Check what is asked for and open a device authorization."""
        client: RegisteredClient = self.server.authenticate_client(
            request, None, self.ENDPOINT_NAME
        ).registered
        if DEVICE_GRANT not in client.grant_types:
            raise Refused(refusals.GRANT_TYPE_NOT_ALLOWED)
        # What require_par is for holds here by itself: the request comes from the client, and authenticated.
        if client.require_signed_requests:
            raise Refused(refusals.DEVICE_REQUEST_UNSIGNED)
        here, now = platform(), self.server.now()
        jkt = bound_key(request_in_hand, client)
        values = request_in_hand.form.to_dict(flat=False)
        scope, params = _checked(values, client, now=now)
        wanted = resource_indicators.named(values.get("resource", []))
        resource_indicators.audience(wanted, client.resources, issuer=here.settings.issuer)
        begun = devices.begin(
            here.store,
            client_id=client.client_id,
            scope=" ".join(scope),
            resources=wanted,
            dpop_jkt=jkt,
            params=params,
            now=now,
        )
        return 200, _told(begun, issuer=here.settings.issuer), []


def as_request(
    client: RegisteredClient, scope: tuple[str, ...], params: dict[str, str], *, now: datetime
) -> PendingRequest:
    """What a device asked for, as the request that the sign-in pages and the dispatcher know."""
    return PendingRequest(
        params=step_up.with_defaults(params, client),
        client_id=client.client_id,
        client_name=client.name,
        redirect_uri="",
        form_origins=(),
        scope=scope,
        created_at=now,
    )


def _checked(
    values: dict[str, list[str]], client: RegisteredClient, *, now: datetime
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Scope and kept parameters once every rule holds. Raises Refused."""
    here = platform()
    asked = Asked(values, client, here.keys, here.settings.issuer)
    try:
        for rule in _RULES:
            rule(asked)
        params = {name: value for name in _KEPT if (value := asked.one(name)) is not None}
        if "acr_values" in params:
            params["acr_values"] = step_up.of_parameter(params["acr_values"])
        wanted = as_request(client, asked.scope, params, now=now)
        step_up.check_reachable(wanted, assurance.offered(here.settings))
    except AuthorizationError as refused:
        raise refused.to_program() from refused
    return asked.scope, params


def _told(begun: devices.Begun, *, issuer: str) -> dict[str, Any]:
    shown = user_codes.shown(begun.user_code)
    return {
        "device_code": begun.device_code,
        "user_code": shown,
        "verification_uri": f"{issuer}/device",
        "verification_uri_complete": f"{issuer}/device?user_code={shown}",
        "expires_in": devices.DEVICE_LIFE,
        "interval": devices.INTERVAL,
    }
