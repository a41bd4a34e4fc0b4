"""Another name for a factor, and removing one: each on a page that says what it means."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import abort, request

from idp.accounts import factors
from idp.accounts.factors import Factor, Kind
from idp.proof import enrolment
from idp.proof.enrolment import EnrolmentRefused
from idp.security import room
from idp.security.forms import NameForm
from idp.web.errors import Stop
from idp.web.platform import db, now
from idp.web.render import minute

_MEANS = {
    Kind.TOTP: "移除后，这个验证器 App 里的动态口令不能再用来登录。请随后在 App 里也删除它。",
    Kind.PASSKEY: "移除后，这个通行密钥不能再用来登录。设备里保存的那一份，请随后在设备上删除。",
    Kind.SMS: "移除后，登录时不再向您的手机发送短信验证码。",
}


@room.own_account_only
@room.fresh_proof_required
def rename(kind: str, factor_id: UUID) -> Any:
    """Another name."""
    factor = _found(kind, factor_id)
    form = NameForm(request.form, name=factor.name)
    if room.sent() and form.names(factor.kind):
        _refused_here(enrolment.rename, factor, form.name.data or "")
        return room.changed("overview", done="renamed")
    return room.show("rename", form=form, factor=factor, kind=enrolment.KINDS[factor.kind])


@room.own_account_only
@room.fresh_proof_required
def remove(kind: str, factor_id: UUID) -> Any:
    """Removing it; with the last one nothing but the password is left."""
    factor = _found(kind, factor_id)
    if room.sent():
        _refused_here(enrolment.remove, factor)
        return room.changed("overview", done="removed")
    last = len(factors.list_factors(db(), room.visit().account)) == 1
    return room.show(
        "sure",
        title=f"移除「{factor.name}」",
        lead=_MEANS[factor.kind],
        facts=[
            ("种类", enrolment.KINDS[factor.kind]),
            ("添加时间", minute(factor.created_at)),
            ("最近使用", minute(factor.last_used_at) if factor.last_used_at else "还没有用过"),
        ],
        warning="这是最后一种第二步验证。移除后，账号只靠密码保护，恢复码也一起失效。" if last else "",
        button="移除",
        dangerous=True,
    )


def _found(kind: str, factor_id: UUID) -> Factor:
    """The factor of this account with this id, or the page that nothing is there."""
    held = factors.list_factors(db(), room.visit().account)
    found = next((one for one in held if (one.kind.value, one.id) == (kind, factor_id)), None)
    return found or abort(404)


def _refused_here(change: Any, factor: Factor, *more: str) -> None:
    """Make a change. Raises Stop where another window was quicker."""
    try:
        change(db(), room.tools(), room.owner(), factor.kind, factor.id, *more, now=now())
    except EnrolmentRefused as refused:
        raise Stop(
            "没有做任何更改", f"{refused}。", status=409, ways=(("返回账号安全", room.onward("overview")),)
        ) from None
