"""Withdrawing what was allowed to an application."""

from __future__ import annotations

from typing import Any

from flask import abort, redirect

from idp.access import consents, endings
from idp.security import room
from idp.web import signin
from idp.web.platform import db, now, platform
from idp.web.scope_words import what_it_sees


@room.fresh_proof_required
def withdraw(client_id: str) -> Any:
    """Ask, then take it back."""
    identity = signin.required().identity
    found = next((one for one in consents.list_allowed(db(), identity) if one.client_id == client_id), None)
    if found is None:
        abort(404)
    if room.sent():
        endings.withdraw_consent(
            db(),
            platform().vault,
            platform().trail,
            identity,
            client_id,
            signin.origin(),
            now=now(),
        )
        return redirect(room.onward("overview", done="withdrawn"), 303)
    return room.show(
        "sure",
        title=f"撤回对「{found.client_name}」的授权",
        lead="撤回后，它拿到的凭证立即失效，不能再读取下列信息。您再次使用它时，会重新征求您的同意。",
        items=what_it_sees(found.scope),
        warning="它已经读取的信息不会因此删除。需要删除的，请联系它的运营单位。",
        button="撤回授权",
        dangerous=True,
    )
