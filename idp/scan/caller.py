"""Who calls, and what the rules of this room work with."""

from __future__ import annotations

from dataclasses import dataclass

from idp.access.channels import Channel
from idp.access.clients import RegisteredClient
from idp.accounts.audit import Origin, Trail
from idp.accounts.models import Person
from idp.accounts.notices import Notifier
from idp.accounts.passwords import PasswordHasher
from idp.accounts.sessions import Device, SigninSession
from idp.adapters.ephemeral import EphemeralStore
from idp.adapters.places import Places
from idp.adapters.social_security import SocialSecurity
from idp.config import Settings
from idp.crypto import Vault
from idp.proof.ticket_record import Phone


@dataclass(frozen=True, slots=True)
class Tools:
    """What scanning works with; `cards` is None where nobody knows 电子社保卡."""

    settings: Settings
    store: EphemeralStore
    vault: Vault
    hasher: PasswordHasher
    trail: Trail
    notifier: Notifier
    places: Places
    cards: SocialSecurity | None


@dataclass(frozen=True, slots=True)
class Caller:
    """The person at a phone, as its token and its key prove him."""

    person: Person
    session: SigninSession
    client: RegisteredClient
    channel: Channel
    phone: Phone
    origin: Origin

    @property
    def account(self) -> str:
        """The key of his account."""
        return f"person:{self.person.id}"

    @property
    def device(self) -> Device:
        """His phone, as a notice names it."""
        return Device(self.phone.seen.agent, self.phone.seen.address)
