"""The room's one blueprint: every page of a company's stands under it, those of people not signed in too."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("enterprise", __name__)
