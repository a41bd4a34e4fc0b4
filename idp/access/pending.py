"""Authorization requests that wait for a sign-in.

The browser carries an unguessable transaction id in the URL; what was asked stays here, so no
later step can change it. A request belongs to the browser that began it: opened elsewhere, it is
as if it did not exist (a started sign-in sent to somebody else gives the sender nothing).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from idp.access import assurance
from idp.access.assurance import Held, Method, Missing, Wanted
from idp.accounts.identity import Role
from idp.accounts.sessions import SigninSession
from idp.adapters.ephemeral import EphemeralStore
from idp.crypto import keyed_digest, new_token, same

_NO_KEY = b"pending"


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A validated authorization request and the sign-in it needs."""

    params: dict[str, str]
    client_id: str
    client_name: str
    redirect_uri: str
    form_origins: tuple[str, ...]
    scope: tuple[str, ...]
    created_at: datetime

    @property
    def wants_entity(self) -> bool:
        """Whether only a company can answer (scope `entity`)."""
        return "entity" in self.scope

    @property
    def entity(self) -> str | None:
        """The credit code the client fixed, if any."""
        return self.params.get("entity")

    @property
    def device(self) -> str | None:
        """The id of the device authorization that this answers; there is no client to go back to then."""
        return self.params.get("device")

    @property
    def is_an_apps(self) -> bool:
        """Whether a phone app asks: what it signs in is the phone that others are scanned with."""
        return "app" in self.scope

    @property
    def was_pushed(self) -> bool:
        """Whether the client sent it itself (RFC 9126)."""
        return "request_uri" in self.params

    @property
    def was_signed(self) -> bool:
        """Whether it came in a request object (RFC 9101)."""
        return "signed" in self.params

    @property
    def prompts(self) -> frozenset[str]:
        """The values of `prompt`."""
        return frozenset(self.params.get("prompt", "").split())

    @property
    def login_hint(self) -> str:
        """What the client thinks the person will type."""
        return self.params.get("login_hint", "")

    @property
    def resources(self) -> tuple[str, ...]:
        """For which resources the access tokens may be (RFC 8707)."""
        return tuple(self.params.get("resource", "").split())

    @property
    def claims(self) -> tuple[str, ...]:
        """The single claims granted beside the scope (OpenID Connect Core §5.5), by name."""
        return tuple(self.params.get("claims", "").split())

    @property
    def answering_roles(self) -> tuple[Role, ...]:
        """Whose password pages may be offered; a person may go on to choose one of his mandates."""
        if self.wants_entity:
            return (Role.LEGAL_REPRESENTATIVE, Role.OPERATOR, Role.NATURAL_PERSON)
        return (Role.NATURAL_PERSON,)

    @property
    def wanted(self) -> Wanted:
        """Who may answer, and at which level (`acr_values`)."""
        return Wanted(self.answering_roles, tuple(self.params.get("acr_values", "").split()))

    @property
    def asks_anew(self) -> bool:
        """Whether only a sign-in of its own will do for this request, by whomever.

        A phone app always gets one: what it is granted outlives every browser, so no sign-in that lies
        about in one, or was stolen from it, makes a phone.
        """
        return self.is_an_apps or bool(self.prompts & {"login", "select_account"})

    def has_its_own(self, session: SigninSession) -> bool:
        """Whether this sign-in was made after the request came in, and may answer it if it asks anew.

        One that a phone opened makes no further phone: whoever had somebody scan once would have one.
        """
        if self.is_an_apps and session.was_scanned_for:
            return False
        return session.auth_time >= self.created_at

    def missing(self, session: SigninSession | None, methods: Sequence[Method]) -> Missing:
        """What this browser's sign-in still lacks in freshness and level, where there are these `methods`."""
        held = Held(Role(session.role), session.acr, self.is_fresh(session)) if session else None
        return assurance.missing(self.wanted, held, methods)

    def fits(self, role: Role, uscc: str | None) -> bool:
        """Whose sign-in answers which request: company passwords prove nothing to a person's services.

        A person signed in as himself fits where he may go on to choose a company.
        """
        if role is Role.NATURAL_PERSON or not self.wants_entity:
            return role is Role.NATURAL_PERSON
        return self.entity is None or self.entity == uscc

    def is_fresh(self, session: SigninSession) -> bool:
        """Whether a sign-in satisfies `prompt=login`, an app's own need of it, and `max_age`.

        All are measured from when the request came in, so that a fresh sign-in ends the asking.
        """
        if self.asks_anew and not self.has_its_own(session):
            return False
        max_age = self.params.get("max_age")
        return max_age is None or (self.created_at - session.auth_time).total_seconds() <= int(max_age)


def packed(request: PendingRequest) -> dict[str, Any]:
    """`request` as JSON can hold it."""
    return {**asdict(request), "created_at": request.created_at.isoformat()}


def unpacked(kept: dict[str, Any]) -> PendingRequest:
    """The request that was packed."""
    created_at = datetime.fromisoformat(kept["created_at"])
    scope, form_origins = tuple(kept["scope"]), tuple(kept["form_origins"])
    return PendingRequest(**{**kept, "created_at": created_at, "scope": scope, "form_origins": form_origins})


def keep(store: EphemeralStore, request: PendingRequest, *, browser: str, ttl: int) -> str:
    """Keep `request` for this browser and return its transaction id."""
    transaction = new_token(16)
    kept = {**packed(request), "browser": _bound(browser)}
    store.put(f"pending:{transaction}", json.dumps(kept).encode(), ttl=ttl)
    return transaction


def find(store: EphemeralStore, transaction: str, *, browser: str) -> PendingRequest | None:
    """The request of this transaction, if this browser began it and it still waits."""
    return _parsed(store.get(f"pending:{transaction[:64]}"), browser)


def take(store: EphemeralStore, transaction: str, *, browser: str) -> PendingRequest | None:
    """The same, and it waits no longer: one answer a request."""
    return _parsed(store.take(f"pending:{transaction[:64]}"), browser)


def _parsed(kept: bytes | None, browser: str) -> PendingRequest | None:
    if kept is None:
        return None
    record = json.loads(kept)
    if not same(record.pop("browser"), _bound(browser)):
        return None
    return unpacked(record)


def _bound(browser: str) -> str:
    return keyed_digest(_NO_KEY, browser)
