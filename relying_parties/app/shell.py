"""The one page that all routes answer with; what is on it is drawn by its scripts, which read the address."""

import json
from typing import Final

from flask import Blueprint, Response, abort, current_app, jsonify, redirect, render_template
from flask.typing import ResponseReturnValue

from relying_parties.app import assets
from relying_parties.app.config import Settings
from relying_parties.app.skins import SKINS, Skin, configuration, manifest

EXTENSION: Final = "settings"
ROUTES: Final = ("", "scan", "open", "me", "identity", "recent", "pin", "settings", "welcome", "face-done")
"""Every page, below the folder of each app; static/main.js draws them. A test holds the two together."""

blueprint = Blueprint("shell", __name__)


@blueprint.get("/", defaults={"route": ""})
@blueprint.get("/<path:route>")
def page(route: str) -> ResponseReturnValue:
    """The page of an app at one of its routes; the provider answers to /callback, for all of them."""
    if any(f"/{route}/" == skin.path for skin in SKINS):
        return redirect(f"/{route}/", 308)
    skin = _skin_of(route)
    below = f"/{route}".removeprefix(skin.path)
    if below not in ROUTES and route != "callback":
        abort(404)
    return render_template("app/shell.html", skin=skin)


@blueprint.get("/config.json")
def config() -> Response:
    """What the page is told at its start."""
    settings: Settings = current_app.extensions[EXTENSION]
    return jsonify(configuration(settings))


@blueprint.get("/manifest.webmanifest", defaults={"folder": ""})
@blueprint.get("/<folder>/manifest.webmanifest")
def show_manifest(folder: str) -> Response:
    """What a phone reads when somebody puts the app on its home screen."""
    wanted = f"/{folder}/" if folder else "/"
    skin = next((each for each in SKINS if each.path == wanted), None)
    if skin is None:
        abort(404)
    response = jsonify(manifest(skin, assets.icons()))
    response.mimetype = "application/manifest+json"
    return response


@blueprint.get("/sw.js")
def service_worker() -> Response:
    """The service worker; it changes with the version, which is how a phone learns of a new one."""
    source = (assets.STATIC_DIR / "sw.js").read_text(encoding="utf-8")
    known = {"VERSION": assets.version(), "FILES": assets.shell_files(), "SHELLS": [s.path for s in SKINS]}
    lines = [f"const {name} = {json.dumps(value)};\n" for name, value in known.items()]
    return Response("".join([*lines, source]), mimetype="text/javascript")


def _skin_of(route: str) -> Skin:
    in_folder = (skin for skin in SKINS if skin.path != "/" and f"/{route}".startswith(skin.path))
    return next(in_folder, SKINS[0])
