"""For which resource an access token is (RFC 8707): its `aud`.

A client names resources in the authorization request, and may name fewer of them when it fetches a
token. A token that names none is for this provider itself: userinfo takes no other.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from idp.web.refusals import Refused
from idp.web.refusals import grants as refusals


def audience(requested: Sequence[str], allowed: Collection[str], *, issuer: str) -> tuple[str, ...]:
    """The audience of a token asked for with these `resource` parameters, in a fixed order.

    `allowed` are the resources the grant, or for client credentials the client, may have; asked for
    nothing, the token is for all the grant has. Raises Refused with `invalid_target`.
    """
    wanted = set(named(requested))
    if not wanted <= {*allowed, issuer}:
        raise Refused(refusals.INVALID_TARGET)
    return tuple(sorted(wanted or set(allowed))) or (issuer,)


def named(supplied: Sequence[str]) -> tuple[str, ...]:
    """The resources among these parameters: one without a value was not sent (RFC 6749 §3.1, §3.2)."""
    return tuple(resource for resource in supplied if resource)
