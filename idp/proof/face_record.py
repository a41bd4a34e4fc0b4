"""What a face check is made of, and how it lies in the ephemeral store; :mod:`idp.proof.face` moves it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.accounts.identifiers import person_name
from idp.accounts.models import IdType, Person
from idp.crypto import Vault, from_b64url, hash_token, same

_SEALED = "face_checks.whom"
_ID = re.compile(r"[A-Za-z0-9_-]{22}\Z")


class Purpose(StrEnum):
    """What a check is for; what passed for one opens no other."""

    SIGN_IN = "sign_in"
    REGISTER_PERSON = "register_person"
    REGISTER_ENTERPRISE = "register_enterprise"


class State(StrEnum):
    """How far a check has come."""

    WAITING = "waiting"
    BEGUN = "begun"
    PASSED = "passed"
    FAILED = "failed"
    TAKEN = "taken"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Whom:
    """Whom a check is about: his name as :func:`~idp.accounts.identifiers.person_name` has it, his document.

    `id_type` is a value of :class:`~idp.accounts.models.IdType`.
    """

    name: str
    id_number: str
    id_type: str = IdType.RESIDENT.value


@dataclass(frozen=True, slots=True)
class Check:
    """A face check as it stands; times are epoch seconds.

    `subject` is what the face service calls the person, `binding` the hash of the browser and its
    transaction, `ticket` the scan ticket that may begin it, `page` the face service's page once it has
    begun; `begun_at` and `passed_at` are zero until then. `way_back` is the hash of the secret with which
    the face service leads back to the browser that waits, empty where a phone shows the face. `declined`:
    no verdict ended it, but whoever was asked. `is_told`: the outcome stands in the audit trail.
    """

    id: str
    state: State
    purpose: Purpose
    subject: str
    sealed: str
    binding: str
    expires_at: float
    ticket: str = ""
    page: str = ""
    score: int = 0
    begun_at: float = 0.0
    passed_at: float = 0.0
    way_back: str = ""
    declined: bool = False
    is_told: bool = False
    packed: bytes = field(default=b"", repr=False, compare=False)

    def state_at(self, now: datetime) -> State:
        """The state with the clock looked at."""
        open_still = self.state in {State.WAITING, State.BEGUN, State.PASSED}
        return State.EXPIRED if open_still and now.timestamp() >= self.expires_at else self.state

    @property
    def has_passed(self) -> bool:
        """Whether the verdict was that it is he, whatever has become of the check since."""
        return self.state in {State.PASSED, State.TAKEN}

    @property
    def reference(self) -> str:
        """How the audit trail calls it: the id itself stays between the browser and the store."""
        return hash_token(self.id).hex()[:32]

    def is_bound_to(self, binding: str) -> bool:
        """Whether it was opened for `binding`. Constant time."""
        return same(self.binding, hash_token(binding).hex())

    def is_led_back_with(self, way_back: str) -> bool:
        """Whether `way_back` is what only the browser learns that the face service led back. Constant time.

        A face that a phone shows needs none: the phone chose the number that the browser shows.
        """
        return bool(self.ticket) or same(self.way_back, hash_token(way_back).hex())

    def whom(self, vault: Vault) -> Whom:
        """Whom it is about."""
        return Whom(*json.loads(vault.open(_SEALED, _row(self.id), bytes.fromhex(self.sealed))))


def person_of(db: Session, vault: Vault, whom: Whom) -> Person | None:
    """The person here with this document, if his name is the one that was checked."""
    indexes = vault.indexes("id_number", whom.id_number)
    same_kind = Person.id_type == whom.id_type
    found = db.scalars(select(Person).where(Person.id_number_index.in_(indexes), same_kind)).first()
    return found if found and same(person_name(found.name(vault)), whom.name) else None


def key_of(check_id: str) -> str:
    """Where a check lies in the store."""
    return f"face-check:{check_id}"


def is_id(supplied: str) -> bool:
    """Whether `supplied` could be a check's id."""
    return _ID.match(supplied) is not None


def sealed(vault: Vault, check_id: str, whom: Whom) -> str:
    """Whom a check is about, as it lies in it."""
    told = json.dumps([whom.name, whom.id_number, whom.id_type])
    return vault.seal(_SEALED, _row(check_id), told).hex()


def _row(check_id: str) -> UUID:
    return UUID(bytes=from_b64url(check_id))


def pack(check: Check) -> bytes:
    """The check as it lies in the store."""
    kept = asdict(check)
    del kept["packed"]
    return json.dumps(kept, separators=(",", ":")).encode()


def read(kept: bytes | None) -> Check | None:
    """The check that lies in the store as `kept`."""
    if kept is None:
        return None
    told = json.loads(kept)
    return Check(
        **{**told, "state": State(told["state"]), "purpose": Purpose(told["purpose"]), "packed": kept}
    )
