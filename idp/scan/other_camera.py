"""What a QR code opens in any other camera: which app to scan with. It changes and tells nothing."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, abort

from idp.proof.ticket_record import is_id
from idp.web.platform import settings
from idp.web.render import page

blueprint = Blueprint("other_camera", __name__)


@blueprint.get("/q/<ticket>")
def opened(ticket: str) -> str:
    """The same page for every code, known or not; a link hands the code to the app."""
    here = settings()
    if not here.app_url:
        abort(404)
    code = f"?{urlencode({'code': f'{here.issuer}/q/{ticket}'})}" if is_id(ticket) else ""
    return page("scan/other_camera.html", app_link=f"{here.app_url}/open{code}")
