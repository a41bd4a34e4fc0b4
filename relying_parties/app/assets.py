"""The app's files, at addresses that carry a version: what was got is kept, and never mixed with newer.

The version is a folder, `/static/<version>/main.js`, so that modules which import their neighbours by
relative addresses get those of the same version.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, request, send_from_directory

import theme

STATIC_DIR: Final = Path(__file__).parent / "static"
STYLES: Final = ("govuk.css", "tokens.css", "idp.css")
"""The theme's, in their order; `app.css` and `scan.css` follow."""

_WORKER: Final = "sw.js"
_DRAWING: Final = "/theme/img/arches-dark.svg"
_YEAR: Final = 365 * 24 * 3600

blueprint = Blueprint("assets", __name__)


@cache
def version() -> str:
    """Ten hex digits that change whenever a file of the app does, read once a process."""
    digest = hashlib.sha256(theme.asset_version().encode())
    for path in _files():
        digest.update(path.relative_to(STATIC_DIR).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:10]


def address(filename: str) -> str:
    """Where a file of the app lies now."""
    return f"/static/{version()}/{filename}"


def theme_address(filename: str) -> str:
    """Where a file of the theme lies now."""
    return f"/theme/{filename}?v={theme.asset_version()}"


def icons() -> dict[int, str]:
    """The app's pictures by their size in pixels; made by scripts/app_icons."""
    return {size: address(f"icons/{size}.png") for size in (192, 512)}


def shell_files() -> list[str]:
    """Every file that the app needs to be drawn without a network."""
    own = (path.relative_to(STATIC_DIR).as_posix() for path in _files())
    drawn = [address(name) for name in own if name != _WORKER and not name.endswith((".txt", ".md"))]
    return [*map(theme_address, STYLES), _DRAWING, "/config.json", *drawn]


@blueprint.get("/static/<wanted>/<path:filename>")
def own_file(wanted: str, filename: str) -> Response:
    """A file of the app. An older version's address gives the present file, which nobody shall keep."""
    response = send_from_directory(STATIC_DIR, filename)
    return _kept(response) if wanted == version() else response


@blueprint.get("/theme/<path:filename>")
def theme_file(filename: str) -> Response:
    """A file of the theme; one asked for without its version is asked for again."""
    response = send_from_directory(theme.STATIC_DIR, filename)
    return _kept(response) if request.args.get("v") == theme.asset_version() else response


def _kept(response: Response) -> Response:
    response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
    return response


def _files() -> list[Path]:
    return sorted(path for path in STATIC_DIR.rglob("*") if path.is_file())
