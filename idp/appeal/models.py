"""The table of appeals: who asks for what, how far it has come, who has it in hand.

What is told of people is sealed; company name and credit code are public registry data. Papers are stored
files (:mod:`idp.accounts.files`) whose owner is the appeal's key. Its history is the audit trail's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from idp.accounts.audit import Action, Event
from idp.accounts.company_claims import Claim
from idp.crypto import Vault
from idp.db import Base, uuid7


class AppealKind(StrEnum):
    """What an appeal is about (E02)."""

    UNREGISTERED = "unregistered"
    REGISTERED = "registered"


KINDS = {
    AppealKind.UNREGISTERED: "辅助企业注册申诉",
    AppealKind.REGISTERED: "修改企业信息申诉",
}


class State(StrEnum):
    """How far an appeal has come (section Y, "appeals"; section N)."""

    DRAFT = "draft"
    WAITING = "waiting"
    IN_HAND = "in_hand"
    SECOND = "second"
    MORE = "more"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


STATES = {
    State.DRAFT: "未提交",
    State.WAITING: "待处理",
    State.IN_HAND: "处理中",
    State.SECOND: "待复核",
    State.MORE: "待补充材料",
    State.APPROVED: "通过",
    State.REFUSED: "不通过",
    State.WITHDRAWN: "已撤回",
}
OPEN = frozenset({State.WAITING, State.IN_HAND, State.SECOND, State.MORE})
"""Submitted and not decided."""
OVER = frozenset({State.APPROVED, State.REFUSED, State.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Statement:
    """What the applicant tells, each value in canonical form; both phones are proved (E05, E06).

    `phone` is the company's, to which the result and the link go; `operator_phone` that of the human who
    files. `account` is the account name he wants or remembers.
    """

    claim: Claim = field(repr=False)
    term: str
    account: str
    phone: str = field(repr=False)
    operator_phone: str = field(repr=False)

    def as_facts(self) -> dict[str, Any]:
        """As a journey and the table keep it."""
        return {
            "claim": self.claim.as_facts(),
            "term": self.term,
            "account": self.account,
            "phone": self.phone,
            "operator_phone": self.operator_phone,
        }

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Statement:
        """From what was kept."""
        return cls(
            Claim.of(facts["claim"]),
            facts["term"],
            facts["account"],
            facts["phone"],
            facts["operator_phone"],
        )


class Appeal(Base):
    """One appeal. `number` is what its applicant knows it by; `version` rises with every act.

    `asked_for` are the slots of papers that are asked for anew, `answer` the words to the applicant that go
    with the last decision. `submitted_at` is when it was sent in or added to last, from which its time runs.
    `proposed_by` is who approved first where a second approval is needed, `changes` what an approval does or
    did, `basis` a digest of what the first one rested on. `link_hash` is of the one-time link by which the
    password is set.
    """

    __tablename__ = "appeals"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    version: Mapped[int] = mapped_column(default=0)
    uscc: Mapped[str] = mapped_column(String(18))
    name: Mapped[str] = mapped_column(String(200))
    enterprise_id: Mapped[UUID | None] = mapped_column(ForeignKey("enterprises.id"))
    told_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes] = mapped_column(LargeBinary(33))
    operator_phone_index: Mapped[bytes] = mapped_column(LargeBinary(33))
    remark_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    registry_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    registry_asked_at: Mapped[datetime | None]
    differences: Mapped[int | None]
    created_at: Mapped[datetime]
    first_submitted_at: Mapped[datetime | None]
    submitted_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    claimed_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    claimed_at: Mapped[datetime | None]
    proposed_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    proposed_at: Mapped[datetime | None]
    asked_for: Mapped[list[str]] = mapped_column(JSON, default=list)
    answer_until: Mapped[datetime | None]
    answer_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    changes: Mapped[list[str]] = mapped_column(JSON, default=list)
    basis: Mapped[str | None] = mapped_column(String(44))
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("staff.id"))
    decided_at: Mapped[datetime | None]
    link_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32), unique=True)
    link_expires_at: Mapped[datetime | None]
    link_used_at: Mapped[datetime | None]
    papers_erased_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_appeals_state", "state", "due_at"),
        Index("ix_appeals_uscc", "uscc"),
        Index("ix_appeals_enterprise", "enterprise_id"),
        Index("ix_appeals_claimed_by", "claimed_by", "state"),
        Index("ix_appeals_decided_at", "decided_at"),
        Index("ix_appeals_created_at", "created_at"),
    )

    @property
    def key(self) -> str:
        """The name of this appeal in the audit trail, and as the owner of its papers."""
        return f"appeal:{self.id}"

    @property
    def is_lapsed(self) -> bool:
        """Whether it ended because nobody sent what was asked for, and by no decision."""
        return self.state == State.REFUSED.value and self.decided_by is None

    def event(self, action: Action, **detail: Any) -> Event:
        """What happened to this appeal, for the audit trail."""
        return Event(action, entity=str(self.enterprise_id or ""), target=self.key, detail=detail)

    def statement(self, vault: Vault) -> Statement:
        """What the applicant told."""
        return Statement.of(json.loads(vault.open("appeals.told", self.id, self.told_sealed)))

    def set_statement(self, vault: Vault, told: Statement) -> None:
        """Seal what the applicant told into this row, which must already have its id."""
        self.told_sealed = vault.seal("appeals.told", self.id, json.dumps(told.as_facts()))
        self.phone_index = vault.index("phone", told.phone)
        self.operator_phone_index = vault.index("phone", told.operator_phone)
        self.uscc, self.name = told.claim.uscc, told.claim.name

    def remark(self, vault: Vault) -> str:
        """申诉备注 (E12); empty until it was written."""
        return vault.open("appeals.remark", self.id, self.remark_sealed) if self.remark_sealed else ""

    def set_remark(self, vault: Vault, remark: str) -> None:
        """Seal 申诉备注."""
        self.remark_sealed = vault.seal("appeals.remark", self.id, remark)

    def answer(self, vault: Vault) -> str:
        """What staff said to the applicant last; empty if nothing."""
        return vault.open("appeals.answer", self.id, self.answer_sealed) if self.answer_sealed else ""

    def set_answer(self, vault: Vault, words: str) -> None:
        """Seal what is said to the applicant."""
        self.answer_sealed = vault.seal("appeals.answer", self.id, words)
