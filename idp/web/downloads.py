"""Files of the theme that are kept, not shown: what they are, and the name they are saved under (E03, E08).

They come from the theme's own address (``theme_url``), so a browser may keep one for good; a template links
to it as to a picture. They are made by ``scripts/authorisation.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from flask import Response, request


@dataclass(frozen=True, slots=True)
class Download:
    """A file below the theme's static folder: `saved_as` is its name on the person's own disk."""

    file: str
    saved_as: str
    media_type: str


AUTHORISATION: Final = (
    Download(
        "appeal/authorisation.docx",
        "企业账号申诉授权书.docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    Download("appeal/authorisation.pdf", "企业账号申诉授权书.pdf", "application/pdf"),
)
"""The template of the 企业授权书, to be filled in on a computer or by hand."""
_BY_FILE: Final = {one.file: one for one in AUTHORISATION}


def offer_to_keep(response: Response) -> Response:
    """Say of a download what it is and how it is called; every other answer stays as it is.

    The type is ours to say: Python knows .docx only where the machine's own list has it. The name stands
    twice, for whoever reads only ASCII names too (RFC 6266, section 4.3).
    """
    file = (request.view_args or {}).get("filename") if request.endpoint == "theme.static" else None
    found = _BY_FILE.get(file) if file and response.status_code < 400 else None
    if found is not None:
        plain = found.file.rpartition("/")[2]
        response.headers["Content-Type"] = found.media_type
        response.headers["Content-Disposition"] = (
            f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(found.saved_as)}"
        )
    return response
