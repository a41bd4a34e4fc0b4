"""The discovery document (OpenID Connect Discovery 1.0, RFC 8414): bytes made once a process."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from idp.access import assurance
from idp.access.profiles import AUTH_METHODS, GRANT_TYPES, SIGNING_ALGS
from idp.access.registration import SCOPES
from idp.config import Settings
from idp.oauth.responses import RESPONSE_MODES


@dataclass(frozen=True, slots=True)
class Document:
    """A document that does not change while the process lives."""

    body: bytes
    etag: str


def document(settings: Settings) -> Document:
    """What this provider offers; nothing is promised that is not there."""
    issuer = settings.issuer
    methods, algs = list(AUTH_METHODS), list(SIGNING_ALGS)
    described = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "userinfo_endpoint": f"{issuer}/oauth/userinfo",
        "jwks_uri": f"{issuer}/oauth/jwks",
        "device_authorization_endpoint": f"{issuer}/oauth/device",
        "pushed_authorization_request_endpoint": f"{issuer}/oauth/par",
        "require_pushed_authorization_requests": False,
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "registration_endpoint": f"{issuer}/oauth/register",
        "end_session_endpoint": f"{issuer}/oauth/logout",
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": list(GRANT_TYPES),
        "subject_types_supported": ["pairwise", "public"],
        "id_token_signing_alg_values_supported": algs,
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algs,
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": algs,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": algs,
        "dpop_signing_alg_values_supported": algs,
        "scopes_supported": list(SCOPES),
        "claims_supported": [
            *("iss", "sub", "aud", "azp", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid"),
            *(
                "role",
                "entity",
                "mandate",
                "name",
                "preferred_username",
                "phone_number",
                "phone_number_masked",
            ),
            *("id_type", "id_number"),
        ],
        "acr_values_supported": list(assurance.reachable(assurance.offered(settings))),
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "claims_parameter_supported": True,
        "request_parameter_supported": True,
        "request_object_signing_alg_values_supported": algs,
        # Nothing is ever fetched; what the PAR endpoint gave out is not what this member is about.
        "request_uri_parameter_supported": False,
        "ui_locales_supported": ["zh-CN"],
        "service_documentation": f"{issuer}/help/errors",
        "op_policy_uri": f"{issuer}/pages/privacy",
        "op_tos_uri": f"{issuer}/pages/terms",
    }
    body = json.dumps(described, separators=(",", ":"), ensure_ascii=False).encode()
    return Document(body, hashlib.sha256(body).hexdigest()[:32])
