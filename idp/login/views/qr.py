"""扫码登录: the page with the code, and what comes of it."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from idp.access.pending import PendingRequest
from idp.login import entry, journey, qr
from idp.login.again import Again
from idp.login.views import factors, room
from idp.login.views.room import blueprint
from idp.proof.ticket_record import Ticket
from idp.proof.tickets import OutOfOrder, TicketGone
from idp.web import cookies, signin, waiting
from idp.web.errors import Stop
from idp.web.platform import db, now, roll_back
from idp.web.render import page
from idp.web.waiting import SIGN_IN_ENDINGS, TooManyTickets, Words

_NOT_SCANNED = "还没有扫码。请用「吉事办」App 扫描下面的二维码，再点「我已扫码，继续」。"
_NOT_CONFIRMED = (
    "还没有确认。请在手机上选择与这里相同的数字，点「确认登录」，再点「我已在手机上确认，继续」。"
)


@blueprint.get("/login/qr", endpoint="qr")
def code() -> Any:
    """A code of its own for each page (A04, A11); none where another site has it loaded as a picture."""
    if request.headers.get("Sec-Fetch-Dest", "document") != "document":
        sentence = "登录页面不能嵌在别的网页里，没有生成二维码。请直接打开登录页面。"
        raise Stop("登录页面没有打开", sentence, ways=(("打开登录页面", journey.here("login.qr")),))
    asked = journey.asked_for()
    repeated = journey.again(asked)
    if not journey.offers("qr", asked, repeated):
        return redirect(journey.here("login.start"))
    return _with_new_code(asked, repeated)


@blueprint.route("/login/qr/finish", methods=["GET", "POST"], endpoint="qr_finish")
def finish() -> Any:
    """Sign in once the phone has confirmed; until then, say how far it is."""
    asked = journey.asked_for()
    repeated = journey.again(asked)
    if request.method == "GET" or not journey.offers("qr", asked, repeated):
        return redirect(journey.here("login.qr"), 303)
    ticket_id = request.form.get("ticket", "")
    if "again" in request.form:
        waiting.give_up(ticket_id)
        return redirect(journey.here("login.qr"), 303)
    try:
        return _let_in(ticket_id, repeated)
    except entry.AnotherIdentity:
        return redirect(journey.here("login.identity"), 303)
    except OutOfOrder:
        return _as_far_as_it_is(ticket_id, asked, repeated)
    except TicketGone as gone:
        return _with_new_code(asked, repeated, ended=_words_of(gone))


def _let_in(ticket_id: str, repeated: Again | None) -> Response:
    browser = room.browser(repeated.only_same if repeated else None)
    secret, transaction = cookies.sent_wait_secret(), request.args.get("tx", "")
    try:
        confirmed = qr.finish(
            db(), room.tools(), ticket_id, browser, secret=secret, transaction=transaction, now=now()
        )
    except (entry.NotAllowedIn, entry.AnotherIdentity) as refused:
        # The ticket is spent all the same.
        cookies.renew_wait_secret()
        if isinstance(refused, entry.AnotherIdentity):
            raise
        raise _stopped(refused) from None
    signed_in = room.enter(confirmed.welcome)
    try:
        qr.check_phone(db(), confirmed)
    except qr.PhoneSignedOut as ended:
        # The sign-in was written already, and nobody may have it.
        roll_back()
        qr.note_phone_ended(db(), room.tools(), confirmed, browser, now=now())
        raise _stopped(ended) from None
    return signed_in


def _stopped(refused: entry.NotAllowedIn) -> Stop:
    ways = (("重新扫码", journey.here("login.qr")), ("其他登录方式", journey.here("login.start")))
    return Stop("没有登录", str(refused), status=403, ways=ways)


def _as_far_as_it_is(ticket_id: str, asked: PendingRequest | None, repeated: Again | None) -> Any:
    ticket = waiting.mine(ticket_id)
    if ticket is None:
        # It moved on between the two looks.
        return _with_new_code(asked, repeated, ended=SIGN_IN_ENDINGS["unknown"])
    return _page(asked, repeated, ticket, missing=True)


def _with_new_code(asked: PendingRequest | None, repeated: Again | None, ended: Words | None = None) -> Any:
    try:
        ticket = waiting.open_ticket(waiting.asked_of(asked, request.args.get("tx", "")))
    except TooManyTickets:
        shown = _page(asked, repeated, None, ended=ended)
        return shown, 429, {"Retry-After": str(waiting.WINDOW)}
    return _page(asked, repeated, ticket, ended=ended)


def _words_of(gone: TicketGone) -> Words:
    """How the end of a ticket is said."""
    why = gone.ended.value if gone.ended else (gone.state.value if gone.state else "unknown")
    return SIGN_IN_ENDINGS.get(why, SIGN_IN_ENDINGS["unknown"])


def _page(
    asked: PendingRequest | None,
    repeated: Again | None,
    ticket: Ticket | None,
    *,
    ended: Words | None = None,
    missing: bool = False,
) -> str:
    only_same = repeated.only_same if repeated else None
    scanned = ticket is not None and bool(ticket.number)
    return page(
        "login/qr.html",
        shown=waiting.shown(ticket, renewed_by=url_for("scan.open_ticket")) if ticket else None,
        finish=journey.here("login.qr_finish"),
        happened=ended,
        missing=(_NOT_CONFIRMED if scanned else _NOT_SCANNED) if missing else "",
        halves=journey.switch(asked, repeated),
        again=journey.explained(repeated),
        ended=request.method == "GET" and signin.has_ended(),
        passkey=journey.here("login.passkey") if factors.offered(asked, repeated) else "",
        links=[
            ("没有 App？", url_for("scan.get_the_app")),
            *([("换一个账号登录", journey.here("login.identity"))] if only_same else []),
        ],
        **journey.frame(asked),
    )
