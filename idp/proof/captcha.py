"""The captcha: four characters that a person sees or hears, and types once (MISSION Y, SECURITY 24, 25).

`issue` makes one for a form and a browser, `image` and `sound` show it, `check` takes it. All that is
known of it lies in the ephemeral store under its id; the id is all that the page carries.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import unicodedata
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

from idp.adapters.ephemeral import EphemeralStore
from idp.proof import captcha_image, captcha_sound

# Digits only: they are on every keyboard and every phone's number pad, and can be told apart by ear. No 0
# (an 8 or a 6 under noise) and no 1, which a picture takes for 7 and whose name, yī, an ear takes for qī.
CHARACTERS = "23456789"
LENGTH = 4
LIFETIME = timedelta(minutes=2)

_HOUSEKEEPING = timedelta(seconds=30)  # `expires_at` decides, the store only sweeps
_LONGEST_ANSWER = 40
_AN_ID = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True)
class Captcha:
    """What a page needs to show one: `id` goes into the addresses of picture and sound and a hidden field."""

    id: str
    expires_at: datetime


class CaptchaRefused(Exception):
    """The captcha was not solved; a new one is needed, whatever the reason.

    "missing": nothing was typed. "expired": too late, used before, or never issued. "wrong": another
    answer, or a captcha of another form or browser.
    """

    def __init__(self, reason: Literal["missing", "expired", "wrong"]) -> None:
        super().__init__(f"captcha refused: {reason}")
        self.reason = reason


@dataclass(frozen=True)
class _Kept:
    answer: str
    seed: str
    binding: str
    expires_at: float  # epoch seconds


def issue(
    store: EphemeralStore, *, purpose: str, browser: str, now: datetime, lifetime: timedelta = LIFETIME
) -> Captcha:
    """Make a captcha for the form `purpose` in the anonymous browser `browser`.

    Raises StoreUnavailable.
    """
    captcha = Captcha(id=secrets.token_urlsafe(16), expires_at=now + lifetime)
    kept = _Kept(
        answer="".join(secrets.choice(CHARACTERS) for _ in range(LENGTH)),
        # One secret seed a captcha: asked for again, picture and sound are the same bytes, so that
        # nobody can average the noise away.
        seed=secrets.token_hex(16),
        binding=_binding(purpose, browser),
        expires_at=captcha.expires_at.timestamp(),
    )
    store.put(
        _key(captcha.id), json.dumps(asdict(kept)).encode(), ttl=(lifetime + _HOUSEKEEPING).total_seconds()
    )
    return captcha


def image(store: EphemeralStore, captcha_id: str, *, now: datetime) -> bytes | None:
    """Return the captcha as a PNG, or None once it is taken or expired."""
    kept = _look(store, captcha_id)
    if kept is None or _is_over(kept, now):
        return None
    return captcha_image.draw(kept.answer, kept.seed)


def sound(store: EphemeralStore, captcha_id: str, *, now: datetime) -> bytes | None:
    """Return the captcha spoken in Chinese as a WAV, or None once it is taken or expired."""
    kept = _look(store, captcha_id)
    if kept is None or _is_over(kept, now):
        return None
    return captcha_sound.speak(kept.answer, kept.seed)


def check(
    store: EphemeralStore,
    captcha_id: str | None,
    supplied: str | None,
    *,
    purpose: str,
    browser: str,
    now: datetime,
) -> None:
    """Return if `supplied` is what the captcha shows; whatever the answer, the captcha is then spent.

    Raises CaptchaRefused, and StoreUnavailable.
    """
    taken = store.take(_key(captcha_id)) if captcha_id and _AN_ID.fullmatch(captcha_id) else None
    if not (answer := _normalise(supplied or "")):
        raise CaptchaRefused("missing")
    if taken is None:
        raise CaptchaRefused("expired")
    kept = _Kept(**json.loads(taken))
    if _is_over(kept, now):
        raise CaptchaRefused("expired")
    if not hmac.compare_digest(kept.binding, _binding(purpose, browser)) or answer != kept.answer:
        raise CaptchaRefused("wrong")


def answer(store: EphemeralStore, captcha_id: str) -> str | None:
    """Return the answer and leave the captcha: for `/demo/captcha/…` of demo mode, and nothing else."""
    kept = _look(store, captcha_id)
    return None if kept is None else kept.answer


def _look(store: EphemeralStore, captcha_id: str) -> _Kept | None:
    if not _AN_ID.fullmatch(captcha_id):
        return None
    value = store.get(_key(captcha_id))
    return None if value is None else _Kept(**json.loads(value))


def _is_over(kept: _Kept, now: datetime) -> bool:
    return now.timestamp() >= kept.expires_at


def _key(captcha_id: str) -> str:
    return f"captcha:{captcha_id}"


def _binding(purpose: str, browser: str) -> str:
    return hashlib.sha256(json.dumps([purpose, browser]).encode()).hexdigest()


def _normalise(supplied: str) -> str:
    """Forgive what an input method does to an answer: full width, spaces. An over-long one is only cut."""
    plain = unicodedata.normalize("NFKC", supplied[:_LONGEST_ANSWER])
    return "".join(plain.split())
