"""What the pages share on which staff set up a second factor: at the first sign-in, and later on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import redirect, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from idp.accounts import factors
from idp.accounts.staff import StaffMember
from idp.proof import enrolment, recovery_shown, totp
from idp.proof.enrolment import Added, Owner, Tools
from idp.proof.passkeys import Asked, PasskeyRefused
from idp.web import cookies, qr_picture, signin, staff
from idp.web.platform import db, now, platform
from idp.web.security import allow_scripts
from idp.web.words import device_words


@dataclass(frozen=True, slots=True)
class Setup:
    """An authenticator app to be: the picture it scans, and the secret in groups of four to type."""

    picture: Markup
    secret: str


def tools() -> Tools:
    """What enrolment works with."""
    here = platform()
    return Tools(here.settings, here.store, here.vault, here.trail, here.notifier)


def owner(member: StaffMember) -> Owner:
    """`member`, whose factors are changed by himself in this browser."""
    return Owner(member.key, staff.origin(member), signin.device(), cookies.browser_id())


def setup(member: StaffMember, ticket: str) -> Setup:
    """What the page of an authenticator app shows. Raises idp.proof.enrolment.SetupGone."""
    secret = enrolment.totp_secret(tools(), owner(member), ticket)
    site = f"{platform().settings.site_name} 工作台"
    picture = qr_picture.svg(totp.address(secret, account=member.account, site=site))
    groups = " ".join(secret[start : start + 4] for start in range(0, len(secret), 4))
    return Setup(Markup(picture), groups)  # noqa: S704 - drawn by us, of our own digits


def begin_app(member: StaffMember) -> str:
    """The ticket of a new authenticator app."""
    return enrolment.begin_totp(tools(), owner(member))


def finish_app(member: StaffMember, ticket: str, form: Any) -> Added | None:
    """Add the app that shows the code of `form`; None, and sentences in it, if it cannot be added.

    Raises idp.proof.enrolment.SetupGone.
    """
    if not form.validate():
        return None
    try:
        return enrolment.finish_totp(
            db(), tools(), owner(member), ticket=ticket, code=form.code.data, name=_name(form), now=now()
        )
    except enrolment.EnrolmentRefused as refused:
        form.form_errors.append(str(refused))
        return None


def ask_passkey(member: StaffMember) -> Asked | None:
    """What the browser needs to make a passkey; None where this installation's address can have none."""
    ceremony = enrolment.ceremony(tools(), cookies.browser_id())
    if not ceremony.possible:
        return None
    allow_scripts()
    present = factors.passkeys_of(db(), member.key)
    return ceremony.ask_to_add(member.key, label=member.account, present=present)


def finish_passkey(member: StaffMember, form: Any) -> Added | None:
    """Add the passkey that was made; None, and sentences in `form`, if it cannot be added."""
    if not form.validate():
        return None
    try:
        return enrolment.finish_passkey(
            db(),
            tools(),
            owner(member),
            challenge_id=form.challenge_id.data or "",
            answer=form.answer.data or "",
            name=_name(form),
            made_in=device_words(signin.device().browser),
            now=now(),
        )
    except (enrolment.EnrolmentRefused, PasskeyRefused) as refused:
        form.form_errors.append(str(refused))
        return None


def show_codes(member: StaffMember, sign_in: str, codes: Sequence[str], *, begun: bool = False) -> Response:
    """The answer that has made new recovery codes: on to the page that shows them, to be loaded again.

    `sign_in` is the id of the sign-in that may see them; `begun` where it has just begun.
    """
    recovery_shown.keep(tools(), owner(member), sign_in, codes)
    return redirect(url_for("staff_me.codes", begun=1 if begun else None), 303)


def sent(form_class: Any) -> Any:
    """The form that was sent, or an empty one."""
    return form_class(request.form if request.method == "POST" else None)


def _name(form: Any) -> str:
    return form.name.data or ""
