"""Putting the simulators together: one small application, a blueprint a simulated party."""

import logging
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, render_template, request, send_from_directory
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException, SecurityError

import theme
from relying_parties.simulators import cards, face, population, registry
from relying_parties.simulators.config import Settings, load_settings
from relying_parties.simulators.records import load_records

_LARGEST_BYTES: Final = 16 * 1024
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


def create_app(settings: Settings) -> Flask:
    """The simulators as `settings` want them."""
    app = Flask(__name__, template_folder="templates", static_folder="static")
    app.config.update(MAX_CONTENT_LENGTH=_LARGEST_BYTES, MAX_FORM_PARTS=20)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.extensions["settings"] = settings
    app.add_url_rule("/theme/<path:filename>", "theme", _theme_file)
    app.add_url_rule("/", "home", _home)
    app.before_request(_check_host)
    app.after_request(_harden)
    app.register_error_handler(HTTPException, _said)
    face.install(app, settings)
    cards.install(app)
    records = load_records()
    population.install(app, records)
    registry.install(app, records)
    return app


def from_environment() -> Flask:
    """The simulators of this process, for the server's worker."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # The HTTP client would log every request it makes to the provider.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    return create_app(load_settings())


def _theme_file(filename: str) -> Response:
    return send_from_directory(theme.STATIC_DIR, filename)


def _home() -> str:
    return render_template("simulators/home.html")


def _check_host() -> None:
    settings: Settings = current_app.extensions["settings"]
    if request.host.lower() != urlsplit(settings.base_url).netloc:
        raise SecurityError("another host name")


def _harden(response: Response) -> Response:
    response.headers.update(_HEADERS)
    # A form is answered by a redirect back to whoever sent the person, and form-action covers redirects.
    forms = " ".join(("'self'", *g.get("leads_to", ())))
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self' blob:; "
        f"base-uri 'none'; frame-ancestors 'none'; form-action {forms}"
    )
    return response


def _said(error: HTTPException) -> Any:
    if request.path.startswith("/face/") and request.method == "GET":
        return render_template("simulators/gone.html"), error.code
    return {"error": error.name}, error.code
