"""What an approval would change, by comparing what was told with our own rows (E17, X21, section Y).

Nobody chooses it: the desk shows it, the approval does exactly that, and what differs from what the desk saw
is not done. No registry is asked here; what it says is for the human who decides.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.accounts import companies, credentials, directory, notices, obstacles
from idp.accounts.calendar import SHANGHAI
from idp.accounts.company_claims import Claim
from idp.accounts.identifiers import is_same_company_name
from idp.accounts.models import Enterprise, LegalAccount, LoginName, Person
from idp.appeal.models import Appeal, AppealKind, Statement
from idp.crypto import Vault, b64url


class Change(StrEnum):
    """One thing that an approval does."""

    REGISTER = "register"
    ACTIVATE = "activate"
    PHONE = "phone"
    REPRESENTATIVE = "representative"
    NAME = "name"
    COMPANY_NAME = "company_name"
    PASSWORD = "password"  # noqa: S105 - a change's name


CHANGE_WORDS: Final = {
    Change.REGISTER: "登记这家企业，开立待激活的企业账号",
    Change.ACTIVATE: "由申请人设置密码，激活企业账号",
    Change.PHONE: "更换预留手机号码，先通知原号码",
    Change.REPRESENTATIVE: "变更法定代表人，原法定代表人的登录立即退出",
    Change.NAME: "更正法定代表人姓名",
    Change.COMPANY_NAME: "更正企业名称",
    Change.PASSWORD: "停用原密码并退出全部登录，由申请人重新设置",
}
SECOND: Final = frozenset({Change.REGISTER, Change.PHONE, Change.REPRESENTATIVE, Change.NAME})
"""What a second staff member has to approve (section Y, "appeals")."""

_KNOWN_ACTIVE: Final = (
    "这家企业现在已经有账号，不能再登记。请不予通过，答复申请人直接登录或重置密码；"
    "平台上的信息不对的，改选「修改企业信息申诉」。"
)
_KNOWN_PENDING: Final = (
    "这家企业现在已有待激活的账号，不能再登记。请不予通过，答复申请人激活账号；"
    "平台上的信息不对、不能激活的，改选「修改企业信息申诉」。"
)
_UNKNOWN: Final = "平台上没有这家企业的账号。请不予通过，答复申请人改选「辅助企业注册申诉」。"
_NAMED_BY_HIMSELF: Final = (
    "这位法定代表人的证件号码在平台上是另一个姓名，而且本人已经注册了个人账号，不能由企业的申诉更正。"
    "请不予通过，答复申请人核对姓名和证件号码；确实要更正的，由本人拨打服务热线办理。"
)
_PERSON_SUSPENDED: Final = (
    "这位法定代表人的个人账号已停用，不能代表企业办理。请先与管理员核实停用的原因，再决定。"
)


_SHOWN: Final = 5
"""Of a person's other companies, how many are named."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A plan as somebody saw it and decided on it: its changes, and the digest of what it rested on."""

    changes: Sequence[str]
    basis: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be changed; nothing is while there are `obstacles`, which say what to do instead.

    `remarks` are what else was told and is not changed, and whom else a change concerns. All of them are
    sentences for the desk. `basis` is a digest of what stands here now: the same changes of another phone, of
    another human's right or of a newer password are another decision.

    `is_disputed`: somebody said 不是我 of the account, so one alone does not decide on it.
    """

    changes: tuple[Change, ...]
    obstacles: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    basis: str = ""
    is_disputed: bool = False

    @property
    def needs_second(self) -> bool:
        """Whether another staff member has to approve it as well."""
        return self.is_disputed or not SECOND.isdisjoint(self.changes)

    def is_as(self, seen: Seen) -> bool:
        """Whether it is what somebody saw: the same changes of the same rows, and nothing in their way."""
        is_same = {change.value for change in self.changes} == set(seen.changes) and self.basis == seen.basis
        return is_same and not self.obstacles


@dataclass(frozen=True, slots=True)
class Known:
    """A company as it stands here: its rows, and the account name it has or keeps."""

    company: Enterprise
    account: LegalAccount
    representative: Person
    login_name: str


def plan(db: Session, vault: Vault, appeal: Appeal) -> Plan:
    """What approving `appeal` would change now."""
    told, known = appeal.statement(vault), find(db, appeal.uscc)
    if AppealKind(appeal.kind) is AppealKind.UNREGISTERED:
        found = _registration(db, vault, told, known)
    elif known is None:
        found = Plan((), (_UNKNOWN,))
    else:
        found = _corrections(db, vault, told, known)
    return replace(found, basis=_basis(db, vault, told, known))


def find(db: Session, uscc: str) -> Known | None:
    """The company with this credit code, as it is now."""
    mine = (
        select(Enterprise, LegalAccount, Person)
        .join(LegalAccount, LegalAccount.enterprise_id == Enterprise.id)
        .join(Person, Person.id == Enterprise.representative_id)
        .where(Enterprise.uscc == uscc)
    )
    row = db.execute(mine.execution_options(populate_existing=True)).first()
    if row is None:
        return None
    company, account, representative = row
    return Known(company, account, representative, directory.name_of_company(db, account.id))


def others_of(db: Session, person: Person, uscc: str) -> Sequence[Enterprise]:
    """The companies that a person represents here, without the one with this credit code."""
    others = select(Enterprise).where(Enterprise.representative_id == person.id, Enterprise.uscc != uscc)
    return db.scalars(others.order_by(Enterprise.uscc)).all()


def is_name_taken(db: Session, name: str) -> bool:
    """Whether somebody has this account name already."""
    return db.scalar(select(LoginName.name).where(LoginName.name == name)) is not None


def _registration(db: Session, vault: Vault, told: Statement, known: Known | None) -> Plan:
    if known:
        return Plan((), (_KNOWN_ACTIVE if known.account.activated_at else _KNOWN_PENDING,))
    changes = [Change.REGISTER]
    in_the_way: list[str] = []
    holder = companies.find_by_document(db, vault, told.claim.document)
    if holder:
        _see_holder(db, vault, holder, told.claim, changes, in_the_way)
    remarks = (*_of_account(db, told, ""), *_of_others(db, holder, told.claim, changes))
    return Plan(tuple(changes), tuple(in_the_way), remarks)


def _corrections(db: Session, vault: Vault, told: Statement, known: Known) -> Plan:
    claim, company, account = told.claim, known.company, known.account
    changes: list[Change] = []
    in_the_way: list[str] = []
    if why := obstacles.of_company(company.status, company.suspended_at):
        in_the_way.append(_in_words(why))
    if not account.activated_at:
        changes.append(Change.ACTIVATE)
    if account.phone(vault) != told.phone:
        changes.append(Change.PHONE)
    holder = known.representative if _holds(vault, known.representative, claim) else None
    if holder is None:
        changes.append(Change.REPRESENTATIVE)
        holder = companies.find_by_document(db, vault, claim.document)
    if holder:
        _see_holder(db, vault, holder, claim, changes, in_the_way)
    if not is_same_company_name(company.name, claim.name):
        changes.append(Change.COMPANY_NAME)
    if account.activated_at:
        changes.append(Change.PASSWORD)
    others = _of_others(db, holder, claim, changes)
    denied_at = notices.last_denied(db, f"legal:{account.id}")
    remarks = (*_of_denial(denied_at), *_of_account(db, told, known.login_name), *_of_type(company, claim))
    is_disputed = denied_at is not None
    return Plan(tuple(changes), tuple(in_the_way), (*remarks, *others), is_disputed=is_disputed)


def _see_holder(
    db: Session, vault: Vault, holder: Person, claim: Claim, changes: list[Change], in_the_way: list[str]
) -> None:
    """Add what follows from who has the told document here: his name to be corrected, or what forbids it."""
    if holder.suspended_at:
        in_the_way.append(_PERSON_SUSPENDED)
    if companies.is_called(holder, vault, claim.representative_name):
        return
    if credentials.find(db, f"person:{holder.id}"):
        # What he set up himself under his name is not a company's to rename.
        in_the_way.append(_NAMED_BY_HIMSELF)
    else:
        changes.append(Change.NAME)


def _holds(vault: Vault, person: Person, claim: Claim) -> bool:
    document = claim.document
    return (person.id_type, person.id_number(vault)) == (document.id_type.value, document.id_number)


def _of_denial(denied_at: datetime | None) -> tuple[str, ...]:
    """That somebody objected to what was done with the account: whoever appeals now may be whom he meant."""
    if denied_at is None:
        return ()
    at = denied_at.astimezone(SHANGHAI)
    when = f"{at.year} 年 {at.month} 月 {at.day} 日 {at:%H:%M}"
    return (f"有人在 {when} 对这个账号报告过「不是我」，请先致电核实，不要只拨打申诉里填写的号码。",)


def _of_account(db: Session, told: Statement, has: str) -> tuple[str, ...]:
    """What becomes of the account name that was told: an account never gets another one."""
    if has and has != told.account:
        return (f"填写的法人账号是 {told.account}，平台上的是 {has}。账号不会更改，设置密码的页面会写明。",)
    if not has and is_name_taken(db, told.account):
        return (f"填写的法人账号 {told.account} 已被使用。不影响通过，申请人设置密码时另选一个。",)
    return ()


def _of_others(
    db: Session, holder: Person | None, claim: Claim, changes: Sequence[Change]
) -> tuple[str, ...]:
    """Which other companies show the name that is corrected: it stands here once for all of them."""
    names = [one.name for one in others_of(db, holder, claim.uscc)] if holder else []
    if not names or Change.NAME not in changes:
        return ()
    shown = "、".join(names[:_SHOWN]) + (f"等 {len(names)} 家企业" if len(names) > _SHOWN else "")
    return (f"这位法定代表人还代表{shown}，更正后那里的姓名一起更改，并通知预留手机号码。请核实是同一个人。",)


def _basis(db: Session, vault: Vault, told: Statement, known: Known | None) -> str:
    """A keyed digest of what the plan rests on as it stands now: nobody reads a phone or a name out of it."""
    facts: list[str | None] = []
    people = [companies.find_by_document(db, vault, told.claim.document)]
    if known:
        company, account = known.company, known.account
        credential = credentials.find(db, f"legal:{account.id}")
        denied_at = notices.last_denied(db, f"legal:{account.id}")
        instants = (account.activated_at, credential.changed_at if credential else None, denied_at)
        facts += [str(company.id), company.name, account.phone(vault)]
        facts += [one.isoformat() if one else None for one in instants]
        people.append(known.representative)
    for person in people:
        facts += [str(person.id), person.name(vault)] if person else [None]
        facts += [str(one.id) for one in others_of(db, person, told.claim.uscc)] if person else []
    return b64url(vault.index("appeals.basis", json.dumps(facts)))


def _of_type(company: Enterprise, claim: Claim) -> tuple[str, ...]:
    if company.type == claim.type:
        return ()
    return (f"填写的法人类型是{claim.type}，平台上的是{company.type}。类型不会更改。",)


def _in_words(obstacle: str) -> str:
    """What keeps a company out, said to whoever decides about it."""
    first = obstacle.partition("。")[0].replace("，不能登录", "")
    return f"{first}，不能由申诉恢复。请不予通过，并在原因里写明。"
