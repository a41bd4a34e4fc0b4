"""The social insurance records: who holds an activated 电子社保卡, and for whom he is recorded (A13).

Asked while a person holds his phone, so it answers within 3 seconds or not at all. docs/simulators.md says
what both sides send.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from idp.adapters.party import Crowded, Records, Silent
from idp.config import Settings

_LONGEST = 64_000
MOST_COMPANIES = 500
"""Companies in one question."""


class SocialSecurityUnavailable(Exception):
    """The records did not answer, or not in a way that can be believed; no personal data is in the words."""


class SocialSecurityCrowded(SocialSecurityUnavailable):
    """As many questions as one process asks at once are being asked; this one was not."""


@dataclass(frozen=True, slots=True)
class CardHolder:
    """What the records say: whether his card is activated, and of which companies he is an operator."""

    activated: bool
    recorded: frozenset[str]


class SocialSecurity:
    """The records of this installation, at `url`, asked with a bearer `token`. Raises SettingsRefused."""

    def __init__(self, url: str, token: str) -> None:
        self._records = Records("SOCIAL_SECURITY", url, token, longest=_LONGEST)

    def holder(self, id_type: str, id_number: str, usccs: Iterable[str]) -> CardHolder:
        """What is known of the person with this document, and of him at these companies (credit codes).

        Raises SocialSecurityUnavailable, SocialSecurityCrowded.
        """
        asked = list(dict.fromkeys(usccs))[:MOST_COMPANIES]
        told = {"id_type": id_type, "id_number": id_number, "companies": asked}
        try:
            said = self._records.look_up(told)
        except Silent as silent:
            raise SocialSecurityUnavailable(str(silent)) from None
        except Crowded:
            raise SocialSecurityCrowded("too many at once") from None
        return _read(said, asked)


def social_security_of(settings: Settings) -> SocialSecurity | None:
    """The records of this installation, None where none are named. Raises SettingsRefused."""
    if not settings.social_security_url:
        return None
    return SocialSecurity(settings.social_security_url, settings.social_security_token.get_secret_value())


def _read(said: dict[str, Any], asked: list[str]) -> CardHolder:
    """The answer, to the letter: whoever says more than he was asked is not believed in the rest either."""
    activated, recorded = said.get("activated"), said.get("recorded")
    if not isinstance(activated, bool) or not isinstance(recorded, list):
        raise SocialSecurityUnavailable("activated or recorded is missing, or of another type")
    if not all(isinstance(one, str) for one in recorded) or not set(recorded) <= set(asked):
        raise SocialSecurityUnavailable("recorded names what was not asked")
    return CardHolder(activated, frozenset(recorded))
