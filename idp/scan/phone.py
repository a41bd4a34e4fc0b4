"""The phone's side: who is signed in, his PIN, and scanning, confirming, refusing (docs/phone-app.md)."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, jsonify

from idp.access.channels import Surface
from idp.accounts import app_pins, standing
from idp.scan import calls, eligible, face, pins, service, told, trail, unlocking
from idp.scan.calls import answered, blueprint
from idp.scan.pins import NewPin
from idp.scan.service import Said
from idp.scan.unlocking import Given
from idp.web.platform import db, now, roll_back, settings
from idp.web.refusals import scan as refusals
from idp.web.refusals.to_phones import PhoneRefused

__all__ = ["blueprint"]

_IDENTITY = re.compile(r"[a-z]{1,16}(:[0-9a-f-]{36})?\Z")
_NUMBER = re.compile(r"[0-9]{2}\Z")


@blueprint.get("/scan/me")
@answered
def me() -> Response:
    """Who is signed in on this phone."""
    caller, tools = calls.caller(), calls.tools()
    return jsonify(
        told.who_is_here(
            tools,
            caller,
            standing.standings(db(), caller.person, now=now()),
            pin=app_pins.find_pin(db(), caller.person.id),
            has_passkey=unlocking.has_passkey(db(), tools, caller),
        )
    )


@blueprint.get("/scan/recent")
@answered
def recent() -> Response:
    """What he confirmed and refused last."""
    caller, tools = calls.caller(), calls.tools()
    scans = trail.latest(db(), caller.person.id)
    return jsonify(scans=[told.past_scan(tools.places, settings(), caller.channel, one) for one in scans])


@blueprint.post("/scan/pin")
@answered
def pin() -> Any:
    """Set the PIN, or another one."""
    caller, sent = calls.caller(), calls.body()
    eligible.check_open(caller.channel)
    new = NewPin(
        calls.member(sent, "pin", str),
        calls.member(sent, "agreement", str),
        calls.member(sent, "current", str, ""),
    )
    try:
        pins.set_pin(db(), calls.tools(), caller, new, now=now())
    except PhoneRefused as refused:
        if refused.refusal in {refusals.SIGN_IN_ENDED, refusals.PIN_CHANGED_MEANWHILE}:
            roll_back()
        raise
    return Response(status=204)


@blueprint.post("/scan/tickets/<ticket>/scan")
@answered
def scan(ticket: str) -> Response:
    """The app read a QR code: what is asked, for whom, the three numbers.

    A face check is shown to any phone, signed in or not.
    """
    tools, sent = calls.tools(), calls.body()
    if face.asks_for_a_face(ticket):
        about = face.scanned(ticket, sent)
        return jsonify(face.shown(about, told.browser(tools.places, about)))
    caller = calls.caller()
    surface = calls.member(sent, "surface", str)
    if surface not in set(Surface):
        raise PhoneRefused(refusals.BODY_MALFORMED)
    scanned, found = service.scan(db(), tools, caller, ticket, Surface(surface), now=now())
    ways = unlocking.offer(db(), tools, caller, scanned.id)
    far = service.distance(tools, scanned)
    return jsonify(told.request_of_a_browser(tools, caller, scanned, found, ways, far, now=now()))


@blueprint.post("/scan/tickets/<ticket>/confirm")
@answered
def confirm(ticket: str) -> Response:
    """The person confirms."""
    face.refuse_if_asked(ticket)
    caller, said = calls.caller(), _said(calls.body())
    service.confirm(db(), calls.tools(), caller, ticket, said, now=now())
    return jsonify(state="confirmed")


@blueprint.post("/scan/tickets/<ticket>/deny")
@answered
def deny(ticket: str) -> Response:
    """The person refuses."""
    caller = calls.caller()
    calls.body()
    service.deny(db(), calls.tools(), caller, ticket, now=now())
    face.declined(ticket)
    return jsonify(state="denied")


def _said(sent: dict[str, Any]) -> Said:
    """What the person said, typed. Raises PhoneRefused."""
    identity, number = calls.member(sent, "identity", str), calls.member(sent, "number", str)
    unlock = calls.member(sent, "unlock", dict, {})
    given = Given(calls.member(unlock, "pin", str, ""), calls.member(unlock, "passkey", dict, {}))
    both = given.pin and given.passkey
    if both or not _IDENTITY.match(identity) or not _NUMBER.match(number) or not given.pin.isascii():
        raise PhoneRefused(refusals.BODY_MALFORMED)
    return Said(identity, number, given, calls.member(sent, "far", bool, default=False))
