"""Sign-in sessions: one identity a browser, opened by a proof, ended once.

The cookie holds a random token; only its hash is stored. Whether a session counts is decided from
this table and the rows it rests on (person, company, account, mandate), read in one query each
time, so an ended mandate or a suspended account is dead on the next request with no cache to wait
for.

Two limits differ on purpose: a browser unused for `idle` must sign in again, while tokens granted
in the session live until it is ended or reaches its absolute limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    Select,
    String,
    and_,
    bindparam,
    exists,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, load_only, mapped_column

from idp.accounts.calendar import civil_day
from idp.accounts.identity import Identity, Role, account_of
from idp.accounts.models import Credential, Enterprise, EnterpriseStatus, LegalAccount, Mandate, Person
from idp.crypto import hash_token, new_token
from idp.db import ALONE, Base, begin_write, insert_while, partial_index, uuid7

SEEN_STEP = timedelta(seconds=60)
BY_SCAN, BY_FACE = "qr", "face"
"""The values of `amr` for a sign-in that a phone confirmed, and for a face that was looked at."""


class SigninSession(Base):
    """A row of the table of sign-ins. `sid` is what relying parties see; the id and the token never leave.

    `account` is the key of the account whose secrets opened it: of a person who went on to one of his
    mandates, his own. `proved_at` is when he last proved himself within it, `browser_key` the id the
    browser is known by. `app` is the client id of the phone app whose sign-in it is: no browser's then.
    `opened_by` is the id of the phone's sign-in that opened it, and ends it (:mod:`idp.access.endings`).
    """

    __tablename__ = "signin_sessions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    sid: Mapped[str] = mapped_column(String(64), unique=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    enterprise_id: Mapped[UUID | None] = mapped_column(ForeignKey("enterprises.id"))
    mandate_id: Mapped[UUID | None] = mapped_column(ForeignKey("mandates.id"))
    legal_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("legal_accounts.id"))
    role: Mapped[str] = mapped_column(String(32))
    amr: Mapped[str] = mapped_column(String(64))
    acr: Mapped[str] = mapped_column(String(64))
    auth_time: Mapped[datetime]
    proved_at: Mapped[datetime | None]
    account: Mapped[str] = mapped_column(String(48), default="", server_default="")
    browser_key: Mapped[str] = mapped_column(String(32), default="", server_default="")
    app: Mapped[str | None] = mapped_column(String(64))
    opened_by: Mapped[UUID | None]
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[str | None] = mapped_column(String(32))
    browser: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_signin_sessions_person", "person_id", "ended_at"),
        Index("ix_signin_sessions_enterprise", "enterprise_id", "ended_at"),
        Index("ix_signin_sessions_mandate", "mandate_id"),
        Index("ix_signin_sessions_expiry", "expires_at"),
        Index("ix_signin_sessions_account", "account", "created_at"),
        # Few are, and the sign-ins that no phone opened cost nothing here.
        partial_index("ix_signin_sessions_opened_by", "opened_by", where="opened_by IS NOT NULL"),
    )

    @property
    def identity(self) -> Identity:
        """For whom this sign-in speaks."""
        return Identity(
            self.person_id, Role(self.role), self.enterprise_id, self.mandate_id, self.legal_account_id
        )

    @property
    def account_key(self) -> str:
        """The same for sign-ins older than the column too."""
        return self.account or account_of(self.identity)

    @property
    def was_scanned_for(self) -> bool:
        """Whether a phone that scanned had a part in opening it."""
        return BY_SCAN in self.amr.split()

    @property
    def last_proof(self) -> datetime | None:
        """When whoever signed in last proved himself; None where he has not, and a phone confirmed for him.

        Who scans may have been shown somebody else's code. A face is his own wherever it was looked at.
        """
        if self.was_scanned_for and BY_FACE not in self.amr.split():
            return self.proved_at
        return max(self.auth_time, self.proved_at or self.auth_time)


@dataclass(frozen=True, slots=True)
class Proof:
    """How and when somebody proved who he is, and with which account's secrets (its key).

    `rests_on` is the account's credential, by its id and when it was set, as it was read: a sign-in opens
    only while that is still so. A proof that is `handed_on` comes from a sign-in that must still be there.
    `opened_by` is the id of the phone's sign-in that gave it.
    """

    amr: tuple[str, ...]
    acr: str
    at: datetime
    account: str
    rests_on: tuple[UUID, datetime] | None = None
    handed_on: bool = False
    opened_by: UUID | None = None


class NotOpened(Exception):
    """The password was changed, or the account locked, while its owner was on the way in."""


@dataclass(frozen=True, slots=True)
class Device:
    """The browser as far as it shows itself: a user agent and an address, and the id we know it by."""

    browser: str
    address: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A live sign-in with the rows it rests on."""

    session: SigninSession
    person: Person
    enterprise: Enterprise | None
    mandate: Mandate | None

    @property
    def identity(self) -> Identity:
        """For whom it speaks."""
        return self.session.identity


def open_session(
    db: Session, identity: Identity, proof: Proof, device: Device, *, lifetime: timedelta, now: datetime
) -> tuple[UUID, str]:
    """Open a sign-in and return its id with the token for the browser's cookie.

    The token is new at each call: a session never keeps its id over a rise of privilege. Whoever locks an
    account or changes its password writes the credential first and ends its sign-ins then; this reads the
    credential under a lock in the statement that opens one. So neither passes the other. Raises NotOpened.
    """
    opened, token = uuid7(), new_token()
    values: dict[str, Any] = {
        "id": opened,
        "token_hash": hash_token(token),
        "sid": new_token(18),
        "person_id": identity.person_id,
        "enterprise_id": identity.enterprise_id,
        "mandate_id": identity.mandate_id,
        "legal_account_id": identity.legal_account_id,
        "role": identity.role.value,
        "amr": " ".join(proof.amr),
        "acr": proof.acr,
        "auth_time": proof.at,
        "account": proof.account,
        "browser_key": device.key[:32],
        "opened_by": proof.opened_by,
        "seen_at": now,
        "expires_at": now + lifetime,
        "browser": device.browser[:200],
        "address": device.address[:64],
        "created_at": now,
    }
    # The rows it rests on may still wait in the session.
    db.flush()
    if proof.rests_on is None:
        db.connection().execute(_OPENED, values)
        return opened, token
    credential, changed_at = proof.rests_on
    rests_on = {"credential": credential, "credential_changed_at": changed_at}
    made = db.connection().execute(_OPENED_ON, {**values, **rests_on})
    if not made.rowcount:
        raise NotOpened
    return opened, token


def has_signed_in(account: ColumnElement[str]) -> ColumnElement[bool]:
    """A column that says whether a sign-in of the account of a key is kept; a login asks it beside others."""
    return exists().where(SigninSession.account == account)


# Through Core: one row needs no unit of work, which costs more than the statement.
_TABLE = SigninSession.metadata.tables[SigninSession.__tablename__]
_OPENED = insert(_TABLE)
_OPENED_ON = insert_while(
    _TABLE,
    Credential,
    Credential.id == bindparam("credential"),
    Credential.changed_at == bindparam("credential_changed_at"),
    Credential.locked_at.is_(None),
    left_out=("proved_at", "app", "ended_at", "end_reason"),
)


def _select_live() -> Select[SigninSession, Person, Enterprise, Mandate]:
    acts_for_none = SigninSession.enterprise_id.is_(None)
    company_is_live = and_(
        Enterprise.status == EnterpriseStatus.NORMAL.value, Enterprise.suspended_at.is_(None)
    )
    as_representative = and_(
        SigninSession.role == Role.LEGAL_REPRESENTATIVE.value,
        Enterprise.representative_id == SigninSession.person_id,
        LegalAccount.activated_at.is_not(None),
    )
    as_operator = and_(
        SigninSession.role == Role.OPERATOR.value,
        Mandate.ended_at.is_(None),
        Mandate.first_day <= bindparam("today"),
        Mandate.last_day >= bindparam("today"),
    )
    return (
        select(SigninSession, Person, Enterprise, Mandate)
        .join(Person, Person.id == SigninSession.person_id)
        .outerjoin(Enterprise, Enterprise.id == SigninSession.enterprise_id)
        .outerjoin(Mandate, Mandate.id == SigninSession.mandate_id)
        .outerjoin(LegalAccount, LegalAccount.id == SigninSession.legal_account_id)
        .where(
            SigninSession.ended_at.is_(None),
            SigninSession.expires_at > bindparam("now"),
            Person.suspended_at.is_(None),
            or_(acts_for_none, and_(company_is_live, or_(as_representative, as_operator))),
        )
    )


LIVE = _select_live()
"""The one query that knows when a sign-in counts; add a WHERE to choose which, run it with :func:`as_of`.

Not ended, not past its limit, and every right it rests on alive: the person and the company not
suspended, the company's registration normal, the representative still the representative, the
account active, the mandate live on this day. Built once: building it costs more than running it.
"""
LEAN = (
    load_only(
        SigninSession.sid,
        SigninSession.person_id,
        SigninSession.enterprise_id,
        SigninSession.mandate_id,
        SigninSession.legal_account_id,
        SigninSession.role,
        SigninSession.amr,
        SigninSession.acr,
        SigninSession.auth_time,
        SigninSession.seen_at,
        SigninSession.expires_at,
    ),
    load_only(
        Person.name_sealed,
        Person.id_type,
        Person.id_number_sealed,
        Person.phone_sealed,
        Person.subject_salt,
    ),
    load_only(Enterprise.uscc, Enterprise.name, Enterprise.type, Enterprise.status),
    load_only(
        Mandate.first_day,
        Mandate.last_day,
        Mandate.manage_operators,
        Mandate.manage_seals,
        Mandate.department,
        Mandate.phone_sealed,
    ),
)
"""What answers are made of: each column costs as it is fetched, and the others come when asked for."""
_BY_TOKEN = LIVE.options(*LEAN).where(
    SigninSession.token_hash == bindparam("token_hash"), SigninSession.seen_at > bindparam("seen_after")
)


def as_of(now: datetime) -> dict[str, Any]:
    """The parameters of :data:`LIVE`."""
    return {"now": now, "today": civil_day(now)}


def live(now: datetime) -> Select[SigninSession, Person, Enterprise, Mandate]:
    """:data:`LIVE` with its parameters in it, for queries that are made anew each time."""
    return LIVE.params(as_of(now))


def find_live(db: Session, token: str, *, idle: timedelta, now: datetime) -> SignedIn | None:
    """The sign-in of the browser that sent `token`, if it counts and was used within `idle`."""
    which = {"token_hash": hash_token(token), "seen_after": now - idle}
    row = db.execute(_BY_TOKEN, {**as_of(now), **which}).first()
    return SignedIn(*row) if row else None


def raise_session(
    db: Session, session: SigninSession, *, amr: tuple[str, ...], acr: str, renews: bool = True, now: datetime
) -> str | None:
    """Note a further proof within a sign-in and return the token that takes the place of the browser's.

    What was granted in it stays, and so does `auth_time` (OpenID Connect Core §12.2: a refreshed ID token
    tells when the sign-in began); without `renews` the last proof does, too. None if it ended meanwhile.
    """
    token = new_token()
    ways = dict.fromkeys((*session.amr.split(), *amr))
    proved = {"proved_at": now} if renews else {}
    raised = db.execute(
        update(SigninSession)
        .where(SigninSession.id == session.id, SigninSession.ended_at.is_(None))
        .values(token_hash=hash_token(token), amr=" ".join(ways), acr=max(session.acr, acr), **proved)
        .execution_options(synchronize_session=False)
    )
    return token if raised.rowcount else None  # type: ignore[attr-defined]  # an UPDATE's result has it


def hold(db: Session, session_id: UUID) -> bool:
    """Let nobody end this sign-in before the caller's transaction is committed; False if somebody did.

    A change of an account's security asks it last: what was begun in a sign-in that ended is not done.
    """
    begin_write(db)
    there = select(SigninSession.id).where(SigninSession.id == session_id, SigninSession.ended_at.is_(None))
    return db.scalar(there.with_for_update()) is not None


def note_seen(db: Session, session: SigninSession, *, now: datetime) -> None:
    """Remember that the browser used the session; written at most once a minute."""
    if now - session.seen_at < SEEN_STEP:
        return
    seen = update(SigninSession).where(SigninSession.id == session.id).values(seen_at=now)
    db.execute(seen, execution_options={**ALONE, "synchronize_session": False})
