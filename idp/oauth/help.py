"""/help/errors: what an integrator reads when an `error_uri` leads here."""

from __future__ import annotations

from flask import Blueprint

from idp.web.refusals.document import chapters
from idp.web.render import page

blueprint = Blueprint("help", __name__)


@blueprint.get("/help/errors")
def errors() -> str:
    """Every numbered refusal and how to mend it."""
    return page("oauth/errors.html", chapters=chapters())
