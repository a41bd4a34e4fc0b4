"""Notices of section Y: what happened to an account is said to the phone of record, with 不是我.

A notice is a row and a message in the outbox, both written in the transaction of what they tell. Its
link works without a sign-in and does one thing: it locks the account until its password is reset.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.accounts.models import LegalAccount, Mandate, Person
from idp.accounts.outbox import enqueue
from idp.accounts.sessions import Device
from idp.adapters.ephemeral import EphemeralStore
from idp.crypto import Vault, hash_token, new_token
from idp.db import Base, uuid7

SMS = "sms"
"""The outbox's kind of message for the SMS gateway: {"phone", "text", "code", "purpose"}."""
_DAY = 86400


class Kind(StrEnum):
    """What a person is told of."""

    NEW_BROWSER = "new_browser"
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    PASSKEY_REFUSED = "passkey_refused"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - an event's name
    LOCKED = "locked"


SENTENCES = {
    Kind.NEW_BROWSER: "您的账号刚在新的浏览器登录",
    Kind.FACTOR_ADDED: "您的账号添加了{what}",
    Kind.FACTOR_REMOVED: "您的账号移除了{what}",
    Kind.RECOVERY_CODES_MADE: "您的账号生成了新的恢复码，原有的已失效",
    Kind.RECOVERY_CODE_USED: "您的账号用恢复码完成了验证，{what}",
    Kind.PASSKEY_REFUSED: "有人用可能被复制的通行密钥登录您的账号，已拒绝",
    Kind.PASSWORD_CHANGED: "您的账号密码已修改",
    Kind.LOCKED: "您的账号已按您的要求暂停，全部登录已退出",
}


class Notice(Base):
    """Something a person was told of, and what he said to it. Only the hash of the link's token is kept."""

    __tablename__ = "notices"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    account: Mapped[str] = mapped_column(String(48))
    kind: Mapped[str] = mapped_column(String(32))
    what: Mapped[str] = mapped_column(String(120), default="")
    browser: Mapped[str] = mapped_column(String(200), default="")
    address: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    denied_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_notices_account", "account", "created_at"),)


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be said: the kind, the words that complete its sentence, and from which browser."""

    kind: Kind
    what: str = ""
    device: Device = field(default_factory=lambda: Device("", ""))


@dataclass(frozen=True, slots=True)
class Notifier:
    """Writes notices; `most` of one kind for one account in a day, so that nobody's phone is flooded."""

    vault: Vault
    store: EphemeralStore
    issuer: str
    site: str
    life: timedelta
    most: int

    def tell(self, db: Session, account: str, told: Told, *, now: datetime) -> bool:
        """Tell the phone of record of `account` (a key), in the caller's transaction.

        False where there is no phone, or it was told often enough today.
        """
        phone = phone_of_record(db, self.vault, account)
        if phone is None or self.store.increment(f"notice:{account}:{told.kind}", ttl=_DAY) > self.most:
            return False
        token = new_token(16)
        db.add(
            Notice(
                token_hash=hash_token(token),
                account=account,
                kind=told.kind.value,
                what=told.what[:120],
                browser=told.device.browser[:200],
                address=told.device.address[:64],
                created_at=now,
                expires_at=now + self.life,
            )
        )
        sentence = SENTENCES[told.kind].format(what=told.what)
        text = f"【{self.site}】{sentence}。不是您本人操作？请打开 {self.issuer}/n/{token} 暂停账号。"
        payload = {"phone": phone, "text": text, "code": None, "purpose": told.kind.value}
        enqueue(db, self.vault, kind=SMS, subject=account, payload=payload, now=now)
        return True


def phone_of_record(db: Session, vault: Vault, account: str) -> str | None:
    """The phone that is told what happens to an account: the operator's own before his mandate's."""
    kind, _, account_id = account.partition(":")
    if kind == "person":
        return db.get_one(Person, UUID(account_id)).phone(vault)
    if kind == "legal":
        return db.get_one(LegalAccount, UUID(account_id)).phone(vault)
    if kind == "mandate":
        mandate = db.get_one(Mandate, UUID(account_id))
        return db.get_one(Person, mandate.person_id).phone(vault) or mandate.phone(vault)
    return None
