"""The room's one blueprint: a person's own pages, and those by which he gets his account."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("person", __name__)
