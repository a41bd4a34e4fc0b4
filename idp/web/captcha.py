"""The captcha as pages use it: one for each form shown, as a picture and as a voice (section Y).

========================  ==========================================
/captcha/<id>.png         the picture
/captcha/<id>.wav         the same characters, spoken in Chinese
========================  ==========================================
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, abort, request, url_for

from idp.proof import captcha
from idp.proof.captcha import CaptchaRefused
from idp.web import cookies
from idp.web.platform import now, platform, settings

blueprint = Blueprint("captcha", __name__, url_prefix="/captcha")

_SOUNDS_A_MINUTE = 60
SENTENCES = {
    "missing": "请填写图形验证码",
    "expired": "图形验证码已过期，请填写新的一张",
    "wrong": "图形验证码不正确，请填写新的一张",
}


@dataclass(frozen=True, slots=True)
class ShownCaptcha:
    """What a template needs of a captcha."""

    id: str
    image_url: str
    audio_url: str


def fresh(purpose: str) -> ShownCaptcha:
    """A new captcha for one form of this browser."""
    lifetime = settings().seconds("captcha_lifetime")
    issued = captcha.issue(
        platform().store, purpose=purpose, browser=cookies.browser_id(), now=now(), lifetime=lifetime
    )
    return ShownCaptcha(
        issued.id,
        url_for("captcha.image", captcha_id=issued.id),
        url_for("captcha.sound", captcha_id=issued.id),
    )


def check(captcha_id: str, supplied: str, *, purpose: str) -> str | None:
    """Spend the captcha; None if the answer was right, otherwise the sentence to show."""
    try:
        captcha.check(
            platform().store, captcha_id, supplied, purpose=purpose, browser=cookies.browser_id(), now=now()
        )
    except CaptchaRefused as refused:
        return SENTENCES[refused.reason]
    return None


@blueprint.get("/<captcha_id>.png")
def image(captcha_id: str) -> Response:
    """The picture, as long as the captcha lives."""
    picture = captcha.image(platform().store, captcha_id, now=now())
    return Response(picture, mimetype="image/png") if picture else abort(404)


@blueprint.get("/<captcha_id>.wav")
def sound(captcha_id: str) -> Response:
    """The voice, as long as the captcha lives; speaking is dear, so an address hears so many a minute."""
    heard = platform().store.increment(f"captcha-sounds:{request.remote_addr}", ttl=60)
    if heard > _SOUNDS_A_MINUTE:
        abort(429)
    voice = captcha.sound(platform().store, captcha_id, now=now())
    return Response(voice, mimetype="audio/wav") if voice else abort(404)
