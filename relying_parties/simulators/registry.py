"""A business registry that keeps to docs/registries.md: the demo's companies to the letter, others by name.

A company on record matches only if all that is claimed of it is. Any other matches, unless its name says
otherwise (docs/simulators.md). Nothing is kept.
"""

from typing import Annotated, Any, Final

from flask import Blueprint, Flask, current_app
from pydantic import BaseModel, ConfigDict, Field, RootModel

from relying_parties.simulators.callers import obstruct, question
from relying_parties.simulators.config import Settings
from relying_parties.simulators.population import UNLIKE
from relying_parties.simulators.records import Records

blueprint = Blueprint("registry", __name__, url_prefix="/registry")

_EXTENSION: Final = "registry-simulator"
_STATUSES: Final = {"吊销": "revoked", "注销": "deregistered"}
"""What a name holds, to the status of a company that is not on record."""
_Text = Annotated[str, Field(min_length=1, max_length=200)]


class _Claimed(BaseModel):
    """The question."""

    model_config = ConfigDict(extra="forbid", strict=True)

    uscc: Annotated[str, Field(pattern=r"^[0-9A-Z]{18}$")]
    name: _Text
    type: _Text
    representative_name: _Text
    representative_id_type: _Text
    representative_id_number: Annotated[str, Field(pattern=r"^[0-9A-Z]{5,20}$")]


class _Named(BaseModel):
    """The question for a record."""

    model_config = ConfigDict(extra="forbid", strict=True)

    uscc: Annotated[str, Field(pattern=r"^[0-9A-Z]{18}$")]


class _Question(RootModel[_Claimed | _Named]):
    """Either: all that is claimed, or a credit code alone."""


def install(app: Flask, records: Records) -> None:
    """Register the address."""
    app.extensions[_EXTENSION] = records
    app.register_blueprint(blueprint)


@blueprint.post("/match")
def match() -> Any:
    """Whether all that is claimed is on record of one company, and then its status; or a company's record."""
    settings: Settings = current_app.extensions["settings"]
    claimed = question(_Question, settings.registry_token).root
    if isinstance(claimed, _Named):
        return {"company": _record(claimed.uscc)}
    obstruct(claimed.name)
    status = _status(claimed)
    return {"matches": False} if status is None else {"matches": True, "status": status}


def _record(uscc: str) -> dict[str, Any] | None:
    """The company as it stands on record, None where none has this credit code."""
    records: Records = current_app.extensions[_EXTENSION]
    known = records.company(uscc)
    if known is None:
        return None
    obstruct(known.name)
    return known.model_dump()


def _status(claimed: _Claimed) -> str | None:
    """The status of the company that is as claimed, None where there is none."""
    records: Records = current_app.extensions[_EXTENSION]
    known = records.company(claimed.uscc)
    if known is not None:
        return known.status if claimed.model_dump() == known.model_dump(exclude={"status"}) else None
    if UNLIKE in claimed.name:
        return None
    return next((status for word, status in _STATUSES.items() if word in claimed.name), "normal")
