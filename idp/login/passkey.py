"""A passkey is a whole sign-in: something one has, opened by something one knows or is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from idp.access import assurance
from idp.accounts.factors import Passkey
from idp.login import factor_proof
from idp.login.candidates import of_account
from idp.login.entry import Browser, NotAllowedIn, Tools, Welcome, check_may_enter, refuse, welcome
from idp.login.factor_proof import PASSKEY, Given
from idp.proof.passkeys import PasskeyRefused, Why

_STAFF = "staff:"


def sign_in(db: Session, tools: Tools, given: Given, browser: Browser, *, now: datetime) -> Welcome:
    """Welcome the account whose passkey answered the challenge.

    Raises idp.proof.passkeys.PasskeyRefused, idp.proof.throttle.Throttled, idp.login.entry.NotAllowedIn,
    AnotherIdentity.
    """
    try:
        account = _account_of(factor_proof.check_passkey(db, tools, given, browser, now=now))
    except PasskeyRefused as refused:
        if factor_proof.is_told(refused):
            named = refused.passkey.account if refused.passkey else "nobody:"
            refuse(db, tools, named, browser, factor_proof.reason(refused), now=now)
        raise
    candidate = of_account(account)(db, tools.vault, now)
    if check_may_enter(db, tools, candidate, browser, now=now).must_change:
        refuse(db, tools, candidate.key, browser, "first use", now=now)
        raise NotAllowedIn("单位为您重新设置了经办人密码。请先用这个密码登录，换成只有您自己知道的密码。")
    return welcome(db, tools, candidate, browser, amr=(PASSKEY,), acr=assurance.SECOND_PROOF, now=now)


def _account_of(passkey: Passkey) -> str:
    """Whose passkey it is; those of the people who work at the console open nothing here."""
    if passkey.account.startswith(_STAFF):
        raise PasskeyRefused(Why.NOT_YOURS, passkey)
    return passkey.account
