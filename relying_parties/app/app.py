"""Putting the phone app together."""

import logging
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, render_template, request
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined
from werkzeug.exceptions import HTTPException, SecurityError

import theme
from relying_parties.app import assets, shell
from relying_parties.app.config import Settings, load_settings

_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # The address of the callback holds a code.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), publickey-credentials-get=(self), geolocation=(), microphone=()",
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; manifest-src 'self'; worker-src 'self'; connect-src 'self' {issuer}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def create_app(settings: Settings) -> Flask:
    """The phone app as `settings` want it."""
    app = Flask(__name__, static_folder=None)
    app.extensions[shell.EXTENSION] = settings
    app.config["MAX_CONTENT_LENGTH"] = 1024
    app.jinja_loader = ChoiceLoader(
        [FileSystemLoader(app.root_path + "/templates"), FileSystemLoader(theme.TEMPLATE_DIR)]
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        asset=assets.address, theme_asset=assets.theme_address, styles=assets.STYLES, icons=assets.icons
    )
    app.before_request(lambda: _check_host(settings))
    app.after_request(lambda response: _harden(response, settings))
    app.register_error_handler(HTTPException, _refused)
    app.register_blueprint(assets.blueprint)
    app.register_blueprint(shell.blueprint)
    return app


def from_environment() -> Flask:
    """The phone app of this process, for the server's worker."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    return create_app(load_settings())


def _check_host(settings: Settings) -> None:
    """Return if the request is for the app's own address. Raises SecurityError (400)."""
    if request.host.lower() != urlsplit(settings.base_url).netloc:
        raise SecurityError("another host name")


def _harden(response: Response, settings: Settings) -> Response:
    """Say what a browser may do with this answer; the provider is the only stranger the page may talk to."""
    response.headers.update(_HEADERS)
    response.headers["Content-Security-Policy"] = _POLICY.format(issuer=settings.issuer)
    if settings.https:
        response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    # A file without a version is asked for again, and answered with 304 where it is as it was.
    if response.headers.get("Cache-Control", "no-cache") == "no-cache":
        response.headers["Cache-Control"] = "no-cache"
    return response


def _refused(error: HTTPException) -> tuple[str, int]:
    """A page for what is not here."""
    return render_template("app/stop.html"), error.code or 500
