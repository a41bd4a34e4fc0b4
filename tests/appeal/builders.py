"""Appeals as they stand in the table, with papers as they lie on the disk, for the tests of every side.

Rows are written as filing and deciding leave them; nothing here goes through a page.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from itertools import count
from typing import Any
from uuid import UUID

from PIL import Image, ImageDraw

from idp.accounts import files
from idp.accounts.calendar import SHANGHAI
from idp.accounts.company_claims import Claim
from idp.accounts.documents import Document
from idp.accounts.files import Ceiling, NewFile, StoredFile
from idp.accounts.models import EnterpriseType, IdType
from idp.accounts.working_days import WorkCalendar, due_after
from idp.adapters.inspection import MEDIA_TYPES, Kind
from idp.appeal.models import Appeal, AppealKind, State, Statement
from idp.appeal.papers import papers_for
from idp.db import uuid7
from tests.world import ACompany, AStaffMember, World, a_credit_code, a_resident_number

ALL_PAPERS = tuple(paper.slot for paper in papers_for(AppealKind.REGISTERED))
REMARK = "原手机号码已停用，收不到验证码"
_numbers = count(80_001)


@dataclass(frozen=True)
class AnAppeal:
    """An appeal with what its applicant told."""

    id: UUID
    number: str
    told: Statement

    @property
    def key(self) -> str:
        """Its name in the trail and among stored files."""
        return f"appeal:{self.id}"

    @property
    def address(self) -> str:
        """Its page at the desk."""
        return f"/staff/appeals/{self.id}"

    def row(self, world: World) -> Appeal:
        """As it stands in the table now."""
        with world.reading() as db:
            return db.get_one(Appeal, self.id)

    def papers(self, world: World) -> dict[str, StoredFile]:
        """Its files by slot."""
        with world.reading() as db:
            return {one.slot: one for one in files.of(db, self.key)}


def told_of(company: ACompany | None = None, **changed: Any) -> Statement:
    """What somebody tells: of a company as it stands here, or of one nobody knows; with `changed` otherwise.

    Names in `changed` are fields of the statement, of the claim (`name`, `representative_name` …) or
    `id_number`.
    """
    number = next(_numbers)
    if company:
        who = company.representative
        name, uscc, account, holder = company.name, company.uscc, company.account, who.name
        id_number, phone = who.id_number, who.phone
    else:
        name, uscc, account = f"第{number}申诉示例有限公司", a_credit_code(number), f"appeal_{number}"
        holder, id_number, phone = "林小满", a_resident_number(number), f"137{number:08d}"
    document = Document(
        IdType.RESIDENT, changed.pop("id_number", id_number), date(2020, 1, 1), date(2040, 1, 1)
    )
    claim = Claim(EnterpriseType.COMPANY.value, name, uscc, holder, document)
    of_claim = {name: changed.pop(name) for name in list(changed) if hasattr(claim, name)}
    told = Statement(
        replace(claim, **of_claim), "20", account or f"appeal_{number}", phone, f"136{number:08d}"
    )
    return replace(told, **changed)


def an_appeal(
    world: World,
    state: State = State.WAITING,
    *,
    company: ACompany | None = None,
    told: Statement | None = None,
    papers: Iterable[str] = (),
    claimed_by: AStaffMember | None = None,
    submitted_at: datetime | None = None,
    **fields: Any,
) -> AnAppeal:
    """An appeal in `state`: 已注册 where it is about a company that is here, else 未注册.

    `papers` are the slots that have their file; `fields` are columns of the row.
    """
    told = told or told_of(company)
    vault, now = world.backends.vault, world.now()
    at = submitted_at or now
    row = Appeal(
        id=uuid7(),
        kind=(AppealKind.REGISTERED if company else AppealKind.UNREGISTERED).value,
        state=state.value,
        version=0,
        asked_for=[],
        changes=[],
        created_at=at,
        enterprise_id=company.row.id if company else None,
    )
    row.number = f"SS-{at.astimezone(SHANGHAI):%Y%m%d}-{next(_numbers):06d}"
    row.set_statement(vault, told)
    if state is not State.DRAFT:
        row.set_remark(vault, REMARK)
        row.first_submitted_at = row.submitted_at = at
    for name, value in {**_times(world, state, at, claimed_by), **fields}.items():
        setattr(row, name, value)
    with world.write() as db:
        db.add(row)
    made = AnAppeal(row.id, row.number, told)
    for slot in papers:
        a_paper(world, made, slot)
    return made


def _times(world: World, state: State, at: datetime, claimed_by: AStaffMember | None) -> dict[str, Any]:
    calendar = WorkCalendar.of(world.settings.days_off, world.settings.workdays)
    found: dict[str, Any] = {}
    if state in {State.WAITING, State.IN_HAND, State.SECOND}:
        found["due_at"] = due_after(at, world.settings.appeal_due_days, calendar)
    if state is State.MORE:
        found["answer_until"] = due_after(at, world.settings.appeal_answer_days, calendar)
    if claimed_by:
        found |= {"claimed_by": claimed_by.row.id, "claimed_at": at}
    if state is State.SECOND and claimed_by:
        found |= {"proposed_by": claimed_by.row.id, "proposed_at": at}
    if state in {State.APPROVED, State.REFUSED, State.WITHDRAWN}:
        found["decided_at"] = at + timedelta(hours=1)
    return found


def a_paper(
    world: World,
    appeal: AnAppeal,
    slot: str,
    *,
    kind: Kind = Kind.JPG,
    data: bytes | None = None,
    pages: int | None = None,
) -> StoredFile:
    """A file of the appeal, sealed on the disk as an upload leaves it."""
    if data is None:
        data = a_document() if kind is Kind.PDF else a_picture()
    here = world.platform
    sealed = here.files.write(uuid7(), data)
    new = NewFile(
        sealed, f"{slot}.{kind.value}", MEDIA_TYPES[kind], pages or (1 if kind is Kind.PDF else None)
    )
    with world.write() as db:
        kept, _ = files.keep(db, here.vault, new, appeal.key, slot, Ceiling(10**9), now=world.now())
    return kept


@cache
def a_picture() -> bytes:
    """A small photograph, as it is stored: a JPEG."""
    return _drawn("JPEG")


@cache
def a_document() -> bytes:
    """A PDF of two pages."""
    return _drawn("PDF", save_all=True, append_images=[Image.new("RGB", (210, 297), "lightblue")])


def _drawn(kind: str, **how: Any) -> bytes:
    picture, kept = Image.new("RGB", (210, 140), "white"), io.BytesIO()
    ImageDraw.Draw(picture).rectangle((20, 20, 100, 60), fill="navy")
    picture.save(kept, kind, **how)
    return kept.getvalue()
