"""To be built."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("staff_invitation", __name__, url_prefix="/staff/invitation")
