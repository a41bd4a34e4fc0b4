"""The face service: whether the face before a camera is that of the person with a name and an ID number.

It is a party of its own, with its own source of pictures (docs/face.md says what both sides send).
:meth:`FaceService.begin` tells it whom to check and gets the address of a page for his phone;
:meth:`FaceService.read_callback` reads what it says afterwards. Both are signed with one key over the very
octets that are sent, each under a word of its own, so that nothing that was said to it can be said back.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from idp.adapters.ephemeral import EphemeralStore
from idp.adapters.party import Crowded, Party, Silent, check_not_in_clear
from idp.config import Settings, SettingsRefused
from idp.crypto import same

TIMESTAMP: Final = "X-Face-Timestamp"
NONCE: Final = "X-Face-Nonce"
SIGNATURE: Final = "X-Face-Signature"
WINDOW: Final = timedelta(minutes=5)
"""How far the clocks of both sides may be apart."""
LONGEST_CALLBACK: Final = 2048
"""Octets of a callback; no picture fits in (SECURITY 56)."""
_LONGEST_ANSWER = 8_000
_SHORTEST_KEY = 32
_TIMESTAMP = re.compile(r"[0-9]{1,12}\Z")
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}\Z")


class FaceUnavailable(Exception):
    """The face service did not take the check now; no personal data is in the words."""


class FaceCrowded(FaceUnavailable):
    """As many checks as one process begins at once are being begun; nobody was asked."""


class CallbackRefused(Exception):
    """What came is not a fresh verdict of the face service; `replayed` if it came before."""

    def __init__(self, why: str, *, replayed: bool = False) -> None:
        super().__init__(why)
        self.replayed = replayed


class VerdictMalformed(Exception):
    """The face service signed it, and it is no verdict."""


@dataclass(frozen=True, slots=True)
class FaceResult:
    """A verdict: which check, about whom (:meth:`FaceService.subject`), the score from 0 to 100, when."""

    check: str
    subject: str
    passed: bool
    score: int
    at: datetime


class FaceService:
    """The face service of this installation, at `url`, with which it shares `key`.

    The address is the operator's own setting and may lie inside his network. Raises SettingsRefused for one
    that would send names in clear, and for a key that is too short.
    """

    def __init__(self, url: str, key: str) -> None:
        check_not_in_clear("IDP_FACE_URL", url)
        if len(key) < _SHORTEST_KEY:
            raise SettingsRefused(f"IDP_FACE_KEY must have at least {_SHORTEST_KEY} characters.")
        parts = urlsplit(url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._begin = f"{url.rstrip('/')}/checks"
        self._key = key.encode()
        self._service = Party(longest=_LONGEST_ANSWER)

    def subject(self, name: str, id_number: str) -> str:
        """What both sides call the person with this name and number, without naming him."""
        return hmac.new(self._key, f"subject\n{name}\n{id_number}".encode(), "sha256").hexdigest()

    def begin(
        self,
        check: str,
        name: str,
        id_number: str,
        *,
        id_type: str,
        callback: str,
        returns_to: str,
        now: datetime,
    ) -> str:
        """The address of the page for this check; `id_type` says what document the number is of.

        The verdict is posted to `callback`; the page leads back to `returns_to`, which nobody is
        shown before. Raises FaceUnavailable, FaceCrowded.
        """
        told = {
            "check": check,
            "name": name,
            "id_number": id_number,
            "id_type": id_type,
            "callback": callback,
            "returns_to": returns_to,
        }
        body = json.dumps(told, ensure_ascii=False).encode()
        stamp, nonce = str(int(now.timestamp())), secrets.token_urlsafe(18)
        signed = {
            TIMESTAMP: stamp,
            NONCE: nonce,
            SIGNATURE: self._signed("begin", stamp, nonce, body),
        }
        try:
            status, said = self._service.ask(self._begin, body, **signed)
        except Silent as silent:
            raise FaceUnavailable(str(silent)) from None
        except Crowded:
            raise FaceCrowded("too many at once") from None
        page = said.get("url") if status == HTTPStatus.CREATED and isinstance(said, dict) else None
        if not isinstance(page, str) or not self._is_own(page):
            raise FaceUnavailable(f"answered {status} without a page of its own")
        return page

    def read_callback(
        self, headers: Mapping[str, str], raw_body: bytes, store: EphemeralStore, *, now: datetime
    ) -> FaceResult:
        """The verdict that was posted as `raw_body`, each message once (SECURITY 51).

        Raises CallbackRefused for what the face service did not send just now, and VerdictMalformed.
        """
        stamp, nonce = headers.get(TIMESTAMP, ""), headers.get(NONCE, "")
        if not _TIMESTAMP.match(stamp) or not _NONCE.match(nonce):
            raise CallbackRefused("timestamp or nonce missing")
        # The signature first: whoever has no key learns nothing of clocks, and spends no nonce.
        if not same(self._signed("verdict", stamp, nonce, raw_body), headers.get(SIGNATURE, "")):
            raise CallbackRefused("signature")
        if abs(now.timestamp() - int(stamp)) > WINDOW.total_seconds():
            raise CallbackRefused("timestamp out of the window")
        if not store.put_if_absent(f"face-nonce:{nonce}", b"1", ttl=2 * WINDOW.total_seconds() + 60):
            raise CallbackRefused("nonce seen before", replayed=True)
        return _verdict(raw_body)

    def _signed(self, word: str, stamp: str, nonce: str, body: bytes) -> str:
        framed = f"{word}\n{stamp}\n{nonce}\n".encode() + body
        return hmac.new(self._key, framed, "sha256").hexdigest()

    def _is_own(self, page: str) -> bool:
        """Whether the page lies where the face service does: nobody's browser is sent anywhere else."""
        try:
            parts = urlsplit(page)
        except ValueError:
            return False
        return f"{parts.scheme}://{parts.netloc}" == self.origin and page.isascii() and page.isprintable()


def face_of(settings: Settings) -> FaceService | None:
    """The face service of this installation, None where none is named. Raises SettingsRefused."""
    if not settings.face_url:
        return None
    return FaceService(settings.face_url, settings.face_key.get_secret_value())


def _verdict(raw_body: bytes) -> FaceResult:
    try:
        told: Any = json.loads(raw_body)
        check, subject, passed, score = (told[name] for name in ("check", "subject", "passed", "score"))
        at = datetime.fromisoformat(told["at"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise VerdictMalformed from None
    is_whole = isinstance(check, str) and isinstance(subject, str) and isinstance(passed, bool)
    if not is_whole or type(score) is not int or not 0 <= score <= 100 or at.tzinfo is None:
        raise VerdictMalformed
    return FaceResult(check, subject, passed, score, at)
