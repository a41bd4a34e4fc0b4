"""The social insurance records: who holds an activated 电子社保卡, and for whom he is recorded (A13).

Asked while a person holds his phone, so it answers within 3 seconds or not at all. docs/simulators.md says
what both sides send.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from idp.adapters.party import Crowded, Party, Silent
from idp.config import Settings, SettingsRefused, is_loopback

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
    """The records of this installation, at `url`, asked with a bearer `token`.

    The address is the operator's own setting and may lie inside his network. Raises SettingsRefused for one
    that would send ID numbers and the token in clear, and where there is no token.
    """

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        in_clear = parts.scheme == "http" and is_loopback(parts.hostname or "")
        if not parts.hostname or not (parts.scheme == "https" or in_clear):
            raise SettingsRefused("IDP_SOCIAL_SECURITY_URL must be an https address, or http on loopback.")
        if not token:
            raise SettingsRefused("IDP_SOCIAL_SECURITY_URL needs IDP_SOCIAL_SECURITY_TOKEN beside it.")
        self._url = url
        self._records = Party(longest=_LONGEST, headers={"Authorization": f"Bearer {token}"})

    def holder(self, id_type: str, id_number: str, usccs: Iterable[str]) -> CardHolder:
        """What is known of the person with this document, and of him at these companies (credit codes).

        Raises SocialSecurityUnavailable, SocialSecurityCrowded.
        """
        asked = list(dict.fromkeys(usccs))[:MOST_COMPANIES]
        told = {"id_type": id_type, "id_number": id_number, "companies": asked}
        try:
            status, body = self._records.ask(self._url, json.dumps(told).encode())
        except Silent as silent:
            raise SocialSecurityUnavailable(str(silent)) from None
        except Crowded:
            raise SocialSecurityCrowded("too many at once") from None
        if status != HTTPStatus.OK:
            raise SocialSecurityUnavailable(f"answered {status}")
        return _read(body, asked)


def social_security_of(settings: Settings) -> SocialSecurity | None:
    """The records of this installation, None where none are named. Raises SettingsRefused."""
    if not settings.social_security_url:
        return None
    return SocialSecurity(settings.social_security_url, settings.social_security_token.get_secret_value())


def _read(body: Any, asked: list[str]) -> CardHolder:
    """The answer, to the letter: whoever says more than he was asked is not believed in the rest either."""
    if not isinstance(body, dict):
        raise SocialSecurityUnavailable("no object")
    activated, recorded = body.get("activated"), body.get("recorded")
    if not isinstance(activated, bool) or not isinstance(recorded, list):
        raise SocialSecurityUnavailable("activated or recorded is missing, or of another type")
    if not all(isinstance(one, str) for one in recorded) or not set(recorded) <= set(asked):
        raise SocialSecurityUnavailable("recorded names what was not asked")
    return CardHolder(activated, frozenset(recorded))
