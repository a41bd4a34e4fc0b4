"""The day at a glance."""

from __future__ import annotations

from flask import Blueprint

from idp.web import staff

blueprint = Blueprint("staff_overview", __name__, url_prefix="/staff")


@blueprint.get("")
def index() -> str:
    """What happened today."""
    return staff.page("staff/overview.html")
