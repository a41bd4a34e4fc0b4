"""The waiting browser's side: a ticket for the page, its picture, how far it is, giving it up.

The page itself belongs to the room that wants an answer. A ticket is this browser's by the secret in its
cookie; to anybody else, and in whatever state, it does not exist.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, request, url_for
from flask.blueprints import BlueprintSetupState

from idp.access import pending
from idp.proof import tickets
from idp.proof.polls import Polls
from idp.proof.ticket_record import Ended, Purpose, State, Ticket, is_id
from idp.web import cookies, qr_picture, waiting
from idp.web.platform import now, platform, settings
from idp.web.render import page
from idp.web.waiting import TooManyTickets
from idp.web.words import device_facts

blueprint = Blueprint("scan", __name__)
_POLLS = "idp-scan-polls"
_ON_THE_WAY = {State.SCANNED, State.CONFIRMED}
_PHONES = {"安卓手机", "iPhone"}


@blueprint.record_once
def _count_polls(state: BlueprintSetupState) -> None:
    state.app.extensions[_POLLS] = Polls()


@blueprint.post("/scan/tickets")
def open_ticket() -> Any:
    """A new ticket for the page in hand, in the place of the one it shows (`replaces`)."""
    if not waiting.offered():
        abort(404)
    if request.form.get("purpose") != Purpose.LOGIN.value:
        return _said(400, "这里只能为扫码登录换二维码。请回到登录页面，选择登录方式后再继续。")
    transaction = request.form.get("tx", "")
    store = platform().store
    asked = pending.find(store, transaction, browser=cookies.browser_id()) if transaction else None
    if transaction and asked is None:
        return _said(400, "这次登录已经完成，或者等待太久。请回到原来的网站重新登录。")
    if not waiting.offered(asked):
        return _said(404, "这次登录不能扫码完成，没有换二维码。请回到登录页面，选择其他登录方式。")
    before = _mine(request.form.get("replaces", ""))
    if before and before.state_at(now()) in _ON_THE_WAY:
        return jsonify(state=before.state.value), 409
    try:
        made = waiting.open_ticket(waiting.asked_of(asked, transaction))
    except TooManyTickets:
        answer = _said(429, "二维码换得太频繁，请过几分钟再试，或者用密码登录。")
        answer[0].headers["Retry-After"] = str(waiting.WINDOW)
        return answer
    if before and not _give_up(before, ended=Ended.REPLACED, only_unscanned=True):
        # A phone was faster: what it scanned goes on, and the new one is nobody's.
        _give_up(made, ended=Ended.REPLACED)
        return jsonify(state=State.SCANNED.value), 409
    return jsonify(
        ticket=made.id,
        url=waiting.address_of(made.id),
        expires_in=waiting.seconds_left(made),
        interval=waiting.INTERVAL,
        image=url_for("scan.qr_code", ticket_id=made.id),
    )


@blueprint.get("/scan/wait/<ticket_id>")
def wait(ticket_id: str) -> Any:
    """How far this browser's ticket is. Answered at once: who may be held is held by `idp wait`."""
    secret = cookies.sent_wait_secret()
    if not is_id(ticket_id) or not secret:
        return jsonify(state="unknown"), 404
    polls: Polls = current_app.extensions[_POLLS]
    if not polls.allow(ticket_id, secret, now=now()):
        return jsonify(interval=waiting.INTERVAL), 429, {"Retry-After": "2"}
    ticket = _mine(ticket_id)
    if ticket is None:
        return jsonify(state="unknown"), 404
    return jsonify(ticket.waiting_answer(now(), interval=waiting.INTERVAL))


@blueprint.get("/scan/qr/<ticket_id>.svg")
def qr_code(ticket_id: str) -> Response:
    """The code of a ticket, whether there is one or not: a picture of an address says nothing of it."""
    if not is_id(ticket_id):
        abort(404)
    return _picture(waiting.address_of(ticket_id))


@blueprint.get("/app")
def get_the_app() -> str:
    """Where to get the app (A24): a link for each kind of phone, and a code where another device shows it."""
    if not waiting.offered():
        abort(404)
    stores = [
        {
            "phone": name,
            "label": label,
            "href": address,
            "image": url_for("scan.store_code", phone=phone),
        }
        for phone, (name, label, address) in _stores().items()
    ]
    system, _ = device_facts(request.user_agent.string)
    return page("scan/app.html", stores=stores, on_a_phone=system in _PHONES)


@blueprint.get("/app/<phone>.svg")
def store_code(phone: str) -> Response:
    """The code that leads a phone to its store."""
    if not waiting.offered() or phone not in _stores():
        abort(404)
    return _picture(_stores()[phone][2])


@blueprint.post("/scan/tickets/<ticket_id>/cancel")
def cancel(ticket_id: str) -> Any:
    """The page gives its ticket up; one that has ended already stays as it is."""
    ticket = _mine(ticket_id)
    if ticket is None:
        return jsonify(state="unknown"), 404
    _give_up(ticket, ended=Ended.BY_BROWSER)
    return "", 204


def _stores() -> dict[str, tuple[str, str, str]]:
    """What each kind of phone is called, how its link is, and where it gets the app."""
    here = settings()
    return {
        "android": ("安卓手机", "在安卓手机上打开", here.app_android_url or here.app_url),
        "iphone": ("iPhone", "在 iPhone 上打开", here.app_ios_url or here.app_url),
    }


def _picture(address: str) -> Response:
    drawn = Response(qr_picture.svg(address, is_marked=True), content_type="image/svg+xml")
    drawn.headers["Cache-Control"] = "private, max-age=300, immutable"
    return drawn


def _mine(ticket_id: str) -> Ticket | None:
    """The ticket with this id, if it is this browser's."""
    ticket = tickets.find(platform().store, ticket_id)
    return ticket if ticket and ticket.is_waited_for_with(cookies.sent_wait_secret()) else None


def _give_up(ticket: Ticket, *, ended: Ended, only_unscanned: bool = False) -> bool:
    """End a ticket of this browser; False if it goes on. One that has ended before is as good."""
    store, secret = platform().store, cookies.wait_secret()
    if tickets.withdraw(store, ticket.id, secret, ended=ended, only_unscanned=only_unscanned, now=now()):
        return True
    left = tickets.find(store, ticket.id)
    return left is None or left.state_at(now()) not in _ON_THE_WAY


def _said(status: int, message: str) -> tuple[Response, int]:
    return jsonify(message=message), status
