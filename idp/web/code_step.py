"""A phone's code in a journey of several pages: as a step of its own, or as a field of a longer form.

A step whose whole page is the code to a phone of record says what is its own in a :class:`CodeStep`; the
page, its buttons and what is said of a wrong code are here::

    @blueprint.route("/activate/phone", methods=["GET", "POST"])
    def activate_phone() -> Any:
        journey = ACTIVATION.at("phone")
        step = CodeStep(Purpose.ACTIVATE, phone, account=key, journey=journey, …)
        return code_step.answer(step, lambda: _phone_proved(journey))

A longer form looks at its code before anything else of it counts, so that whoever chose a password that may
not be set is sent no second message::

    is_right = form.is_right(about)
    journey = code_step.prove_phone(WALK, journey, form, code)
    if is_right and not form.code.errors: …
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from flask import request
from wtforms import Form, StringField

from idp.proof.journeys import Journey
from idp.proof.sms_codes import Purpose
from idp.web.errors import Way
from idp.web.render import page
from idp.web.sms import CodeForm, PhoneCode
from idp.web.steps import Walk

PROVED = "phone_proved"
"""The fact of a journey that says which phone was proved in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeStep:
    """What a journey that wants a code says of itself, in the request in hand.

    `phone` is the one of record, `account` the key of whose it is. `captcha` names the picture that is asked
    for from the second message on: the step before was opened by one. `lead` and `onward` are the page's
    words and its button; `back` leads to what was told before; `ways` are the other ways, which stand below
    `lost`, what is said to whoever has the phone no more. `frame` is that of the walk.

    `gone_on` answers a form that was sent twice, whose first one spent the code: where that one led, None if
    there was none. `guessed` is called for a wrong code.
    """

    purpose: Purpose
    phone: str
    account: str
    journey: Journey
    captcha: str
    lead: str
    onward: str
    frame: Mapping[str, Any]
    ways: tuple[Way, ...]
    gone_on: Callable[[], Any]
    guessed: Callable[[], None]
    phone_label: str = "手机号码"
    back: Way | None = None
    lost: str = ""


class PhoneForm(Protocol):
    """A form with a phone and its code; `phone_number` is canonical, empty if it is none."""

    code: StringField

    @property
    def phone_number(self) -> str:
        """The phone."""


def answer(step: CodeStep, then: Callable[[], Any]) -> Any:
    """The page of the code, the answer to its buttons, and what `then` makes of the right code."""
    form = CodeForm(request.form)
    code = PhoneCode(
        step.purpose,
        step.phone,
        account=step.account,
        journey=step.journey.id,
        captcha=step.captcha,
        first_free=True,
    )

    def shown() -> str:
        return page("web/walk_code.html", form=form, sms=code.shown(), code_step=step, **step.frame)

    if code.is_asked_for():
        return code.answer(form, shown)
    if request.method == "GET" or not form.validate():
        return shown()
    problem = code.problem(form.code.data)
    if problem is None:
        return then()
    if (led := step.gone_on()) is not None:
        return led
    if code.was_guessed:
        step.guessed()
    form.code.errors = [problem]
    return shown()


def send(walk: Walk, journey: Journey, form: Form, code: PhoneCode, shown: Callable[[], Any]) -> Any:
    """As :meth:`idp.web.sms.PhoneCode.answer`, in the first form of a walk.

    Once a code was sent, also to a script, nobody hears any more that the one before is gone.
    """
    answered = code.answer(form, shown)
    if code.was_sent:
        walk.note_heeded(journey)
    return answered


def prove_phone(
    walk: Walk, journey: Journey, form: PhoneForm, code: PhoneCode, *, fact: str = PROVED
) -> Journey:
    """The journey as it stands once the code of a form was looked at; a problem stands at the form's `code`.

    It knows the phone as `fact` if that was proved, now or before; another phone wants a code of its own. A
    code beside a phone that is none costs no try. Of a form that was sent twice both know it: whichever spent
    the code, it was this browser's for this journey.
    """
    phone, typed = form.phone_number, form.code.data
    if is_proved(journey, phone, fact=fact):
        form.code.errors = []
        return journey
    if typed and not phone:
        return journey
    problem = code.problem(typed)
    if problem is None or code.was_spent:
        return walk.keep(journey, **{fact: phone})
    # The same form sent so often that nobody looks at its code any more.
    journey = walk.begun() or journey
    form.code.errors = [] if is_proved(journey, phone, fact=fact) else [problem]
    return journey


def is_proved(journey: Journey, phone: str, *, fact: str = PROVED) -> bool:
    """Whether `phone` is the one that was proved in this journey."""
    return bool(phone) and journey.facts.get(fact) == phone
