"""Asking somebody who is signed in to prove himself again: why, by which ways, and that it is still he.

A portal that finds a sign-in too old or too weak means the one who is signed in. Anybody else's
password would put another person into the middle of his business, so it opens nothing until he has
signed out. Where a portal asks for a sign-in of its own (`prompt`), anybody may answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from idp.access.assurance import Lack, Method
from idp.access.clients import RegisteredClient
from idp.access.pending import PendingRequest
from idp.access.subjects import subject
from idp.accounts.identity import Identity, Role
from idp.accounts.sessions import SignedIn


class Why(StrEnum):
    """Why the sign-in that is there does not answer the request."""

    ASKED = "asked"
    OLD = "old"
    WEAK = "weak"


# A mandate may have been chosen by a person signed in as himself: both ways lead back to it.
_SAME = {
    Role.LEGAL_REPRESENTATIVE: {Role.LEGAL_REPRESENTATIVE},
    Role.OPERATOR: {Role.OPERATOR, Role.NATURAL_PERSON},
    Role.NATURAL_PERSON: {Role.NATURAL_PERSON},
}


@dataclass(frozen=True, slots=True)
class Again:
    """Who is asked again, and why."""

    signed_in: SignedIn
    why: Why
    ways: tuple[Method, ...]

    @property
    def only_same(self) -> Identity | None:
        """Whose new sign-in alone will do; None if anybody's will."""
        return None if self.why is Why.ASKED else self.signed_in.identity


def asked_again(
    request: PendingRequest, client: RegisteredClient, signed_in: SignedIn, methods: Sequence[Method]
) -> Again | None:
    """Who must prove himself again for `request`; None if the one signed in will do, or could never do."""
    missing = request.missing(signed_in.session, methods)
    company, expected = signed_in.enterprise, request.params.get("expected_sub")
    could_answer = request.fits(signed_in.identity.role, company.uscc if company else None) and (
        expected in {None, subject(signed_in.person, client)}
    )
    if missing.lack not in {Lack.SIGN_IN, Lack.PROOF} or not could_answer:
        return None
    if request.is_fresh(signed_in.session):
        return Again(signed_in, Why.WEAK, missing.ways)
    if request.asks_anew and not request.has_its_own(signed_in.session):
        return Again(signed_in, Why.ASKED, missing.ways)
    own = tuple(way for way in missing.ways if way.roles & _SAME[signed_in.identity.role])
    return Again(signed_in, Why.OLD, own or missing.ways)


def is_same(before: Identity, now: Identity) -> bool:
    """Whether `now` is the human of `before`, acting for the same company or about to choose one."""
    acts_for_another = now.enterprise_id != before.enterprise_id and now.role is not Role.NATURAL_PERSON
    return now.person_id == before.person_id and (before.enterprise_id is None or not acts_for_another)
