"""A face check as one step of any journey: the QR code for the phone, 在本机刷脸, and what came of it.

The journey says what is its own in a :class:`FaceStep`, has two addresses and three calls; everything else
(the ticket, the secret of the way back, every sentence of every ending) is here. Where no face service is
named (:func:`idp.web.faces.tools` is None) :func:`begin` stops: a journey that can do without looks first.

A person's registration, say, a :class:`~idp.web.steps.Walk` with a step `face`::

    def _face(journey: Journey) -> FaceStep:
        address = partial(url_for, j=journey.id, **steps.carried())
        return FaceStep(
            purpose=Purpose.REGISTER_PERSON,
            whom=Whom(person_name(name), number, id_type),  # as the journey knows him now
            binding=f"{faces.binding()} {journey.id}",
            finish=partial(address, "person.register_face_finish"),
            here=partial(address, "person.register_face_here"),
            restart=REGISTRATION.address("face", journey),  # where he agrees
            portal=f"{settings().site_name} 统一身份认证平台",
            reason="请求核验是您本人，用于个人注册",
            words=FaceWords("注册", "没有建立账号", "拨打服务热线办理"),
            ways=(("不方便刷脸？", url_for("web.help")),),
            frame=partial(REGISTRATION.frame, "face"),
        )


    @blueprint.route("/register/person/face", methods=["GET", "POST"])
    def register_face() -> Any:  # he agrees, and nobody presumes it
        step = _face(REGISTRATION.at("face"))
        form = FaceForm(request.form)  # agreed = faces.agreed("拨打服务热线办理")
        if request.method == "POST" and form.validate():
            try:
                check = face_step.begin(step)
                return redirect(step.finish(check=check.id), 303)
            except Throttled as refused:
                ...  # a sentence on the page, 429
        return page(...)  # {{ face.consent(form.agreed, ...) }}: web/_face.html


    @blueprint.route("/register/person/face/finish", methods=["GET", "POST"])
    def register_face_finish() -> Any:
        with face_step.ended_if_elsewhere():
            journey = REGISTRATION.at("face")
        return face_step.finish(_face(journey), lambda check: _registered(journey, check))


    @blueprint.post("/register/person/face/here")
    def register_face_here() -> Any:
        return face_step.begin_here(_face(REGISTRATION.at("face")))

The page of the check is `web/walk_face.html` unless the journey has its own, which shows the shared part::

    {% block scripts %}{% include "web/_face_scripts.html" %}{% endblock scripts %}
    {% block panel %}<h1>…</h1>{% include "web/_face_check.html" %}{% endblock panel %}

What the journey has to see to itself:

*   The function given to :func:`finish` runs once a check: it is spent before. If nothing comes of it, the
    person shows his face anew; a form that is sent twice finds the journey done, which is asked before.
*   `whom`, `portal` and `reason` are part of what a check is bound to. Whoever changes what he typed in the
    meantime has no face for it, and who showed his face for one company has not shown it for another as
    long as `reason` names the company.
*   Where the journey is looked for on the way back, :func:`ended_if_elsewhere` stands around it: a face that
    was shown in another browser than the journey's is then worth nothing to whoever sent the link.
*   A check says that he is who he is, not that his document is still valid (section Y): the journey looks.
*   Its own line in the trail has `face_check=check.reference` in its detail, as those of the check do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from flask import redirect, request

from idp.accounts.audit import Action, Event
from idp.accounts.identifiers import mask_name
from idp.adapters.face import FaceCrowded, FaceUnavailable
from idp.crypto import new_token
from idp.db import pause
from idp.proof import face, face_ends
from idp.proof.face_record import Check, Purpose, State, Whom
from idp.proof.ticket_record import Asked, Ended, Ticket
from idp.proof.ticket_record import Purpose as TicketPurpose
from idp.web import faces, signin, waiting
from idp.web.errors import Stop, Way
from idp.web.platform import db, now, platform, settings
from idp.web.render import page
from idp.web.security import allow_form_to
from idp.web.waiting import TooManyTickets, Words

_CHECK: Final = "check"
_BACK: Final = "back"
"""In the addresses of a journey: the check, and the secret of the way back."""
_NOTHING_YET = "还没有收到人脸核验的结果。请先刷脸，完成后再点「我已完成，继续」。"
_OPENING = "刷脸页面正在打开。请稍等几秒，再点一次「在本机刷脸」。"


@dataclass(frozen=True, slots=True)
class FaceWords:
    """What a journey is called: `act` 登录, `unhurt` 账号没有受到影响, `otherwise` 用其他方式登录."""

    act: str
    unhurt: str
    otherwise: str

    @property
    def undone(self) -> str:
        """That it came to nothing, and what is as it was."""
        return f"{self.act}没有完成，{self.unhurt}。"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceStep:
    """What a journey that wants a face says of itself, in the request in hand.

    `whom` is None only where nothing but the check itself says whom it is about (刷脸登录). `binding` is
    this browser and the journey. `finish` and `here` make the addresses of its two views, from `check` and,
    for the first, `back`; `restart` is where a check is asked for. `portal` says on the phone who asks,
    `reason` what for. `ways` are the other ways, of which there is always one (SECURITY 56); `links` those on
    the page of the check, if they differ. `frame` gives the rest of what `template` shows.

    `by_phone`: a QR code is of use. `actor`: who acts, as `person:<id>`, if somebody is signed in for it.
    `transaction` and `client_id`: the pending request it answers. `form_to`: origins the form may lead to.
    """

    purpose: Purpose
    whom: Whom | None
    finish: Callable[..., str]
    here: Callable[..., str]
    restart: str
    portal: str
    reason: str
    words: FaceWords
    ways: tuple[Way, ...]
    template: str = "web/walk_face.html"
    binding: str = field(default_factory=faces.binding)
    links: tuple[Way, ...] = ()
    frame: Callable[[], Mapping[str, Any]] = dict
    by_phone: bool = True
    actor: str = ""
    transaction: str = ""
    client_id: str = ""
    form_to: tuple[str, ...] = ()


def begin(step: FaceStep, typed: Whom | None = None, *, known_browser: str | None = None) -> Check:
    """A check of somebody who has just agreed to it; `typed` says whom, where the step does not.

    `known_browser` as in :func:`idp.proof.face.open_check`. Raises idp.proof.throttle.Throttled, and Stop
    where no face service is named.
    """
    checks, whom = tools(step), step.whom or typed
    if whom is None:
        msg = "a face check of nobody"
        raise ValueError(msg)
    origin = signin.origin(step.actor)
    check = face.open_check(
        checks,
        whom,
        step.purpose,
        binding=_binding(step),
        address=origin.address,
        known_browser=known_browser,
        now=now(),
    )
    detail = {"face_check": check.reference, "agreement": face.CONSENT, "purpose": step.purpose.value}
    platform().trail.record(db(), Event(Action.FACE_CONSENTED, detail=detail), origin, now=now())
    return check


def finish(step: FaceStep, then: Callable[[Check], Any]) -> Any:
    """How far the check is; sent by the form, what `then` makes of the check that has passed. Raises Stop.

    The face service leads back here with the secret that :func:`begin_here` gave it. That says nothing of the
    face (SECURITY 53), only that this browser was led back: a face shown elsewhere opens nothing here.
    """
    check_id, way_back = request.args.get(_CHECK, ""), request.args.get(_BACK, "")
    if request.method == "GET" or "again" in request.form:
        return _progress(step, _mine(step), renew=request.method == "POST")
    try:
        check = face.take(
            tools(step).store,
            check_id,
            step.purpose,
            binding=_binding(step),
            way_back=way_back,
            now=now(),
        )
    except face.NotPassed:
        return _progress(step, _mine(step), missing=_NOTHING_YET)
    except face.NotLedBack:
        come_back = f"请在刷脸页面点「返回」，由它带您回到这里，再继续{step.words.act}。"
        return _progress(step, _mine(step), missing=come_back)
    except face.CheckGone:
        raise _gone(step) from None
    return then(check)


def begin_here(step: FaceStep) -> Any:
    """在本机刷脸: the face service's page in this very browser; the QR code, if there is one, ends."""
    checks, check, words = tools(step), _mine(step), step.words
    ticket = _live_ticket(check)
    # A phone that has scanned goes on alone.
    if ticket and not waiting.give_up(ticket.id, only_unscanned=True):
        return redirect(step.finish(check=check.id), 303)
    try:
        check = face.wait_by(checks.store, check, "", now=now()) if check.ticket else check
        return redirect(_begun_here(step, checks, check), 303)
    except face.CheckGone:
        raise _gone(step) from None
    except face.UnderWay:
        problem = _OPENING
    except FaceCrowded:
        problem = f"现在刷脸的人较多，没有开始核验。请稍等一会儿再试，或者{words.otherwise}。"
    except FaceUnavailable:
        problem = f"人脸核验服务现在没有应答。请稍后再试，或者{words.otherwise}。"
    return _progress(step, _mine(step), problem=problem), 503


@contextmanager
def ended_if_elsewhere() -> Iterator[None]:
    """If the journey is not found in the block, whoever was led back to it was led to the wrong browser."""
    try:
        yield
    except Stop:
        _led_elsewhere()
        raise


def _led_elsewhere() -> None:
    """The check of the address is none of this browser's: if the face service led here, it is over."""
    check_id, way_back = request.args.get(_CHECK, ""), request.args.get(_BACK, "")
    face_ends.led_elsewhere(platform().store, check_id, way_back, now=now())


def tools(step: FaceStep) -> face.Tools:
    """What face checks work with. Raises Stop where no face service is named."""
    found = faces.tools()
    if found is None:
        words = step.words
        sentence = f"本平台没有开通刷脸{words.act}，{words.unhurt}。请{words.otherwise}。"
        raise Stop(f"这里不能刷脸{words.act}", sentence, status=404, ways=step.ways)
    return found


def _binding(step: FaceStep) -> str:
    """What a check is bound to: the journey, and all that its person agreed to show his face for."""
    whom, about = step.whom, ""
    if whom:
        about = f"{whom.id_type} {tools(step).service.subject(whom.name, whom.id_number)}"
    return json.dumps([step.binding, step.portal, step.reason, about], ensure_ascii=False)


def _mine(step: FaceStep) -> Check:
    """The check of the address, if it is this journey's, as it stands. Raises Stop."""
    store, check_id = tools(step).store, request.args.get(_CHECK, "")
    try:
        return face.of_browser(store, check_id, step.purpose, binding=_binding(step), now=now())
    except face.CheckGone:
        # Somebody was sent the link of another's check: his face opens nothing there.
        _led_elsewhere()
        raise _gone(step) from None


def _begun_here(step: FaceStep, checks: face.Tools, check: Check) -> str:
    """The face service's page. Raises idp.proof.face.CheckGone, UnderWay, FaceUnavailable."""
    way_back = new_token(16)
    back = step.finish(**{_CHECK: check.id, _BACK: way_back})
    pause(db())
    begun, _moved = face.begin(
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
    step: FaceStep, check: Check, *, renew: bool = False, missing: str = "", problem: str = ""
) -> str:
    """The page of a check: the code to scan, or what has become of it. Raises Stop once it has failed."""
    _check_goes_on(step, check)
    ticket = None if renew else _live_ticket(check)
    if ticket is None and check.state is State.WAITING and step.by_phone and waiting.offered():
        ticket = _new_ticket(step, check)
    back = request.args.get(_BACK, "")
    is_led_back = check.is_led_back_with(back)
    frame = step.frame()
    # 在本机刷脸 is answered by a redirect to the face service, the end of the journey perhaps by a portal.
    allow_form_to((tools(step).service.origin, *step.form_to))
    shown = {
        "state": check.state.value,
        "is_led_back": is_led_back,
        "restart": step.restart,
        "subject": mask_name(check.whom(platform().vault).name),
        "shown": waiting.shown(ticket, said=_endings(step.words)) if ticket else None,
        "may_begin_here": check.state is State.WAITING,
        "missing": missing,
        "problem": problem,
        "finish": step.finish(**{_CHECK: check.id} | ({_BACK: back} if is_led_back and back else {})),
        "here": step.here(**{_CHECK: check.id}),
        "act": step.words.act,
        "links": step.links or step.ways,
    }
    return page(step.template, face=shown, **frame)


def _check_goes_on(step: FaceStep, check: Check) -> None:
    """Return unless the check has failed. Raises Stop."""
    if check.state is not State.FAILED:
        return
    words, ways = step.words, (("重新刷脸", step.restart), *step.ways)
    if check.declined:
        happened = "手机上拒绝了核验，或者核验不是在这个浏览器里完成的。"
        sentence = f"{happened}{words.undone}需要{words.act}时，请重新开始。"
        raise Stop("人脸核验已经取消", sentence, status=403, ways=ways)
    sentence = f"没有确认是您本人。请到光线明亮的地方重新刷脸，或者{words.otherwise}。{words.undone}"
    raise Stop("人脸核验没有通过", sentence, status=403, ways=ways)


def _live_ticket(check: Check) -> Ticket | None:
    """The QR code that waits for the check, as long as it can be used."""
    ticket = waiting.mine(check.ticket) if check.ticket else None
    return ticket if check.state in {State.WAITING, State.BEGUN} else None


def _new_ticket(step: FaceStep, check: Check) -> Ticket | None:
    """A QR code in the place of the one before; None if there were too many, or the check has just begun."""
    if check.ticket:
        waiting.give_up(check.ticket)
    wanted = Asked(
        TicketPurpose.FACE,
        portal=step.portal,
        reason=step.reason,
        transaction=step.transaction,
        client_id=step.client_id,
        check=check.id,
        subject=mask_name(check.whom(platform().vault).name),
    )
    try:
        ticket = waiting.open_ticket(wanted)
        face.wait_by(platform().store, check, ticket.id, now=now())
    except (TooManyTickets, face.CheckGone):
        return None
    return ticket


def _endings(words: FaceWords) -> dict[str, Words]:
    """How the ends of a face check's ticket are said."""
    late = f"手机上的人脸核验还没有完成，{words.unhurt}。请点下面的按钮继续。"
    return waiting.endings(words.act, words.unhurt) | {
        "expired": Words("二维码已失效", late),
        Ended.NOT_ALLOWED.value: Words("人脸核验没有通过", f"没有确认是您本人。{words.undone}"),
    }


def _gone(step: FaceStep) -> Stop:
    return Stop(
        "这次人脸核验已失效",
        f"核验已经完成、等待太久，或者是在别处开始的。{step.words.undone}请重新开始。",
        ways=(("重新刷脸", step.restart), *step.ways),
    )
