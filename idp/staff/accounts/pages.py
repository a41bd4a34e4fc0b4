"""What the pages of people and companies share: the question before a change, the look at personal data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import redirect, request, url_for

from idp.accounts.factors import Factor, Kind
from idp.accounts.identifiers import mask_name
from idp.accounts.models import Enterprise, Mandate, Person
from idp.accounts.reasons import LONGEST, ReasonRefused, parse_reason
from idp.accounts.sessions import SignedIn
from idp.crypto import Vault
from idp.proof.enrolment import KINDS
from idp.staff.accounts.change_words import DONE, Question, Standing
from idp.staff.accounts.changes import Hand, NothingToDo, factors_of, note_view
from idp.staff.accounts.factor_rows import factor_rows
from idp.staff.accounts.mandate_rows import MandateState
from idp.web import staff
from idp.web import staff_news as news
from idp.web.errors import Stop
from idp.web.platform import db, now, platform
from idp.web.render import minute
from idp.web.words import ROLES, session_words

Facts = Sequence[tuple[str, str]]
MANDATE_TAGS = {
    MandateState.LIVE: ("生效", "ok", "check"),
    MandateState.FUTURE: ("未生效", "wait", "clock"),
    MandateState.EXPIRED: ("过期", "", "minus"),
    MandateState.ENDED: ("已结束", "", "x"),
}
LOCKED_TAG = ("已锁定", "bad", "shield-alert")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a page is about, masked, and the way back to his page.

    `reset` is where his second factors are taken away. `personal` is what no reason may hold.
    """

    facts: Facts
    back: str
    back_label: str
    reset: str
    personal: Callable[[], Sequence[str | None]]


@dataclass(frozen=True, slots=True)
class Look:
    """A look at personal data: of which account, the names of the fields for the trail, and their values."""

    account: Person | Enterprise
    fields: Sequence[str]
    values: Callable[[], Facts]


def hand() -> Hand:
    """Whoever is signed in at the console, with what he changes accounts with."""
    return Hand(platform().vault, platform().trail, platform().notifier, staff.origin(), now())


def ask(
    subject: Subject,
    question: Callable[[], Question],
    *,
    check: Callable[[], None],
    act: Callable[[str], None],
    proof: bool = False,
) -> Any:
    """Put the question; once it is sent with a reason, `act` on it.

    `check` and `act` raise NothingToDo: where somebody else was first, this one is told. `proof` says
    that it takes a fresh proof of who asks.
    """
    elsewhere = staff.proof_first(request.path) if proof else None
    if elsewhere is not None:
        return elsewhere
    error = ""
    try:
        check()
        if request.method == "POST":
            act(_reason(subject))
            news.leave(subject.back, DONE[question().done])
            return redirect(subject.back, 303)
    except NothingToDo as nothing:
        ways = ((subject.back_label, subject.back),)
        raise Stop("状态已经变了", str(nothing), status=409, ways=ways) from None
    except ReasonRefused as refused:
        error = str(refused)
    asked = {"question": question(), "subject": subject}
    return staff.page("staff/accounts/change.html", error=error, reason=_typed(), **asked)


def look(subject: Subject, asked: Look) -> Any:
    """Ask for a reason; answer it with the whole values, once, and a line in the trail (SECURITY 76).

    Whoever asks proves first that it is still him.
    """
    if (elsewhere := staff.proof_first(request.path)) is not None:
        return elsewhere
    values, error = None, ""
    if request.method == "POST":
        try:
            note_view(db(), hand(), asked.account, asked.fields, _reason(subject))
            values = asked.values()
        except ReasonRefused as refused:
            error = str(refused)
    return staff.page(
        "staff/accounts/view.html", subject=subject, values=values, error=error, reason=_typed()
    )


def _reason(subject: Subject) -> str:
    """Raises ReasonRefused."""
    return parse_reason(request.form.get("reason", ""), about=subject.personal())


def _typed() -> str:
    return request.form.get("reason", "")[:LONGEST]


def standing(account: Person | Enterprise | Mandate, *, locked: bool, live: int = 0) -> Standing:
    """How an account stands, for the question before it is changed."""
    return Standing(locked, live, factor_rows(factors_of(db(), account), now=now()))


def account_tag(
    suspended_at: datetime | None, locked_at: datetime | None, *, activated: bool = True
) -> tuple[str, str, str]:
    """The state of an account as a tag; the gravest of several."""
    if suspended_at:
        return "已停用", "bad", "x"
    if locked_at:
        return LOCKED_TAG
    return ("正常", "ok", "check") if activated else ("待激活", "wait", "clock")


def since(suspended_at: datetime | None, locked_at: datetime | None) -> list[tuple[str, str]]:
    """From when on an account is closed, and by whom."""
    rows = [("停用时间", minute(suspended_at))] if suspended_at else []
    return rows + ([("本人锁定时间", f"{minute(locked_at)}，由「不是我」锁定")] if locked_at else [])


def factor_words(factors: Sequence[Factor]) -> str:
    """Kinds and numbers of second factors: 验证器 App 1 个，通行密钥 2 个."""
    numbers: Mapping[Kind, int] = {kind: sum(one.kind is kind for one in factors) for kind in Kind}
    return "，".join(f"{KINDS[kind]} {number} 个" for kind, number in numbers.items() if number) or "没有设置"


def sign_in_rows(live: Sequence[SignedIn], vault: Vault, *, of_company: bool) -> list[dict[str, Any]]:
    """Live sign-ins in words: who or for whom, browser, address, way, when."""
    rows = []
    for signed_in in live:
        role = ROLES[signed_in.identity.role]
        other = signed_in.enterprise.name if signed_in.enterprise else ""
        if of_company:
            other = mask_name(signed_in.person.name(vault))
        words = session_words(signed_in.session, current=False)
        href = url_for("staff_accounts.person", person_id=signed_in.person.id) if of_company else ""
        rows.append({**words, "role": role, "other": other, "href": href})
    return rows
