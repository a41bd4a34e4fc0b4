"""The face checks of this room: what a phone may see and do for one, and what the face service says of it.

A phone that is signed in to nothing may scan the ticket of a face check: it sees whom the check is about,
masked, and can let the face be looked at, and nothing else. It is known by a random text that it made up and
sends as `phone`; one that is signed in is known by its token and its key, as everywhere.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, abort, jsonify, request
from werkzeug.exceptions import RequestEntityTooLarge

from idp.access import assurance
from idp.access.channels import Surface
from idp.accounts.audit import Action, Event, Origin
from idp.adapters.face import (
    LONGEST_CALLBACK,
    CallbackRefused,
    FaceCrowded,
    FaceUnavailable,
    VerdictMalformed,
)
from idp.db import pause
from idp.proof import face, face_ends, tickets
from idp.proof.face import CheckGone, UnderWay, VerdictIgnored
from idp.proof.face_record import Check, person_of
from idp.proof.ticket_record import Answer, Ended, Phone, Purpose, Ticket
from idp.proof.ticket_record import State as TicketState
from idp.proof.tickets import OutOfOrder, ScannedByAnother, TicketGone, WrongNumber
from idp.scan import calls, service
from idp.scan.calls import answered
from idp.web import faces
from idp.web.platform import after_commit, db, now, platform, settings
from idp.web.refusals import face as refusals
from idp.web.refusals import scan as scan_refusals
from idp.web.refusals.to_phones import PhoneRefused
from idp.web.security import SERVICES, csrf

services = Blueprint(SERVICES, __name__)
csrf.exempt(services)
_NUMBER = re.compile(r"[0-9]{2}\Z")
_SOON = timedelta(seconds=3)
_WRONG_NUMBER = (
    "选的数字与电脑上显示的不一致，核验已取消。如果是您本人在操作，请刷新电脑上的二维码重新扫码；"
    "如果不是，不用再做什么。"
)
_PHONE_ID = re.compile(r"[A-Za-z0-9_-]{22,64}\Z")


def asks_for_a_face(ticket_id: str) -> bool:
    """Whether this ticket is one of a face check."""
    ticket = tickets.find(platform().store, ticket_id)
    return ticket is not None and ticket.asked.purpose is Purpose.FACE


def refuse_if_asked(ticket_id: str) -> None:
    """Return unless this ticket asks for a face, which alone confirms it. Raises PhoneRefused."""
    if asks_for_a_face(ticket_id):
        raise PhoneRefused(refusals.FACE_ALONE)


def scanned(ticket_id: str, told: dict[str, Any]) -> Ticket:
    """The ticket of a face check, scanned by the phone that calls. Raises PhoneRefused, Refused."""
    phone, _origin = _phone(told)
    try:
        return tickets.scan(platform().store, ticket_id, phone, now=now())
    except (TicketGone, ScannedByAnother) as refused:
        raise _refused(refused) from None


def shown(ticket: Ticket, browser: dict[str, Any]) -> dict[str, Any]:
    """What the phone shows of it: who asks, about whom, which browser waits, and the numbers. No identity."""
    far = service.distance(calls.tools(), ticket)
    return {
        "ticket": ticket.id,
        "purpose": ticket.asked.purpose.value,
        "portal": ticket.asked.portal,
        "reason": ticket.asked.reason,
        "subject": ticket.asked.subject,
        "browser": browser,
        "expires_in": max(0, round(ticket.expires_at - now().timestamp())),
        "numbers": list(ticket.numbers),
        "far": {"browser": far.browser.name, "phone": far.phone.name} if far else None,
        "agreement": face.CONSENT,
    }


@calls.blueprint.post("/scan/tickets/<ticket_id>/face")
@answered
def begin(ticket_id: str) -> Any:
    """The person agrees that his face is looked at, and gets the page for it; or he does not agree.

    As at a sign-in: what may be put right is asked before the number, which ends the ticket if it is wrong.
    """
    told = calls.body()
    consents = calls.member(told, "consent", bool)
    if not asks_for_a_face(ticket_id):
        raise PhoneRefused(scan_refusals.TICKET_UNKNOWN)
    phone, origin = _phone(told)
    number = _number(told) if consents else ""
    try:
        ticket = tickets.of_phone(platform().store, ticket_id, phone, now=now())
        if not consents:
            tickets.deny(platform().store, ticket_id, phone, now=now())
            declined(ticket_id)
            return jsonify(state="denied")
        _check_distance(ticket, is_confirmed=calls.member(told, "far", bool, default=False))
        _check_number(ticket, phone, number)
    except (TicketGone, ScannedByAnother, OutOfOrder) as refused:
        raise _refused(refused) from None
    return jsonify(_begun(ticket, origin))


def declined(ticket_id: str) -> None:
    """The phone has refused this ticket: a face check that it has begun is over."""
    store = platform().store
    ticket = tickets.find(store, ticket_id)
    if ticket is not None and ticket.asked.check:
        face_ends.decline(store, ticket.asked.check, ticket.id, now=now())


@services.post(faces.CALLBACK)
def callback() -> Any:
    """What the face service saw. Only this moves a check; each message counts once (docs/face.md)."""
    service, store = platform().face, platform().store
    if service is None:
        abort(404)
    raw_body = request.get_data()
    if len(raw_body) > LONGEST_CALLBACK:
        raise RequestEntityTooLarge
    try:
        verdict = service.read_callback(dict(request.headers), raw_body, store, now=now())
        check, _ = face.settle(store, verdict, now=now())
        if not check.is_told:
            _tell(check)
    except CallbackRefused as refused:
        return _ignored(str(refused), 409 if refused.replayed else 401)
    except VerdictMalformed:
        return _ignored("not a verdict", 400)
    except VerdictIgnored as ignored:
        return _ignored(str(ignored), ignored.status)
    except UnderWay:
        return _ignored("it is being written down", 503)
    return Response(status=204)


def _phone(told: dict[str, Any]) -> tuple[Phone, Origin]:
    """Who calls: a signed-in app that may do face checks, or a phone by the name it gives itself."""
    if "Authorization" in request.headers:
        caller = calls.caller()
        if Purpose.FACE not in caller.channel.purposes:
            raise PhoneRefused(scan_refusals.WRONG_PURPOSE, app=caller.channel.name)
        if calls.member(told, "surface", str, Surface.APP.value) not in caller.channel.surfaces:
            raise PhoneRefused(scan_refusals.WRONG_SURFACE, app=caller.channel.name)
        return caller.phone, caller.origin
    named = told.get("phone")
    if not isinstance(named, str) or not _PHONE_ID.match(named):
        raise PhoneRefused(refusals.PHONE_UNNAMED)
    return Phone(calls.seen(), jkt=named), calls.origin()


def _number(told: dict[str, Any]) -> str:
    """The number that was chosen, of two digits. Raises PhoneRefused."""
    number: str = calls.member(told, "number", str)
    if not _NUMBER.match(number):
        raise PhoneRefused(scan_refusals.BODY_MALFORMED)
    return number


def _check_distance(ticket: Ticket, *, is_confirmed: bool) -> None:
    """Return if browser and phone are near, or he said that it is himself. Raises PhoneRefused."""
    far = service.distance(calls.tools(), ticket)
    if far and not is_confirmed:
        raise PhoneRefused(scan_refusals.FAR_UNCONFIRMED, browser=far.browser.name, phone=far.phone.name)


def _check_number(ticket: Ticket, phone: Phone, number: str) -> None:
    """Return if the browser shows this number; another one ends the ticket. Raises PhoneRefused."""
    store, refusal = platform().store, scan_refusals.WRONG_NUMBER
    try:
        tickets.check_number(store, ticket.id, phone, number, now=now())
    except WrongNumber:
        face_ends.count_wrong_number(store, ticket.asked.check, ticket.id, now=now())
        raise PhoneRefused(
            refusal, _WRONG_NUMBER, state=TicketState.DENIED, ended=Ended.WRONG_NUMBER
        ) from None


def _begun(ticket: Ticket, origin: Origin) -> dict[str, Any]:
    """The page of the face service for the check of this ticket. Raises PhoneRefused."""
    checks, store = faces.tools(), platform().store
    check = face.find(store, ticket.asked.check)
    if checks is None or check is None:
        raise PhoneRefused(refusals.CHECK_GONE)
    pause(db())
    try:
        check, moved = face.begin(
            checks,
            check,
            ticket=ticket.id,
            callback=faces.callback(),
            returns_to=f"{settings().app_url}/face-done",
            now=now(),
        )
    except CheckGone:
        raise PhoneRefused(refusals.CHECK_GONE) from None
    except (FaceCrowded, UnderWay):
        raise PhoneRefused(refusals.FACE_CROWDED, wait=_SOON) from None
    except FaceUnavailable:
        raise PhoneRefused(refusals.FACE_UNAVAILABLE) from None
    if moved:
        purpose = check.purpose.value
        detail = {"face_check": check.reference, "agreement": face.CONSENT, "purpose": purpose}
        platform().trail.record(db(), Event(Action.FACE_CONSENTED, detail=detail), origin, now=now())
    expires_in = max(0, round(check.expires_at - now().timestamp()))
    return {"check": check.id, "url": check.page, "expires_in": expires_in}


def _tell(check: Check) -> None:
    """Tell the outcome to the browser and to the trail; until both are kept, it is still to be told."""
    store, moment = platform().store, now()
    with face_ends.telling(store, check):
        _tell_ticket(check)
        _record(check)
    after_commit(lambda: face_ends.note_told(store, check.id, now=moment))


def _tell_ticket(check: Check) -> None:
    """Let the waiting browser know by its ticket; where that has ended, the check itself says it later."""
    store = platform().store
    ticket = tickets.find(store, check.ticket)
    if ticket is None or ticket.phone is None:
        return
    with suppress(TicketGone, ScannedByAnother, OutOfOrder):
        if check.has_passed:
            answer = Answer(f"face:{check.reference}", ("face",), assurance.FACE, check.passed_at)
            tickets.confirm(store, ticket.id, ticket.phone, answer, now=now())
        else:
            tickets.deny(store, ticket.id, ticket.phone, ended=Ended.NOT_ALLOWED, now=now())


def _record(check: Check) -> None:
    """Write the outcome down, for the person if he is known here; no score, no picture, no name."""
    known = person_of(db(), platform().vault, check.whom(platform().vault))
    event = Event(
        Action.FACE_CHECKED,
        target=f"person:{known.id}" if known else "nobody",
        detail={"face_check": check.reference, "outcome": "passed" if check.has_passed else "failed"},
    )
    platform().trail.record(db(), event, calls.origin(), now=now())


def _refused(refused: Exception) -> PhoneRefused:
    """What a phone hears of a ticket that it cannot move."""
    if isinstance(refused, ScannedByAnother):
        return PhoneRefused(scan_refusals.SCANNED_BY_ANOTHER)
    if isinstance(refused, TicketGone) and refused.state is None:
        return PhoneRefused(scan_refusals.TICKET_UNKNOWN)
    if isinstance(refused, TicketGone):
        gone = refusals.CHECK_GONE
        return PhoneRefused(gone, state=refused.state, ended=refused.ended)
    return PhoneRefused(scan_refusals.NOT_SCANNED)


def _ignored(why: str, status: int) -> tuple[Response, int]:
    return jsonify(error="verdict_ignored", error_description=why), status
