"""To be built."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("staff_accounts", __name__, url_prefix="/staff/accounts")
