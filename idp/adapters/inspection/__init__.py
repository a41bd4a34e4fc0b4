"""What an uploaded file is, and whether it may stay: by its content, kind by kind, apart from the server.

`kinds` knows the kinds, `names` what is left of a name; `pictures`, `pdf`, `office_xml` and `office_binary`
are the rules of one kind each; `strangers` finds a second file inside. All of these parse what a stranger
sent, so they run in a process of their own with little memory and time (`child`, its program is `program`);
:class:`Inspector` is the way in.

Nothing here stores or sends anything, and no module but `child` and this one is read by others.
"""

from __future__ import annotations

from idp.adapters.inspection.child import Inspector
from idp.adapters.inspection.kinds import ENDINGS, MEDIA_TYPES, PICTURES, Kind, kind_by_ending, looks_like
from idp.adapters.inspection.names import cleaned, ending_of, renamed
from idp.adapters.inspection.refusals import Checked, UploadRefused, Why

__all__ = [
    "ENDINGS",
    "MEDIA_TYPES",
    "PICTURES",
    "Checked",
    "Inspector",
    "Kind",
    "UploadRefused",
    "Why",
    "cleaned",
    "ending_of",
    "kind_by_ending",
    "looks_like",
    "renamed",
]
