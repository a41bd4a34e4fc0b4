"""Recovery codes: ten new ones, the page that shows them until they are saved, and a file to save.

That page may be loaded again, in larger letters for one, for ten minutes at most
(:mod:`idp.proof.recovery_shown`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from idp.accounts import factors
from idp.proof import enrolment, recovery_codes, recovery_shown
from idp.security import room, service
from idp.web import signin
from idp.web.platform import db, now, platform, settings
from idp.web.render import day

_DONE = {
    "totp-added": "验证器 App 已添加，下次登录时可以使用。",
    "passkey-added": "通行密钥已添加，下次登录时可以使用。",
    "sms-added": "短信验证已开通，下次用密码登录时要填写短信验证码。",
    "renewed": "新的恢复码已生成，原有的已失效。",
}


@room.own_account_only
@room.fresh_proof_required
def renew() -> Any:
    """Ten new recovery codes in place of those there are."""
    account = room.visit().account
    if not factors.kinds_of(db(), account):
        return redirect(room.onward("overview"), 303)
    if room.sent():
        return made(
            enrolment.renew_recovery_codes(db(), room.tools(), room.owner(), now=now()), done="renewed"
        )
    left = recovery_codes.left(db(), account)
    return room.show(
        "sure",
        title="重新生成恢复码",
        lead=f"会生成 {recovery_codes.HOW_MANY} 个新的恢复码。请准备好下载、打印或抄写。",
        warning=f"目前还能使用的 {left} 个恢复码会立即失效。" if left else "",
        button="生成新的恢复码",
    )


def made(codes: Sequence[str], *, done: str) -> BaseResponse:
    """The answer that has made new codes: on to the page that shows them."""
    answer = room.changed("codes", done=done)
    recovery_shown.keep(room.tools(), room.owner(), _here(), codes)
    return answer


@room.own_account_only
@room.fresh_proof_required
def codes() -> Any:
    """The codes that were just made; a POST says that they are saved, and they are shown no more."""
    if room.sent():
        recovery_shown.put_out_of_sight(room.tools(), room.owner(), _here())
        return redirect(room.back_to() or room.onward("overview", done="codes-saved"), 303)
    found = _in_sight()
    if not found:
        return redirect(room.onward("overview", done="codes-gone"), 303)
    done = _DONE.get(request.args.get("done", ""), "")
    # They are in sight for ten minutes: the day they are shown is the day they were made.
    return room.show("codes", codes=found, done=done, made_on=day(now()))


@room.own_account_only
@room.fresh_proof_required
def as_file() -> Any:
    """The same codes as a file of text."""
    found = _in_sight()
    if not found:
        return redirect(room.onward("overview", done="codes-gone"), 303)
    text = recovery_shown.as_text(
        found,
        site=settings().site_name,
        account=service.label(db(), platform().vault, room.visit().signed_in),
        issuer=settings().issuer,
        day=day(now()),
    )
    answer = Response(text, mimetype="text/plain")
    answer.headers["Content-Disposition"] = 'attachment; filename="recovery-codes.txt"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _in_sight() -> tuple[str, ...]:
    return recovery_shown.codes_in_sight(db(), room.tools(), room.owner(), _here())


def _here() -> str:
    """The sign-in they are shown in; a further proof does not change its id."""
    return str(signin.required().session.id)
