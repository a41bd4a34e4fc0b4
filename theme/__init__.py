"""The look of 通行, shared by the provider and by the portals of the demo: it imports nobody.

`static/` holds the style sheets (in this order: govuk.css, tokens.css, idp.css), the drawings and the
template that is filled in for an appeal (made by `scripts/authorisation.py`),
`templates/theme/` the macros every page calls and the icons, `build/` the recipe for what is taken from npm.
An application serves `STATIC_DIR` under a blueprint named `theme`, adds `TEMPLATE_DIR` to its loader, and
gives its templates `theme_url`.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

STATIC_DIR: Final = Path(__file__).parent / "static"
"""The folder an application serves as it is."""

TEMPLATE_DIR: Final = Path(__file__).parent / "templates"
"""The folder to add to a Jinja loader; pages then import `theme/ui.html`."""


@cache
def asset_version() -> str:
    """Return ten hex digits that change whenever a file under `STATIC_DIR` does, read once a process.

    Used as `?v=` so that a browser may keep an asset for a year and still never see an old one.
    """
    digest = hashlib.sha256()
    for path in sorted(path for path in STATIC_DIR.rglob("*") if path.is_file()):
        digest.update(path.relative_to(STATIC_DIR).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:10]
