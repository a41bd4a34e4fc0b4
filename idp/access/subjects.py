"""Subject identifiers: always the human, by default another one for each sector (OIDC Core §8.1).

They are made of a random salt that belongs to the person, so they need no key, cannot be guessed
or linked from outside, and survive every key rotation.
"""

from __future__ import annotations

import hashlib

from idp.access.clients import Client, RegisteredClient
from idp.accounts.models import Person
from idp.crypto import b64url


def subject(person: Person, client: RegisteredClient | Client) -> str:
    """The `sub` of `person` towards `client`: pairwise by its sector, or public. Never reassigned."""
    scope = f"sector:{client.sector}" if client.subject_type == "pairwise" else "public"
    return b64url(hashlib.sha256(f"{scope}\0{person.subject_salt}".encode()).digest())
