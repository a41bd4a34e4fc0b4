"""Where a browser may be sent: own paths, and nothing else that a request asked for."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*\Z")


def own_path(claimed: str) -> str | None:
    """`claimed` if it is a path on this site; None for other sites in any disguise."""
    if len(claimed) > 4000 or not _PATH.match(claimed):
        return None
    parts = urlsplit(claimed)
    return claimed if not parts.scheme and not parts.netloc else None
