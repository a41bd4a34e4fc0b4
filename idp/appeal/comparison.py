"""What an applicant told beside what the business registry and this platform have on record (E14).

The registry's answer is kept sealed with the appeal, so that whoever confirms sees what the first one saw.
When it was asked and how many items differ stands in clear, for the list.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from idp.accounts.documents import NAMES, Document
from idp.accounts.identifiers import company_name, mask_id_number, mask_phone, person_name
from idp.accounts.models import Enterprise, EnterpriseStatus, LoginName
from idp.adapters.registry import CompanyRecord, Registry, RegistryUnavailable
from idp.appeal.models import OVER, Appeal, State, Statement
from idp.crypto import Vault

_COLUMN: Final = "appeals.registry"
_HIDDEN: Final = "*"


class Verdict(StrEnum):
    """How an item that was told stands to the registry's."""

    SAME = "same"
    DIFFERS = "differs"
    UNKNOWN = "unknown"


class Asked(StrEnum):
    """What is known of the registry's answer."""

    NEVER = "never"
    FAILED = "failed"
    NOBODY = "nobody"
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a value; `differs` if the other side has something else there."""

    text: str
    differs: bool = False


Parts = tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One row of the comparison, masked; a column without a value is empty.

    `verdict` is how `told` stands to `registry`, `differs_here` whether this platform has something else;
    `in_registry` is whether a registry has such an item at all.
    """

    label: str
    told: Parts
    registry: Parts
    ours: Parts
    verdict: Verdict
    differs_here: bool
    in_registry: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """All rows, and how the registry answered, when."""

    items: tuple[Item, ...]
    asked: Asked
    asked_at: datetime | None

    @property
    def differences(self) -> int:
        """How many items are another way in the registry."""
        return sum(item.verdict is Verdict.DIFFERS for item in self.items)


@dataclass(frozen=True, slots=True)
class _Values:
    """What one side has on record of a company, each as text; empty where it has none."""

    name: str = ""
    uscc: str = ""
    type: str = ""
    representative: str = ""
    id_type: str = ""
    id_number: str = ""
    validity: str = ""
    status: str = ""
    account: str = ""
    phone: str = ""


_LABELS: Final = {
    "name": "企业名称",
    "uscc": "统一社会信用代码",
    "type": "法人类型",
    "representative": "法定代表人姓名",
    "id_type": "证件类型",
    "id_number": "证件号码",
    "validity": "证件有效期",
    "status": "登记状态",
    "account": "法人账号",
    "phone": "企业手机号码",
}
_ONLY_HERE: Final = frozenset({"validity", "account", "phone"})
"""What no business registry has on record."""
_MASKED: Final = {"id_number": mask_id_number, "phone": mask_phone}
_FOLDED: Final = {"name": company_name, "representative": person_name}
STATUSES: Final = {
    EnterpriseStatus.NORMAL.value: "存续",
    EnterpriseStatus.REVOKED.value: "吊销",
    EnterpriseStatus.DEREGISTERED.value: "注销",
}


def ask(registry: Registry | None, uscc: str) -> CompanyRecord | Asked:
    """The registry's record of the company, or that it has none, or that nobody answered.

    Slow: called outside a transaction.
    """
    if registry is None:
        return Asked.FAILED
    try:
        return registry.record(uscc) or Asked.NOBODY
    except RegistryUnavailable:
        return Asked.FAILED


def keep(db: Session, vault: Vault, appeal: Appeal, said: CompanyRecord | Asked, *, now: datetime) -> bool:
    """Keep the registry's answer with the appeal, and how many items differ by it.

    Where nobody answered, what was answered before stays. Whether the appeal is still open: to one that was
    withdrawn or decided while the registry took its time nothing comes any more.
    """
    db.flush()
    db.refresh(appeal, with_for_update=True)
    if State(appeal.state) in OVER:
        return False
    if said is Asked.FAILED and appeal.registry_sealed is not None:
        return True
    appeal.registry_asked_at = now
    if said is Asked.FAILED:
        return True
    record = said if isinstance(said, CompanyRecord) else None
    kept = json.dumps(asdict(record) if record else None)
    appeal.registry_sealed = vault.seal(_COLUMN, appeal.id, kept)
    appeal.differences = compare(db, vault, appeal).differences if record else None
    return True


def asked(appeal: Appeal) -> Asked:
    """What is known of the registry's answer, without opening it."""
    if appeal.registry_asked_at is None:
        return Asked.NEVER
    if appeal.registry_sealed is None:
        return Asked.FAILED
    return Asked.NOBODY if appeal.differences is None else Asked.ANSWERED


def compare(db: Session, vault: Vault, appeal: Appeal) -> Comparison:
    """The rows for whoever judges the appeal; no network is asked."""
    told = _told(appeal.statement(vault))
    registry = _registry(appeal, vault)
    ours = _ours(db, vault, appeal.uscc)
    items = tuple(_items(told, registry, ours))
    return Comparison(items, asked(appeal), appeal.registry_asked_at)


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers on record, whole; empty where there is none."""

    registry: str
    ours: str
    phone: str


def numbers(db: Session, vault: Vault, appeal: Appeal) -> Numbers:
    """What the comparison masks, for whoever gave a reason."""
    ours = _ours(db, vault, appeal.uscc)
    return Numbers(_registry(appeal, vault).id_number, ours.id_number, ours.phone)


def personal(db: Session, vault: Vault, appeal: Appeal) -> tuple[str, ...]:
    """Names and numbers of people that the appeal tells, the registry has and this platform has."""
    told = appeal.statement(vault)
    sides = (_told(told), _registry(appeal, vault), _ours(db, vault, appeal.uscc))
    found = [value for side in sides for value in (side.representative, side.id_number, side.phone) if value]
    return (*dict.fromkeys(found), told.operator_phone)


def _items(told: _Values, registry: _Values, ours: _Values) -> Iterator[Item]:
    for name, label in _LABELS.items():
        said, known, here = (str(getattr(side, name)) for side in (told, registry, ours))
        # Nobody tells that his company is still there: it is what everybody claims.
        claimed = STATUSES[EnterpriseStatus.NORMAL.value] if name == "status" else said
        verdict = Verdict.UNKNOWN
        if claimed and known:
            verdict = Verdict.SAME if _is_same(name, claimed, known) else Verdict.DIFFERS
        differs_here = bool(claimed and here and not _is_same(name, claimed, here))
        # What was told is marked where the registry has it otherwise; where it is silent, where we have.
        other = known if verdict is Verdict.DIFFERS else here if differs_here and not known else said
        yield Item(
            label,
            _parts(name, said, other),
            _parts(name, known, claimed if verdict is Verdict.DIFFERS else known),
            _parts(name, here, claimed if differs_here else here),
            verdict,
            differs_here,
            name not in _ONLY_HERE,
        )


def _is_same(name: str, one: str, other: str) -> bool:
    fold = _FOLDED.get(name, str)
    return fold(one).casefold() == fold(other).casefold()


def _parts(name: str, value: str, other: str) -> Parts:
    """The value as it is shown, in pieces; those that `other` has not are marked."""
    mask = _MASKED.get(name)
    if mask is None:
        return _marked(value, other)
    hidden, differs = mask(value), _different(value, other)
    if len(hidden) != len(value):
        return (Part(hidden, value != other),) if value else ()
    # What is hidden is one piece: whether it differs may be seen, where it does may not.
    is_hidden = [mark == _HIDDEN for mark in hidden]
    hidden_differs = any(one and at in differs for at, one in enumerate(is_hidden))
    marks = [hidden_differs if one else at in differs for at, one in enumerate(is_hidden)]
    return _joined(zip(hidden, marks, strict=True))


def _marked(value: str, other: str) -> Parts:
    differs = _different(value, other)
    return _joined((mark, at in differs) for at, mark in enumerate(value))


def _different(value: str, other: str) -> set[int]:
    """The places of `value` that `other` has not in the same order."""
    if value == other:
        return set()
    matcher = SequenceMatcher(None, other, value, autojunk=False)
    return {
        at
        for kind, _, _, begin, end in matcher.get_opcodes()
        if kind in {"replace", "insert"}
        for at in range(begin, end)
    }


def _joined(marks: Iterable[tuple[str, bool]]) -> Parts:
    parts: list[Part] = []
    for mark, differs in marks:
        if parts and parts[-1].differs == differs:
            parts[-1] = Part(parts[-1].text + mark, differs)
        else:
            parts.append(Part(mark, differs))
    return tuple(parts)


def _told(told: Statement) -> _Values:
    claim = told.claim
    return _Values(
        claim.name,
        claim.uscc,
        claim.type,
        claim.representative_name,
        NAMES[claim.document.id_type],
        claim.document.id_number,
        validity_words(claim.document),
        "",
        told.account,
        told.phone,
    )


def _registry(appeal: Appeal, vault: Vault) -> _Values:
    if appeal.registry_sealed is None:
        return _Values()
    kept = json.loads(vault.open(_COLUMN, appeal.id, appeal.registry_sealed))
    if kept is None:
        return _Values()
    record = CompanyRecord(**kept)
    return _Values(
        record.name,
        record.uscc,
        record.type,
        record.representative_name,
        _type_words(record.representative_id_type),
        record.representative_id_number,
        status=STATUSES[record.status],
    )


def _ours(db: Session, vault: Vault, uscc: str) -> _Values:
    loaded = (joinedload(Enterprise.account), joinedload(Enterprise.representative))
    company = db.scalars(select(Enterprise).options(*loaded).where(Enterprise.uscc == uscc)).first()
    if company is None:
        return _Values()
    person, legal = company.representative, company.account
    validity = _days(person.id_valid_from, person.id_valid_until) if person.id_valid_from else ""
    name = select(LoginName.name).where(LoginName.legal_account_id == legal.id) if legal else None
    return _Values(
        company.name,
        company.uscc,
        company.type,
        person.name(vault),
        _type_words(person.id_type),
        person.id_number(vault) or "",
        validity,
        STATUSES[company.status],
        (db.scalar(name) or "") if name is not None else "",
        (legal.phone(vault) or "") if legal else "",
    )


def _type_words(id_type: str) -> str:
    return next((words for known, words in NAMES.items() if known.value == id_type), id_type)


def validity_words(document: Document) -> str:
    """The days of a document as they are printed on it: 2020.01.01 至 2040.01.01, or 至 长期."""
    return _days(document.valid_from, document.valid_until)


def _days(begin: date, until: date | None) -> str:
    return f"{begin:%Y.%m.%d} 至 {f'{until:%Y.%m.%d}' if until else '长期'}"
