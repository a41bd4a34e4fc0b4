"""Where a browser may be sent after a sign-in: a page of this portal, and nowhere else."""

import re
from typing import Final

HOME_PATH: Final = "/"
# One slash, then nothing a browser could read as a host: `//host`, `/\host` and control characters are out.
_LOCAL = re.compile(r"/(?![/\\])[A-Za-z0-9/_\-.~?&=%]{0,500}\Z")


def safe_next(supplied: str | None) -> str:
    """`supplied` if it is a path of this portal, else the home page."""
    if supplied is None or not _LOCAL.match(supplied):
        return HOME_PATH
    return supplied
