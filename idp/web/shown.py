"""A question is answered by the one it was shown to.

A page says as whom one answers. Until its form is sent, another tab of the same browser may have
signed in somebody else, and the click would speak for him. So the form carries a digest of the
sign-in it was shown for; where that is another one by now, the question is put again.
"""

from __future__ import annotations

from flask import Flask, current_app, request

from idp.config import Settings
from idp.crypto import derive, keyed_digest, same
from idp.web import signin

_FIELD = "shown_for"
_KEY = "idp-shown-for"
_CHANGED = (
    "这个页面打开之后，同一个浏览器里换过登录，刚才的操作没有生效。下面是现在登录的身份，请看清楚再决定。"
)


def install(app: Flask, configured: Settings) -> None:
    """Make the key of the digests, once."""
    app.extensions[_KEY] = derive(configured.secret_key.get_secret_value().encode(), "shown-for")


def field(transaction: str = "") -> tuple[str, str]:
    """Name and value of the hidden field of a form that belongs to this waiting request, or to none."""
    session_id = str(signin.required().session.id)
    return _FIELD, keyed_digest(current_app.extensions[_KEY], session_id, transaction)


def changed_since(transaction: str = "") -> str:
    """What to say if the form in hand was shown for another sign-in; "" if not, or if none was sent."""
    name, expected = field(transaction)
    meant = request.method != "POST" or same(request.form.get(name, ""), expected)
    return "" if meant else _CHANGED
