"""刷脸登录: name and number, then the face: on the phone in hand (A17), or by a QR code (A18)."""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import redirect, request, url_for

from idp.access.pending import PendingRequest
from idp.login import entry, face, forms, journey
from idp.login.again import Again
from idp.login.views import room
from idp.login.views.room import blueprint
from idp.proof.face_record import Check, Purpose
from idp.proof.throttle import Throttled
from idp.web import captcha, face_step, waiting
from idp.web.errors import Stop, Way
from idp.web.face_step import FaceStep, FaceWords
from idp.web.platform import db, now
from idp.web.render import page

_WORDS = FaceWords("登录", "账号没有受到影响", "用其他方式登录")


@blueprint.route("/login/face", methods=["GET", "POST"], endpoint="face")
def by_face() -> Any:
    """Who is to be checked, what happens to his face, and that he agrees; another way is always named."""
    asked = journey.asked_for()
    repeated = journey.again(asked)
    step = _step(asked, repeated)
    face_step.tools(step)
    if not journey.offers("face", asked, repeated):
        return redirect(journey.here("login.start"))
    only_same = repeated.only_same if repeated else None
    form, refusal = forms.FaceForm(request.form), None
    if request.method == "POST" and room.may_be_tried("login-face", form):
        try:
            browser = room.browser(only_same)
            known = face.known_browser(db(), room.tools(), form.whom, browser, now=now())
            check = face_step.begin(step, form.whom, known_browser=known)
            return redirect(step.finish(check=check.id), 303)
        except Throttled as refused:
            form.form_errors.append(room.sentence(refused))
            refusal = refused
    switch = [("换一个账号登录", journey.here("login.identity"))] if only_same else []
    answer = page(
        "login/face.html",
        form=form,
        captcha=captcha.fresh("login-face"),
        again=journey.explained(repeated),
        **journey.frame(asked),
        links=[*step.links, *switch],
    )
    return answer, *room.said_with(refusal)


@blueprint.route("/login/face/finish", methods=["GET", "POST"])
def face_finish() -> Any:
    """How far the check is; sent by the form, a check that has passed signs in."""
    asked = journey.asked_for()
    repeated = journey.again(asked)
    return face_step.finish(_step(asked, repeated), partial(_let_in, repeated))


@blueprint.post("/login/face/here")
def face_here() -> Any:
    """在本机刷脸: the face service's page in this very browser."""
    asked = journey.asked_for()
    return face_step.begin_here(_step(asked, journey.again(asked)))


def _step(asked: PendingRequest | None, repeated: Again | None) -> FaceStep:
    """刷脸登录 as a face check sees it. Whom it is about is in the check alone, until it has passed."""
    login = waiting.asked_of(asked, request.args.get("tx", ""))
    return FaceStep(
        purpose=Purpose.SIGN_IN,
        whom=None,
        finish=partial(journey.here, "login.face_finish"),
        here=partial(journey.here, "login.face_here"),
        restart=journey.here("login.face"),
        portal=login.portal,
        reason="请求核验是您本人，用于刷脸登录",
        words=_WORDS,
        ways=_ways(),
        links=_other_ways(asked, repeated),
        template="login/face_check.html",
        frame=partial(journey.frame, asked),
        # Nobody scans with the phone that is about to sign in, and no other phone makes it one.
        by_phone=not (asked and asked.is_an_apps),
        transaction=login.transaction,
        client_id=login.client_id,
        form_to=asked.form_origins if asked else (),
    )


def _let_in(repeated: Again | None, check: Check) -> Any:
    browser = room.browser(repeated.only_same if repeated else None)
    try:
        return room.enter(face.sign_in(db(), room.tools(), check, browser, now=now()))
    except entry.AnotherIdentity:
        return redirect(journey.here("login.identity"), 303)
    except entry.NotAllowedIn as refused:
        raise Stop("现在不能登录", str(refused), status=403, ways=_ways()) from None


def _ways() -> tuple[Way, ...]:
    return (("用其他方式登录", journey.here("login.start")),)


def _other_ways(asked: PendingRequest | None, repeated: Again | None) -> tuple[Way, ...]:
    """The ways beside the face: a face is never the only one, but for a portal that insists on it."""
    others = [way for way in journey.ways(asked, repeated) if way.name != "face"]
    return _ways() if others else (("不方便刷脸？", url_for("web.help")),)
