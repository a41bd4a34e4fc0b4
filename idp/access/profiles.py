"""Security profiles: what a relying party promises to do, and what it is refused otherwise.

``basic``  OAuth 2.1: code and PKCE for every client, any client authentication we offer.
``fapi2``  the FAPI 2.0 Security Profile: pushed requests, ``private_key_jwt``, DPoP, PS256, ES256 or
           EdDSA alone, the issuer as the only audience of an assertion, codes of at most a minute.

An administrator attaches a profile to a client. It is checked when the client is registered and
decides again at each request, so a registration that was changed by hand opens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

AUTH_METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt", "none")
SIGNING_ALGS = ("RS256", "PS256", "ES256", "EdDSA")
"""What we sign with, and what a client may sign assertions and request objects with."""
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
GRANT_TYPES = ("authorization_code", "refresh_token", "client_credentials", DEVICE_GRANT)


@dataclass(frozen=True, slots=True)
class Profile:
    """The rules of one profile; `code_lifetime` in seconds bounds the installation's setting."""

    name: str
    auth_methods: tuple[str, ...]
    signing_algs: tuple[str, ...]
    requires_par: bool = False
    requires_dpop: bool = False
    issuer_is_only_audience: bool = False
    rotates_refresh_tokens: bool = True
    code_lifetime: int = 600


BASIC = Profile("basic", AUTH_METHODS, SIGNING_ALGS)
FAPI2 = Profile(
    "fapi2",
    # FAPI 2.0 §5.3.2.1: confidential clients, proved by a key (mutual TLS is not offered).
    ("private_key_jwt",),
    # §5.4: no PKCS #1 v1.5 signatures.
    ("PS256", "ES256", "EdDSA"),
    requires_par=True,
    requires_dpop=True,
    issuer_is_only_audience=True,
    # §5.3.2.1: where client and tokens are bound to keys, rotation protects nothing and loses sign-ins.
    rotates_refresh_tokens=False,
    code_lifetime=60,
)
PROFILES = {profile.name: profile for profile in (BASIC, FAPI2)}
