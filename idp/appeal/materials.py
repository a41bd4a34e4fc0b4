"""材料上传 and 完成: the papers of an appeal, 申诉备注, and its number (E07–E13).

==================  ==========================================================================
/appeal/materials   the seven papers and 申诉备注; of an appeal that lacks something, what staff asks for
/appeal/done        it is sent in: its number, the day it is due, what comes next
==================  ==========================================================================
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import redirect, request

from idp.appeal import filing
from idp.appeal.applicant_forms import MaterialsForm
from idp.appeal.filing import LONGEST_REMARK
from idp.appeal.journey import APPEAL, prolonged, result_address, sent_in, tools, with_papers
from idp.appeal.models import KINDS, Appeal, AppealKind, State
from idp.appeal.papers import Paper
from idp.appeal.room import blueprint
from idp.appeal.states import Moved
from idp.proof.journeys import Journey
from idp.web import signin
from idp.web.downloads import AUTHORISATION
from idp.web.platform import db, now, platform, roll_back, settings
from idp.web.render import minute, page
from idp.web.uploads import Slot, Uploads, takes_files

_SECTIONS = (
    ("企业材料", ("licence", "authorisation")),
    ("法定代表人的身份证件", ("representative_front", "representative_back")),
    ("经办人的身份证件", ("operator_front", "operator_back", "operator_holding")),
)


@blueprint.get("/appeal/materials")
def materials() -> Any:
    """材料上传."""
    journey = APPEAL.at("materials")
    appeal = with_papers(journey)
    form = _form(appeal, {"remark": _kept_remark(appeal, journey)})
    return _page(form, _uploads(appeal), appeal, journey)


@blueprint.post("/appeal/materials")
@takes_files(again=materials)
def send_materials() -> Any:
    """Files as they are chosen, 移除, or all of it sent in."""
    journey = APPEAL.at("materials")
    appeal = with_papers(journey)
    form, uploads = _form(appeal), _uploads(appeal)
    uploads.take()
    try:
        # Under the row's lock: nothing comes to an appeal that another tab has sent in meanwhile.
        filing.hold(db(), appeal, *filing.WITH_THE_APPLICANT)
    except Moved:
        roll_back()
        raise sent_in(appeal) from None
    journey = _with_remark(form, appeal, journey)
    if not uploads.stays_here():
        is_complete = uploads.are_complete()
        if form.validate() and is_complete:
            return _sent(form, appeal, journey)
    return uploads.answer(lambda: _page(form, uploads, appeal, journey))


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


def _uploads(appeal: Appeal) -> Uploads:
    slots = tuple(_slot(paper) for paper in filing.papers_wanted(appeal))
    return Uploads(appeal.key, slots, since=filing.wanted_since(appeal))


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
