"""To be built."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("staff_audit", __name__, url_prefix="/staff/audit")
