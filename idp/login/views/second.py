"""第二步验证: after a password, or because a portal wants more than the sign-in that is there."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from idp.access.assurance import Lack
from idp.access.pending import PendingRequest
from idp.accounts.identity import account_of
from idp.accounts.sessions import SignedIn
from idp.login import confirm, entry, journey, second
from idp.login.again import Again
from idp.login.views import factors, room
from idp.login.views.room import blueprint
from idp.web import shown, signin
from idp.web.errors import Stop
from idp.web.platform import db, now
from idp.web.render import page
from idp.web.signin import sign_in_required


@blueprint.route("/login/second", methods=["GET", "POST"], endpoint="second")
def second_factor() -> Any:
    """With a ticket the second step of a sign-in, without one the step-up of the sign-in that is there."""
    return _second_step(request.args["ticket"]) if "ticket" in request.args else _step_up()


def _second_step(ticket: str) -> Any:
    asked = journey.asked_for()
    repeated = journey.again(asked)
    browser = room.browser(repeated.only_same if repeated else None)
    refusal = None
    try:
        candidate = second.find(db(), room.tools(), ticket, browser, now=now())
        asking = factors.Asking(candidate.key, ticket)
        if asking.sends():
            return asking.sent(lambda: _second_page(asking, asked))
        given = asking.given()
        if given:
            try:
                return room.enter(second.finish(db(), room.tools(), ticket, given, browser, now=now()))
            except (entry.TicketGone, entry.NotAllowedIn, entry.AnotherIdentity):
                raise
            except Exception as refused:  # noqa: BLE001 - unknown ones are raised again
                asking.form.form_errors.append(room.second_step_sentence(refused))
                refusal = refused
    except entry.AnotherIdentity:
        return redirect(journey.here("login.identity"), 303)
    except (entry.TicketGone, entry.NotAllowedIn) as refused:
        raise _stopped(refused) from None
    return _second_page(asking, asked), *room.said_with(refusal)


def _second_page(asking: factors.Asking, asked: PendingRequest | None) -> str:
    return page(
        "login/second.html",
        form=asking.form,
        ways=asking.words(),
        **journey.frame(asked),
        links=[("重新登录", journey.here("login.start"))],
    )


def _stopped(refused: Exception) -> Stop:
    ways = (("重新登录", journey.here("login.start")),)
    if isinstance(refused, entry.TicketGone):
        return Stop(
            "这一步已经失效",
            "等待太久、尝试次数太多、密码已修改，或已经在别处完成。请重新登录。",
            ways=ways,
        )
    return Stop("现在不能登录", str(refused), status=403, ways=ways)


@sign_in_required
def _step_up() -> Any:
    asked, signed_in = journey.asked_for(), signin.required()
    if asked is None:
        return redirect(room.centre_of(signed_in.identity.role))
    repeated = journey.again(asked)
    if repeated is None or asked.missing(signed_in.session, journey.methods()).lack is not Lack.PROOF:
        return redirect(journey.here("oauth.authorize"))
    transaction = request.args.get("tx", "")
    changed = shown.changed_since(transaction)
    asking, refusal = (
        factors.Asking(signed_in.session.account_key, str(signed_in.session.id), raising=True),
        None,
    )
    if asking.sends() and not changed:
        return asking.sent(lambda: _step_up_page(asked, repeated, asking, changed))
    given = asking.given() if not changed else None
    if given:
        tools, browser = room.tools(), room.browser()
        try:
            proved = confirm.by_factor(db(), tools, signed_in, given, browser, raising=True, now=now())
            return _raised(proved, signed_in)
        except Exception as refused:  # noqa: BLE001 - unknown ones are raised again
            asking.form.form_errors.append(room.sentence(refused))
            refusal = refused
    return _step_up_page(asked, repeated, asking, changed), *room.said_with(refusal)


def _step_up_page(asked: PendingRequest, repeated: Again, asking: factors.Asking, changed: str) -> str:
    transaction, signed_in = request.args.get("tx", ""), repeated.signed_in
    ways = asking.words()
    back = urlencode({"next": journey.here("oauth.authorize")})
    own = signed_in.session.account_key == account_of(signed_in.identity)
    set_up = f"{signin.home_of(signed_in.identity.role)}/security?{back}"
    adding = [("添加其他第二步验证方式", set_up)] if own and not ways["has_codes"] and ways["sms"] else []
    return page(
        "login/step_up.html",
        form=asking.form,
        ways=ways,
        has_none=not ways["has_codes"] and ways["sms"] is None,
        own=own,
        as_person=url_for("login.identity"),
        set_up=set_up,
        again=journey.explained(repeated),
        changed=changed,
        hidden=[shown.field(transaction)],
        **journey.frame(asked),
        links=[*adding, ("换一个账号登录", journey.here("login.identity"))],
    )


def _raised(proved: confirm.Confirmed, signed_in: SignedIn) -> Response:
    if not signin.raise_to(amr=proved.amr, acr=proved.acr, renews=proved.renews):
        return redirect(journey.here("login.start"), 303)
    return room.go_on(signed_in.identity.role)
