"""Forgetting a browser that is known to the account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from flask import abort, redirect, url_for

from idp.accounts import browsers
from idp.accounts.browsers import KnownBrowser
from idp.security import room, service
from idp.web import signin
from idp.web.platform import db, now, platform, settings
from idp.web.render import minute
from idp.web.words import browser_words, place_words


def known() -> list[KnownBrowser]:
    """The browsers the account knows."""
    within = timedelta(days=settings().known_browser_days)
    return browsers.list_known(db(), room.visit().account, within=within, now=now())


@room.own_account_only
@room.fresh_proof_required
def forget(key: str) -> Any:
    """Ask, then forget it; what is open in it ends."""
    found = next((browser for browser in known() if browser.key == key), None)
    if found is None:
        abort(404)
    here = is_this_one(found)
    if room.sent():
        service.forget_browser(
            db(),
            platform().vault,
            platform().trail,
            room.visit().account,
            key,
            signin.origin(),
            now=now(),
        )
        if not here:
            return redirect(room.onward("overview", done="browser-forgotten"), 303)
        signin.forget()
        return redirect(url_for("login.signed_out"), 303)
    return room.show(
        "sure",
        title="忘记这个浏览器",
        lead="忘记后，这个浏览器会退出您的账号。再从那里登录时，会当作新的浏览器。",
        facts=[
            ("浏览器", browser_words(found.browser)),
            ("第一次登录", minute(found.first_at)),
            ("最近登录", minute(found.last_at)),
            ("最近的地点", place_words(found.address)),
        ],
        warning="这是您正在使用的浏览器，忘记后会立即退出登录。" if here else "",
        button="忘记并退出" if here else "忘记",
        dangerous=True,
    )


def is_this_one(browser: KnownBrowser) -> bool:
    """Whether it is the browser that asks."""
    return browser.key == signin.required().session.browser_key
