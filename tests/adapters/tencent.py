"""The SMS service of Tencent Cloud on loopback: its API 3.0, which believes only what is signed.

The signature is checked by a reading of the vendor's document of its own, not by the code that makes it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from idp.adapters.sms import DemoSmsGateway

SECRET_ID, SECRET_KEY = "AKIDexample0000000000000000000000001", "example-key-of-the-vendor"
APP, SIGN = "1400006666", "通行"
_SIGNED = re.compile(
    r"TC3-HMAC-SHA256 Credential=(\w+)/([\d-]+)/sms/tc3_request, "
    r"SignedHeaders=([a-z;-]+), Signature=([0-9a-f]{64})\Z"
)


@dataclass
class Vendor:
    """A running vendor: what it was asked, what it sent on, and what it will report.

    `fault` is the name of an error that every call meets; `answer` stands in place of any answer.
    """

    address: str = ""
    templates: dict[str, tuple[str, str]] = field(default_factory=lambda: {"1000001": ("test", "{1}")})
    fault: str = ""
    answer: tuple[int, bytes] | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    reports: list[dict[str, Any]] = field(default_factory=list)

    def config(self, **changed: Any) -> str:
        """What IDP_SMS_VENDOR_CONFIG says of it."""
        given = {
            "secret_id": SECRET_ID,
            "secret_key": SECRET_KEY,
            "sdk_app_id": APP,
            "sign_name": SIGN,
            "endpoint": self.address,
            "templates": {purpose: {"id": template} for template, (purpose, _) in self.templates.items()},
        }
        return json.dumps({**given, **changed})

    def reply(self, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        """What one call is answered."""
        asked = json.loads(body)
        self.asked.append(asked)
        self.headers.append(headers)
        if fault := self.fault or refusal(headers, body):
            return {"Error": {"Code": fault, "Message": "+8613900000001 …"}}
        if asked["SmsSdkAppId"] != APP:
            return {"Error": {"Code": "UnauthorizedOperation.SmsSdkAppIdVerifyFail", "Message": "…"}}
        if headers["x-tc-action"] == "PullSmsSendStatus":
            told, self.reports = self.reports[: asked["Limit"]], self.reports[asked["Limit"] :]
            return {"PullSmsSendStatusSet": told}
        return {"SendStatusSet": [self.status(phone, asked) for phone in asked["PhoneNumberSet"]]}

    def status(self, phone: str, asked: dict[str, Any]) -> dict[str, Any]:
        """What is said of one phone."""
        about = {"PhoneNumber": phone, "SessionContext": asked["SessionContext"], "SerialNo": ""}
        if code := self.fault_of(phone, asked):
            return {**about, "Code": code, "Message": f"{phone} …"}
        purpose, text = self.templates[asked["TemplateId"]]
        for number, param in enumerate(asked["TemplateParamSet"], 1):
            text = text.replace(f"{{{number}}}", param)
        self.sent.append(
            {
                "id": asked["SessionContext"],
                "phone": phone.removeprefix("+86"),
                "text": text,
                "purpose": purpose,
            }
        )
        return {**about, "SerialNo": f"5000:{len(self.sent)}", "Code": "Ok", "Message": "send success"}

    def fault_of(self, phone: str, asked: dict[str, Any]) -> str:
        """Why this message does not leave."""
        if asked["TemplateId"] not in self.templates or asked["SignName"] != SIGN:
            return "FailedOperation.TemplateIncorrectOrUnapproved"
        _, text = self.templates[asked["TemplateId"]]
        if len(asked["TemplateParamSet"]) != len(set(re.findall(r"\{\d\}", text))):
            return "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"
        if phone.endswith(DemoSmsGateway.NEVER):
            return "FailedOperation.PhoneNumberInBlacklist"
        is_first = [one.get("PhoneNumberSet") for one in self.asked].count([phone]) == 1
        if phone.endswith(DemoSmsGateway.NOT_AT_FIRST) and is_first:
            return "LimitExceeded.PhoneNumberThirtySecondLimit"
        return ""


def refusal(headers: dict[str, str], body: bytes) -> str:
    """The vendor's name for what is wrong with a signature, empty if it is right."""
    if headers["x-tc-version"] != "2021-01-11":
        return "NoSuchVersion"
    signed = _SIGNED.match(headers["authorization"])
    if signed is None:
        return "AuthFailure.SignatureFailure"
    secret_id, day, names, signature = signed.groups()
    at = int(headers["x-tc-timestamp"])
    if abs(time.time() - at) > 300 or day != f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}":
        return "AuthFailure.SignatureExpire"
    lines = "".join(f"{name}:{headers[name].strip().lower()}\n" for name in names.split(";"))
    canonical = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/sms/tc3_request"
    to_sign = f"TC3-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = ("TC3" + SECRET_KEY).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    if secret_id != SECRET_ID:
        return "AuthFailure.SecretIdNotFound"
    expected = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return "" if expected == signature else "AuthFailure.SignatureFailure"


@contextmanager
def a_vendor(**given: Any) -> Iterator[Vendor]:
    """A vendor that runs while the block does."""
    vendor = Vendor(**given)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            said = {"Response": {"RequestId": "r-1", **vendor.reply(headers, body)}}
            status, answer = vendor.answer or (200, json.dumps(said).encode())
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_ignored: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        vendor.address = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield vendor
        finally:
            server.shutdown()
            thread.join(10)
