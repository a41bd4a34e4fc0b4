"""Coming in and going out."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort

blueprint = Blueprint("staff_entry", __name__, url_prefix="/staff")


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Any:
    """Password first."""
    abort(404)


@blueprint.post("/sign-out")
def sign_out() -> Any:
    """End this sign-in."""
    abort(404)
