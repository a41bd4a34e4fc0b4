"""How surely somebody is who he says: the levels, the ways that reach them, and what is still missing.

A way of proving something is a row of :data:`METHODS`: where it begins a sign-in, or raises one that
is there, to which level, and for whom. From the rows that an installation offers (:func:`offered`) follow
what discovery promises, which pages a request may be answered on, and what it is asked for next; a new way
needs its row here and its page in the sign-in room, and no other decision changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from idp.accounts.identity import Role
from idp.config import Settings

PASSWORD = "urn:idp:loa:1"  # noqa: S105 - an acr value
SECOND_PROOF = "urn:idp:loa:2"
FACE = "urn:idp:loa:3"
LEVELS = (PASSWORD, SECOND_PROOF, FACE)
"""The values of `acr`, lowest first; each contains those before it."""


@dataclass(frozen=True, slots=True)
class Method:
    """One way of proving who one is, the level it reaches, and in which roles one may use it.

    A method that `adds` raises a sign-in that is there; any other begins a new one. `needs` names the setting
    without which nobody can be asked for it.
    """

    name: str
    level: str
    roles: frozenset[Role]
    adds: bool = False
    needs: str = ""


METHODS = (
    Method("qr", SECOND_PROOF, frozenset(Role), needs="app_url"),
    Method("legal", PASSWORD, frozenset({Role.LEGAL_REPRESENTATIVE})),
    Method("operator", PASSWORD, frozenset({Role.OPERATOR})),
    Method("person", PASSWORD, frozenset({Role.NATURAL_PERSON})),
    Method("face", FACE, frozenset({Role.NATURAL_PERSON}), needs="face_url"),
    Method("passkey", SECOND_PROOF, frozenset(Role)),
    Method("second", SECOND_PROOF, frozenset(Role), adds=True),
)
"""Every way there is, in the order in which they are shown."""


def offered(settings: Settings) -> tuple[Method, ...]:
    """The ways of this installation."""
    return tuple(method for method in METHODS if not method.needs or getattr(settings, method.needs))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks of the sign-in: who may answer, and the levels it takes, the best liked first."""

    roles: tuple[Role, ...]
    acr_values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Held:
    """What the sign-in of a browser has to offer; `fresh` says whether it is new enough for the request."""

    role: Role
    acr: str
    fresh: bool = True


class Lack(StrEnum):
    """What is missing before a request can be answered."""

    NOTHING = "nothing"
    SIGN_IN = "sign_in"
    PROOF = "proof"
    UNMET = "unmet"


@dataclass(frozen=True, slots=True)
class Missing:
    """What is missing, and the ways to supply it."""

    lack: Lack
    ways: tuple[Method, ...] = ()


def satisfies(reached: str, wanted: str) -> bool:
    """Whether the level `reached` is at least `wanted`; False where either is no level of ours."""
    return reached in LEVELS and wanted in LEVELS and LEVELS.index(reached) >= LEVELS.index(wanted)


def reachable(methods: Sequence[Method]) -> tuple[str, ...]:
    """The levels that somebody can reach here, lowest first."""
    return tuple(level for level in LEVELS if _begins(tuple(Role), level, methods))


def missing(wanted: Wanted, held: Held | None, methods: Sequence[Method]) -> Missing:
    """What a sign-in still lacks for a request, and nothing more than that.

    Of several levels any that is held will do; otherwise the first that can be reached is asked for.
    A request none of whose levels can be reached is UNMET, whoever signs in: RFC 9470 §5 advises to take
    `acr_values` as necessary, or a resource that insists on a level would send people round for ever.
    """
    target = next((level for level in wanted.acr_values if _begins(wanted.roles, level, methods)), None)
    if wanted.acr_values and target is None:
        return Missing(Lack.UNMET)
    if held and held.fresh:
        if target is None or any(satisfies(held.acr, level) for level in wanted.acr_values):
            return Missing(Lack.NOTHING)
        raises = _raises(held.role, target, methods)
        if raises:
            return Missing(Lack.PROOF, raises)
    return Missing(Lack.SIGN_IN, _begins(wanted.roles, target, methods))


def _begins(roles: Sequence[Role], level: str | None, methods: Sequence[Method]) -> tuple[Method, ...]:
    """The ways to begin a sign-in in one of `roles` that ends at `level`: at once, or by adding to it."""
    return tuple(
        method
        for method in methods
        if not method.adds
        and any(
            level is None or satisfies(method.level, level) or _raises(role, level, methods)
            for role in method.roles.intersection(roles)
        )
    )


def _raises(role: Role, level: str, methods: Sequence[Method]) -> tuple[Method, ...]:
    """The ways by which a sign-in of `role` is raised to `level`."""
    return tuple(
        method
        for method in methods
        if method.adds and role in method.roles and satisfies(method.level, level)
    )
