"""From a code that was taken, or a device code, to its tokens: both are spent, and give a grant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from idp.access.app_rules import APP_SCOPE
from idp.access.app_sessions import open_app_session
from idp.access.clients import RegisteredClient
from idp.access.grants import CodeRecord, ConsentWithdrawn, LiveGrant, SignInEnded, open_grant
from idp.access.refresh_tokens import first_refresh_token
from idp.accounts.audit import Action, Event
from idp.accounts.notices import Kind, Told
from idp.accounts.sessions import Device, SigninSession
from idp.oauth.grants.issue import Issuer, audience_held, scope_held, token_answer
from idp.web import signin
from idp.web.platform import db, platform
from idp.web.refusals import Refused
from idp.web.refusals import grants as refusals


def answer_redeemed(
    record: CodeRecord,
    client: RegisteredClient,
    resources: Sequence[str],
    *,
    dpop_jkt: str | None,
    now: datetime,
) -> dict[str, Any]:
    """Open the grant, if the sign-in behind it still counts, and make its tokens for `resources`.

    Raises Refused when the sign-in has ended, the consent was withdrawn, or nothing is left of what was
    granted.
    """
    here = platform()
    # What was allowed while the client was still a first party: nobody was asked then. A process of the
    # version before notes neither the consent nor the level.
    if not client.first_party and record.consent is None and record.acr is not None:
        raise Refused(refusals.CONSENT_WITHDRAWN)
    scope = scope_held(client, record.scope)
    audience = audience_held(client, record.resources, resources, issuer=here.settings.issuer)
    # Refresh tokens of a public client are bound to the key; those of the others to the client, which
    # may change its key (RFC 9449 §5).
    refresh_jkt = dpop_jkt if client.auth_method == "none" else None
    # By what was granted, as every refresh will see it.
    app = APP_SCOPE in record.scope.split()
    try:
        live = open_grant(
            db(),
            here.store,
            record,
            dpop_jkt=refresh_jkt,
            hung_on=_app_session(record, now) if app else None,
            now=now,
        )
    except SignInEnded as refused:
        raise Refused(refusals.SIGN_IN_ENDED) from refused
    except ConsentWithdrawn as refused:
        raise Refused(refusals.CONSENT_WITHDRAWN) from refused
    if app:
        _note_app(live, client, now=now)
    for_later = "offline_access" in scope.split()
    return token_answer(
        Issuer(here.settings, here.keys, here.vault),
        live,
        client,
        scope,
        audience=audience,
        dpop_jkt=dpop_jkt,
        nonce=record.nonce,
        refresh_token=first_refresh_token(db(), live.grant, now=now) if for_later else None,
        now=now,
    )


def _app_session(record: CodeRecord, now: datetime) -> Callable[[SigninSession], SigninSession]:
    """How the phone's own sign-in is made of the one behind the code."""
    lifetime = platform().settings.seconds("app_lifetime")
    return lambda source: open_app_session(db(), record, source, lifetime=lifetime, now=now)


def _note_app(live: LiveGrant, client: RegisteredClient, *, now: datetime) -> None:
    """A line in the trail, and word to the person: a phone opens whatever he may be (MISSION Y, notices)."""
    event = Event(
        Action.APP_SIGNED_IN,
        target=live.session.account_key,
        detail={"client": client.client_id, "amr": live.amr},
    )
    actor = signin.origin(actor=f"person:{live.person.id}")
    platform().trail.record(db(), event, actor, now=now)
    through = Device(live.session.browser, live.session.address)
    told = Told(Kind.APP_SIGNED_IN, client.name, device=through)
    platform().notifier.tell(db(), live.session.account_key, told, now=now)
