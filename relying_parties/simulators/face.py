"""A face service that compares nothing: its page asks which verdict there shall be, and sends that.

It keeps to docs/face.md as any other would: what it is told must be signed, what it says it signs.
A check lives in this process's memory for a quarter of an hour, with the name masked; no picture reaches it:
the page looks whether the camera gives one and lets it go again.
"""

import hmac
import json
import re
import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    g,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from relying_parties.simulators.config import Settings

blueprint = Blueprint("face", __name__, url_prefix="/face")

NAME_OF_A_FAILURE: Final = "人脸故障"
"""Whoever is called so finds the service out of order at the very beginning."""
_VERDICTS: Final = {
    "passed": (True, 98),
    "another": (False, 12),
    "low": (False, 62),
}
"""Trigger to what is said: whether it is he, and the score."""
_SILENT: Final = {"timeout", "declined"}
_WINDOW: Final = 300
_LIFE: Final = 900
_MOST: Final = 1000
_SECONDS: Final = 3.0
_EXTENSION: Final = "face-simulator"
_CHECK = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A check the provider began: whom it calls what, where the verdict goes and the person after it."""

    check: str
    subject: str
    shown: str
    callback: str
    returns_to: str
    at: float


@dataclass
class _Service:
    """What this process knows: its key, the provider's origin, and the checks that run, oldest first."""

    key: bytes
    provider: str
    base_url: str
    http: httpx2.Client
    asked: "OrderedDict[str, _Asked]" = field(default_factory=OrderedDict)
    nonces: "OrderedDict[str, float]" = field(default_factory=OrderedDict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def signed(self, word: str, stamp: str, nonce: str, body: bytes) -> str:
        """The signature of a message of one kind."""
        return hmac.new(self.key, f"{word}\n{stamp}\n{nonce}\n".encode() + body, "sha256").hexdigest()

    def keep(self, asked: _Asked) -> str:
        """The unguessable name of the page of a check."""
        page = secrets.token_urlsafe(24)
        with self.lock:
            self.asked[page] = asked
            while len(self.asked) > _MOST:
                self.asked.popitem(last=False)
        return page

    def find(self, page: str) -> _Asked | None:
        """The check whose page this is, while it lives."""
        with self.lock:
            asked = self.asked.get(page)
        return asked if asked and time.time() - asked.at < _LIFE else None

    def end(self, page: str) -> None:
        """Take the page away: whoever was told where it leads back has no face to show any more."""
        with self.lock:
            self.asked.pop(page, None)

    def is_fresh(self, nonce: str) -> bool:
        """Whether no message bore this nonce before."""
        with self.lock:
            seen = nonce in self.nonces
            self.nonces[nonce] = time.time()
            while len(self.nonces) > _MOST:
                self.nonces.popitem(last=False)
        return not seen


def install(app: Flask, settings: Settings) -> None:
    """Register the pages, with a memory of this application's own."""
    app.extensions[_EXTENSION] = _Service(
        settings.face_key.get_secret_value().encode(),
        settings.issuer,
        settings.base_url,
        httpx2.Client(timeout=_SECONDS, follow_redirects=False, trust_env=False),
    )
    app.register_blueprint(blueprint)


@blueprint.post("/checks")
def begin() -> Any:
    """The provider tells whom to check; the answer is the address of the page for his phone."""
    body = request.get_data()
    _check_signed(body)
    try:
        told = json.loads(body)
        asked = _read(told)
    except (ValueError, KeyError, TypeError, RecursionError):
        abort(400)
    if told["name"] == NAME_OF_A_FAILURE:
        abort(503)
    page = _service().keep(asked)
    return {"url": _service().base_url + url_for("face.page", page=page)}, 201


@blueprint.get("/<page>")
def page(page: str) -> str:
    """The page of a check."""
    asked = _service().find(page) or abort(404)
    return _shown(asked)


@blueprint.post("/<page>")
def decide(page: str) -> Response | AnyResponse:
    """Say the verdict that was chosen, then lead the person back, once."""
    asked = _service().find(page) or abort(404)
    chosen = request.form.get("verdict", "")
    if request.headers.get("Origin", _service().base_url) not in {_service().base_url, "null"}:
        abort(403)
    if chosen == "broken":
        return Response(
            _shown(asked, "人脸核验服务暂时不可用，请稍后再试，或者返回后换一种方式。"), status=503
        )
    if chosen not in _VERDICTS and chosen not in _SILENT:
        abort(400)
    if chosen in _VERDICTS and not _told(asked, *_VERDICTS[chosen]):
        return Response(_shown(asked, "核验结果没有送达，请再试一次。"), status=502)
    _service().end(page)
    g.leads_to = (_origin(asked.returns_to),)
    return redirect(asked.returns_to, 303)


def _service() -> _Service:
    found: _Service = current_app.extensions[_EXTENSION]
    return found


def _shown(asked: _Asked, problem: str = "") -> str:
    g.leads_to = (_origin(asked.returns_to),)
    return render_template("simulators/face.html", asked=asked, problem=problem)


def _check_signed(body: bytes) -> None:
    """Return if the request is a fresh one of the provider's; anything else ends in 401."""
    stamp, nonce, signature = (
        request.headers.get(f"X-Face-{name}", "") for name in ("Timestamp", "Nonce", "Signature")
    )
    expected = _service().signed("begin", stamp, nonce, body)
    if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
        abort(401)
    if not stamp.isdecimal() or abs(time.time() - int(stamp)) > _WINDOW or not _service().is_fresh(nonce):
        abort(401)


def _read(told: Any) -> _Asked:
    """What the provider asks. Raises ValueError, KeyError, TypeError."""
    check, name, number, callback, returns_to = (
        told[member] for member in ("check", "name", "id_number", "callback", "returns_to")
    )
    if not all(isinstance(one, str) for one in (check, name, number, callback, returns_to)):
        raise TypeError
    if not _CHECK.match(check) or _origin(callback) != _service().provider or not name or not number:
        raise ValueError
    if urlsplit(returns_to).scheme not in {"http", "https"}:
        raise ValueError
    subject = hmac.new(_service().key, f"subject\n{name}\n{number}".encode(), "sha256").hexdigest()
    return _Asked(check, subject, f"{name[0]}{'*' * (len(name) - 1)}", callback, returns_to, time.time())


def _told(asked: _Asked, passed: bool, score: int) -> bool:  # noqa: FBT001 - the two are one verdict
    """Whether the provider took the verdict; each try is a message of its own, with a nonce of its own."""
    verdict = {
        "check": asked.check,
        "subject": asked.subject,
        "passed": passed,
        "score": score,
        "at": datetime.now(UTC).isoformat(),
    }
    body = json.dumps(verdict).encode()
    stamp, nonce = str(int(time.time())), secrets.token_urlsafe(18)
    headers = {
        "Content-Type": "application/json",
        "X-Face-Timestamp": stamp,
        "X-Face-Nonce": nonce,
        "X-Face-Signature": _service().signed("verdict", stamp, nonce, body),
    }
    try:
        return _service().http.post(asked.callback, content=body, headers=headers).is_success
    except httpx2.HTTPError:
        return False


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
