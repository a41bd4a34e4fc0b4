"""The fields of an identity document, the same wherever somebody tells his (B07–B10, C03).

The last day follows from the first one and the term; who types another is told. `documents.js` fills it in.
"""

from __future__ import annotations

from datetime import date
from typing import Any, ClassVar

from wtforms import Form, StringField
from wtforms.validators import ValidationError

from idp.accounts.calendar import civil_day
from idp.accounts.documents import NAMES, TERMS, Document, Term, end_of, ends_of, parse_number
from idp.accounts.models import IdType
from idp.crypto import plain
from idp.web.platform import now

_EARLIEST = date(1984, 4, 6)  # The first identity cards were issued then; nothing older is valid.

_LONGEST_TYPED = 64


def _mistaken(term: Term, last: date | None) -> str:
    """What is said of a last day that does not follow from the first and the term."""
    if last is None:
        return "长期有效的证件没有结束日期，不用填写；证件上印有结束日期的，请核对有效期"
    return f"按 {TERMS[term]}计算，结束日期应为 {last.isoformat()}，请核对有效期"


def _kind(typed: str | None) -> IdType | None:
    return IdType(typed) if typed in {kind.value for kind in IdType} else None


def trimmed(typed: str | None) -> str:
    """What a field of one number or code holds: blanks at its ends are none of it, nor is a page of text."""
    return plain((typed or "").strip()[:_LONGEST_TYPED])


def day_typed(typed: str | None) -> date | None:
    """A day as a date picker sends it, or as people write it: 2019-03-08, 2019.3.8, 20190308, 2019年3月8日"""
    text = plain((typed or "")[:20]).replace("年", "-").replace("月", "-").replace("日", "")
    text = "-".join(text.replace("-", " ").replace(".", " ").replace("/", " ").split())
    if text.isdecimal() and len(text) == 8:
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    parts = text.split("-")
    if len(parts) != 3 or not all(part.isdecimal() and part.isascii() for part in parts):
        return None
    try:
        return date(*(int(part) for part in parts))
    except (ValueError, OverflowError):
        return None


class NumberFields(Form):
    """证件类型、证件号码. `number_label` is what the page calls the number in its sentences."""

    number_label = "证件号码"
    # What the page offers; plain fields take them, since what is chosen is checked here and in our words.
    kinds: ClassVar = tuple((kind.value, name) for kind, name in NAMES.items())

    id_type = StringField(default=IdType.RESIDENT.value)
    id_number = StringField()

    def validate_id_type(self, typed: StringField) -> None:
        """One of the kinds. Raises ValidationError."""
        if _kind(typed.data) is None:
            raise ValidationError("请选择证件类型")

    def validate_id_number(self, typed: StringField) -> None:
        """A number of that kind. Raises ValidationError."""
        given, kind = trimmed(typed.data), _kind(self.id_type.data)
        if not given:
            raise ValidationError(f"请填写{self.number_label}")
        if kind is None or self.number:
            return
        length = len(given.replace(" ", ""))
        if kind is IdType.RESIDENT and length != 18:
            raise ValidationError(f"居民身份证号码应为 18 位，目前填写了 {length} 位")
        raise ValidationError(f"{self.number_label}不正确，请对照证件核对")

    @property
    def number(self) -> str:
        """The number in canonical form, the same that was looked at; empty if it is none of that kind."""
        kind = _kind(self.id_type.data)
        return (parse_number(kind, trimmed(self.id_number.data)) if kind else None) or ""


class DocumentFields(NumberFields):
    """The same with 证件有效期."""

    terms: ClassVar = tuple((term.value, name) for term, name in TERMS.items())

    term = StringField(default=Term.FIVE.value)  # X26
    valid_from = StringField()
    valid_until = StringField()

    def validate_term(self, typed: StringField) -> None:
        """One of the terms. Raises ValidationError."""
        if typed.data not in {term.value for term in Term}:
            raise ValidationError("请选择证件有效期")

    def validate_valid_from(self, typed: StringField) -> None:
        """A day that is not to come. Raises ValidationError."""
        if not (typed.data or "").strip():
            raise ValidationError("请选择身份证有效开始日期")
        first = day_typed(typed.data)
        if first is None:
            raise ValidationError("有效开始日期不正确，请按证件填写，例如 2019-03-08")
        if not self._may_begin(first):
            raise ValidationError("有效开始日期不能早于 1984 年，也不能晚于今天")

    def validate_valid_until(self, typed: StringField) -> None:
        """Empty, or the day that first day and term make; not over yet. Raises ValidationError."""
        first = day_typed(self.valid_from.data)
        if first is None or not self._may_begin(first) or self.term.data not in {term.value for term in Term}:
            return
        term = Term(self.term.data)
        last = end_of(first, term)
        if (typed.data or "").strip() and not self._agrees(typed.data or "", first, term):
            raise ValidationError(_mistaken(term, last))
        if last and last < self.today:
            over = f"按 {TERMS[term]}计算，证件已于 {last.isoformat()} 到期。请核对有效期"
            raise ValidationError(f"{over}；确实到期的，请换领新证件后再办理")

    @property
    def today(self) -> date:
        """The day in Asia/Shanghai that the form was sent on."""
        return civil_day(now())

    @property
    def document(self) -> Document:
        """What the fields say, once they are valid."""
        kind = IdType(self.id_type.data or "")
        first = day_typed(self.valid_from.data)
        number = self.number
        if first is None or not number:
            msg = "the fields are not valid"
            raise ValueError(msg)
        last = end_of(first, Term(self.term.data or ""))
        # Of a card issued on 29 February it is the printed day that the people registry knows.
        return Document(kind, number, first, (day_typed(self.valid_until.data) or last) if last else None)

    @staticmethod
    def prefilled(document: Document, term: str) -> dict[str, Any]:
        """The fields' values for somebody who told them before."""
        return {
            "id_type": document.id_type.value,
            "id_number": document.id_number,
            "term": term,
            "valid_from": document.valid_from.isoformat(),
            "valid_until": document.valid_until.isoformat() if document.valid_until else "",
        }

    def _may_begin(self, first: date) -> bool:
        return _EARLIEST <= first <= self.today

    @staticmethod
    def _agrees(typed: str, first: date, term: Term) -> bool:
        if term is Term.LONG:
            return plain(typed) in {"长期", TERMS[Term.LONG]}
        return day_typed(typed) in ends_of(first, term)
