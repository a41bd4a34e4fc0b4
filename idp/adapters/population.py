"""The people registry (人口库): whether the four elements that a person claims are those on record (G10).

It is told what is claimed and says yes or no, never what it knows. Asked while a person waits, so it answers
within 3 seconds or not at all; no answer is neither yes nor no. docs/registries.md says what both sides send.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from idp.adapters.party import Crowded, Records, Silent
from idp.config import Settings

_LONGEST = 4_000


class PopulationUnavailable(Exception):
    """The registry gave no answer that can be believed; no personal data is in the words."""


class PopulationCrowded(PopulationUnavailable):
    """As many questions as one process asks at once are being asked; this one was not."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a person claims of himself, in canonical form; the days are those printed on his document.

    `valid_until` None: 长期. `phone` None: the registry is not asked about the phone.
    """

    name: str
    id_type: str
    id_number: str
    valid_from: date
    valid_until: date | None
    phone: str | None


class Population:
    """The registry of this installation, at `url`, asked with a bearer `token`. Raises SettingsRefused."""

    def __init__(self, url: str, token: str) -> None:
        self._records = Records("POPULATION", url, token, longest=_LONGEST)

    def matches(self, claimed: Claimed) -> bool:
        """Whether all of it is on record of one person; which of it is not, nobody is told.

        Raises PopulationUnavailable, PopulationCrowded.
        """
        try:
            said = self._records.look_up(_told(claimed)).get("matches")
        except Silent as silent:
            raise PopulationUnavailable(str(silent)) from None
        except Crowded:
            raise PopulationCrowded("too many at once") from None
        if not isinstance(said, bool):
            raise PopulationUnavailable("matches is missing, or of another type")
        return said


def population_of(settings: Settings) -> Population | None:
    """The registry of this installation, None where none is named. Raises SettingsRefused."""
    if not settings.population_url:
        return None
    return Population(settings.population_url, settings.population_token.get_secret_value())


def _told(claimed: Claimed) -> dict[str, str | None]:
    told: dict[str, str | None] = {
        "name": claimed.name,
        "id_type": claimed.id_type,
        "id_number": claimed.id_number,
        "valid_from": claimed.valid_from.isoformat(),
        "valid_until": claimed.valid_until.isoformat() if claimed.valid_until else None,
    }
    # A registry told that there is no phone would compare that.
    return told if claimed.phone is None else {**told, "phone": claimed.phone}
