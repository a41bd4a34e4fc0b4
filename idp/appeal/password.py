"""The one-time link of an approved appeal: the applicant sets his own password (SECURITY 73, 78; X21).

Opening it changes nothing. It is spent in the transaction that sets the password, and opens nothing where
what the approval did is no more: another password was set since, the phone or the representative is another,
or somebody said 不是我 to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.access import endings, holders
from idp.accounts import agreements, credentials, directory, notices, obstacles
from idp.accounts.audit import Action, Event, Origin
from idp.accounts.models import Credential
from idp.accounts.notices import Kind, Told
from idp.accounts.sessions import Device
from idp.appeal import applying, links, outcome
from idp.appeal.applying import Sender, Tools
from idp.appeal.models import Appeal, State, Statement
from idp.appeal.outcome import Known
from idp.crypto import Vault


class LinkGone(Exception):
    """The link opens nothing: unknown, used, expired, or overtaken; which, nobody is told."""


class Closed(Exception):
    """The link is right, and the company or its representative may not act; the message says why."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a link opens: the appeal, what was told in it, the company as it is now."""

    appeal: Appeal
    told: Statement = field(repr=False)
    known: Known = field(repr=False)

    @property
    def key(self) -> str:
        """The account, as the trail and notices name it."""
        return f"legal:{self.known.account.id}"

    @property
    def is_new(self) -> bool:
        """Whether the account is activated by it, so that the agreements are accepted as well (B16)."""
        return self.known.account.activated_at is None

    @property
    def asks_name(self) -> bool:
        """Whether the account has no name yet: the one that was told was somebody's."""
        return not self.known.login_name


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the applicant chose: the hash of his password; a name in canonical form where one is asked for."""

    password_hash: str = field(repr=False)
    name: str = ""


def look(db: Session, vault: Vault, token: str, *, now: datetime) -> Opened:
    """What this link opens now; nothing is changed. Raises LinkGone, Closed."""
    appeal = links.find(db, token, now=now)
    opened = _standing(db, vault, appeal) if appeal else None
    if opened is None:
        raise LinkGone
    company, representative = opened.known.company, opened.known.representative
    why = obstacles.of_company(company.status, company.suspended_at)
    if why := why or obstacles.of_person(representative.suspended_at):
        raise Closed(why.replace("登录", "设置密码"))
    return opened


def words_about(db: Session, vault: Vault, opened: Opened) -> tuple[str, ...]:
    """What the password may not hold (X2)."""
    return credentials.words_about(db, vault, opened.key)


def set_password(
    db: Session,
    tools: Tools,
    token: str,
    chosen: Chosen,
    origin: Origin,
    device: Device,
    *,
    now: datetime,
) -> None:
    """Spend the link, then set the password, in the caller's transaction; of two at once one does.

    Raises LinkGone, Closed, and idp.accounts.directory.AlreadyTaken where somebody else has the name, with
    the transaction undone.
    """
    opened = look(db, tools.vault, token, now=now)
    # Under the locks of the account and its password: an approval, a reset or 不是我 waits, or is seen here.
    holders.hold(db, opened.appeal.uscc)
    held = select(Credential).where(credentials.owned_by(opened.key)).with_for_update()
    credential = db.scalars(held, execution_options={"populate_existing": True}).first()
    opened = look(db, tools.vault, token, now=now)
    if not links.spend(db, token, now=now):
        raise LinkGone
    if credential is None:
        _activate(db, tools, opened, chosen, origin, now=now)
        told = Kind.ACCOUNT_ACTIVATED
    else:
        _reset(db, tools, opened, credential, chosen, origin, now=now)
        told = Kind.APPEAL_PASSWORD_SET
    tools.notifier.tell(db, opened.key, Told(told, device=device), now=now)
    db.flush()


def find_done(db: Session, token: str, *, now: datetime) -> tuple[str, str] | None:
    """Name and account name of the company whose password this link has set, while it would have lived."""
    appeal = links.find_used(db, token, now=now)
    known = outcome.find(db, appeal.uscc) if appeal else None
    return (known.company.name, known.login_name) if known else None


def stands(db: Session, vault: Vault, appeal: Appeal) -> bool:
    """Whether all is still as the approval of `appeal` left it: a link of it may set the password."""
    return _standing(db, vault, appeal) is not None


def send_again(db: Session, tools: Sender, appeal: Appeal, origin: Origin, *, now: datetime) -> None:
    """Send a new link to the phone of the appeal, in the caller's transaction.

    Raises LinkGone where no password is to be set by it any more.
    """
    holders.hold(db, appeal.uscc)
    db.refresh(appeal)
    is_waited_for = appeal.state == State.APPROVED.value and appeal.link_used_at is None
    opened = _standing(db, tools.vault, appeal) if is_waited_for else None
    if opened is None:
        raise LinkGone
    links.void_others(db, appeal)
    applying.send_link(db, tools, appeal, opened.told.phone, origin, now=now)


def _standing(db: Session, vault: Vault, appeal: Appeal) -> Opened | None:
    """The company of an approved appeal, if all is still as the approval left it, and nobody objected."""
    known = outcome.find(db, appeal.uscc)
    if known is None or appeal.decided_at is None:
        return None
    opened = Opened(appeal, appeal.statement(vault), known)
    credential = credentials.find(db, opened.key)
    if credential:
        is_unset = credential.changed_at == appeal.decided_at
    else:
        is_unset = known.account.activated_at is None
    document, holder = opened.told.claim.document, known.representative
    has_both = known.account.phone(vault) == opened.told.phone and (
        holder.id_type,
        holder.id_number(vault),
    ) == (document.id_type.value, document.id_number)
    if not (is_unset and has_both) or notices.was_denied_since(db, opened.key, appeal.decided_at):
        return None
    return opened


def _activate(
    db: Session, tools: Tools, opened: Opened, chosen: Chosen, origin: Origin, *, now: datetime
) -> None:
    known = opened.known
    directory.activate(
        db,
        tools.vault,
        known.account,
        name=known.login_name or chosen.name,
        password_hash=chosen.password_hash,
        phone=opened.told.phone,
        now=now,
    )
    agreements.accept(db, opened.key, accepted_at=now)
    event = Event(Action.ACCOUNT_ACTIVATED, entity=str(known.company.id), target=opened.key)
    tools.trail.record(db, event, origin, now=now)


def _reset(
    db: Session,
    tools: Tools,
    opened: Opened,
    credential: Credential,
    chosen: Chosen,
    origin: Origin,
    *,
    now: datetime,
) -> None:
    """A new password in the place of one that nobody knows; the account opens again."""
    credential.password_hash, credential.must_change, credential.changed_at = chosen.password_hash, False, now
    credential.locked_at, credential.forgotten_browsers = None, []
    # Written before the sign-ins end: one that is being opened meanwhile waits for it, and does not open.
    db.flush()
    endings.end_sign_ins_by(db, tools.vault, opened.key, reason="password_reset", now=now)
    event = Event(Action.PASSWORD_RESET, entity=str(opened.known.company.id), target=opened.key)
    tools.trail.record(db, event, origin, now=now)
