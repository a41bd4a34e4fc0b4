"""The SMS gateway: where a text for somebody's phone is handed over (docs/sms.md).

`HttpSmsGateway` posts to the address of ``IDP_SMS_URL``; `sms_tencent` speaks to a vendor; `DemoSmsGateway`
keeps what it was given in a file, for demo mode; `NoSmsGateway` stands where none was named. One conformance
test runs against the first three. A message carries an id that stays the same at every try, so that a gateway
can drop doubles: a worker that dies between the delivery and its note of it delivers again.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import httpcore2
import httpx2

from idp.adapters.outside import NotOutside, OutsideTransport
from idp.adapters.party import check_not_in_clear
from idp.config import Settings

_SECONDS = 5.0
_LONGEST = 64_000
_LONGEST_REFERENCE = 120
# RFC 9110 §15.5: the request is at fault, except where it only came at a bad moment.
_NOT_NOW = frozenset({408, 425, 429})
_NEVER_ASKED = (
    NotOutside,
    httpx2.InvalidURL,
    httpcore2.ConnectError,
    httpcore2.ConnectTimeout,
    httpcore2.UnsupportedProtocol,
)
KEPT = 1000
"""How many delivered messages the demo remembers."""


class SmsRefused(Exception):
    """The gateway will never take this message (no such number); no secret is in the words."""


class NotReached(Exception):
    """The gateway did not take the message now; it is tried again. No secret is in the words.

    `perhaps_taken`: it was asked, and no answer says clearly that it did not take it.
    """

    def __init__(self, words: str, *, perhaps_taken: bool = False) -> None:
        super().__init__(words)
        self.perhaps_taken = perhaps_taken


@dataclass(frozen=True, slots=True)
class Report:
    """What a vendor says became of a message: the name of it that we know, and `why` it did not arrive.

    `why` is empty if it arrived.
    """

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Sms:
    """A text for a phone of 11 digits.

    `at` is the instant of its making (ISO 8601). `code` is a code the text contains, for the demo's
    tools. `params` are what a vendor's template of this purpose is filled with, where it sends no free text.
    """

    id: str
    phone: str
    text: str
    purpose: str
    at: str
    code: str | None = None
    params: tuple[str, ...] = ()


class SmsGateway(Protocol):
    """Takes a text for a phone."""

    def send(self, message: Sms) -> str | None:
        """Hand `message` over; what the gateway calls it, if it says so. Raises SmsRefused, NotReached."""
        ...


class HttpSmsGateway:
    """Posts JSON to the gateway of the installation; at most 5 seconds in all, no redirect followed.

    The address is the operator's own setting and may lie inside his network. Raises SettingsRefused for
    one that would send phones and the token in clear.
    """

    def __init__(self, url: str, token: str) -> None:
        check_not_in_clear("IDP_SMS_URL", url)
        self._url = url
        self._http = client({"Authorization": f"Bearer {token}"} if token else {})

    def send(self, message: Sms) -> str | None:
        """Hand `message` over; the `reference` of the answer, if any. Raises SmsRefused, NotReached."""
        told = {name: getattr(message, name) for name in ("id", "phone", "text", "purpose")}
        try:
            answer = self._http.post(self._url, json={**told, "params": list(message.params)})
        except (httpx2.HTTPError, httpx2.InvalidURL) as fault:
            raise unanswered(fault) from None
        status = answer.status_code
        if 400 <= status < 500 and status not in _NOT_NOW:
            raise SmsRefused(f"refused with {status}")
        if not 200 <= status < 300:
            raise NotReached(f"answered {status}", perhaps_taken=perhaps_taken(status))
        return _reference_in(answer)


class NoSmsGateway:
    """Stands where no gateway was named: nothing leaves, and the outbox gives it up in time."""

    def send(self, message: Sms) -> None:  # noqa: ARG002 - the protocol's signature
        """Raises NotReached."""
        raise NotReached("no gateway: IDP_SMS_URL and IDP_SMS_VENDOR are empty")


class DemoSmsGateway:
    """Keeps what it was given in a file of the var directory (mode 0600), the newest 1,000.

    What the last digits of a phone do stands in docs/simulators.md.
    """

    NOT_AT_FIRST = "9999"
    NEVER = "9998"

    def __init__(self, var_dir: Path) -> None:
        self._file = var_dir / "sms_delivered.jsonl"

    def send(self, message: Sms) -> None:
        """Keep `message`, once whatever the number of its tries. Raises SmsRefused, NotReached."""
        if message.phone.endswith(self.NEVER):
            raise SmsRefused("the simulator knows no such phone")
        with _locked(self._file) as file:
            kept = _lines(file)
            tries = {line["delivered"] for line in kept if line["id"] == message.id}
            if True in tries:
                return
            delivered = bool(tries) or not message.phone.endswith(self.NOT_AT_FIRST)
            kept.append({**asdict(message), "delivered": delivered})
            file.seek(0)
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in kept[-KEPT:])
            file.truncate()
        if not delivered:
            raise NotReached("the simulator is away at the first try")

    def delivered(self) -> list[dict[str, Any]]:
        """What was delivered, in the order of delivery."""
        with _locked(self._file) as file:
            return [line for line in _lines(file) if line["delivered"]]


def gateway_of(settings: Settings) -> SmsGateway:
    """The gateway of this installation. Raises SettingsRefused."""
    if settings.demo:
        return DemoSmsGateway(settings.var_dir)
    if settings.sms_vendor == "tencent":
        from idp.adapters.sms_tencent import TencentSms  # noqa: PLC0415 - it is made of what stands here

        return TencentSms(settings.sms_vendor_config.get_secret_value())
    if settings.sms_url:
        return HttpSmsGateway(settings.sms_url, settings.sms_token.get_secret_value())
    return NoSmsGateway()


def client(headers: Mapping[str, str]) -> httpx2.Client:
    """How a gateway is called: at most 5 seconds in all, a bounded answer, no redirect followed, no proxy."""
    return httpx2.Client(
        headers={"Accept-Encoding": "identity", **headers},
        follow_redirects=False,
        transport=OutsideTransport(inside_allowed=True, seconds=_SECONDS, longest=_LONGEST),
    )


def unanswered(fault: Exception) -> NotReached:
    """What a call that brought no answer comes to: where there was no connection, nothing was taken."""
    # httpcore2's own kind of fault is the cause of what the transport raises.
    cause = fault.__cause__ or fault
    return NotReached(type(cause).__name__, perhaps_taken=not isinstance(cause, _NEVER_ASKED))


def perhaps_taken(status: int) -> bool:
    """Whether a gateway that answered so, and not 2xx, may have taken the message: not with a 4xx."""
    return not 400 <= status < 500


def reference(said: object) -> str | None:
    """What a gateway calls a message, if it is a name that can be kept."""
    if isinstance(said, str) and said.isascii() and said.isprintable():
        return said if 0 < len(said) <= _LONGEST_REFERENCE else None
    return None


def _reference_in(answer: httpx2.Response) -> str | None:
    """It was taken, whatever else the answer says."""
    try:
        said = answer.json()
    except (ValueError, RecursionError):
        return None
    return reference(said.get("reference")) if isinstance(said, dict) else None


def _locked(path: Path) -> Any:
    """`path` for reading and writing, made with mode 0600; nobody else holds it until it is closed."""
    file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+", encoding="utf-8")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def _lines(file: Any) -> list[dict[str, Any]]:
    """The lines that are whole: a process that was killed may have left half of one."""
    found = []
    for line in file:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found
