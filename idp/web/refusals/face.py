"""6060: a phone that shows a face for a check (MISSION A18)."""

from __future__ import annotations

from idp.web.refusals import numbered
from idp.web.refusals.to_phones import STATUS

_API = "docs/phone-app.md"

PHONE_UNNAMED = numbered(
    6060,
    "phone_unnamed",
    "A phone without a token must name itself in the member phone.",
    fix="Make up 22 to 64 random characters of A-Z a-z 0-9 - _ for each scan, and send the same ones with "
    "every call for that ticket.",
    source=_API,
    zh="App 发来的内容无法识别，没有做任何更改。请更新 App 后再试。",
)
CHECK_GONE = numbered(
    6061,
    "check_gone",
    "The face check of this ticket is over, or has begun elsewhere.",
    fix="Show the sentence; the browser starts a new check.",
    source=_API,
    zh="这次人脸核验已失效，没有做任何更改。请在电脑上重新发起。",
)
FACE_UNAVAILABLE = numbered(
    6062,
    "temporarily_unavailable",
    "The face service does not answer now.",
    fix="Nothing was changed; call again a little later, while the ticket lives.",
    source=_API,
    zh="人脸核验服务暂时没有应答，没有做任何更改。请稍后再试，或在电脑上改用其他方式。",
)

FACE_ALONE = numbered(
    6063,
    "face_required",
    "This ticket is confirmed by the face check alone.",
    fix="Call /scan/tickets/ID/face and open the page it answers.",
    source=_API,
    zh="这个二维码要刷脸才能确认。请点「去刷脸」。",
)

FACE_CROWDED = numbered(
    6064,
    "temporarily_unavailable",
    "As many face checks as one process begins at once are being begun, or this very one is.",
    fix="Nothing was changed; call again after some seconds, while the ticket lives.",
    source=_API,
    zh="现在刷脸的人较多，没有做任何更改。请稍等几秒再试，或在电脑上改用其他方式。",
)

STATUS.update({PHONE_UNNAMED.error: 400, CHECK_GONE.error: 410})
