"""企业: companies by name or credit code, their accounts and sign-ins, and who may act for them.

=================================================  ==============================================
/staff/companies                                   list and search
/staff/companies/<company>                         account, sign-ins, mandates
/staff/companies/<company>/view                    the reserved phone, for a reason, on record
/staff/companies/<company>/suspend                 停用; …/resume 恢复; …/sign-out 退出全部登录
/staff/companies/<company>/mandates/<mandate>/end  结束授权; …/unlock 解除锁定
=================================================  ==============================================
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, request, url_for

from idp.accounts.identifiers import mask_name, mask_phone
from idp.accounts.models import Enterprise, EnterpriseStatus, Mandate
from idp.accounts.searching import LONGEST, MOST, Listing, SearchRefused, check_text
from idp.accounts.whose_sign_ins import speaking_for
from idp.staff.accounts import changes
from idp.staff.accounts import pages as shared
from idp.staff.accounts.change_words import Question, of_company, of_mandate
from idp.staff.accounts.changes import (
    Change,
    MandateChange,
    check_mandate,
    check_possible,
    locked_at,
)
from idp.staff.accounts.company_record import CompanyState, Search, find_company, list_companies, read_company
from idp.staff.accounts.company_words import (
    REGISTERED,
    STATES,
    listed,
    mandate_tabs,
    mandate_words,
    public_facts,
    tag,
)
from idp.staff.accounts.factor_rows import factor_rows
from idp.staff.accounts.live_sign_ins import count_live
from idp.staff.accounts.mandate_rows import MandateState, find_mandate, read_page
from idp.web import staff
from idp.web import staff_news as news
from idp.web.errors import Stop
from idp.web.paging import page_links, page_number
from idp.web.platform import db, now, platform
from idp.web.words import rights

blueprint = Blueprint("staff_companies", __name__, url_prefix="/staff/companies")
Choice = TypeVar("Choice", bound=StrEnum)
_CHANGES = "<any(suspend, resume, 'sign-out', 'reset-factors'):change>"
_MANDATE_CHANGES = "<any(end, unlock, 'reset-factors'):change>"


@blueprint.get("")
def index() -> str:
    """The list, narrowed by part of a name or a credit code, and by state."""
    typed, state = request.args.get("typed", ""), _chosen(CompanyState, "state")
    listing, error = None, ""
    try:
        search = Search(check_text(typed), state, page_number())
        listing = list_companies(db(), search)
    except SearchRefused as refused:
        error = str(refused)
    return staff.page(
        "staff/companies/index.html",
        typed=typed[:LONGEST] if not error else "",
        state=state.value if state else "",
        states=STATES,
        error=error,
        listing=listing,
        most=MOST,
        companies=[listed(row) for row in listing.rows] if listing else [],
        links=_list_links(listing, typed, state) if listing else [],
    )


@blueprint.get("/<uuid:company_id>")
def company(company_id: UUID) -> str:
    """One company: its account, its live sign-ins, and one page of its mandates."""
    row, vault, state = _company(company_id), platform().vault, _chosen(MandateState, "state")
    record = read_company(db(), row, now=now())
    mandates = read_page(db(), company=row.id, state=state, number=page_number(), now=now())
    facts = [
        *public_facts(row),
        ("账号名", record.account or "没有设置"),
        ("预留手机号码", _phone(row, masked=True)),
        ("第二步验证", shared.factor_words(record.factors)),
        *shared.since(row.suspended_at, record.locked_at),
    ]
    return staff.page(
        "staff/companies/company.html",
        company_id=row.id,
        name=row.name,
        facts=facts,
        registered=REGISTERED[EnterpriseStatus(row.status)],
        tag=tag(row, locked_at=record.locked_at),
        representative={
            "name": mask_name(row.representative.name(vault)),
            "href": url_for("staff_accounts.person", person_id=row.representative_id),
        },
        closed=bool(row.suspended_at or record.locked_at),
        suspended=bool(row.suspended_at),
        factors=factor_rows(record.factors, now=now()),
        sign_ins=shared.sign_in_rows(record.live, vault, of_company=True),
        sign_in_count=record.live_count,
        mandates=[mandate_words(held) for held in mandates.rows],
        mandate_count=mandates.matching,
        tabs=mandate_tabs(row, mandates, state),
        links=page_links(
            mandates.number,
            mandates.pages,
            lambda number: url_for(".company", company_id=row.id, state=state, page=number),
        ),
        done=news.take(),
    )


@blueprint.route("/<uuid:company_id>/view", methods=["GET", "POST"])
def view(company_id: UUID) -> Any:
    """The reserved phone, for a reason; each answer is a look of its own."""
    row = _company(company_id)

    def values() -> shared.Facts:
        return [("企业", row.name), ("预留手机号码", _phone(row, masked=False))]

    return shared.look(_subject(row), shared.Look(row, ("phone",), values))


@blueprint.route(f"/<uuid:company_id>/{_CHANGES}", methods=["GET", "POST"])
def change(company_id: UUID, change: str) -> Any:
    """停用, 恢复, 退出全部登录, 移除全部第二步验证: what it does is said first, and a reason is asked."""
    row, wanted = _company(company_id), Change(change)
    return shared.ask(
        _subject(row),
        lambda: _question(row, wanted),
        check=lambda: check_possible(db(), row, wanted, now=now()),
        act=lambda reason: changes.apply(db(), shared.hand(), row, wanted, reason),
        proof=wanted is Change.RESET_FACTORS,
    )


@blueprint.route(f"/<uuid:company_id>/mandates/<uuid:mandate_id>/{_MANDATE_CHANGES}", methods=["GET", "POST"])
def change_mandate(company_id: UUID, mandate_id: UUID, change: str) -> Any:
    """结束授权, 解除锁定, 移除全部第二步验证, for a reason; the mandate must be this company's."""
    row, wanted = _company(company_id), MandateChange(change)
    mandate = find_mandate(db(), company_id, mandate_id)
    if mandate is None:
        ways = (("返回企业", _page_of(row)),)
        raise Stop("没有这项授权", "这家企业没有这项授权。请从企业的授权列表进入。", status=404, ways=ways)
    return shared.ask(
        _mandate_subject(row, mandate),
        lambda: of_mandate(wanted, shared.standing(mandate, locked=locked_at(db(), mandate) is not None)),
        check=lambda: check_mandate(db(), mandate, wanted),
        act=lambda reason: changes.change_mandate(db(), shared.hand(), mandate, wanted, reason),
        proof=wanted is MandateChange.RESET_FACTORS,
    )


def _question(row: Enterprise, wanted: Change) -> Question:
    live = count_live(db(), speaking_for(row), now=now())
    return of_company(wanted, shared.standing(row, locked=locked_at(db(), row) is not None, live=live))


def _subject(row: Enterprise) -> shared.Subject:
    vault, legal = platform().vault, row.account

    def personal() -> tuple[str | None, ...]:
        return row.representative.name(vault), legal.phone(vault) if legal else None

    facts = [*public_facts(row), ("预留手机号码", _phone(row, masked=True))]
    reset = url_for(".change", company_id=row.id, change=Change.RESET_FACTORS.value)
    return shared.Subject(facts, _page_of(row), "返回企业", reset, personal)


def _mandate_subject(row: Enterprise, mandate: Mandate) -> shared.Subject:
    vault, holder = platform().vault, mandate.person

    def personal() -> tuple[str | None, ...]:
        return holder.name(vault), holder.phone(vault), holder.id_number(vault), mandate.phone(vault)

    facts = [
        ("企业", row.name),
        ("经办人", mask_name(holder.name(vault))),
        ("授权期限", f"{mandate.first_day} 至 {mandate.last_day}"),
        ("权限", rights(mandate)),
    ]
    reset = url_for(
        ".change_mandate",
        company_id=row.id,
        mandate_id=mandate.id,
        change=MandateChange.RESET_FACTORS.value,
    )
    return shared.Subject(facts, _page_of(row), "返回企业", reset, personal)


def _company(company_id: UUID) -> Enterprise:
    """Raises Stop, the same for another kind's id."""
    found = find_company(db(), company_id)
    if found is None:
        ways = (("查找企业", url_for(".index")),)
        raise Stop("没有这家企业", "地址里的编号不属于任何企业。请重新查找。", status=404, ways=ways)
    return found


def _chosen(kind: type[Choice], name: str) -> Choice | None:
    """A filter of the address; None where it is missing or no state at all."""
    value = request.args.get(name, "")
    return kind(value) if value in set(kind) else None


def _page_of(row: Enterprise) -> str:
    return url_for(".company", company_id=row.id)


def _phone(row: Enterprise, *, masked: bool) -> str:
    phone = row.account.phone(platform().vault) if row.account else None
    return (mask_phone(phone) if masked else phone) or "没有登记"


def _list_links(listing: Listing[Enterprise], typed: str, state: CompanyState | None) -> list[dict[str, Any]]:
    def address(number: int) -> str:
        return url_for(".index", typed=typed or None, state=state, page=number)

    return page_links(listing.number, listing.pages, address)
