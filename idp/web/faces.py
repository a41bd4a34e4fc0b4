"""Face checks as the rooms use them: whether there are any, what they work with, where they count."""

from __future__ import annotations

from flask import request
from wtforms import BooleanField
from wtforms.validators import InputRequired

from idp.proof import face
from idp.web import cookies
from idp.web.platform import platform, settings

CALLBACK = "/face/callback"
"""Where the face service says what it saw."""


def tools() -> face.Tools | None:
    """What face checks work with; None where no face service is named."""
    here = platform()
    if here.face is None:
        return None
    lifetime, most = here.settings.seconds("face_lifetime"), here.settings.face_checks_an_address
    return face.Tools(here.store, here.vault, here.face, lifetime, most)


def binding() -> str:
    """To what a check of this request is bound: this browser, and what it came for."""
    return f"{cookies.browser_id()} {request.args.get('tx', '')}"


def callback() -> str:
    """The address the face service is given for its verdict."""
    return settings().issuer + CALLBACK


def agreed(otherwise: str) -> BooleanField:
    """The yes that each face check needs, as a field of a form; `otherwise`: how else (用其他方式登录)."""
    return BooleanField(validators=[InputRequired(f"请阅读说明并勾选同意；不同意的话，可以{otherwise}")])
