"""The `claims` parameter (OpenID Connect Core §5.5): single claims asked for beside the scope.

What it opens is never more than a scope would: a claim is granted where the client is registered for
the scope it belongs to, and is otherwise passed over. Company and mandate belong to scope `entity`,
which also decides whose sign-in may answer: they are granted only where that scope is asked for.

Granted claims are kept as names: `phone_number` for userinfo, `id_token:phone_number` for the ID token.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from idp.access.jws import once_each

IN_ID_TOKEN = "id_token:"  # noqa: S105 - the prefix of a name
SCOPE_OF = {
    "name": "profile",
    "preferred_username": "profile",
    "phone_number": "phone",
    "phone_number_masked": "phone",
    "id_type": "identity",
    "id_number": "identity",
    "role": "entity",
    "entity": "entity",
    "mandate": "entity",
}
"""The scope each claim belongs to; any other claim is always there, or unknown."""
_LONGEST = 4000
_DEEPEST = 5
_MOST_ACR_VALUES = 10


class ClaimsMalformed(Exception):
    """The parameter cannot be read; the message says why, for the integrator."""


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """What a request asks for by `claims`; `subject` is the one person who may answer."""

    userinfo: tuple[str, ...] = ()
    id_token: tuple[str, ...] = ()
    acr_values: tuple[str, ...] = ()
    acr_is_essential: bool = False
    subject: str | None = None


def parse(text: str) -> ClaimsRequest:
    """Read the parameter. Raises ClaimsMalformed."""
    asked = _object(text)
    userinfo, id_token = _member(asked, "userinfo"), _member(asked, "id_token")
    acr = id_token.get("acr") or {}
    return ClaimsRequest(
        userinfo=tuple(sorted(userinfo)),
        id_token=tuple(sorted(id_token)),
        acr_values=_acr_values(acr),
        acr_is_essential=acr.get("essential") is True,
        subject=_subject(userinfo, id_token),
    )


def granted(asked: ClaimsRequest, registered: Collection[str], scope: Collection[str]) -> tuple[str, ...]:
    """The claims a client with the `registered` scopes gets beyond the `scope` it asks for, as names."""

    def may(name: str) -> bool:
        belongs_to = SCOPE_OF.get(name)
        return belongs_to in (scope if belongs_to == "entity" else registered)

    beyond = [name for name in asked.userinfo if may(name) and SCOPE_OF[name] not in scope]
    return (*beyond, *(IN_ID_TOKEN + name for name in asked.id_token if may(name)))


def scopes_of(names: Iterable[str]) -> frozenset[str]:
    """The scopes that granted claims belong to: what a person is told, and agrees to."""
    return frozenset(SCOPE_OF[name.removeprefix(IN_ID_TOKEN)] for name in names)


def _object(text: str) -> dict[str, Any]:
    if len(text) > _LONGEST:
        raise ClaimsMalformed(f"longer than {_LONGEST} characters")
    try:
        found = json.loads(text, object_pairs_hook=once_each)
    except (ValueError, RecursionError):
        raise ClaimsMalformed("no JSON, or a name stands twice") from None
    if not isinstance(found, dict) or _is_deep(found, _DEEPEST):
        raise ClaimsMalformed("no JSON object, or nested too deeply")
    return found


def _is_deep(value: Any, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return levels == 0 or any(_is_deep(each, levels - 1) for each in inner)


def _member(asked: dict[str, Any], name: str) -> dict[str, dict[str, Any] | None]:
    """The claims asked for at one place: each null, or an object that says more."""
    found = asked.get(name)
    claims = {} if found is None else found
    if not isinstance(claims, dict) or any(
        not (each is None or isinstance(each, dict)) for each in claims.values()
    ):
        raise ClaimsMalformed("a claim is neither null nor an object")
    return claims


def _acr_values(acr: dict[str, Any]) -> tuple[str, ...]:
    values = acr.get("values", [acr["value"]] if "value" in acr else [])
    good = isinstance(values, list) and len(values) <= _MOST_ACR_VALUES
    if not good or not all(isinstance(each, str) and _is_class_reference(each) for each in values):
        raise ClaimsMalformed("the values of acr are not printable texts without spaces")
    return tuple(values)


def _is_class_reference(value: str) -> bool:
    return 0 < len(value) <= 100 and value.isascii() and value.isprintable() and " " not in value


def _subject(*members: dict[str, dict[str, Any] | None]) -> str | None:
    """The value of `sub` (§5.5.1): the answer must be about this person, or there is none."""
    named = {json.dumps(sub["value"]) for member in members if "value" in (sub := member.get("sub") or {})}
    if not named:
        return None
    subject = json.loads(named.pop())
    if named or not isinstance(subject, str) or not subject:
        raise ClaimsMalformed("the value of sub is not one text")
    return subject
