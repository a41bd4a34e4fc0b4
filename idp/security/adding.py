"""Adding a second factor. The first one of an account brings recovery codes, which the next page shows.

Whoever adds the first factor has just shown that he holds it: his sign-in rises with it, so that he need
not wait for the app's next code to go on.
"""

from __future__ import annotations

from typing import Any

from flask import redirect, request
from markupsafe import Markup

from idp.access import assurance
from idp.accounts import factors
from idp.accounts.factors import MOST_OF_A_KIND, Kind
from idp.proof import enrolment, totp
from idp.proof.enrolment import Added, EnrolmentRefused, SetupGone
from idp.proof.passkeys import PasskeyRefused
from idp.security import codes, room, service
from idp.security.forms import PasskeyForm, TotpForm
from idp.web import qr_picture, signin
from idp.web.errors import Stop
from idp.web.platform import db, now, platform, settings
from idp.web.security import allow_scripts
from idp.web.words import device_words

_AMR = {Kind.TOTP: "otp", Kind.PASSKEY: "hwk", Kind.SMS: "sms"}


@room.own_account_only
@room.fresh_proof_required
def totp_app() -> Any:
    """The secret as a picture and in letters, and the first code that proves it was taken over."""
    _check_room(Kind.TOTP)
    form, ticket = TotpForm(request.form), request.args.get("ticket", "")
    try:
        secret = enrolment.totp_secret(room.tools(), room.owner(), ticket)
        if room.sent() and form.names(Kind.TOTP):
            added = enrolment.finish_totp(
                db(),
                room.tools(),
                room.owner(),
                ticket=ticket,
                code=form.code.data or "",
                name=form.name.data or "",
                now=now(),
            )
            return to_the_codes(Kind.TOTP, added)
    except SetupGone:
        # The ticket stands in the address: whoever loads the page again keeps what he has scanned.
        fresh = enrolment.begin_totp(room.tools(), room.owner())
        again = {"again": "1"} if ticket else {}
        return redirect(room.onward("totp", ticket=fresh, **again), 303)
    except EnrolmentRefused as refused:
        form.code.errors = [str(refused)]
    label = service.label(db(), platform().vault, room.visit().signed_in)
    address = totp.address(secret, account=label, site=settings().site_name)
    return room.show(
        "totp",
        form=form,
        address=address,
        label=label,
        # Drawn here from what was made here.
        picture=Markup(qr_picture.svg(address)),  # noqa: S704 - as said above
        groups=[secret[at : at + 4] for at in range(0, len(secret), 4)],
        again="again" in request.args and request.method == "GET",
    )


@room.own_account_only
@room.fresh_proof_required
def passkey() -> Any:
    """A form that the browser answers with a new passkey."""
    ceremony = room.ceremony()
    if not ceremony.possible:
        raise Stop(
            "这里不能使用通行密钥",
            "本平台目前以 IP 地址提供服务，通行密钥需要域名。请添加验证器 App。",
            status=404,
            ways=(("添加验证器 App", room.onward("totp")), ("返回账号安全", room.onward("overview"))),
        )
    _check_room(Kind.PASSKEY)
    form, account = PasskeyForm(request.form), room.visit().account
    if room.sent() and form.names(Kind.PASSKEY):
        try:
            added = enrolment.finish_passkey(
                db(),
                room.tools(),
                room.owner(),
                challenge_id=form.challenge_id.data or "",
                answer=form.answer.data or "",
                name=form.name.data or "",
                made_in=device_words(signin.device().browser),
                now=now(),
            )
            return to_the_codes(Kind.PASSKEY, added)
        except (EnrolmentRefused, PasskeyRefused) as refused:
            form.form_errors.append(str(refused))
    asked = ceremony.ask_to_add(
        account,
        label=service.label(db(), platform().vault, room.visit().signed_in),
        present=factors.passkeys_of(db(), account),
    )
    allow_scripts()
    return room.show("passkey", form=form, asked=asked)


def to_the_codes(kind: Kind, added: Added) -> Any:
    """The answer after a factor of this kind was added: to its recovery codes, if it brought some."""
    if not added.recovery_codes:
        return room.changed("overview", done=f"{kind}-added")
    answer = codes.made(added.recovery_codes, done=f"{kind}-added")
    # Under its new id the sign-in is the browser's with the next request; this one came under the old.
    signin.raise_to(amr=(_AMR[kind],), acr=assurance.SECOND_PROOF)
    return answer


def _check_room(kind: Kind) -> None:
    """Return if another factor of this kind may be added: nobody scans for nothing. Raises Stop."""
    held = [one for one in factors.list_factors(db(), room.visit().account) if one.kind is kind]
    if len(held) >= MOST_OF_A_KIND:
        raise Stop(
            f"不能再添加{enrolment.KINDS[kind]}",
            f"每种方式最多添加 {MOST_OF_A_KIND} 个。请先移除不用的，再添加。",
            status=409,
            ways=(("返回账号安全", room.onward("overview")),),
        )
