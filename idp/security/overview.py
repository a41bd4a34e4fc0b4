"""The overview: what protects the account, what knows it, what was allowed, and who came in last."""

from __future__ import annotations

from typing import Any

from flask import request

from idp.access import consents
from idp.accounts import credentials, factors
from idp.accounts.factors import MOST_OF_A_KIND, Kind
from idp.accounts.identifiers import mask_phone
from idp.accounts.phones import phone_of_record
from idp.proof import enrolment, recovery_codes
from idp.security import browsers, history, room, service
from idp.web.platform import db, now, platform
from idp.web.render import day, minute
from idp.web.words import browser_words, place_words

_RECENT = 10
_DONE = {
    "password-changed": "密码已修改，这个账号在别处的登录已全部退出。",
    "totp-added": "验证器 App 已添加，下次登录时可以使用。",
    "passkey-added": "通行密钥已添加，下次登录时可以使用。",
    "sms-added": "短信验证已开通，下次用密码登录时要填写短信验证码。",
    "codes-saved": "恢复码已保存，以后不再显示。",
    "codes-gone": "恢复码不再显示。没有保存的，请重新生成。",
    "renamed": "名称已修改。",
    "removed": "已移除，它不能再用来登录。",
    "browser-forgotten": "浏览器已忘记，它已退出您的账号。",
    "withdrawn": "授权已撤回，该应用不能再读取您的信息。",
}


def overview() -> Any:
    """账号安全 of one's own account; of another account's sign-in, what belongs to this identity."""
    here = room.visit()
    recent = service.history(db(), here.whose, size=_RECENT, now=now())
    return room.show(
        "overview",
        done=_DONE.get(request.args.get("done", ""), ""),
        own=here.own,
        protection=_protection(here.account) if here.own else None,
        password_set=_password_set(here.account) if here.own else "",
        browsers=_browsers() if here.own else [],
        apps=[
            {"id": one.client_id, "name": one.client_name, "when": minute(one.given_at)}
            for one in consents.list_allowed(db(), here.signed_in.identity)
        ],
        sign_ins=[history.words(row) for row in recent.rows],
        total=recent.total,
    )


def _password_set(account: str) -> str:
    credential = credentials.find(db(), account)
    return minute(credential.changed_at) if credential else ""


def _protection(account: str) -> dict[str, Any]:
    held = factors.list_factors(db(), account)
    found = phone_of_record(db(), platform().vault, account)
    phone = mask_phone(found) if found else "预留手机号码（目前没有）"
    room_for = {kind: sum(one.kind is kind for one in held) < MOST_OF_A_KIND for kind in Kind}
    return {
        "factors": [
            {
                "kind": one.kind.value,
                "id": one.id,
                "name": one.name,
                "sort": f"发送到 {phone}" if one.kind is Kind.SMS else enrolment.KINDS[one.kind],
                "named": one.kind is not Kind.SMS,
                "added": day(one.created_at),
                "used": minute(one.last_used_at) if one.last_used_at else "还没有用过",
            }
            for one in held
        ],
        "totp_possible": room_for[Kind.TOTP],
        "passkey_possible": room_for[Kind.PASSKEY] and room.ceremony().possible,
        "sms_possible": found is not None and not any(one.kind is Kind.SMS for one in held),
        "codes_left": recovery_codes.left(db(), account),
        "codes": recovery_codes.HOW_MANY,
    }


def _browsers() -> list[dict[str, Any]]:
    return [
        {
            "key": one.key,
            "browser": browser_words(one.browser),
            "place": place_words(one.address),
            "first": day(one.first_at),
            "last": minute(one.last_at),
            "current": browsers.is_this_one(one),
        }
        for one in browsers.known()
    ]
