"""The business registry (工商登记): whether a company and its representative are as claimed, and its status.

Of what is claimed it says yes or no, never what it knows; the record itself is for the review desk alone,
where staff compare it with an appeal. Asked while a person waits, so it answers within 3 seconds or not at
all; no answer is neither yes nor no. docs/registries.md says what both sides send.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from idp.adapters.party import Crowded, Records, Silent
from idp.config import Settings

_LONGEST = 4_000
_LONGEST_VALUE = 200
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


@dataclass(frozen=True, slots=True)
class CompanyRecord:
    """A company as it stands on record; `status` as in :class:`Registered`, `type` as in :class:`Company`."""

    uscc: str
    name: str
    type: str
    representative_name: str
    representative_id_type: str
    representative_id_number: str
    status: str


class Registry:
    """The registry of this installation, at `url`, asked with a bearer `token`. Raises SettingsRefused."""

    def __init__(self, url: str, token: str) -> None:
        self._records = Records("REGISTRY", url, token, longest=_LONGEST)

    def check(self, claimed: Company) -> Registered:
        """Whether the company is as claimed. Raises RegistryUnavailable, RegistryCrowded."""
        return _read(self._asked(asdict(claimed)))

    def record(self, uscc: str) -> CompanyRecord | None:
        """The company with this credit code, None where none has it.

        Raises RegistryUnavailable, RegistryCrowded.
        """
        return _read_record(self._asked({"uscc": uscc}), uscc)

    def _asked(self, question: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._records.look_up(question)
        except Silent as silent:
            raise RegistryUnavailable(str(silent)) from None
        except Crowded:
            raise RegistryCrowded("too many at once") from None


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


def _read_record(said: dict[str, Any], uscc: str) -> CompanyRecord | None:
    """The record to the letter: a member missing, or a company that was not asked for, is no answer."""
    if "company" not in said:
        raise RegistryUnavailable("company is missing")
    told = said["company"]
    if told is None:
        return None
    names = [one.name for one in fields(CompanyRecord)]
    if not isinstance(told, dict) or not all(_is_line(told.get(name)) for name in names):
        raise RegistryUnavailable("company is no whole record")
    record = CompanyRecord(**{name: told[name] for name in names})
    if record.uscc != uscc or record.status not in _STATUSES:
        raise RegistryUnavailable("another company, or another status than the three")
    return record


def _is_line(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_VALUE and value.isprintable()
