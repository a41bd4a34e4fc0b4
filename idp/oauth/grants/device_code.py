"""grant_type=urn:ietf:params:oauth:grant-type:device_code (RFC 8628 §3.4): the device asks for its answer."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc6749 import BaseGrant, InvalidRequestError, TokenEndpointMixin, UnauthorizedClientError
from flask import request as request_in_hand

from idp.access.devices import (
    DeviceCodeRefused,
    DeviceDenied,
    DeviceExpired,
    DeviceKeyDiffers,
    DevicePending,
    PolledTooSoon,
    redeem_device_code,
)
from idp.access.grants import CodeRecord, GrantRefused
from idp.access.profiles import AUTH_METHODS, DEVICE_GRANT
from idp.oauth.grants.issue import audience_held
from idp.oauth.grants.redeemed import answer_redeemed
from idp.web.dpop import bound_key
from idp.web.platform import db, platform
from idp.web.refusals import Refused
from idp.web.refusals import grants as refusals

_REFUSALS = {
    DevicePending: refusals.DEVICE_PENDING,
    PolledTooSoon: refusals.DEVICE_TOO_SOON,
    DeviceDenied: refusals.DEVICE_DENIED,
    DeviceExpired: refusals.DEVICE_EXPIRED,
    DeviceCodeRefused: refusals.DEVICE_CODE_REFUSED,
    DeviceKeyDiffers: refusals.DEVICE_KEY_DIFFERS,
}


class DeviceCodeGrant(BaseGrant, TokenEndpointMixin):
    """A device code for tokens, once a person has allowed it."""

    GRANT_TYPE = DEVICE_GRANT
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def validate_token_request(self) -> None:
        """The client, its key, then the code: from here on nobody else can have what it gives."""
        request: Any = self.request
        request.client = self.authenticate_token_endpoint_client()
        if not request.client.check_grant_type(self.GRANT_TYPE):
            raise UnauthorizedClientError("This client may not use device codes.")
        device_code = request.form.get("device_code")
        if not device_code:
            raise InvalidRequestError("Missing device_code in request.")
        # Before the code is looked at: a client that only lacked a nonce polls again at once.
        self.dpop_jkt = bound_key(request_in_hand, request.client.registered)
        request.credential = self._redeem(device_code[:200], request.client.client_id)
        if request.client.registered.was_registered_after(request.credential.minted_at):
            raise Refused(refusals.DEVICE_CODE_REFUSED)

    def _redeem(self, device_code: str, client_id: str) -> CodeRecord:
        try:
            return redeem_device_code(
                db(),
                platform().store,
                device_code,
                client_id=client_id,
                dpop_jkt=self.dpop_jkt,
                admit=self._audience,
                now=self.server.now(),
            )
        except GrantRefused as refused:
            raise Refused(_REFUSALS[type(refused)]) from refused

    def create_token_response(self) -> Any:
        """Open the grant, if the sign-in it was allowed in still counts, and make its tokens."""
        request: Any = self.request
        answer = answer_redeemed(
            request.credential,
            request.client.registered,
            request.payload.datalist["resource"],
            dpop_jkt=self.dpop_jkt,
            now=self.server.now(),
        )
        return 200, answer, self.TOKEN_RESPONSE_HEADER

    def _audience(self, granted: tuple[str, ...]) -> tuple[str, ...]:
        """For whom the token is to be. Raises Refused when it was not granted."""
        request: Any = self.request
        client, asked = request.client.registered, request.payload.datalist["resource"]
        return audience_held(client, granted, asked, issuer=platform().settings.issuer)
