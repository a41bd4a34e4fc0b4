"""材料上传 and 完成: the papers of an appeal, 申诉备注, and its number (E07–E13).

==================  ==========================================================================
/appeal/materials   the seven papers and 申诉备注; of an appeal that lacks something, what staff asks for
/appeal/materials/… one of the papers, for whoever sent it in this very journey
/appeal/done        it is sent in: its number, the day it is due, what comes next
==================  ==========================================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Response, redirect, request, url_for

from idp.accounts import files
from idp.accounts.audit import Action, Event
from idp.accounts.files import StoredFile
from idp.appeal import filing
from idp.appeal.applicant_forms import MaterialsForm
from idp.appeal.filing import LONGEST_REMARK
from idp.appeal.journey import APPEAL, prolonged, result_address, sent_in, tools, with_papers
from idp.appeal.models import KINDS, Appeal, AppealKind, State
from idp.appeal.papers import BY_SLOT, Paper
from idp.appeal.room import blueprint
from idp.appeal.states import Moved
from idp.proof.journeys import Journey
from idp.web import signin, stored_files, ways
from idp.web.downloads import AUTHORISATION
from idp.web.errors import Stop
from idp.web.platform import db, now, platform, roll_back, settings
from idp.web.render import minute, page
from idp.web.steps import carried
from idp.web.uploads import Refused, Slot, Taken, Uploads, takes_files

_SECTIONS = (
    ("企业材料", ("licence", "authorisation")),
    ("法定代表人的身份证件", ("representative_front", "representative_back")),
    ("经办人的身份证件", ("operator_front", "operator_back", "operator_holding")),
)

_OWN = 86400
"""Seconds in which somebody at work among his papers may look at what he sent."""


@blueprint.get("/appeal/materials")
def materials() -> Any:
    """材料上传."""
    journey = APPEAL.at("materials")
    appeal = with_papers(journey)
    form = _form(appeal, {"remark": _kept_remark(appeal, journey)})
    return _page(form, _uploads(appeal, journey), appeal, journey)


@blueprint.post("/appeal/materials")
@takes_files(again=materials, slots=BY_SLOT)
def send_materials() -> Any:
    """Files as they are chosen, 移除, or all of it sent in."""
    journey = APPEAL.at("materials")
    appeal = with_papers(journey)
    form, uploads = _form(appeal), _uploads(appeal, journey)
    _note_own(journey, uploads.take())
    try:
        # Under the row's lock: nothing comes to an appeal that another tab has sent in meanwhile.
        filing.hold(db(), appeal, *filing.WITH_THE_APPLICANT)
    except Moved:
        roll_back()
        # A draft may be forgotten by now, which the first of them says.
        raise sent_in(with_papers(journey)) from None
    # As it stands now: its other copies wait for the lock, and have noted what they did before.
    journey = APPEAL.at("materials")
    journey = _with_remark(form, appeal, journey)
    if not uploads.stays_here():
        is_complete = uploads.are_complete()
        if form.validate() and is_complete:
            return _sent(form, appeal, journey)
    return uploads.answer(lambda: _page(form, uploads, appeal, journey))


@blueprint.get("/appeal/materials/<slot>")
def own_paper(slot: str) -> Response:
    """A paper as it was sent, for whoever sent it: nobody else who proves a phone sees papers of people."""
    journey = APPEAL.at("materials")
    appeal = with_papers(journey)
    found = [one for one in files.of(db(), appeal.key) if one.slot == slot and _is_own(journey, one)]
    if not found:
        raise Stop(
            "没有找到这份材料",
            "材料已经移除或替换，或者不是在这个页面上传的，不能查看。已上传的材料没有变化，需要的话可以重新上传。",
            status=404,
            ways=(("返回", APPEAL.address("materials", journey)), *ways.when_proof_fails()),
        )
    event = Event(Action.APPEAL_PAPER_VIEWED, target=appeal.key, detail={"paper": found[0].slot})
    platform().trail.record(db(), event, signin.origin(actor=""), now=now())
    return stored_files.serve(found[0])


@blueprint.get("/appeal/done")
def done() -> Any:
    """完成: the number, and what comes next."""
    journey = APPEAL.at("done")
    facts = journey.facts
    appeal = db().get(Appeal, UUID(facts["appeal"]))
    at = datetime.fromisoformat(facts["at"])
    if appeal is None or appeal.submitted_at is None or appeal.submitted_at < at:
        return APPEAL.not_kept(journey)
    return page(
        "appeal/done.html",
        number=facts["number"],
        due=datetime.fromisoformat(facts["due"]),
        is_supplement=facts["is_supplement"],
        result=result_address(facts["number"]),
        **APPEAL.frame("done"),
    )


def _sent(form: MaterialsForm, appeal: Appeal, journey: Journey) -> Any:
    """Send it in and lead to the end, once."""
    is_supplement = appeal.state == State.MORE
    act = filing.supplement if is_supplement else filing.submit
    act(db(), tools(), appeal, form.said, signin.origin(actor=""), now=now())
    ended = APPEAL.end(
        journey,
        appeal=str(appeal.id),
        number=appeal.number,
        due=appeal.due_at.isoformat() if appeal.due_at else "",
        at=now().isoformat(),
        is_supplement=is_supplement,
    )
    return redirect(APPEAL.address("done", ended), 303)


def _with_remark(form: MaterialsForm, appeal: Appeal, journey: Journey) -> Journey:
    """The journey with its whole time before it; what was typed beside the files is kept."""
    if "remark" not in request.form:
        return prolonged(journey)
    typed = form.remark.data or ""
    if appeal.state == State.DRAFT:
        filing.keep_remark(platform().vault, appeal, typed)
        return prolonged(journey)
    return prolonged(journey, remark=filing.remark_of(typed)[: filing.LONGEST_KEPT])


def _kept_remark(appeal: Appeal, journey: Journey) -> str:
    """What was typed before: of a draft it stands with the draft, of a supplement with the journey."""
    if appeal.state == State.DRAFT:
        return appeal.remark(platform().vault)
    return str(journey.facts.get("remark", ""))


def _form(appeal: Appeal, told: dict[str, str] | None = None) -> MaterialsForm:
    form = MaterialsForm(request.form, data=told)
    # Who is asked for papers answers with papers; who is asked for none can only answer in words.
    form.remark_is_optional = appeal.state == State.MORE and bool(appeal.asked_for)
    if appeal.state == State.MORE:
        form.remark_label = "补充说明"
    return form


def _uploads(appeal: Appeal, journey: Journey) -> Uploads:
    slots = tuple(_slot(paper) for paper in filing.papers_wanted(appeal))

    def opens(file: StoredFile) -> str:
        return _own_address(journey, file.slot) if _is_own(journey, file) else ""

    return Uploads(appeal.key, slots, since=filing.wanted_since(appeal), opens=opens)


def _note_own(journey: Journey, sent: Iterable[Taken | Refused]) -> None:
    """Note which files this journey sent; beside its facts, as several come at once."""
    for one in sent:
        if isinstance(one, Taken):
            platform().store.put(_own_key(journey, one.file), b"1", ttl=_OWN)


def _is_own(journey: Journey, file: StoredFile) -> bool:
    return platform().store.get(_own_key(journey, file)) is not None


def _own_key(journey: Journey, file: StoredFile) -> str:
    return f"appeal-own:{journey.id}:{file.id}"


def _own_address(journey: Journey, slot: str) -> str:
    values: dict[str, Any] = {**carried(), "slot": slot, "j": journey.id}
    return url_for("appeal.own_paper", **values)


def _slot(paper: Paper) -> Slot:
    return Slot(
        paper.slot, paper.label, paper.kinds, paper.hint, sample=paper.sample, sample_alt=paper.sample_alt
    )


def _page(form: MaterialsForm, uploads: Uploads, appeal: Appeal, journey: Journey) -> str:
    shown = {one.slot.name: one for one in uploads.shown()}
    sections = [
        (title, [shown[slot] for slot in slots if slot in shown])
        for title, slots in _SECTIONS
        if any(slot in shown for slot in slots)
    ]
    problems = uploads.problems()
    if form.remark.errors:
        problems = [*problems, ("remark", form.remark.errors[0])]
    return page(
        "appeal/materials.html",
        form=form,
        # Its POST is another view, which the frame would take for one that cannot be opened.
        answers_a_form=request.method == "POST",
        action=APPEAL.address("materials", journey),
        sections=sections,
        problems=problems,
        number=appeal.number,
        kind_words=KINDS[AppealKind(appeal.kind)],
        kept_days=settings().appeal_draft_days,
        asked=_asked(appeal),
        longest=LONGEST_REMARK,
        result=result_address(appeal.number),
        templates=AUTHORISATION,
        **APPEAL.frame("materials"),
    )


def _asked(appeal: Appeal) -> dict[str, str] | None:
    """What staff wants and until when, where they do."""
    if appeal.state != State.MORE:
        return None
    until = minute(appeal.answer_until) if appeal.answer_until else ""
    return {"why": appeal.answer(platform().vault), "until": until}
