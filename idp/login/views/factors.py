"""What a page needs to ask for a second factor, and what it sent back."""

from __future__ import annotations

from typing import Any

from flask import request

from idp.access.pending import PendingRequest
from idp.accounts import factors
from idp.accounts.factors import Kind
from idp.login import factor_proof, forms, journey
from idp.login.again import Again
from idp.login.factor_proof import Given
from idp.login.views import room
from idp.proof.passkeys import Asked
from idp.web.platform import db
from idp.web.security import allow_scripts


def possible() -> bool:
    """Whether this installation's address can have passkeys."""
    return factor_proof.ceremony(room.tools(), room.browser()).possible


def offered(asked: PendingRequest | None, repeated: Again | None) -> bool:
    """Whether a passkey may begin the sign-in the browser came for."""
    return possible() and journey.offers("passkey", asked, repeated)


def ask_anybody() -> Asked:
    """A challenge for whoever has a passkey here."""
    allow_scripts()
    return factor_proof.ceremony(room.tools(), room.browser()).ask_to_prove()


def ask(account: str, form: forms.CodeForm) -> dict[str, Any]:
    """What the templates of `theme/proof.html` need to ask for what the account with this key has."""
    kinds, asked = factors.kinds_of(db(), account), None
    ceremony = factor_proof.ceremony(room.tools(), room.browser())
    if Kind.PASSKEY in kinds and ceremony.possible:
        asked = ceremony.ask_to_prove(account, factors.passkeys_of(db(), account))
        allow_scripts()
    return {"form": form, "has_app": Kind.TOTP in kinds, "asked": asked}


def given(form: forms.CodeForm) -> Given | None:
    """What was sent to prove a factor; None if nothing was, or what was sent cannot be a code."""
    if request.method != "POST":
        return None
    if "answer" in request.form:
        return answered()
    return Given(code=form.code.data or "") if form.validate() else None


def answered() -> Given:
    """What an authenticator answered."""
    return Given(challenge_id=request.form.get("challenge_id", ""), answer=request.form.get("answer", ""))
