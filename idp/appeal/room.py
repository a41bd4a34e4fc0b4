"""The room's blueprint for whoever is not signed in: the applicant's pages, the result, the one-time link."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("appeal", __name__)
