"""A people registry that keeps to docs/registries.md: the demo's people to the letter, others by trigger.

Whoever is on record matches only if all that is claimed of him is. Anybody else whose ID number could be one
matches, unless his name says otherwise (docs/simulators.md). Nothing is kept.
"""

import re
from datetime import date
from typing import Annotated, Any, Final, Literal

from flask import Blueprint, Flask, current_app
from pydantic import BaseModel, ConfigDict, Field

from relying_parties.simulators.callers import obstruct, question
from relying_parties.simulators.config import Settings
from relying_parties.simulators.records import Records

blueprint = Blueprint("population", __name__, url_prefix="/population")

UNLIKE: Final = "不符"
_EXTENSION: Final = "population-simulator"
# GB 11643 §4: check characters by the weighted sum (mod 11).
_CHECKS: Final = "10X98765432"


class _Claimed(BaseModel):
    """The question. A phone that is not told is not compared; one that is null is a mistake."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1, max_length=200)]
    id_type: Literal["resident_id", "hk_macao_permit", "taiwan_permit", "foreign_permanent_id", "passport"]
    id_number: Annotated[str, Field(pattern=r"^[0-9A-Z]{5,20}$")]
    valid_from: date
    valid_until: date | None
    phone: Annotated[str, Field(pattern=r"^1[0-9]{10}$")] = ""


def install(app: Flask, records: Records) -> None:
    """Register the address."""
    app.extensions[_EXTENSION] = records
    app.register_blueprint(blueprint)


@blueprint.post("/match")
def match() -> Any:
    """Whether all that is claimed is on record of one person."""
    settings: Settings = current_app.extensions["settings"]
    claimed = question(_Claimed, settings.population_token)
    obstruct(claimed.name)
    return {"matches": _matches(claimed)}


def _matches(claimed: _Claimed) -> bool:
    records: Records = current_app.extensions[_EXTENSION]
    known = records.person(claimed.id_type, claimed.id_number)
    if known is None:
        return UNLIKE not in claimed.name and _could_be(claimed.id_type, claimed.id_number)
    told = claimed.model_dump(exclude_unset=True)
    return told == known.model_dump(include=set(told))


def _could_be(id_type: str, number: str) -> bool:
    """Whether somebody could have this number; only that of a resident shows it."""
    if id_type != "resident_id":
        return True
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        return False
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    weighed = sum(int(digit) * 2 ** (17 - place) for place, digit in enumerate(number[:-1]))
    return _CHECKS[weighed % 11] == number[-1]
