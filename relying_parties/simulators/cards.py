"""Social insurance records that know everybody: triggers in his ID number decide what is said.

It keeps to docs/simulators.md as the real ones would. The last digit before the check digit decides: 8 has a
card that is not activated, 9 is recorded nowhere, everybody else is recorded wherever it is asked. Nothing is
kept.
"""

import json
import re
from typing import Any, Final

from flask import Blueprint, Flask, abort, current_app, request

from relying_parties.simulators.callers import check_token
from relying_parties.simulators.config import Settings

blueprint = Blueprint("cards", __name__, url_prefix="/cards")

NOT_ACTIVATED: Final = "8"
RECORDED_NOWHERE: Final = "9"
_MOST_COMPANIES: Final = 500
_RESIDENT: Final = re.compile(r"[0-9]{17}[0-9X]\Z", re.ASCII)
_USCC: Final = re.compile(r"[0-9A-Z]{18}\Z", re.ASCII)


def install(app: Flask) -> None:
    """Register the address."""
    app.register_blueprint(blueprint)


@blueprint.post("/holder")
def holder() -> Any:
    """Whether his card is activated, and which of the companies asked for know him as their operator."""
    settings: Settings = current_app.extensions["settings"]
    check_token(settings.cards_token)
    id_number, companies = _asked()
    digit = id_number[-2]
    activated = digit != NOT_ACTIVATED
    recorded = companies if activated and digit != RECORDED_NOWHERE else []
    return {"activated": activated, "recorded": recorded}


def _asked() -> tuple[str, list[str]]:
    """The ID number and the companies of the question; 400 for what is none."""
    try:
        told = json.loads(request.get_data())
        id_number, companies = told["id_number"], told["companies"]
        readable = isinstance(told["id_type"], str) and _RESIDENT.match(id_number)
        known = all(_USCC.match(one) for one in companies) and isinstance(companies, list)
    except (ValueError, KeyError, TypeError, RecursionError):
        abort(400)
    if not readable or not known or len(companies) > _MOST_COMPANIES:
        abort(400)
    return id_number, companies
