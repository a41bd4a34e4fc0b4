"""Journeys of several pages: each is a table of steps, and nobody is on one before what it needs is done.

A room declares its journey once::

    ACTIVATION = Walk(
        "activation",
        "账号激活",
        (
            Step("company", "确认企业信息", "enterprise.activate"),
            Step("phone", "手机短信验证", "enterprise.activate_phone", needs=("account",)),
            Step("password", "设置账号和密码", "enterprise.activate_password", needs=("phone_proved",)),
            Step("done", "激活成功", "enterprise.activate_done"),
        ),
    )

and each view asks for its place: ``journey = ACTIVATION.at("phone")``. What a step `needs` are names of facts
(:mod:`idp.proof.journeys`); whoever is too early, or comes back after the end, is led to where the journey
stands. The journey's id stands in the address as ``j``, so two tabs are two journeys; what the browser came
for before (``tx``, ``next``) stays beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from flask import abort, redirect, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from idp.proof import journeys
from idp.proof.journeys import Journey, JourneyGone, JourneyMoved
from idp.web import cookies
from idp.web.errors import Stop
from idp.web.platform import now, platform, roll_back, settings
from idp.web.render import page

_CARRIED = ("tx", "next")
_ENDED_AT: Final = "ended_at"
_ANEW: Final = "begun_anew"
_NOTED: Final = {"typed", _ANEW}
"""Facts that nothing rests on."""
_LOOKS: Final = 10
"""How often somebody tries to add to a journey to which others add at the same time."""
_COMMIT_SECONDS: Final = 10
"""So long after its end was noted the rows of a journey may still be on their way."""


@dataclass(frozen=True, slots=True)
class Step:
    """A page of a journey: its name, its word in the row of steps, its endpoint, and the facts it needs."""

    name: str
    label: str
    endpoint: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Walk:
    """A journey: its kind, its title, its steps in their order. The last one is open once it has ended."""

    kind: str
    title: str
    steps: tuple[Step, ...]

    def at(self, name: str) -> Journey:
        """The journey of this request, if it may be on the step `name`; else the browser is led elsewhere.

        A step that this walk does not have (a setting took it away) is one nobody may be on. Raises Stop
        where there is no such journey.
        """
        journey = self._found()
        here = next((step for step in self.steps if step.name == name), None)
        is_last = here is self.steps[-1]
        if here is None or journey.is_done is not is_last or not journey.has(*here.needs):
            abort(redirect(self.address(self._open_step(journey).name, journey), 303))
        return journey

    def begun(self) -> Journey | None:
        """The journey somebody comes back to its first step with; None for one who begins.

        One that has ended is led to its end; one that is gone begins anew.
        """
        if "j" not in request.args:
            return None
        try:
            journey = self._find()
        except JourneyGone:
            return None
        if journey.is_done:
            abort(redirect(self.address(self.steps[-1].name, journey), 303))
        return journey

    def start(self) -> Journey:
        """The journey of a first page that has a code: it is there before the form is.

        Whoever opens the page is led to the address of a journey of his own; whoever brings one that is gone
        keeps his page, whose form leads to another one.
        """
        journey = self.begun()
        if journey is not None:
            return journey
        if request.method == "POST" and request.accept_mimetypes.best == "application/json":
            # A code for a journey that the page does not know would open nothing: its script loads it anew.
            raise self.gone()
        journey = self.begin()
        # A browser that keeps no cookies has brought one just now, and would be led in a circle.
        if request.method == "GET" and "j" not in request.args:
            abort(redirect(self.address(self.steps[0].name, journey), 303))
        return journey

    def anew(self, journey: Journey, typed: dict[str, Any]) -> Response | None:
        """Where a form leads that found its journey gone; None where it is there.

        To the page of `journey`, the one that :meth:`start` began in its place, which knows what was typed:
        at the old address it would be lost with the next look. :meth:`is_anew` tells that page.
        """
        if request.method != "POST" or journey.id == request.args.get("j"):
            return None
        self.note(journey, typed=typed, **{_ANEW: True})
        return redirect(self.address(self.steps[0].name, journey), 303)

    def is_anew(self, journey: Journey) -> bool:
        """Whether the page that is opened stands in the place of one whose journey was gone."""
        return request.method == "GET" and journey.has(_ANEW)

    def note_heeded(self, journey: Journey) -> None:
        """Note that somebody has done what :meth:`is_anew` asks him for."""
        if journey.has(_ANEW):
            self.note(journey)

    def begin(self, **facts: Any) -> Journey:
        """A new journey of this browser that knows `facts`."""
        return journeys.begin(tools(), self.kind, browser=cookies.browser_id(), now=now(), facts=facts)

    def learn(
        self, journey: Journey, twin: Callable[[Journey], bool] | None = None, /, **facts: Any
    ) -> Journey:
        """Add `facts`; a form that was sent twice is led to where the first one led.

        Where `twin` says that another request has made the same of the journey, both go on with that. What
        was merely noted meanwhile is in nobody's way.
        """
        for _ in range(_LOOKS):
            with suppress(JourneyMoved):
                return _add(journey, facts)
            found = self._under_way()
            if _without_notes(found) != _without_notes(journey):
                if twin is not None and twin(found):
                    return found
                break
            journey = found
        raise self._led_on()

    def keep(self, journey: Journey, **facts: Any) -> Journey:
        """The same of what was proved: it holds beside whatever another request has added meanwhile."""
        for _ in range(_LOOKS):
            with suppress(JourneyMoved):
                return _add(journey, facts)
            journey = self._under_way()
            if all(journey.facts.get(name) == value for name, value in facts.items()):
                # Its twin was faster; whatever is written now would be in that one's way.
                return journey
        raise self._led_on()

    def note(self, journey: Journey, **facts: Any) -> Journey:
        """The same of what nobody depends on: where another request was faster, the journey as it was."""
        with suppress(JourneyMoved):
            return _add(journey, facts)
        return journey

    def gone_on(self, name: str) -> Response | None:
        """Where the journey of this request leads from the step `name`, if it has gone on from there.

        For whoever comes back to a step, and for a form that was sent twice.
        """
        journey = self.at(name)
        further = self._open_step(journey)
        return None if further.name == name else redirect(self.address(further.name, journey), 303)

    def end(self, journey: Journey, **facts: Any) -> Journey:
        """Note its end in the request that writes what it was for, after the flush and before the commit.

        Whoever comes second is led to the end, and nothing of his request is written.
        """
        try:
            return journeys.end(tools(), journey, now=now(), **{_ENDED_AT: now().timestamp(), **facts})
        except JourneyMoved:
            # A page that says it did nothing must not be followed by a commit.
            roll_back()
            raise self._led_on() from None

    def address(self, name: str, journey: Journey | None = None, **more: Any) -> str:
        """The address of a step of this journey; without a journey, of the beginning of another one."""
        values: dict[str, Any] = {**carried(), **more}
        if journey is not None:
            values["j"] = journey.id
        return url_for(self._step(name).endpoint, **values)

    def frame(self, name: str) -> dict[str, Any]:
        """What every page of the journey says of itself: its title, the row of steps, which one it is.

        Steps that follow one another under one label are one in the row.
        """
        places: list[str] = []
        here = 0
        for step in self.steps:
            if places[-1:] != [step.label]:
                places.append(step.label)
            if step.name == name:
                here = len(places)
        return {"walk_title": self.title, "steps": places, "step": here}

    def not_kept(self, journey: Journey) -> Any:
        """The answer at the end of a journey whose rows are not there; raises Stop once they will not be.

        The twin of the request that ends a journey sees the note before the rows: it looks again in a second.
        Later the process has died between the two.
        """
        # A journey that the version before has ended does not say when.
        if now().timestamp() - journey.facts.get(_ENDED_AT, 0) > _COMMIT_SECONDS:
            raise self.gone()
        return page("web/walk_wait.html", **self.frame(self.steps[-1].name)), 200, {"Refresh": "1"}

    def gone(self) -> Stop:
        """What is said where a journey cannot go on."""
        return Stop(
            f"{self.title}没有完成",
            "这一步等待太久，或者是在另一个浏览器里开始的，没有做任何更改。请重新开始。",
            ways=(("重新开始", self.address(self.steps[0].name)), ("回到登录页", url_for("login.start"))),
        )

    def _found(self) -> Journey:
        try:
            return self._find()
        except JourneyGone:
            raise self.gone() from None

    def _find(self) -> Journey:
        journey_id, browser = request.args.get("j", ""), cookies.browser_id()
        return journeys.find(tools(), self.kind, journey_id, browser=browser, now=now())

    def _under_way(self) -> Journey:
        """The journey as it stands now; whoever finds it ended is led to its end."""
        found = self._found()
        if found.is_done:
            raise self._led_on()
        return found

    def _led_on(self) -> HTTPException:
        """What leads the browser to where its journey stands now."""
        found = self._found()
        return HTTPException(response=redirect(self.address(self._open_step(found).name, found), 303))

    def _open_step(self, journey: Journey) -> Step:
        """How far the journey has come: the last step whose needs are met."""
        if journey.is_done:
            return self.steps[-1]
        return [step for step in self.steps[:-1] if journey.has(*step.needs)][-1]

    def _step(self, name: str) -> Step:
        return next(step for step in self.steps if step.name == name)


def tools() -> journeys.Tools:
    """What journeys are kept with."""
    here = platform()
    return journeys.Tools(here.store, here.vault, settings().seconds("journey_lifetime"))


def _add(journey: Journey, facts: Mapping[str, Any]) -> Journey:
    """Add what a page says; it is none that was begun anew any more. Raises JourneyMoved."""
    return journeys.learn(tools(), journey, now=now(), **{_ANEW: None, **facts})


def _without_notes(journey: Journey) -> dict[str, Any]:
    return {name: value for name, value in journey.facts.items() if name not in _NOTED}


def carried() -> dict[str, str]:
    """What the browser came for before the journey, as it stands in the address."""
    return {name: request.args[name] for name in _CARRIED if request.args.get(name)}
