"""What a tool needs to drive the demo; the routes exist in demo mode only."""

from flask import Blueprint

blueprint = Blueprint("demo", __name__, url_prefix="/demo")
