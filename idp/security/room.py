"""Whose pages these are, the proof that a change needs, and the way back to where one came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Blueprint, g, redirect, request, url_for
from werkzeug.wrappers import Response

from idp.accounts import factors, sessions
from idp.accounts.identity import account_of
from idp.accounts.sessions import SignedIn
from idp.proof import enrolment
from idp.proof.enrolment import Owner, Tools
from idp.security.service import Whose
from idp.web import centre, cookies, shown, signin
from idp.web.errors import Stop
from idp.web.platform import db, platform, roll_back
from idp.web.redirects import own_path
from idp.web.render import page
from idp.web.signin import sign_in_required

View = TypeVar("View", bound=Callable[..., Any])

blueprint = Blueprint(
    "security", __name__, url_prefix="/center/<any(person,enterprise,operator):centre>/security"
)


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks at the pages. `own`: his sign-in was opened with the secrets of the account it acts for."""

    signed_in: SignedIn
    account: str
    own: bool

    @property
    def has_factor(self) -> bool:
        """Whether the account has a second factor."""
        return bool(factors.kinds_of(db(), self.account))

    @property
    def whose(self) -> Whose:
        """Whose sign-ins he may see."""
        return Whose(self.account, None if self.own else self.signed_in.identity)


@blueprint.url_value_preprocessor
def _take_centre(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.centre = (values or {}).pop("centre", "")


@blueprint.url_defaults
def _stay_in_centre(_endpoint: str, values: dict[str, Any]) -> None:
    if "centre" in g:
        values.setdefault("centre", g.centre)


@blueprint.before_request
@sign_in_required
def _only_ones_own() -> Response | None:
    role = next(role for role, name in centre.NAMES.items() if name == g.centre)
    return centre.elsewhere(role)


def visit() -> Visit:
    """Who looks at the pages in this request."""
    signed_in = signin.required()
    account = signed_in.session.account_key
    return Visit(signed_in, account, account == account_of(signed_in.identity))


def own_account_only(view: View) -> View:
    """Guard of what belongs to the account: somebody who came with another one's secrets is told where."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs) if visit().own else redirect(onward("overview"), 303)

    return cast("View", guarded)


def fresh_proof_required(view: View) -> View:
    """Guard of a change and of its form: a fresh proof is asked for first, so nobody types twice."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        here = visit()
        if signin.proved_lately(here.signed_in, has_factor=here.has_factor):
            return view(*args, **kwargs)
        return _to_confirm()

    return cast("View", guarded)


def fresh_factor_required(view: View) -> View:
    """The same where the view itself asks for the password: only an account with a factor proves it first."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        here = visit()
        if not here.has_factor or signin.proved_lately(here.signed_in, has_factor=True):
            return view(*args, **kwargs)
        return _to_confirm()

    return cast("View", guarded)


def _to_confirm() -> Response:
    return redirect(url_for("login.confirm", next=request.full_path.rstrip("?")), 303)


def sent() -> bool:
    """Whether a form was sent, and by the one it was shown to."""
    return request.method == "POST" and not shown.changed_since()


def changed(view: str, **values: Any) -> Response:
    """The answer to a change of factors: on to another page of the room.

    Undone where the sign-in ended meanwhile: whoever is thrown out, or whose account is locked, leaves
    nothing behind. Asked last, so that the account's lock always comes before the sign-in's. Raises Stop.
    """
    if not sessions.hold(db(), visit().signed_in.session.id):
        roll_back()
        raise Stop(
            "没有做任何更改",
            "就在刚才，这次登录被退出，或者账号被暂停。请重新登录；还是不行的话，请拨打服务热线。",
            status=403,
            ways=(("重新登录", url_for("login.start")),),
        )
    return redirect(onward(view, **values), 303)


def tools() -> Tools:
    """What enrolment works with."""
    here = platform()
    return Tools(here.settings, here.store, here.vault, here.trail, here.notifier)


def owner() -> Owner:
    """Whose factors are changed, and from where."""
    return Owner(visit().account, signin.origin(), signin.device(), cookies.browser_id())


def ceremony() -> Any:
    """Passkeys in this browser."""
    return enrolment.ceremony(tools(), cookies.browser_id())


def back_to() -> str | None:
    """Where somebody who was sent here for a second factor goes on; a path of this site only."""
    return own_path(request.args.get("next", ""))


def onward(view: str, **values: Any) -> str:
    """The address of another page of the room; the way back goes with it."""
    back = back_to()
    if back:
        values["next"] = back
    return url_for(f"security.{view}", **values)


def show(template: str, **values: Any) -> str:
    """A page of the room in the frame of its centre.

    Its forms are for the one who sees them; whoever answers what was shown to another one is told `changed`.
    """
    here = visit()
    return page(
        f"security/{template}.html",
        overview=onward("overview"),
        back_to=back_to(),
        changed=shown.changed_since(),
        hidden=[shown.field()],
        **values,
        **centre.frame(here.signed_in),
    )
