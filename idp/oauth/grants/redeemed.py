"""From a code that was taken, or a device code, to its tokens: both are spent, and give a grant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from idp.access.clients import RegisteredClient
from idp.access.grants import (
    CodeRecord,
    ConsentWithdrawn,
    SignInEnded,
    open_grant,
)
from idp.access.refresh_tokens import first_refresh_token
from idp.oauth.grants.issue import Issuer, audience_held, scope_held, token_answer
from idp.oauth.refusals import Refused
from idp.oauth.refusals import grants as refusals
from idp.web.platform import db, platform


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
    try:
        live = open_grant(db(), here.store, record, dpop_jkt=refresh_jkt, now=now)
    except SignInEnded as refused:
        raise Refused(refusals.SIGN_IN_ENDED) from refused
    except ConsentWithdrawn as refused:
        raise Refused(refusals.CONSENT_WITHDRAWN) from refused
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
