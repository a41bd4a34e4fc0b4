"""The frame the three centres share: its menu, and the list of one's sign-ins with 退出."""

from __future__ import annotations

from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from idp.access.endings import end_other_sessions
from idp.accounts.audit import Action, Event
from idp.accounts.identity import Role, account_of
from idp.accounts.sessions import SignedIn
from idp.accounts.whose_sign_ins import list_live, seen_from
from idp.web import shown, signin
from idp.web.platform import db, now, platform
from idp.web.render import page
from idp.web.words import acts_as, session_words, who

NAMES = {
    Role.LEGAL_REPRESENTATIVE: "enterprise",
    Role.OPERATOR: "operator",
    Role.NATURAL_PERSON: "person",
}
"""What stands for a role's centre in the addresses of pages that all three have."""
_CENTRES = {
    Role.LEGAL_REPRESENTATIVE: (
        "企业中心",
        "enterprise.centre",
        "enterprise.sessions",
        "企业信息",
        "building-2",
    ),
    Role.OPERATOR: (
        "经办人中心",
        "enterprise.operator_centre",
        "enterprise.operator_sessions",
        "账号信息",
        "id-card",
    ),
    Role.NATURAL_PERSON: ("个人中心", "person.centre", "person.sessions", "个人信息", "user-round"),
}


def elsewhere(role: Role) -> Response | None:
    """Where to send somebody who opened another role's centre; None in his own."""
    signed_in = signin.required()
    if signed_in.identity.role is role:
        return None
    return redirect(signin.home_of(signed_in.identity.role))


def frame(signed_in: SignedIn) -> dict[str, Any]:
    """What every page of a centre shows around itself."""
    name, home, sessions, first, icon = _CENTRES[signed_in.identity.role]
    security = url_for("security.overview", centre=NAMES[signed_in.identity.role])
    menu = [
        (first, url_for(home), icon, request.endpoint == home),
        ("账号安全", security, "shield-check", request.blueprint == "security"),
        ("登录记录", url_for(sessions), "history", request.endpoint == sessions),
    ]
    own = signed_in.session.account_key == account_of(signed_in.identity)
    return {
        "change_password": url_for("security.password", centre=NAMES[signed_in.identity.role]) if own else "",
        "sessions_href": url_for(sessions),
        "centre_name": name,
        "centre_href": url_for(home),
        "who": who(signed_in, platform().vault),
        "nav": [
            {"href": href, "label": label, "icon": drawn, "current": current}
            for label, href, drawn, current in menu
        ],
    }


def sessions_page() -> Any:
    """List one's live sign-ins; a POST ends one of them, or all others."""
    signed_in = signin.required()
    if request.method == "POST" and not shown.changed_since():
        _end_asked(signed_in)
        return redirect(request.path, 303)
    listed = [
        {
            **session_words(row, current=row.id == signed_in.session.id),
            "acts_as": acts_as(row, company) if row.identity != signed_in.identity else "",
        }
        for row, company in list_live(db(), seen_from(signed_in.session), now=now())
    ]
    return page(
        "person/sessions.html",
        sessions=listed,
        changed=shown.changed_since(),
        hidden=[shown.field()],
        history_href=url_for("security.sign_ins", centre=NAMES[signed_in.identity.role]),
        **frame(signed_in),
    )


def _end_asked(signed_in: SignedIn) -> None:
    here = signed_in.session
    if request.form.get("others"):
        end_other_sessions(db(), platform().vault, here, reason="signed_out_remotely", now=now())
    else:
        mine = {str(row.id): row.id for row, _ in list_live(db(), seen_from(here), now=now())}
        chosen = mine.get(request.form.get("session", ""))
        if chosen is None:
            return
        signin.end(chosen, reason="signed_out_remotely")
        if chosen == here.id:
            signin.forget()
    event = Event(
        Action.SIGNED_OUT, entity=str(signed_in.identity.enterprise_id or ""), detail={"remotely": True}
    )
    platform().trail.record(db(), event, signin.origin(), now=now())
