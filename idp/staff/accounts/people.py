"""账号: find one person by what he says of himself, look at his account, suspend, resume, end sign-ins.

==========================================  =====================================================
/staff/accounts                             one field; there is no list of people
/staff/accounts/<person>                    his account, masked
/staff/accounts/<person>/view               the whole values, for a reason, on record
/staff/accounts/<person>/suspend            停用; …/resume 恢复; …/sign-out 退出全部登录;
                                            …/reset-factors 移除全部第二步验证
==========================================  =====================================================
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, request, url_for

from idp.accounts.identifiers import mask_id_number, mask_name, mask_phone
from idp.accounts.models import Person
from idp.accounts.whose_sign_ins import speaking_for
from idp.staff.accounts import pages as shared
from idp.staff.accounts.change_words import Question, of_person
from idp.staff.accounts.changes import Change, apply, check_possible, locked_at
from idp.staff.accounts.factor_rows import factor_rows
from idp.staff.accounts.finding import Found, SearchRefused, find
from idp.staff.accounts.live_sign_ins import count_live
from idp.staff.accounts.person_record import MOST_COMPANIES, read_person
from idp.web import staff
from idp.web import staff_news as news
from idp.web.errors import Stop
from idp.web.paging import page_links, page_number
from idp.web.platform import db, now, platform
from idp.web.render import minute
from idp.web.words import rights

blueprint = Blueprint("staff_accounts", __name__, url_prefix="/staff/accounts")
_FIELDS = ("name", "phone", "id_number")
_CHANGES = "<any(suspend, resume, 'sign-out', 'reset-factors'):change>"
ID_TYPES = {
    "resident_id": "居民身份证",
    "hk_macao_permit": "港澳居民来往内地通行证",
    "taiwan_permit": "台湾居民来往大陆通行证",
    "foreign_permanent_id": "外国人永久居留身份证",
    "passport": "护照",
}


@blueprint.route("", methods=["GET", "POST"])
def index() -> Any:
    """The search. By POST, so that what is typed stands in no address and no log."""
    typed, error, found = request.form.get("typed", ""), "", None
    if request.method == "POST":
        try:
            found = find(db(), platform().vault, platform().trail, typed, staff.origin(), now=now())
        except SearchRefused as refused:
            error = str(refused)
    pages = _pages(found) if found else []
    if len(pages) == 1:
        return redirect(pages[0][1], 303)
    return staff.page(
        "staff/accounts/index.html",
        typed=typed[:64],
        error=error,
        missed=found is not None and not pages,
        choices=pages,
    )


@blueprint.get("/<uuid:person_id>")
def person(person_id: UUID) -> str:
    """One person's account, masked."""
    row, vault = _person(person_id), platform().vault
    record = read_person(db(), row, mandates_page=page_number(), now=now())
    facts = [
        *_masked(row),
        ("账号名", record.account or "没有设置"),
        ("第二步验证", shared.factor_words(record.factors)),
        ("最近登录", minute(record.last_sign_in) if record.last_sign_in else "没有登录过"),
        *shared.since(row.suspended_at, record.locked_at),
    ]
    return staff.page(
        "staff/accounts/person.html",
        person_id=row.id,
        name=facts[0][1],
        facts=facts,
        tag=shared.account_tag(row.suspended_at, record.locked_at),
        closed=bool(row.suspended_at or record.locked_at),
        suspended=bool(row.suspended_at),
        factors=factor_rows(record.factors, now=now()),
        sign_ins=shared.sign_in_rows(record.live, vault, of_company=False),
        sign_in_count=record.live_count,
        mandates=[
            {
                "company": held.mandate.enterprise.name,
                "href": url_for("staff_companies.company", company_id=held.mandate.enterprise_id),
                "tag": shared.LOCKED_TAG if held.locked else shared.MANDATE_TAGS[held.state],
                "days": f"{held.mandate.first_day} 至 {held.mandate.last_day}",
                "rights": rights(held.mandate),
            }
            for held in record.mandates.rows
        ],
        mandate_count=record.mandates.matching,
        links=page_links(
            record.mandates.number,
            record.mandates.pages,
            lambda number: url_for(".person", person_id=row.id, page=number),
        ),
        companies=[
            (led.name, url_for("staff_companies.company", company_id=led.id)) for led in record.companies
        ],
        most_companies=MOST_COMPANIES,
        done=news.take(),
    )


@blueprint.route("/<uuid:person_id>/view", methods=["GET", "POST"])
def view(person_id: UUID) -> Any:
    """The whole values, for a reason; each answer is a look of its own."""
    row, vault = _person(person_id), platform().vault

    def values() -> shared.Facts:
        return [
            ("姓名", row.name(vault)),
            ("手机号码", row.phone(vault) or "没有登记"),
            (ID_TYPES[row.id_type], row.id_number(vault) or "没有登记"),
        ]

    return shared.look(_subject(row), shared.Look(row, _FIELDS, values))


@blueprint.route(f"/<uuid:person_id>/{_CHANGES}", methods=["GET", "POST"])
def change(person_id: UUID, change: str) -> Any:
    """停用, 恢复, 退出全部登录, 移除全部第二步验证: what it does is said first, and a reason is asked."""
    row, wanted = _person(person_id), Change(change)
    return shared.ask(
        _subject(row),
        lambda: _question(row, wanted),
        check=lambda: check_possible(db(), row, wanted, now=now()),
        act=lambda reason: apply(db(), shared.hand(), row, wanted, reason),
        proof=wanted is Change.RESET_FACTORS,
    )


def _question(row: Person, wanted: Change) -> Question:
    live = count_live(db(), speaking_for(row), now=now())
    return of_person(wanted, shared.standing(row, locked=locked_at(db(), row) is not None, live=live))


def _person(person_id: UUID) -> Person:
    """Raises Stop, the same for another kind's id."""
    found = db().get(Person, person_id)
    if found is None:
        ways = (("查找账号", url_for(".index")),)
        raise Stop("没有这个账号", "地址里的编号不属于任何人。请重新查找。", status=404, ways=ways)
    return found


def _pages(found: Found) -> list[tuple[str, str]]:
    """The pages a look-up leads to, with their names."""
    pages = []
    if found.person:
        pages.append((f"个人，{mask_name(found.person.name(platform().vault))}", _page_of(found.person)))
    if found.company:
        company = url_for("staff_companies.company", company_id=found.company.id)
        pages.append((f"企业，{found.company.name}", company))
    return pages


def _page_of(row: Person) -> str:
    return url_for(".person", person_id=row.id)


def _masked(row: Person) -> list[tuple[str, str]]:
    vault = platform().vault
    return [
        ("姓名", mask_name(row.name(vault))),
        ("手机号码", mask_phone(row.phone(vault)) or "没有登记"),
        (ID_TYPES[row.id_type], mask_id_number(row.id_number(vault)) or "没有登记"),
    ]


def _subject(row: Person) -> shared.Subject:
    vault = platform().vault

    def personal() -> tuple[str | None, ...]:
        return row.name(vault), row.phone(vault), row.id_number(vault)

    reset = url_for(".change", person_id=row.id, change=Change.RESET_FACTORS.value)
    return shared.Subject(_masked(row), _page_of(row), "返回账号", reset, personal)
