"""The appeals of the demo, so that the review desk has something to decide; set back at each start.

They are about the demo's own companies (docs/simulators.md), in four states, due at different times. What an
approval did to a company is set back with the company, as far as the seed knows it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.accounts import files
from idp.accounts.audit import Action, Event, Origin, Trail
from idp.accounts.company_claims import Claim
from idp.accounts.documents import Document
from idp.accounts.files import Ceiling, NewFile
from idp.accounts.models import Enterprise, EnterpriseType, IdType
from idp.accounts.staff import find_staff
from idp.accounts.working_days import calendar_of, due_after
from idp.adapters.files import SealedFiles
from idp.adapters.inspection import MEDIA_TYPES, Kind
from idp.adapters.registry import CompanyRecord
from idp.appeal import comparison, outcome
from idp.appeal.models import Appeal, AppealKind, State, Statement
from idp.appeal.papers import papers_for
from idp.config import Settings
from idp.crypto import Vault
from idp.db import uuid7
from idp.demo import papers, world

_AGENT: Final = "hekefu"
_OPERATOR_PHONE: Final = "13800000002"
_DAYS: Final = (date(2020, 1, 1), date(2040, 1, 1))
_TO_REGISTER: Final = Claim(
    EnterpriseType.COMPANY.value,
    "向海示例农业科技有限公司",
    "91990100MA0TX00708",
    "田禾",
    Document(IdType.RESIDENT, "990100198404170542", *_DAYS),
)
"""The company to register by hand, told by a name that is not its own."""
_ON_RECORD: Final = CompanyRecord(
    _TO_REGISTER.uscc,
    "向海示例农业有限公司",
    _TO_REGISTER.type,
    _TO_REGISTER.representative_name,
    "resident_id",
    _TO_REGISTER.document.id_number,
    "normal",
)


@dataclass(frozen=True, slots=True)
class DemoAppeal:
    """One of them: `age` is how long ago it was sent in, `more` are further columns of its row."""

    number: str
    state: State
    claim: Claim
    account: str
    phone: str
    remark: str
    age: timedelta
    kind: AppealKind = AppealKind.REGISTERED
    more: dict[str, Any] = field(default_factory=dict)


def _claim(key: str, representative: str = "") -> Claim:
    """A company of the demo as it is, or with another representative."""
    company = world.company(key)
    person = world.person(representative or company.representative)
    document = Document(IdType.RESIDENT, person.id_number, *_DAYS)
    return Claim(company.type.value, company.name, company.uscc, person.name, document)


APPEALS: Final = (
    DemoAppeal(
        "SS-20260901-900001",
        State.WAITING,
        _claim("A"),
        "songyuan_tech",
        "13800000031",
        "原预留手机号码已停用，收不到验证码，申请换成财务负责人的号码",
        timedelta(days=9),
    ),
    DemoAppeal(
        "SS-20260901-900002",
        State.IN_HAND,
        _claim("B", "wujing"),
        "changbai_trade",
        "13800000032",
        "法定代表人已变更为吴静，营业执照已换发，企业账号还在原法定代表人名下",
        timedelta(days=2),
    ),
    DemoAppeal(
        "SS-20260901-900003",
        State.SECOND,
        _TO_REGISTER,
        "xianghai_agri",
        "13800000020",
        "注册时提示法人信息不匹配",
        timedelta(days=1),
        AppealKind.UNREGISTERED,
        {"changes": ["register"]},
    ),
    DemoAppeal(
        "SS-20260901-900004",
        State.MORE,
        _claim("G"),
        "chenwu_consult",
        "13800000034",
        "导入的账号没有手机号码，不能自助激活",
        timedelta(days=3),
        more={"asked_for": ["representative_back"]},
    ),
)
_SENT_IN: Final = (Action.APPEAL_SUBMITTED, "")
_CLAIMED: Final = (Action.APPEAL_CLAIMED, _AGENT)
_HAPPENED: Final = {
    State.WAITING: (_SENT_IN,),
    State.IN_HAND: (_SENT_IN, _CLAIMED),
    State.SECOND: (_SENT_IN, _CLAIMED, (Action.APPEAL_PROPOSED, _AGENT)),
    State.MORE: (_SENT_IN, _CLAIMED, (Action.APPEAL_MORE_WANTED, _AGENT)),
}
_ANSWER: Final = "法定代表人身份证反面的照片反光，看不清有效期限，请重新拍照上传。"


@dataclass(frozen=True, slots=True)
class AppealSeeder:
    """What seeding works with; `db` is committed by the caller."""

    db: Session
    vault: Vault
    trail: Trail
    settings: Settings
    now: datetime

    def seed(self) -> None:
        """Make the appeals what they are said to be, with all their papers."""
        for wanted in APPEALS:
            row = self._row(wanted)
            self._papers(row, wanted)
        self.db.flush()

    def _row(self, wanted: DemoAppeal) -> Appeal:
        known = self.db.scalars(select(Appeal).where(Appeal.number == wanted.number)).first()
        row = known or Appeal(id=uuid7(), number=wanted.number, version=0)
        row.kind, row.state, row.version = wanted.kind.value, wanted.state.value, row.version + 1
        told = Statement(wanted.claim, "20", wanted.account, wanted.phone, _OPERATOR_PHONE)
        row.set_statement(self.vault, told)
        row.set_remark(self.vault, wanted.remark)
        for name, value in {**_NOTHING, **self._times(wanted), **wanted.more}.items():
            setattr(row, name, value() if callable(value) else value)
        row.enterprise_id = self.db.scalar(select(Enterprise.id).where(Enterprise.uscc == row.uscc))
        if wanted.state is State.MORE:
            row.set_answer(self.vault, _ANSWER)
        self.db.add(row)
        self.db.flush()
        if known is None:
            self._tell(row, wanted)
        if wanted.state is State.SECOND:
            row.basis = outcome.plan(self.db, self.vault, row).basis
            comparison.keep(self.db, self.vault, row, _ON_RECORD, now=self.now)
        return row

    def _times(self, wanted: DemoAppeal) -> dict[str, Any]:
        at, settings = self.now - wanted.age, self.settings
        calendar = calendar_of(settings)
        found: dict[str, Any] = dict.fromkeys(("created_at", "first_submitted_at", "submitted_at"), at)
        if wanted.state is State.MORE:
            found["answer_until"] = due_after(self.now, settings.appeal_answer_days, calendar)
        else:
            found["due_at"] = due_after(at, settings.appeal_due_days, calendar)
        agent = find_staff(self.db, _AGENT)
        if agent and wanted.state is not State.WAITING:
            found |= {"claimed_by": agent.id, "claimed_at": at}
        if agent and wanted.state is State.SECOND:
            found |= {"proposed_by": agent.id, "proposed_at": at}
        return found

    def _tell(self, row: Appeal, wanted: DemoAppeal) -> None:
        """What the trail has of an appeal that came so far."""
        agent = find_staff(self.db, _AGENT)
        by = {"": Origin(), _AGENT: Origin(agent.key if agent else "")}
        for action, who in _HAPPENED[wanted.state]:
            self.trail.record(self.db, Event(action, target=row.key), by[who], now=self.now)

    def _papers(self, row: Appeal, wanted: DemoAppeal) -> None:
        there = {one.slot for one in files.of(self.db, row.key)}
        disk = SealedFiles(self.settings.effective_files_dir())
        for one in papers_for(wanted.kind):
            if one.slot in there:
                continue
            sealed = disk.write(uuid7(), papers.paper(one.slot))
            new = NewFile(sealed, f"{one.slot}.jpg", MEDIA_TYPES[Kind.JPG])
            files.keep(self.db, self.vault, new, row.key, one.slot, Ceiling(sealed.size * 100), now=self.now)


_NOTHING: Final[dict[str, Any | Callable[[], Any]]] = {
    **dict.fromkeys(
        (
            "registry_sealed",
            "registry_asked_at",
            "differences",
            "due_at",
            "claimed_by",
            "claimed_at",
            "proposed_by",
            "proposed_at",
            "answer_until",
            "answer_sealed",
            "basis",
            "decided_by",
            "decided_at",
            "link_hash",
            "link_expires_at",
            "link_used_at",
            "papers_erased_at",
        )
    ),
    "asked_for": list,
    "changes": list,
}
"""What a row is set back to before it gets its own."""
