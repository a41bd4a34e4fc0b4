"""Another password for one's own account: the old one is proved as at the sign-in, the new one bites at once.

Every other sign-in of the account ends, each browser but this one is a stranger again, and the steps that
wait for a second proof or a first password of the old one are gone, as they name the day it was set.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from idp.access import endings
from idp.accounts import credentials
from idp.accounts.audit import Action, Event
from idp.accounts.models import Credential
from idp.accounts.notices import Kind as NoticeKind
from idp.accounts.notices import Told
from idp.accounts.passwords import PasswordHasher, PasswordRefused, check_new_password
from idp.db import pause
from idp.proof import password as password_proof
from idp.proof.enrolment import Owner, Tools
from idp.proof.throttle import Throttled, Try


class WrongPassword(Exception):
    """The old password is another one, or was changed elsewhere a moment ago."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody typed, in the sign-in `session_id` of a browser that remembers the accounts of `tags`."""

    old: str
    new: str
    session_id: UUID
    tags: tuple[str, ...]


def change(
    db: Session, tools: Tools, hasher: PasswordHasher, owner: Owner, asked: Asked, *, now: datetime
) -> str:
    """Set the new password, and return what this browser is to remember so that it stays known.

    Tries are counted with those of the sign-in. Raises WrongPassword,
    idp.accounts.passwords.PasswordRefused, TooBusy, idp.proof.throttle.Throttled.
    """
    credential = _proved(db, tools, hasher, owner, asked, now=now)
    old_hash = credential.password_hash
    about = credentials.words_about(db, tools.vault, owner.account)
    check_new_password(asked.new, settings=tools.settings, about=about)
    pause(db)
    if hasher.verify(old_hash, asked.new).right:
        raise PasswordRefused("新密码不能与旧密码相同")
    fresh = hasher.hash(asked.new)
    # Written before the sign-ins end: one that is being opened meanwhile waits for it, and does not open.
    if not credentials.put_in_place(
        db, credential.id, old_hash, fresh, must_change=False, changed_at=now, forgotten_browsers=[]
    ):
        raise WrongPassword
    endings.end_sign_ins_by(
        db, tools.vault, owner.account, reason="password_changed", now=now, keep=asked.session_id
    )
    tools.trail.record(db, Event(Action.PASSWORD_CHANGED, target=owner.account), owner.origin, now=now)
    told = Told(NoticeKind.PASSWORD_CHANGED, device=owner.device)
    tools.notifier.tell(db, owner.account, told, now=now)
    return credentials.browser_tag(owner.account, now)


def _proved(
    db: Session, tools: Tools, hasher: PasswordHasher, owner: Owner, asked: Asked, *, now: datetime
) -> Credential:
    """The credential that the old password opened, the session free again. Raises as :func:`change`."""
    credential = credentials.find(db, owner.account)
    if credential is None:
        raise WrongPassword
    try:
        verdict = password_proof.check(
            db,
            tools.store,
            tools.settings,
            hasher,
            _attempt(owner, credential, asked.tags),
            asked.old,
            stored=credential.password_hash,
            now=now,
        )
    except Throttled:
        _note_refused(db, tools, owner, "throttled", now=now)
        raise
    if not verdict.right:
        _note_refused(db, tools, owner, "password", now=now)
        raise WrongPassword
    return credential


def _attempt(owner: Owner, credential: Credential, tags: tuple[str, ...]) -> Try:
    browser = owner.device.key
    knows = credentials.browser_tag(owner.account, credential.changed_at) in tags
    known = knows and browser not in credential.forgotten_browsers
    return Try(owner.account, browser if known else None, owner.device.address)


def _note_refused(db: Session, tools: Tools, owner: Owner, why: str, *, now: datetime) -> None:
    refused = Event(Action.PROOF_REFUSED, target=owner.account, detail={"why": why})
    tools.trail.record(db, refused, owner.origin, now=now)
