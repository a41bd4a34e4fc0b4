"""The business registry (工商登记): whether a company and its representative are as claimed, and its status.

It is told what is claimed and says yes or no, never what it knows. Asked while a person waits, so it answers
within 3 seconds or not at all; no answer is neither yes nor no. docs/registries.md says what both sides send.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from idp.adapters.party import Crowded, Records, Silent
from idp.config import Settings

_LONGEST = 4_000
_STATUSES = frozenset({"normal", "revoked", "deregistered"})


class RegistryUnavailable(Exception):
    """The registry gave no answer that can be believed; no personal data is in the words."""


class RegistryCrowded(RegistryUnavailable):
    """As many questions as one process asks at once are being asked; this one was not."""


@dataclass(frozen=True, slots=True)
class Company:
    """What is claimed of a company, in canonical form; `type` is the 法人类型 in its own words."""

    uscc: str
    name: str
    type: str
    representative_name: str
    representative_id_type: str
    representative_id_number: str


@dataclass(frozen=True, slots=True)
class Registered:
    """What the registry says: whether all that was claimed is on record of one company, and of its status.

    `status` is `normal`, `revoked` or `deregistered`; empty unless it matches: of a company that is another
    than was claimed, nothing is known.
    """

    matches: bool
    status: str


class Registry:
    """The registry of this installation, at `url`, asked with a bearer `token`. Raises SettingsRefused."""

    def __init__(self, url: str, token: str) -> None:
        self._records = Records("REGISTRY", url, token, longest=_LONGEST)

    def check(self, claimed: Company) -> Registered:
        """Whether the company is as claimed. Raises RegistryUnavailable, RegistryCrowded."""
        try:
            said = self._records.look_up(asdict(claimed))
        except Silent as silent:
            raise RegistryUnavailable(str(silent)) from None
        except Crowded:
            raise RegistryCrowded("too many at once") from None
        return _read(said)


def registry_of(settings: Settings) -> Registry | None:
    """The registry of this installation, None where none is named. Raises SettingsRefused."""
    if not settings.registry_url:
        return None
    return Registry(settings.registry_url, settings.registry_token.get_secret_value())


def _read(said: dict[str, Any]) -> Registered:
    """The answer, to the letter: a match without a status is not taken for a live company."""
    matches, status = said.get("matches"), said.get("status")
    if not isinstance(matches, bool):
        raise RegistryUnavailable("matches is missing, or of another type")
    if not matches:
        return Registered(matches=False, status="")
    if not isinstance(status, str) or status not in _STATUSES:
        raise RegistryUnavailable("status is missing, or another than the three")
    return Registered(matches=True, status=status)
