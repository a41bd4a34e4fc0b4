"""What is filtered leaves as a file: whole, in order, harmless in a spreadsheet, and written down."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import pytest
from sqlalchemy import event

from idp.accounts import audit_search
from idp.accounts.audit import Action, Origin
from idp.accounts.audit import Event as Happening
from idp.accounts.staff import StaffRole
from idp.staff.trail import views
from idp.web.csv_files import inert
from tests.pages import Page
from tests.staff.trail import PERSON, events, form_to, happened
from tests.world import Browser, World


def export(auditor: Browser, name: str, address: str = "/staff/audit") -> Page:
    """Press one of the two buttons below a list."""
    page = auditor.open(address)
    return auditor.submit({"format": name}, number=form_to(page, "/staff/audit/export"))


def in_a_spreadsheet(page: Page) -> list[dict[str, str]]:
    """The rows, as a spreadsheet reads them."""
    assert page.response.data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(page.response.data.decode("utf-8-sig"), newline="")))


def test_a_spreadsheet_gets_what_is_filtered(world: World) -> None:
    happened(world, Action.SIGNED_IN, target=PERSON)
    wanted = happened(
        world, Action.CLIENT_ADDED, target="client:portal", actor="cli:root", detail={"name": "网厅"}
    )
    page = export(world.at_the_console(StaffRole.AUDITOR), "csv", "/staff/audit?actor=cli:root")
    (row,) = in_a_spreadsheet(page)
    assert (row["记录编号"], row["事项"], row["对象"]) == (str(wanted), "新增应用", "client:portal")
    assert json.loads(row["详情"]) == {"name": "网厅"}
    assert row["时间"].endswith("+08:00")
    assert page.response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert page.response.headers["Content-Disposition"].startswith('attachment; filename="audit-')
    assert page.response.headers["X-Content-Type-Options"] == "nosniff"


def test_a_program_gets_an_object_a_line(world: World) -> None:
    made = [str(happened(world, Action.SIGNED_IN, target=PERSON, detail={"amr": ["pwd"]})) for _ in range(3)]
    page = export(world.at_the_console(StaffRole.AUDITOR), "jsonl", f"/staff/audit?target={PERSON}")
    lines = [json.loads(line) for line in page.html.splitlines()]
    assert [line["id"] for line in lines] == made[::-1]
    assert lines[0]["detail"] == {"amr": ["pwd"]}
    assert page.response.headers["Content-Type"] == "application/jsonl; charset=utf-8"


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(world: World, begin: str) -> None:
    """SECURITY 70."""
    formula = f"{begin}HYPERLINK(1)"
    assert inert(formula) == "'" + formula
    happened(world, Action.SIGNED_IN, target=PERSON, device=formula, address=formula)
    page = export(world.at_the_console(StaffRole.AUDITOR), "csv", f"/staff/audit?target={PERSON}")
    (row,) = in_a_spreadsheet(page)
    assert (row["浏览器"], row["地址"]) == ("'" + formula, "'" + formula)


def test_an_export_is_written_down(world: World) -> None:
    """SECURITY 77."""
    happened(world, Action.SIGNED_IN, target=PERSON)
    export(world.at_the_console(StaffRole.AUDITOR), "csv", f"/staff/audit?target={PERSON}")
    (exported,) = events(world, Action.AUDIT_EXPORTED)
    assert exported.detail == {"filter": {"target": PERSON}, "format": "csv", "rows_at_most": 100_000}
    assert exported.actor.startswith("staff:")


@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_a_file_that_does_not_hold_everything_says_so(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [str(happened(world, Action.SIGNED_IN, target=PERSON)) for _ in range(7)]
    monkeypatch.setattr(audit_search, "_BATCH", 2)
    auditor = world.at_the_console(StaffRole.AUDITOR)
    for limit, whole in ((5, False), (7, True)):
        monkeypatch.setattr(views, "EXPORT_ROWS", limit)
        lines = export(auditor, name, f"/staff/audit?target={PERSON}").html.splitlines()
        data = lines[1:] if name == "csv" else lines
        assert all(found in line for found, line in zip(made[::-1][:limit], data, strict=False))
        assert len(data) == limit + (not whole)
        assert ("未完" in data[-1] or "truncated" in data[-1]) is not whole


def test_a_long_export_is_read_batch_by_batch_outside_any_transaction(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world.write() as db:
        for _ in range(25):
            told = Happening(Action.SIGNED_IN, target=PERSON)
            world.backends.trail.record(db, told, Origin(), now=world.now() - timedelta(minutes=1))
    monkeypatch.setattr(audit_search, "_BATCH", 10)
    engine, reads, in_use = world.platform.database.engine, list[bool](), list[int]()
    auditor = world.at_the_console(StaffRole.AUDITOR)
    page = auditor.open(f"/staff/audit?target={PERSON}")
    fields = page.form(form_to(page, "/staff/audit/export"))["fields"]

    def note(connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "FROM audit_events" in statement and "LIMIT" in statement:
            raw = connection.connection.dbapi_connection  # type: ignore[attr-defined]
            status = getattr(getattr(raw, "info", None), "transaction_status", None)
            reads.append(raw.in_transaction if status is None else status.name != "IDLE")

    event.listen(engine, "before_cursor_execute", note)
    answer = auditor.client.post(
        "/staff/audit/export", base_url=world.settings.issuer, data={**fields, "format": "jsonl"}
    )
    lines = 0
    for chunk in answer.iter_encoded():
        lines += chunk.count(b"\n")
        in_use.append(engine.pool.checkedout())  # type: ignore[attr-defined]
    event.remove(engine, "before_cursor_execute", note)
    assert (lines, reads) == (25, [False, False, False])
    assert set(in_use) == {0}


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_what_no_page_sends_is_refused(world: World) -> None:
    for sent in [{"format": "exe"}, {}, {"format": "csv", "from": "2026-13-45"}]:
        auditor = world.at_the_console(StaffRole.AUDITOR)
        token = auditor.open("/staff/audit").form()["fields"]["csrf_token"]
        page = auditor.post("/staff/audit/export", {"csrf_token": token, **sent})
        assert (page.status, "没有导出任何记录" in page.text) == (400, True)
        assert events(world, Action.AUDIT_EXPORTED) == []


def test_an_export_needs_the_pages_own_token(world: World) -> None:
    assert (
        world.at_the_console(StaffRole.AUDITOR).post("/staff/audit/export", {"format": "csv"}).status == 400
    )
    assert events(world, Action.AUDIT_EXPORTED) == []
