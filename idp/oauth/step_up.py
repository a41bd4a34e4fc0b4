"""Step-up authentication (RFC 9470): how fresh and how strong a sign-in a client insists on.

A request says so with `max_age` and `acr_values`; what a client registered as its defaults counts
where the request is silent. The same defaults bind userinfo, the resource that holds document
numbers: a token whose sign-in has become too old for its client opens it no longer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from idp.access import assurance
from idp.access.assurance import Lack, Method
from idp.access.clients import RegisteredClient
from idp.access.grants import LiveGrant
from idp.access.pending import PendingRequest
from idp.web.refusals import AuthorizationError, answers

ON_THE_WAY = 60
"""Seconds between proving oneself and the token's first use: a sign-in just asked for is never too old."""


def with_defaults(params: Mapping[str, str], client: RegisteredClient) -> dict[str, str]:
    """The parameters of a request, and where they are silent what the client registered.

    OpenID Connect Registration §2: default_acr_values, default_max_age. A request that names no level of
    ours, or none it insists on, is silent: it must not undo what the client holds itself to.
    """
    defaults = {}
    if client.default_acr_values:
        defaults["acr_values"] = " ".join(_registered(client))
    if client.default_max_age is not None:
        defaults["max_age"] = str(client.default_max_age)
    said = {name: value for name, value in params.items() if value or name != "acr_values"}
    return {**defaults, **said}


def of_parameter(acr_values: str) -> str:
    """The levels of ours among `acr_values`; others are passed over, as OIDC Core §15.1 wants it."""
    return " ".join(level for level in acr_values.split() if level in assurance.LEVELS)


def of_claim(levels: Sequence[str], methods: Sequence[Method], *, essential: bool) -> str:
    """What `acr` in the parameter `claims` asks for, as `acr_values` (OIDC Core §5.5.1.1).

    There a client says whether it insists: levels out of reach of `methods` are passed over elsewhere.
    """
    return " ".join(level for level in levels if essential or level in assurance.reachable(methods))


def check_reachable(request: PendingRequest, methods: Sequence[Method]) -> None:
    """Return if somebody who may answer can reach a level asked for. Raises AuthorizationError.

    Asked before any password: nobody signs in for a request that cannot be answered.
    """
    if request.missing(None, methods).lack is Lack.UNMET:
        raise AuthorizationError(answers.UNMET)


def insufficient(client: RegisteredClient, live: LiveGrant, *, now: datetime) -> dict[str, str] | None:
    """What the challenge to a token of this grant asks for (RFC 9470 §3); None if the grant will do.

    The level is the one at which it was granted: a token that somebody stole gains nothing when the owner
    proves more afterwards.
    """
    wanted, oldest = _registered(client), client.default_max_age
    weak = wanted and not any(assurance.satisfies(live.acr, level) for level in wanted)
    old = oldest is not None and (now - live.session.auth_time).total_seconds() > oldest + ON_THE_WAY
    if not weak and not old:
        return None
    asked = {"acr_values": " ".join(wanted), "max_age": "" if oldest is None else str(oldest)}
    return {name: value for name, value in asked.items() if value}


def _registered(client: RegisteredClient) -> list[str]:
    """The levels of ours among the registered ones: another one would be asked for for ever."""
    return of_parameter(" ".join(client.default_acr_values)).split()
