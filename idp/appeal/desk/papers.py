"""The papers of an appeal, for whoever decides: to look at with a mark burnt in, or to keep (SECURITY 68).

========================================  =========================================================
/staff/appeals/<appeal>/papers/<file>     看原图: a paper in its full size, on a page of its own
…/picture                                 a page of it as a picture, ?page=…&turn=…
…/file                                    the file as it was stored, to be kept
========================================  =========================================================
"""

from __future__ import annotations

import io
from typing import Final
from uuid import UUID

from flask import request
from PIL import Image
from werkzeug.wrappers import Response

from idp.accounts import files
from idp.accounts.audit import Action, Event
from idp.accounts.calendar import SHANGHAI
from idp.accounts.files import StoredFile
from idp.appeal.desk.page import looked_at
from idp.appeal.desk.room import address_of, blueprint, denied, member, readable
from idp.appeal.models import Appeal
from idp.db import pause
from idp.web import staff, staff_looks, stored_files
from idp.web.platform import db, now

_OWN: Final = "/<uuid:appeal_id>/papers/<uuid:file_id>"
# Pillow turns the other way round.
_TRANSPOSED: Final = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


@blueprint.get(_OWN)
def paper(appeal_id: UUID, file_id: UUID) -> str:
    """A paper in its full size."""
    row, file = _found(appeal_id, file_id)
    return staff.page("staff/appeals/paper.html", row=row, back=address_of(row), chosen=looked_at(row, file))


@blueprint.get(f"{_OWN}/picture")
def picture(appeal_id: UUID, file_id: UUID) -> Response:
    """A page of a paper, with who looks and when burnt in."""
    row, file = _found(appeal_id, file_id)
    staff_looks.note(_look(row, file))
    # It is drawn in a process of its own, which takes its time.
    pause(db())
    seen = f"{member().account} {now().astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    page, turn = request.args.get("page", 1, type=int), request.args.get("turn", 0, type=int)
    drawn = stored_files.serve_picture(file, page=page, watermark=seen)
    if turn in _TRANSPOSED:
        drawn.set_data(_turned(drawn.get_data(), turn))
    return drawn


@blueprint.get(f"{_OWN}/file")
def file(appeal_id: UUID, file_id: UUID) -> Response:
    """The file, to be kept; each time is a line of the trail."""
    row, kept = _found(appeal_id, file_id)
    staff.record(_look(row, kept, kept=True))
    return stored_files.serve(kept)


def _turned(jpeg: bytes, turn: int) -> bytes:
    """The same picture, turned by so many degrees clockwise; it is one that we have drawn ourselves."""
    kept = io.BytesIO()
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as drawn:
        drawn.transpose(_TRANSPOSED[turn]).save(kept, "JPEG", quality=88)
    return kept.getvalue()


def _look(row: Appeal, one: StoredFile, **more: bool) -> Event:
    return Event(Action.APPEAL_PAPER_VIEWED, target=row.key, detail={"paper": one.slot, **more})


def _found(appeal_id: UUID, file_id: UUID) -> tuple[Appeal, StoredFile]:
    """Raises Stop, the same for another appeal's file and for one that is nobody's."""
    row = readable(appeal_id)
    found = files.find(db(), row.key, file_id)
    if found is None:
        raise denied(row)
    return row, found
