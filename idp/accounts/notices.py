"""Notices of section Y: what happened to an account is said to the phone of record, with 不是我.

A notice is a row and a message in the outbox, both written in the transaction of what they tell. Its
link works without a sign-in and does one thing: it locks the account (:mod:`idp.accounts.locks`). Who
gets the message by mistake learns nobody's name from it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, func, insert, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from idp.accounts.calendar import SHANGHAI
from idp.accounts.models import Enterprise, LegalAccount, Mandate
from idp.accounts.outbox import enqueue
from idp.accounts.phones import phone_of_record
from idp.accounts.sessions import Device
from idp.adapters.ephemeral import EphemeralStore, StoreUnavailable
from idp.config import Settings
from idp.crypto import Vault, hash_token, new_token
from idp.db import Base, uuid7

SMS = "sms"
"""The outbox's kind of message for the SMS gateway: {"phone", "text", "code", "purpose"}, and for a vendor's
templates `params`."""
_DAY = 86400
_LONGEST_WHAT = 30


class Kind(StrEnum):
    """What a person is told of."""

    NEW_BROWSER = "new_browser"
    FACTOR_ADDED = "factor_added"
    FACTOR_REMOVED = "factor_removed"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    RECOVERY_CODE_USED = "recovery_code_used"
    PASSKEY_REFUSED = "passkey_refused"
    SECOND_STEP_ASKED = "second_step_asked"
    SECOND_STEP_REFUSED = "second_step_refused"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - an event's name
    PASSWORD_RESET = "password_reset"  # noqa: S105 - an event's name
    APP_SIGNED_IN = "app_signed_in"
    APP_PIN_SET = "app_pin_set"
    APP_PIN_CHANGED = "app_pin_changed"
    REGISTERED = "registered"
    ACCOUNT_ACTIVATED = "account_activated"
    COMPANY_REGISTERED = "company_registered"
    PHONE_CHANGED = "phone_changed"
    REPRESENTATIVE_CHANGED = "representative_changed"
    REPRESENTATIVE_NAMED = "representative_named"
    REPRESENTATIVE_REPLACED = "representative_replaced"
    REPRESENTATIVE_RENAMED = "representative_renamed"
    APPEAL_RESET = "appeal_reset"
    APPEAL_PASSWORD_SET = "appeal_password_set"  # noqa: S105 - an event's name
    LOCKED = "locked"
    LOCKED_ELSEWHERE = "locked_elsewhere"
    ACCOUNT_SUSPENDED = "account_suspended"
    ACCOUNT_RESUMED = "account_resumed"
    SIGNED_OUT_BY_STAFF = "signed_out_by_staff"


SENTENCES = {
    Kind.NEW_BROWSER: "您的账号刚在新的浏览器登录",
    Kind.FACTOR_ADDED: "您的账号添加了{what}",
    Kind.FACTOR_REMOVED: "您的账号移除了{what}",
    Kind.RECOVERY_CODES_MADE: "您的账号生成了新的恢复码，原有的已失效",
    Kind.RECOVERY_CODE_USED: "您的账号用恢复码完成了验证，{what}",
    Kind.PASSKEY_REFUSED: "有人用可能被复制的通行密钥登录您的账号，已拒绝",
    Kind.SECOND_STEP_ASKED: "有人在新的浏览器填对了您的密码，正在等待第二步验证",
    Kind.SECOND_STEP_REFUSED: "您账号的第二步验证多次没有通过，已暂缓再试",
    Kind.PASSWORD_CHANGED: "您的账号密码已修改",
    Kind.PASSWORD_RESET: "您的账号密码已通过短信验证码重置",
    Kind.APP_SIGNED_IN: "新的手机登录了您的账号，使用的是「{what}」App",
    Kind.APP_PIN_SET: "您的 App 口令已设置",
    Kind.APP_PIN_CHANGED: "您的 App 口令已修改",
    Kind.REGISTERED: "您的个人账号已注册",
    Kind.ACCOUNT_ACTIVATED: "您的企业账号已激活",
    Kind.COMPANY_REGISTERED: "您的企业账号已注册",
    Kind.PHONE_CHANGED: "您的企业账号预留手机号码已更换",
    Kind.REPRESENTATIVE_CHANGED: "您的企业账号的法定代表人已变更",
    Kind.REPRESENTATIVE_NAMED: "您已登记为一家企业账号的法定代表人",
    Kind.REPRESENTATIVE_REPLACED: "您不再是一家企业账号的法定代表人",
    Kind.REPRESENTATIVE_RENAMED: "您的企业账号登记的法定代表人姓名已更正",
    Kind.APPEAL_RESET: "您的企业账号经申诉停用了原密码，等待重新设置",
    Kind.APPEAL_PASSWORD_SET: "您的企业账号已通过申诉设置新密码",
    Kind.LOCKED: "您的{what}已按您的要求暂停，全部登录已退出",
    Kind.LOCKED_ELSEWHERE: "有人报告您的{what}有非本人操作，账号已暂停，全部登录已退出",
    Kind.ACCOUNT_SUSPENDED: "您的{what}已停用，全部登录已退出",
    Kind.ACCOUNT_RESUMED: "您的{what}已恢复使用",
    Kind.SIGNED_OUT_BY_STAFF: "您的{what}的全部登录已由工作人员退出",
}
_NAMED = frozenset(
    {
        Kind.LOCKED,
        Kind.LOCKED_ELSEWHERE,
        Kind.ACCOUNT_SUSPENDED,
        Kind.ACCOUNT_RESUMED,
        Kind.SIGNED_OUT_BY_STAFF,
    }
)
"""What says which account it is about."""
_BY_HOTLINE = {
    # In words and without a link: no message of ours leads to where a code or a password is asked for.
    Kind.LOCKED: "恢复请在登录页点「忘记密码」重置密码，或",
    # Said to the phone that a company's account had: it has none now, so no reset goes by one.
    Kind.LOCKED_ELSEWHERE: "恢复请在登录页点「账号申诉」，或",
    Kind.ACCOUNT_SUSPENDED: "恢复请",
    Kind.SIGNED_OUT_BY_STAFF: "如有疑问，请",
}
"""What has no link, because there is nothing left to lock, and why one would call."""
_ONCE_A_DAY = frozenset({Kind.SECOND_STEP_ASKED, Kind.SECOND_STEP_REFUSED})
"""What somebody who knows the password can make happen as often as he likes."""
_BY_OWN_PHONE = frozenset({Kind.REPRESENTATIVE_NAMED.value, Kind.REPRESENTATIVE_REPLACED.value})
"""What a representative is told of a company's account by a phone that is not the account's."""
_ACCOUNTS = {"person": "个人账号", "legal": "法人账号", "mandate": "经办人账号"}
_OF_A_COMPANY: dict[str, type[LegalAccount | Mandate]] = {"legal": LegalAccount, "mandate": Mandate}
_LONGEST_COMPANY = 16


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


# Through Core: one row needs no unit of work, which costs more than the statement.
_WRITTEN = insert(Notice.metadata.tables[Notice.__tablename__])


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
    hotline: str
    life: timedelta
    most: int

    def tell(self, db: Session, account: str, told: Told, *, now: datetime, to: str = "") -> bool:
        """Tell the phone of record of `account` (a key), in the caller's transaction.

        `to` is the key of another account, whose phone hears of this one and may lock it. False where there
        is no phone, or it was told often enough today.
        """
        hears = to or account
        phone = phone_of_record(db, self.vault, hears)
        if phone is None or self._often_enough(hears, told.kind):
            return False
        what = _which(db, account) if told.kind in _NAMED else told.what
        token = new_token(16)
        db.connection().execute(
            _WRITTEN,
            {
                "id": uuid7(),
                "token_hash": hash_token(token),
                "account": account,
                "kind": told.kind.value,
                "what": what[:120],
                "browser": told.device.browser[:200],
                "address": told.device.address[:64],
                "created_at": now,
                "expires_at": now + self.life,
            },
        )
        text = self._text(told.kind, what, token, now=now)
        payload = {
            "phone": phone,
            "text": text,
            "code": None,
            "purpose": told.kind.value,
            # What a vendor's template is filled with: when, what, and the end of the link, as no vendor lets
            # a whole address in.
            "params": [_when(now), what[:_LONGEST_WHAT], "" if told.kind in _BY_HOTLINE else token],
        }
        enqueue(db, self.vault, kind=SMS, subject=account, payload=payload, now=now)
        return True

    def _often_enough(self, account: str, kind: Kind) -> bool:
        """Count this notice before it is written; what rolls back was still counted."""
        most = 1 if kind in _ONCE_A_DAY else self.most
        try:
            return self.store.increment(f"notice:{account}:{kind}", ttl=_DAY) > most
        except StoreUnavailable:
            # What happened to an account is told rather than not. Nobody can make it happen often
            # meanwhile: without the store nobody signs in.
            return False

    def _text(self, kind: Kind, what: str, token: str, *, now: datetime) -> str:
        """One message: when, what, and the one thing to do."""
        said = f"【{self.site}】{_when(now)}，{_sentence(kind, what[:_LONGEST_WHAT])}。"
        if sentence := _BY_HOTLINE.get(kind):
            # There is nothing to lock, so this token is given to nobody.
            way = f"拨打服务热线 {self.hotline}" if self.hotline else "联系办理业务的单位"
            return f"{said}{sentence}{way}。"
        asked = "要求" if kind is Kind.ACCOUNT_RESUMED else "操作"
        return f"{said}不是您本人{asked}？请打开 {self.issuer}/n/{token} 暂停账号。"


def notifier_of(settings: Settings, vault: Vault, store: EphemeralStore) -> Notifier:
    """The notifier of an installation, for the application and for commands alike."""
    return Notifier(
        vault,
        store,
        issuer=settings.issuer,
        site=settings.site_name,
        hotline=settings.hotline,
        life=timedelta(days=settings.notice_days),
        most=settings.notices_a_day,
    )


def find_notice(db: Session, token: str, *, now: datetime) -> Notice | None:
    """The notice whose link was opened; None once it has expired."""
    asked = select(Notice).where(Notice.token_hash == hash_token(token), Notice.expires_at > now)
    return db.scalars(asked).first()


def deny(db: Session, notice: Notice, *, now: datetime) -> bool:
    """Note that the person said 不是我; True for the one who said it first."""
    denied = db.execute(
        update(Notice).where(Notice.id == notice.id, Notice.denied_at.is_(None)).values(denied_at=now),
        execution_options={"synchronize_session": False},
    )
    return bool(denied.rowcount)  # type: ignore[attr-defined]  # an UPDATE's result has it


def was_denied_since(db: Session, account: str, instant: datetime) -> bool:
    """Whether somebody said 不是我 to a notice of the account with this key, at `instant` or after it."""
    denied = select(Notice.id).where(Notice.account == account, Notice.denied_at >= instant).limit(1)
    return db.scalar(denied) is not None


def last_denied(db: Session, account: str) -> datetime | None:
    """When somebody last said 不是我 to a notice of this account (a key), as long as notices are kept."""
    return db.scalar(select(func.max(Notice.denied_at)).where(Notice.account == account))


def is_read_elsewhere(db: Session, notice: Notice) -> bool:
    """Whether the notice went to another phone than a company's account has now, or to its phone before.

    Whoever reads it has no way to a reset, and somebody else has.
    """
    if notice.kind in _BY_OWN_PHONE:
        return True
    replaced = select(Notice.id).where(
        Notice.account == notice.account,
        Notice.kind == Kind.PHONE_CHANGED.value,
        Notice.created_at >= notice.created_at,
    )
    return db.scalar(replaced.limit(1)) is not None


def said(notice: Notice) -> str:
    """What the notice told, as a sentence without its full stop."""
    return _sentence(notice.kind, notice.what)


def _when(now: datetime) -> str:
    at = now.astimezone(SHANGHAI)
    return f"{at.month} 月 {at.day} 日 {at:%H:%M}"


def _which(db: Session, account: str) -> str:
    """Which of the accounts that share a phone is meant: a company's name is public, nobody's own is said."""
    kind, _, account_id = account.partition(":")
    words, owned = _ACCOUNTS.get(kind, "账号"), _OF_A_COMPANY.get(kind)
    if owned is None:
        return words
    company = db.scalars(
        select(Enterprise.name)
        .join(owned, owned.enterprise_id == Enterprise.id)
        .where(owned.id == UUID(account_id))
    ).one()
    cut = company if len(company) <= _LONGEST_COMPANY else company[: _LONGEST_COMPANY - 1] + "…"
    return f"{words}（{cut}）"


def _sentence(kind: str, what: str) -> str:
    # A process of the version to come may have written a kind that this one does not know.
    found = {known.value: sentence for known, sentence in SENTENCES.items()}.get(kind, "您的账号有安全变动")
    return found.format(what=what)
