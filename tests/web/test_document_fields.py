"""The fields of an identity document as they are typed: each wrong in each way (B07–B10, X26)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from idp.accounts.calendar import civil_day
from idp.accounts.documents import NAMES, Document, Term
from idp.accounts.models import IdType
from idp.web.document_fields import DocumentFields, day_typed
from idp.web.platform import now
from tests.inhabitants import a_resident_number

RESIDENT = a_resident_number(60_002)
GOOD = {
    "id_type": IdType.RESIDENT.value,
    "id_number": RESIDENT,
    "term": "20",
    "valid_from": "2019-03-08",
    "valid_until": "2039-03-08",
}


def typed(**changed: Any) -> DocumentFields:
    """The fields, validated, as a request brings them; None leaves one out."""
    sent = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
    form = DocumentFields(MultiDict(sent))
    form.validate()
    return form


def wrong(**changed: Any) -> dict[str, str]:
    """Field to its first sentence."""
    return {str(name): str(next(iter(errors))) for name, errors in typed(**changed).errors.items()}


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2019-03-08", date(2019, 3, 8)),
        ("2019-3-8", date(2019, 3, 8)),
        ("2019.3.8", date(2019, 3, 8)),
        ("2019. 3. 8", date(2019, 3, 8)),
        ("2019/03/08", date(2019, 3, 8)),
        ("20190308", date(2019, 3, 8)),
        ("2019年3月8日", date(2019, 3, 8)),
        ("2019 年 3 月 8 日", date(2019, 3, 8)),
        ("２０１９０３０８", date(2019, 3, 8)),
        (" 2020-02-29 ", date(2020, 2, 29)),
        ("2019-02-29", None),
        ("2019-13-01", None),
        ("2019-00-00", None),
        ("2019-03", None),
        ("08/03/2019", None),
        ("٢٠١٩٠٣٠٨", None),
        ("-2019-3-8-9", None),
        ("99999999999999-1-1", None),
        ("2019-99999999999-1", None),
        ("长期", None),
        ("", None),
        (None, None),
    ],
)
def test_a_day_is_understood_as_people_write_it(text: str | None, day: date | None) -> None:
    assert day_typed(text) == day


@given(st.dates(date(1000, 1, 1)), st.sampled_from(["-", ".", "/", " ", ". "]))
def test_every_day_is_understood_in_every_way_of_writing_it(day: date, mark: str) -> None:
    numbers = [str(part) for part in (day.year, day.month, day.day)]
    assert day_typed(mark.join(numbers)) == day
    assert day_typed("{}年{}月{}日".format(*numbers)) == day
    assert day_typed(day.isoformat()) == day
    assert day_typed(day.strftime("%Y%m%d")) == day


@given(st.text(max_size=30) | st.from_regex(r"\A[0-9]{1,15}[-./ 年][0-9]{1,9}[-./ 月][0-9]{1,9}\Z"))
def test_whatever_is_typed_is_a_day_or_none(text: str) -> None:
    assert day_typed(text) is None or isinstance(day_typed(text), date)


def test_the_first_term_is_chosen_before_anybody_chooses() -> None:
    """X26, B07."""
    form = DocumentFields()
    assert (form.term.data, form.id_type.data) == (Term.FIVE.value, IdType.RESIDENT.value)
    assert [name for _, name in form.kinds] == list(NAMES.values())


@pytest.mark.parametrize("kind", list(IdType))
def test_a_document_of_each_kind_is_taken_as_typed(kind: IdType) -> None:
    number = RESIDENT if kind is IdType.RESIDENT else "H 1234-5678"
    form = typed(id_type=kind.value, id_number=number.lower())
    assert form.errors == {}
    canonical = RESIDENT if kind is IdType.RESIDENT else "H12345678"
    assert form.document == Document(kind, canonical, date(2019, 3, 8), date(2039, 3, 8))


@pytest.mark.parametrize("kind", [IdType.RESIDENT, IdType.PASSPORT])
@pytest.mark.parametrize("padded", ["{}" + " " * 150, " " * 150 + "{}", "　" * 70 + "{}" + "\t" * 70])
def test_blanks_at_the_ends_of_a_number_are_none_of_it(kind: IdType, padded: str) -> None:
    """What is looked at is what is used afterwards."""
    number = RESIDENT if kind is IdType.RESIDENT else "E12345678"
    form = typed(id_type=kind.value, id_number=padded.format(number))
    assert form.errors == {}
    assert form.document.id_number == form.number == number


@pytest.mark.parametrize("kind", [IdType.RESIDENT, IdType.PASSPORT])
def test_more_behind_a_long_row_of_blanks_is_looked_at_and_used_alike(kind: IdType) -> None:
    number = RESIDENT if kind is IdType.RESIDENT else "E12345678"
    form = typed(id_type=kind.value, id_number=number + " " * 60 + "9")
    assert form.errors == {}
    assert form.document.id_number == number


@pytest.mark.parametrize(
    ("changed", "last"),
    [
        ({"valid_until": ""}, date(2039, 3, 8)),
        ({"valid_until": None}, date(2039, 3, 8)),
        ({"valid_until": "2039年3月8日"}, date(2039, 3, 8)),
        ({"term": "long", "valid_until": ""}, None),
        ({"term": "long", "valid_until": "长期"}, None),
        ({"term": "long", "valid_until": " 长期有效 "}, None),
        ({"valid_from": "2024-02-29", "term": "5", "valid_until": ""}, date(2029, 2, 28)),
        ({"valid_from": "2024-02-29", "term": "5", "valid_until": "2029-02-28"}, date(2029, 2, 28)),
        ({"valid_from": "2024-02-29", "term": "5", "valid_until": "2029-03-01"}, date(2029, 3, 1)),
        ({"valid_from": "2024-02-29", "term": "20", "valid_until": "2044-02-29"}, date(2044, 2, 29)),
    ],
)
def test_the_last_day_may_be_left_out_and_is_kept_as_printed(
    changed: dict[str, Any], last: date | None
) -> None:
    """B10; of 29 February the people registry knows the day that the card says."""
    form = typed(**changed)
    assert form.errors == {}
    assert form.document.valid_until == last


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"id_type": "library_card"}, "id_type", "请选择证件类型"),
        ({"id_type": ""}, "id_type", "请选择证件类型"),
        ({"id_number": " "}, "id_number", "请填写证件号码"),
        ({"id_number": None}, "id_number", "请填写证件号码"),
        ({"id_number": RESIDENT[:17]}, "id_number", "居民身份证号码应为 18 位，目前填写了 17 位"),
        ({"id_number": RESIDENT[:17] + "A"}, "id_number", "证件号码不正确，请对照证件核对"),
        ({"id_number": "1" * 5000}, "id_number", "居民身份证号码应为 18 位，目前填写了 64 位"),
        ({"id_type": "passport", "id_number": "E12"}, "id_number", "证件号码不正确，请对照证件核对"),
        ({"term": ""}, "term", "请选择证件有效期"),
        ({"term": "7"}, "term", "请选择证件有效期"),
        ({"valid_from": " "}, "valid_from", "请选择身份证有效开始日期"),
        ({"valid_from": None}, "valid_from", "请选择身份证有效开始日期"),
        ({"valid_from": "soon"}, "valid_from", "有效开始日期不正确，请按证件填写，例如 2019-03-08"),
        ({"valid_from": "2019-02-29"}, "valid_from", "有效开始日期不正确，请按证件填写，例如 2019-03-08"),
        ({"valid_from": "1984-04-05"}, "valid_from", "有效开始日期不能早于 1984 年，也不能晚于今天"),
        ({"valid_from": "9999-12-31"}, "valid_from", "有效开始日期不能早于 1984 年，也不能晚于今天"),
        ({"valid_from": "0001-01-01"}, "valid_from", "有效开始日期不能早于 1984 年，也不能晚于今天"),
        (
            {"valid_until": "2039-03-09"},
            "valid_until",
            "按 20 年计算，结束日期应为 2039-03-08，请核对有效期",
        ),
        (
            {"valid_until": "后天"},
            "valid_until",
            "按 20 年计算，结束日期应为 2039-03-08，请核对有效期",
        ),
        (
            {"term": "long"},
            "valid_until",
            "长期有效的证件没有结束日期，不用填写；证件上印有结束日期的，请核对有效期",
        ),
        (
            {"term": "long", "valid_until": "没有"},
            "valid_until",
            "长期有效的证件没有结束日期，不用填写；证件上印有结束日期的，请核对有效期",
        ),
        (
            {"valid_from": "2023-02-28", "term": "5", "valid_until": "2028-03-01"},
            "valid_until",
            "按 5 年计算，结束日期应为 2028-02-28，请核对有效期",
        ),
        (
            {"valid_from": "2010-05-06", "term": "5", "valid_until": ""},
            "valid_until",
            "按 5 年计算，证件已于 2015-05-06 到期。请核对有效期；确实到期的，请换领新证件后再办理",
        ),
    ],
)
def test_each_field_wrong_in_each_way_has_its_sentence_and_no_other_has_one(
    changed: dict[str, Any], field: str, sentence: str
) -> None:
    assert wrong(**changed) == {field: sentence}


@pytest.mark.parametrize(("ago", "fits"), [(0, True), (1, False)])
def test_a_document_is_good_on_its_last_day(ago: int, *, fits: bool) -> None:
    last = civil_day(now()) - timedelta(days=ago)
    if (last.month, last.day) == (2, 29):
        last -= timedelta(days=1)
    first = last.replace(year=last.year - 5)
    assert (wrong(term="5", valid_from=first.isoformat(), valid_until="") == {}) is fits


def test_a_document_that_begins_today_is_taken_and_one_of_tomorrow_is_not() -> None:
    today = civil_day(now())
    assert wrong(valid_from=today.isoformat(), valid_until="") == {}
    tomorrow = today + timedelta(days=1)
    assert set(wrong(valid_from=tomorrow.isoformat(), valid_until="")) == {"valid_from"}


def test_who_told_it_before_finds_it_filled_in() -> None:
    form = typed()
    assert typed(**DocumentFields.prefilled(form.document, "20")).document == form.document
