"""What the browser came for, on which pages it can be answered, and the addresses of the steps.

A pending authorization request is carried as ``tx``; without one a sign-in ends at the page of ours that
sent the browser here, carried as ``next``, or at one's centre.
"""

from __future__ import annotations

from typing import Any

from flask import request, url_for

from idp.access import assurance, pending
from idp.access.assurance import Lack, Method
from idp.access.pending import PendingRequest
from idp.accounts.identity import Role
from idp.accounts.sessions import SignedIn
from idp.login.again import Again, Why, asked_again
from idp.web import cookies, signin
from idp.web.errors import Stop
from idp.web.platform import platform, settings
from idp.web.redirects import own_path
from idp.web.render import minute
from idp.web.security import allow_form_to
from idp.web.words import who

PAGES = {
    "qr": ("login.qr", "扫码登录"),
    "legal": ("login.legal", "法人登录"),
    "operator": ("login.operator", "经办人登录"),
    "person": ("login.person", "个人登录"),
    "face": ("login.face", "刷脸登录"),
    "passkey": ("login.passkey", "通行密钥登录"),
    "second": ("login.second", "第二步验证"),
}
"""The page and the name of each way in :data:`idp.access.assurance.METHODS`."""
_TABS = ("legal", "operator", "person")


def asked_for() -> PendingRequest | None:
    """What the browser came for. A transaction that is gone stops here: nobody signs in for nothing."""
    transaction = request.args.get("tx")
    if transaction is None:
        return None
    found = pending.find(platform().store, transaction, browser=cookies.browser_id())
    if found is None:
        raise Stop(
            "登录没有完成",
            "这次登录已经完成、等待太久，或是在另一个浏览器里开始的。账号没有受到影响，请回到原来的网站重新登录。",
            ways=(("登录通行", url_for("login.start")), ("回到首页", url_for("web.home"))),
        )
    return found


def here(view: str, **more: Any) -> str:
    """The address of another step of the same journey."""
    transaction = request.args.get("tx")
    if transaction:
        more["tx"] = transaction
    elif back_to():
        more["next"] = back_to()
    return url_for(view, **more)


def back_to() -> str | None:
    """The page of ours that sent the browser here to sign in."""
    return own_path(request.args.get("next", ""))


def frame(asked: PendingRequest | None) -> dict[str, Any]:
    """What every page of a journey says of where it leads, and how to go back there without going on.

    The forms of the page may be answered by the portal: at the end of the journey, or with the refusal. A
    device has no address to go back to, and asks anew by itself.
    """
    if asked is None:
        return {"portal_name": ""}
    allow_form_to(asked.form_origins)
    decline = {"action": here("oauth.decline"), "name": asked.client_name}
    return {"portal_name": asked.client_name, "decline": None if asked.device else decline}


def again(asked: PendingRequest | None) -> Again | None:
    """Who is signed in in this browser and must prove himself again for what it came for."""
    signed_in = signin.current() if asked else None
    client = platform().clients.find(asked.client_id) if asked and signed_in else None
    return asked_again(asked, client, signed_in, methods()) if asked and client and signed_in else None


def methods() -> tuple[Method, ...]:
    """The ways of this installation."""
    return assurance.offered(settings())


def ways(asked: PendingRequest | None, repeated: Again | None) -> tuple[Method, ...]:
    """The ways that can supply what is missing, weaker ones left out."""
    if asked is None:
        return tuple(way for way in methods() if not way.adds)
    if repeated:
        found = repeated.ways
    else:
        signed_in = signin.current()
        missing = asked.missing(signed_in.session if signed_in else None, methods())
        found = (asked.missing(None, methods()) if missing.lack is Lack.NOTHING else missing).ways
    # Nobody scans with the phone that is about to sign in.
    return tuple(way for way in found if way.name != "qr") if asked.is_an_apps else found


def offers(name: str, asked: PendingRequest | None, repeated: Again | None) -> bool:
    """Whether the way of this name can answer what the browser came for."""
    return any(way.name == name for way in ways(asked, repeated))


def switch(asked: PendingRequest | None, repeated: Again | None) -> dict[str, str]:
    """The two halves 扫码登录 and 密码登录 (A04): where each leads. Empty where there is no choice."""
    offered = [way.name for way in ways(asked, repeated)]
    passwords = [name for name in offered if name in _TABS]
    if "qr" not in offered or not passwords:
        return {}
    return {"qr": here(PAGES["qr"][0]), "password": here(PAGES[passwords[0]][0])}


def tabs(asked: PendingRequest | None, repeated: Again | None, current: str) -> list[dict[str, Any]]:
    """The ways as tabs; the page one stands on stays among them."""
    offered = {way.name for way in ways(asked, repeated)}
    return [
        {"href": here(view), "label": label, "current": view == current}
        for name, (view, label) in PAGES.items()
        if name in _TABS and (name in offered or view == current)
    ]


def explained(repeated: Again | None) -> dict[str, Any] | None:
    """Why somebody is asked again, and who is meant, for the page."""
    if repeated is None:
        return None
    since = minute(repeated.signed_in.session.auth_time)
    sentences = {
        Why.ASKED: "这个网站要求重新登录，也可以换一个账号登录。",
        Why.OLD: f"为了办理这项业务，需要您重新登录。上次登录是 {since}。",
        Why.WEAK: "为了办理这项业务，需要更高等级的验证。",
    }
    return {
        "sentence": sentences[repeated.why],
        "who": who(repeated.signed_in, platform().vault),
        "only_same": repeated.only_same is not None,
    }


def wanted(asked: PendingRequest | None, repeated: Again | None, signed_in: SignedIn) -> str:
    """As whom the portal wants somebody to come, beside who is signed in."""
    if repeated and repeated.only_same:
        return "这项业务需要目前登录的这个人、以同一身份重新登录。要用其他账号办理，请先退出目前的登录。"
    if asked is None or not asked.wants_entity:
        return "这里需要以个人身份登录，您目前代表的是企业。"
    if signed_in.identity.role is Role.NATURAL_PERSON:
        return "这里需要以法人或经办人身份登录，您目前是以个人身份登录的。"
    return "这里需要以另一家企业的身份登录，与您目前代表的企业不同。"
