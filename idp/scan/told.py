"""What a phone is told: who is signed in, what a browser asks, what he scanned before. Names are masked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from idp.access.channels import Channel
from idp.accounts.app_pins import AppPin
from idp.accounts.calendar import SHANGHAI
from idp.accounts.identifiers import mask_name, mask_phone, mask_uscc
from idp.accounts.identity import Role
from idp.accounts.standing import Standing
from idp.adapters.places import Places
from idp.config import Settings
from idp.proof.ticket_record import Ticket
from idp.scan import agreement, unlocking
from idp.scan.caller import Caller, Tools
from idp.scan.service import Distance
from idp.scan.trail import PastScan
from idp.scan.unlocking import Ways
from idp.web.words import device_facts

_LABELS = {
    Role.LEGAL_REPRESENTATIVE: "法人",
    Role.OPERATOR: "经办人",
    Role.NATURAL_PERSON: "个人",
}


def who_is_here(
    tools: Tools, caller: Caller, found: Sequence[Standing], *, pin: AppPin | None, has_passkey: bool
) -> dict[str, Any]:
    """The person who is signed in, the identities he has for this app, and whether he can unlock it."""
    person, channel = caller.person, caller.channel
    return {
        "name": mask_name(person.name(tools.vault)),
        "phone": mask_phone(person.phone(tools.vault)),
        "channel": channel.key,
        "channel_name": channel.name,
        "closed": channel.closed or None,
        "identities": [identity(one) for one in found if one.identity.role in channel.roles],
        "pin": {"set": pin is not None, "agreement": agreement.told(pin)},
        "passkey": has_passkey,
    }


def identity(one: Standing) -> dict[str, Any]:
    """One of a person's identities as a choice."""
    company = one.enterprise
    return {
        "key": one.key,
        "role": one.identity.role.value,
        "company": company.name if company else None,
        "uscc": mask_uscc(company.uscc) if company else None,
        "label": _LABELS[one.identity.role],
    }


def request_of_a_browser(
    tools: Tools,
    caller: Caller,
    ticket: Ticket,
    found: Sequence[Standing],
    ways: Ways,
    far: Distance | None,
    *,
    now: datetime,
) -> dict[str, Any]:
    """What the person reads before he confirms: who asks, from where, and what he has to decide."""
    named = [*(["pin"] if ways.pin else []), *(["passkey"] if ways.options else [])]
    required = unlocking.is_required(ticket.asked)
    return {
        "ticket": ticket.id,
        "purpose": ticket.asked.purpose.value,
        "portal": ticket.asked.portal,
        "reason": ticket.asked.reason,
        "browser": browser(tools.places, ticket),
        "expires_in": max(0, round(ticket.expires_at - now.timestamp())),
        "numbers": list(ticket.numbers),
        "name": mask_name(caller.person.name(tools.vault)),
        "identities": [identity(one) for one in found],
        "far": {"browser": far.browser.name, "phone": far.phone.name} if far else None,
        "unlock": {"required": required, "ways": named, "passkey_options": ways.options},
    }


def browser(places: Places, ticket: Ticket) -> dict[str, str]:
    """The waiting browser: its system, its name, where it is by its address, and when it asked."""
    system, name = device_facts(ticket.browser.agent)
    asked_at = datetime.fromtimestamp(ticket.created_at, UTC)
    return {
        "system": system,
        "name": name,
        "place": places.words(ticket.browser.address),
        "at": instant(asked_at),
    }


def past_scan(places: Places, settings: Settings, channel: Channel, one: PastScan) -> dict[str, Any]:
    """One line of the latest scans; a company only in an app that may act for it in that role."""
    return {
        "portal": one.portal or f"{settings.site_name} 统一身份认证平台",
        "at": instant(one.at) if one.at else None,
        "place": places.words(one.browser_address),
        "role": one.role.value if one.role else None,
        "company": one.company if one.role in channel.roles else None,
        "result": one.result,
    }


def instant(at: datetime) -> str:
    """An instant as ISO 8601 in the time of the country, to the second."""
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds")
