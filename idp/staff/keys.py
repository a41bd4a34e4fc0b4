"""To be built."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("staff_keys", __name__, url_prefix="/staff/keys")
