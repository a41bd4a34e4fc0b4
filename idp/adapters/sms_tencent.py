"""Tencent Cloud SMS: texts leave by templates that the vendor approved (docs/sms.md).

Its API 3.0, called by hand and within the bounds of every outside call; docs/decisions/0016 says why not by
its SDK. What a phone shows is the vendor's template of the message's purpose, filled with the message's
`params`: a purpose without a template is refused, never sent as another.

The vendor drops no doubles: what was handed over and not noted is handed over again. Each message carries
its id as `SessionContext`, which comes back with the report of what became of it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated, Any, Final

import httpx2

from idp.adapters.sms import (
    NotReached,
    Report,
    Sms,
    SmsRefused,
    client,
    perhaps_taken,
    reference,
    unanswered,
)
from idp.config import SettingsRefused
from idp.config.web_addresses import check_origin
from idp.typed import Bounds, Reading

AT_MOST: Final = 100
"""Reports fetched at once."""
_SETTING = "IDP_SMS_VENDOR_CONFIG"
_SERVICE = "sms"
_VERSION = "2021-01-11"
_JSON = "application/json; charset=utf-8"
_NOT_ITS_API = "answered something else than its API does"
_NAME = re.compile(r"[A-Za-z0-9._]{1,80}\Z")
# What this message will never be taken for. All else is tried again: limits and outages pass, and an
# account out of credit or a wrong key is put right by the operator.
_FOR_GOOD = frozenset(
    {
        "FailedOperation.ContainSensitiveWord",
        "FailedOperation.PhoneNumberInBlacklist",
        "FailedOperation.PhoneNumberParseFail",
        "FailedOperation.TemplateIdNotExist",
        "FailedOperation.TemplateIncorrectOrUnapproved",
        "FailedOperation.TemplateParamSetNotMatchApprovedTemplate",
        "FailedOperation.TemplateUnapprovedOrNotExist",
        "InvalidParameter.DirtyWordFound",
        "InvalidParameterValue.ContentLengthLimit",
        "InvalidParameterValue.IncorrectPhoneNumber",
        "InvalidParameterValue.ProhibitedUseUrlInTemplateParameter",
        "InvalidParameterValue.TemplateParameterFormatError",
        "InvalidParameterValue.TemplateParameterLengthLimit",
        "UnsupportedOperation.GlobalTemplateToChineseMainlandPhone",
    }
)


@dataclass(frozen=True, slots=True)
class _Template:
    """A template, and which of a message's params fill it, in order, counted from 1; None: all of them."""

    id: Annotated[str, Bounds(pattern=r"^[0-9]{1,20}\Z")]
    params: tuple[Annotated[int, Bounds(least=1, most=9)], ...] | None = None

    def filled(self, message: Sms) -> list[str]:
        """What the template is filled with. Raises SmsRefused where the message has no such param."""
        if self.params is None:
            return list(message.params)
        try:
            return [message.params[number - 1] for number in self.params]
        except IndexError:
            raise SmsRefused(
                f"{message.purpose} has {len(message.params)} params, its template wants others"
            ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Account:
    """What `IDP_SMS_VENDOR_CONFIG` says."""

    secret_id: Annotated[str, Bounds(pattern=r"^[A-Za-z0-9]{1,128}\Z")]
    secret_key: Annotated[str, Bounds(shortest=1)] = field(repr=False)
    sdk_app_id: Annotated[str, Bounds(pattern=r"^[0-9]{1,20}\Z")]
    sign_name: Annotated[str, Bounds(shortest=1, longest=40)]
    region: Annotated[str, Bounds(pattern=r"^[a-z0-9-]{1,40}\Z")] = "ap-guangzhou"
    endpoint: Annotated[str, Bounds(shortest=1), check_origin] = "https://sms.tencentcloudapi.com"
    templates: dict[str, _Template]


@dataclass(frozen=True, slots=True)
class Signed:
    """What a call is signed with: the account's key and id, the host that is called, the instant (epoch)."""

    secret_id: str
    secret_key: str
    service: str
    host: str
    at: int

    def authorization(self, body: bytes) -> str:
        """The `Authorization` of a POST of `body` to `/`: TC3-HMAC-SHA256 over content type, host, body."""
        day = datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%d")
        scope = f"{day}/{self.service}/tc3_request"
        asked = "\n".join(
            (
                "POST",
                "/",
                "",
                f"content-type:{_JSON}",
                f"host:{self.host}",
                "",
                "content-type;host",
                _sha(body),
            )
        )
        to_sign = "\n".join(("TC3-HMAC-SHA256", str(self.at), scope, _sha(asked.encode())))
        key = f"TC3{self.secret_key}".encode()
        for part in (day, self.service, "tc3_request"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        return (
            f"TC3-HMAC-SHA256 Credential={self.secret_id}/{scope}, "
            f"SignedHeaders=content-type;host, Signature={signature}"
        )


class TencentSms:
    """The vendor, with the account and templates of `config` (JSON). Raises SettingsRefused."""

    def __init__(self, config: str, *, clock: Callable[[], float] = time.time) -> None:
        self._account = _account(config)
        self._http = client({"Content-Type": _JSON, "X-TC-Version": _VERSION})
        self._clock = clock

    @property
    def purposes(self) -> frozenset[str]:
        """What there are templates for."""
        return frozenset(self._account.templates)

    def send(self, message: Sms) -> str | None:
        """Hand `message` over; the vendor's serial number of it. Raises SmsRefused, NotReached."""
        template = self._account.templates.get(message.purpose)
        if template is None:
            raise SmsRefused(f"no template for {message.purpose} in {_SETTING}")
        told = self._call(
            "SendSms",
            SmsSdkAppId=self._account.sdk_app_id,
            SignName=self._account.sign_name,
            TemplateId=template.id,
            TemplateParamSet=template.filled(message),
            PhoneNumberSet=[f"+86{message.phone}"],
            SessionContext=message.id,
        )
        status = _only(told.get("SendStatusSet"))
        if status.get("Code") != "Ok":
            raise _refusal(status.get("Code"))
        return reference(status.get("SerialNo"))

    def reports(self) -> list[Report]:
        """What became of messages since this was asked last, at most AT_MOST: asked once, told once.

        Raises NotReached.
        """
        try:
            told = self._call("PullSmsSendStatus", SmsSdkAppId=self._account.sdk_app_id, Limit=AT_MOST)
        except SmsRefused as refused:
            raise NotReached(str(refused)) from None
        found = told.get("PullSmsSendStatusSet")
        return [report for said in found if (report := _report(said))] if isinstance(found, list) else []

    def _call(self, action: str, **asked: Any) -> dict[str, Any]:
        """What the vendor answers to a call of `action`. Raises SmsRefused, NotReached."""
        body = json.dumps(asked).encode()
        url = httpx2.URL(self._account.endpoint)
        at = int(self._clock())
        # As httpx2 writes the header: with the port where it is not the usual one.
        signed = Signed(self._account.secret_id, self._account.secret_key, _SERVICE, url.netloc.decode(), at)
        headers = {
            "Authorization": signed.authorization(body),
            "X-TC-Action": action,
            "X-TC-Region": self._account.region,
            "X-TC-Timestamp": str(at),
        }
        try:
            answer = self._http.post(url, content=body, headers=headers)
            said = answer.json()["Response"] if answer.status_code == HTTPStatus.OK else None
        except (httpx2.HTTPError, httpx2.InvalidURL) as fault:
            raise unanswered(fault) from None
        except (ValueError, LookupError, TypeError, RecursionError):
            raise NotReached(_NOT_ITS_API, perhaps_taken=True) from None
        if not isinstance(said, dict):
            status = answer.status_code
            raise NotReached(f"answered {status}", perhaps_taken=perhaps_taken(status))
        if "Error" in said:
            error = said["Error"]
            raise _refusal(error.get("Code") if isinstance(error, dict) else None)
        return said


def _account(config: str) -> _Account:
    try:
        given = json.loads(config)
    except json.JSONDecodeError as fault:
        raise SettingsRefused(f"{_SETTING} cannot be used: it is not JSON ({fault}).") from None
    except (ValueError, RecursionError):
        raise SettingsRefused(f"{_SETTING} cannot be used: it is not JSON.") from None
    # Where and what, never the value: it may be the key.
    reading = Reading()
    account: _Account = reading.value(_Account, given)
    if reading.problems:
        raise SettingsRefused(f"{_SETTING} cannot be used: {reading.sentences}")
    return account


def _refusal(code: object) -> SmsRefused | NotReached:
    """The vendor's words are not repeated, only the name of the fault: they may hold the phone."""
    name = code if isinstance(code, str) and _NAME.match(code) else "an error without a name"
    if name in _FOR_GOOD:
        return SmsRefused(name)
    # A fault inside the vendor, or one without a name, leaves open how far the message came.
    return NotReached(name, perhaps_taken=name is not code or name.startswith("InternalError"))


def _only(statuses: object) -> dict[str, Any]:
    """What is said of the one phone that was named. Raises NotReached."""
    if isinstance(statuses, list) and len(statuses) == 1 and isinstance(statuses[0], dict):
        return statuses[0]
    raise NotReached(_NOT_ITS_API, perhaps_taken=True)


def _report(said: object) -> Report | None:
    """One report; None where it names no message."""
    if not isinstance(said, dict):
        return None
    name = reference(said.get("SessionContext")) or reference(said.get("SerialNo"))
    if name is None:
        return None
    description = said.get("Description")
    why = description if isinstance(description, str) and description else "not arrived"
    return Report(name, "" if said.get("ReportStatus") == "SUCCESS" else why)


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
