"""A portal's Flask application: the steps every portal shares, in the order they are taken."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from flask import Blueprint, Flask
from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined

import theme
from relying_parties.kit import back_channel, masking, security, sign_in, words
from relying_parties.kit.errors import install_error_pages
from relying_parties.kit.portal import Portal, current_profile, install

_LARGEST_FORM_BYTES = 16 * 1024
_ASSET_SECONDS = 365 * 24 * 3600
_KIT_STATIC: Final = Path(__file__).parent / "static"


def make_app(portal: Portal, pages: Blueprint, templates: Path) -> Flask:
    """An application of `portal` with its own `pages`, whose templates lie in the folder `templates`."""
    app = Flask(__name__, static_folder=None)
    install(portal, app.extensions)
    app.config.update(
        MAX_CONTENT_LENGTH=_LARGEST_FORM_BYTES, MAX_FORM_PARTS=20, SEND_FILE_MAX_AGE_DEFAULT=_ASSET_SECONDS
    )
    _dress(app, portal, templates)
    app.before_request(security.check_host)
    app.before_request(security.check_form)
    app.after_request(portal.cookies.give_new_browser_key)
    app.after_request(security.add_headers)
    install_error_pages(app)
    app.register_blueprint(sign_in.blueprint)
    app.register_blueprint(back_channel.blueprint)
    app.register_blueprint(pages)
    return app


def _dress(app: Flask, portal: Portal, templates: Path) -> None:
    """The look: the shared theme, the kit's frame, the portal's own pages, and what all of them may call."""
    folders = (templates, Path(__file__).parent / "templates", theme.TEMPLATE_DIR)
    app.jinja_loader = ChoiceLoader([FileSystemLoader(folder) for folder in folders])
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        portal=portal,
        csrf_token=security.csrf_token,
        current_profile=current_profile,
        masking=masking,
        words=words,
        theme_url=_assets(app, "theme", theme.STATIC_DIR, theme.asset_version()),
        kit_url=_assets(app, "kit", _KIT_STATIC, _version(_KIT_STATIC / "portal.css")),
    )


def _assets(app: Flask, name: str, folder: Path, version: str) -> Callable[[str], str]:
    """Serve `folder` under `/<name>/`; addresses carry a version, so what was got may be kept for a year."""
    assets = Blueprint(name, __name__, static_folder=folder, static_url_path=f"/{name}")
    app.register_blueprint(assets)
    return lambda filename: f"/{name}/{filename}?v={version}"


def _version(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()[:10]
