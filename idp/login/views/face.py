"""刷脸登录: name and number, then the face: on the phone in hand (A17), or by a QR code (A18)."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for

from idp.access.pending import PendingRequest
from idp.accounts.identifiers import mask_name
from idp.adapters.face import FaceCrowded, FaceUnavailable
from idp.crypto import new_token
from idp.db import pause
from idp.login import entry, face, forms, journey
from idp.login.again import Again
from idp.login.views import room
from idp.login.views.room import blueprint
from idp.login.views.waiting import ENDINGS, Words, give_up, mine, shown
from idp.proof import face as proof
from idp.proof import face_ends, tickets
from idp.proof.face_record import Check, Purpose, State
from idp.proof.throttle import Throttled
from idp.proof.ticket_record import Asked, Ended, Ticket
from idp.proof.ticket_record import Purpose as TicketPurpose
from idp.web import captcha, cookies, faces, waiting
from idp.web.errors import Stop
from idp.web.platform import db, now, platform, settings
from idp.web.render import page
from idp.web.security import allow_form_to
from idp.web.waiting import TooManyTickets

_UNTOUCHED = "登录没有完成，账号没有受到影响。"
_NOTHING_YET = "还没有收到人脸核验的结果。请先刷脸，完成后再点「我已完成，继续」。"
_COME_BACK = "请在刷脸页面点「返回」，由它带您回到这里，再继续登录。"
_OPENING = "刷脸页面正在打开。请稍等几秒，再点一次「在本机刷脸」。"
_CROWDED = "现在刷脸的人较多，没有开始核验。请稍等一会儿再试，或者用其他方式登录。"
_NO_ANSWER = "人脸核验服务现在没有应答。请稍后再试，或者用其他方式登录。"
_BACK = "back"
_ENDINGS = ENDINGS | {
    "expired": Words("二维码已失效", "手机上的人脸核验还没有完成，账号没有受到影响。请点下面的按钮继续。"),
    Ended.NOT_ALLOWED.value: Words("人脸核验没有通过", f"没有确认是您本人。{_UNTOUCHED}"),
}


@blueprint.route("/login/face", methods=["GET", "POST"], endpoint="face")
def by_face() -> Any:
    """Who is to be checked, what happens to his face, and that he agrees; another way is always named."""
    checks, asked = _tools(), journey.asked_for()
    repeated = journey.again(asked)
    if not journey.offers("face", asked, repeated):
        return redirect(journey.here("login.start"))
    only_same = repeated.only_same if repeated else None
    form, refusal = forms.FaceForm(request.form), None
    if request.method == "POST" and _may_be_tried(form):
        try:
            whom, browser = form.whom, room.browser(only_same)
            check = face.ask(db(), room.tools(), checks, whom, browser, faces.binding(), now=now())
            return redirect(journey.here("login.face_finish", check=check.id), 303)
        except Throttled as refused:
            form.form_errors.append(room.sentence(refused))
            refusal = refused
    answer = page(
        "login/face.html",
        form=form,
        captcha=captcha.fresh("login-face"),
        again=journey.explained(repeated),
        **journey.frame(asked),
        links=_other_ways(asked, repeated, only_same=only_same is not None),
    )
    return answer, *room.said_with(refusal)


@blueprint.route("/login/face/finish", methods=["GET", "POST"])
def face_finish() -> Any:
    """How far the check is; sent by the form, a check that has passed signs in.

    The face service leads back here with the secret that :func:`face_here` gave it. That says nothing of the
    face (SECURITY 53), only that this browser was led back: a face shown elsewhere opens nothing here.
    """
    asked, check_id = journey.asked_for(), request.args.get("check", "")
    repeated = journey.again(asked)
    way_back = request.args.get(_BACK, "")
    if request.method == "GET" or "again" in request.form:
        return _progress(asked, _check(check_id), renew=request.method == "POST")
    browser = room.browser(repeated.only_same if repeated else None)
    try:
        let_in = face.sign_in(
            db(), room.tools(), check_id, browser, faces.binding(), way_back=way_back, now=now()
        )
        return room.enter(let_in)
    except proof.NotPassed:
        return _progress(asked, _check(check_id), missing=_NOTHING_YET)
    except proof.NotLedBack:
        return _progress(asked, _check(check_id), missing=_COME_BACK)
    except proof.CheckGone:
        raise _gone() from None
    except entry.AnotherIdentity:
        return redirect(journey.here("login.identity"), 303)
    except entry.NotAllowedIn as refused:
        raise Stop("现在不能登录", str(refused), status=403, ways=_ways()) from None


@blueprint.post("/login/face/here")
def face_here() -> Any:
    """在本机刷脸: the face service's page in this very browser; the QR code, if there is one, ends."""
    checks, asked = _tools(), journey.asked_for()
    check = _check(request.args.get("check", ""))
    if not _without_ticket(check):
        return redirect(journey.here("login.face_finish", check=check.id), 303)
    try:
        check = proof.wait_by(checks.store, check, "", now=now()) if check.ticket else check
        return redirect(_begun_here(checks, check), 303)
    except proof.CheckGone:
        raise _gone() from None
    except proof.UnderWay:
        problem = _OPENING
    except FaceCrowded:
        problem = _CROWDED
    except FaceUnavailable:
        problem = _NO_ANSWER
    return _progress(asked, _check(check.id), problem=problem), 503


def _begun_here(checks: proof.Tools, check: Check) -> str:
    """The face service's page. Raises idp.proof.face.CheckGone, UnderWay, FaceUnavailable."""
    way_back = new_token(16)
    back = journey.here("login.face_finish", check=check.id, **{_BACK: way_back})
    pause(db())
    begun, _moved = proof.begin(
        checks,
        check,
        ticket="",
        callback=faces.callback(),
        returns_to=settings().issuer + back,
        way_back=way_back,
        now=now(),
    )
    return begun.page


def _progress(
    asked: PendingRequest | None, check: Check, *, renew: bool = False, missing: str = "", problem: str = ""
) -> Any:
    """The page of a check: the code to scan, or what has become of it."""
    if check.declined:
        raise Stop(
            "人脸核验已经取消",
            f"手机上拒绝了核验，或者核验不是在这个浏览器里完成的。{_UNTOUCHED}需要登录时，请重新开始。",
            status=403,
            ways=(("重新刷脸", journey.here("login.face")), *_ways()),
        )
    if check.state is State.FAILED:
        raise Stop(
            "人脸核验没有通过",
            f"没有确认是您本人。请到光线明亮的地方重新刷脸，或者用其他方式登录。{_UNTOUCHED}",
            status=403,
            ways=(("重新刷脸", journey.here("login.face")), *_ways()),
        )
    ticket = None if renew else _live_ticket(check)
    # Nobody scans with the phone that is about to sign in, and no other phone makes it one.
    by_phone = waiting.offered() and not (asked and asked.is_an_apps)
    if ticket is None and check.state is State.WAITING and by_phone:
        ticket = _new_ticket(check, asked)
    back = request.args.get(_BACK, "")
    is_led_back = check.is_led_back_with(back)
    frame = journey.frame(asked)
    # 在本机刷脸 is answered by a redirect to the face service, the end of the journey perhaps by the portal.
    allow_form_to((_tools().service.origin, *(asked.form_origins if asked else ())))
    return page(
        "login/face_check.html",
        state=check.state.value,
        is_led_back=is_led_back,
        restart=journey.here("login.face"),
        subject=mask_name(check.whom(platform().vault).name),
        shown=shown(ticket) | {"endings": _ENDINGS} if ticket else None,
        may_begin_here=check.state is State.WAITING,
        missing=missing,
        problem=problem,
        finish=journey.here(
            "login.face_finish", check=check.id, **({_BACK: back} if is_led_back and back else {})
        ),
        here=journey.here("login.face_here", check=check.id),
        **frame,
        links=_other_ways(asked, journey.again(asked)),
    )


def _live_ticket(check: Check) -> Ticket | None:
    """The QR code that waits for the check, as long as it can be used."""
    ticket = mine(check.ticket) if check.ticket else None
    return ticket if check.state in {State.WAITING, State.BEGUN} else None


def _new_ticket(check: Check, asked: PendingRequest | None) -> Ticket | None:
    """A QR code in the place of the one before; None if there were too many, or the check has just begun."""
    if check.ticket:
        give_up(check.ticket)
    login = waiting.asked_of(asked, request.args.get("tx", ""))
    wanted = Asked(
        TicketPurpose.FACE,
        portal=login.portal,
        reason="请求核验是您本人，用于刷脸登录",
        transaction=login.transaction,
        client_id=login.client_id,
        check=check.id,
        subject=mask_name(check.whom(platform().vault).name),
    )
    try:
        ticket = waiting.open_ticket(wanted)
        proof.wait_by(platform().store, check, ticket.id, now=now())
    except (TooManyTickets, proof.CheckGone):
        return None
    return ticket


def _without_ticket(check: Check) -> bool:
    """Whether no phone has scanned for the check; its QR code, if there is one, has then ended."""
    ticket = _live_ticket(check)
    secret = cookies.sent_wait_secret()
    return ticket is None or tickets.withdraw(
        platform().store, ticket.id, secret, only_unscanned=True, now=now()
    )


def _tools() -> proof.Tools:
    """What face checks work with. Raises Stop where no face service is named."""
    tools = faces.tools()
    if tools is None:
        raise Stop(
            "这里不能刷脸登录",
            "本平台没有开通刷脸登录，账号没有受到影响。请用其他方式登录。",
            status=404,
            ways=_ways(),
        )
    return tools


def _check(check_id: str) -> Check:
    """The check of this browser and transaction, as it stands. Raises Stop."""
    store = _tools().store
    try:
        return proof.of_browser(store, check_id, Purpose.SIGN_IN, binding=faces.binding(), now=now())
    except proof.CheckGone:
        # Somebody was sent the link of another's check: his face opens nothing there.
        face_ends.led_elsewhere(store, check_id, request.args.get(_BACK, ""), now=now())
        raise _gone() from None


def _gone() -> Stop:
    return Stop(
        "这次人脸核验已失效",
        f"核验已经完成、等待太久，或者是在别处开始的。{_UNTOUCHED}请重新开始。",
        ways=(("重新刷脸", journey.here("login.face")), *_ways()),
    )


def _ways() -> tuple[tuple[str, str], ...]:
    return (("用其他方式登录", journey.here("login.start")),)


def _other_ways(
    asked: PendingRequest | None, repeated: Again | None, *, only_same: bool = False
) -> list[tuple[str, str]]:
    """The ways beside the face: a face is never the only one, but for a portal that insists on it."""
    others = [way for way in journey.ways(asked, repeated) if way.name != "face"]
    elsewhere = list(_ways()) if others else [("不方便刷脸？", url_for("web.help"))]
    switch = [("换一个账号登录", journey.here("login.identity"))] if only_same else []
    return [*elsewhere, *switch]


def _may_be_tried(form: forms.FaceForm) -> bool:
    """Whether the form is complete and its captcha right; a captcha is spent with whatever it was sent."""
    captcha_id, typed = request.form.get("captcha_id", ""), form.captcha.data or ""
    problem = captcha.check(captcha_id, typed, purpose="login-face")
    if "again" in request.form or not form.validate():
        return False
    if problem:
        form.captcha.errors = [problem]
    return problem is None
