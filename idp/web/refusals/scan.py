"""6000: the phone that scans. Each has a Chinese sentence, too, which the app shows as it comes.

Numbers from 6060 on are those of face checks.
"""

from __future__ import annotations

from idp.web.refusals import numbered

_API = "docs/phone-app.md"

NO_TOKEN = numbered(
    6001,
    "invalid_token",
    "This call needs the access token of an app.",
    fix="Send Authorization: DPoP with the access token, and a DPoP proof of its key.",
    source="RFC 9449 §7.1",
    zh="请先在 App 里登录，再扫码。",
)
NOT_AN_APP = numbered(
    6002,
    "unauthorized_client",
    "The token does not belong to a registered app.",
    fix="Register the client with a channel, first party, public and with DPoP.",
    source=_API,
    zh="这个 App 没有登记，不能扫码登录。请使用「吉事办」App。",
)
NO_APP_SCOPE = numbered(
    6003,
    "insufficient_scope",
    "The access token was made without scope app.",
    fix="Ask for scope app at the sign-in, and keep it when refreshing.",
    source="RFC 6750 §3.1",
    zh="App 的登录缺少扫码权限。请退出后重新登录。",
)
SIGN_IN_ENDED = numbered(
    6004,
    "invalid_token",
    "The sign-in of this phone has ended.",
    fix="Drop the tokens and let the person sign in again.",
    source="RFC 6750 §3.1",
    zh="您在这部手机上的登录已结束。请重新登录。",
)
NOT_HIMSELF = numbered(
    6005,
    "not_a_person",
    "The token speaks for a company, and an app is signed in to by a person as himself.",
    fix="Ask for the app's tokens without scope entity.",
    source=_API,
    zh="App 要用个人账号登录。请退出后，用个人账号重新登录。",
)
BODY_MALFORMED = numbered(
    6006,
    "invalid_request",
    "The body is not the JSON object this call takes.",
    fix="Send a JSON object in UTF-8 with the members and types that docs/phone-app.md names.",
    source=_API,
    zh="App 发来的内容无法识别，没有做任何更改。请更新 App 后再试。",
)
TICKET_UNKNOWN = numbered(
    6010,
    "ticket_unknown",
    "There is no such ticket.",
    fix="Take the 22 characters after /q/ of the QR code. A ticket is forgotten some minutes after its end.",
    source=_API,
    zh="这个二维码已经失效，或者不是本平台的。请刷新电脑上的页面，再扫一次。",
)
TICKET_EXPIRED = numbered(
    6011,
    "ticket_expired",
    "The time of this ticket is over.",
    fix="Let the person scan the fresh code that the page shows.",
    source="RFC 10027",
    zh="二维码已过期。请在电脑上刷新二维码，再扫一次。",
)
TICKET_ENDED = numbered(
    6012,
    "ticket_ended",
    "This ticket has ended; the member ended says how.",
    fix="Show the sentence; a new sign-in needs a new code.",
    source=_API,
    zh="这次登录已经取消。需要登录时，请重新扫码。",
)
TICKET_USED = numbered(
    6013,
    "ticket_used",
    "This ticket was confirmed before.",
    fix="A confirmation counts once. Whoever repeats it because the answer was lost takes this for a yes "
    "only if the first one was his own.",
    source=_API,
    zh="这次登录已经确认过了，不用再次确认。",
)
SCANNED_BY_ANOTHER = numbered(
    6014,
    "scanned_by_another",
    "Another phone, or another person, has scanned this ticket.",
    fix="Nothing to do; a code is scanned once. The page shows a fresh one on demand.",
    source="RFC 10027",
    zh="这个二维码已经被另一部手机扫过。请在电脑上刷新二维码，再扫一次。",
)
NOT_SCANNED = numbered(
    6015,
    "not_scanned",
    "This phone has not scanned the ticket.",
    fix="Call scan first and show the person what it answers.",
    source=_API,
    zh="请先扫码，再确认登录。",
)
WRONG_NUMBER = numbered(
    6016,
    "wrong_number",
    "Another number was chosen than the browser shows; the ticket has ended.",
    fix="Ask for the number that the browser shows. A wrong one may mean that it is somebody else's code.",
    source="RFC 10027",
    zh="选的数字与电脑上显示的不一致，登录已取消。如果是您本人在登录，请刷新电脑上的二维码重新扫码；"
    "如果不是，不用再做什么。",
)
CHANNEL_CLOSED = numbered(
    6020,
    "channel_closed",
    "This app does not scan yet.",
    fix="Show the sentence; it names what to use instead.",
    source=_API,
    zh="这个 App 还没有开通扫码登录。请使用「吉事办」App 扫码。",
)
WRONG_SURFACE = numbered(
    6021,
    "wrong_surface",
    "This app may not scan in the form in which it runs.",
    fix="Scan in the app itself, not in its mini program.",
    source="MISSION A14",
    zh="小程序里不能扫码登录。请打开「{app}」App，用 App 里的「扫一扫」。",
)
WRONG_PURPOSE = numbered(
    6022,
    "wrong_purpose",
    "This app may not be used for what the ticket asks.",
    fix="Show the sentence; it names the app that will do.",
    source=_API,
    zh="「{app}」不能办理这项操作。请用「吉事办」App 扫码。",
)
NO_IDENTITY = numbered(
    6023,
    "no_identity",
    "None of the person's identities can answer this request through this app.",
    fix="Show the sentence; the code goes on waiting for another phone.",
    source=_API,
    zh="您名下没有可以办理这项业务的身份。请联系企业的法定代表人添加授权，或换一个账号登录 App。",
)
CARD_NOT_ACTIVATED = numbered(
    6024,
    "card_not_activated",
    "The person has no activated social security card.",
    fix="Show the sentence; the code goes on waiting for another phone.",
    source="MISSION A13",
    zh="您的电子社保卡还没有激活，不能用它扫码。请先在「电子社保卡」里完成激活，或改用「吉事办」App 扫码。",
)
CARD_NOT_RECORDED = numbered(
    6025,
    "card_not_recorded",
    "The social insurance records do not know the person as an operator of the company.",
    fix="Show the sentence; the code goes on waiting for another phone.",
    source="MISSION A13",
    zh="社保系统里没有登记您是这家企业的经办人，不能用电子社保卡登录。请企业到社保经办机构登记，"
    "或改用「吉事办」App 扫码。",
)
CARD_UNAVAILABLE = numbered(
    6026,
    "temporarily_unavailable",
    "The social insurance records do not answer now.",
    fix="Nothing was changed; try again a little later.",
    source=_API,
    zh="暂时查不到您的电子社保卡，没有做任何更改。请稍后再试，或改用「吉事办」App 扫码。",
)
IDENTITY_GONE = numbered(
    6030,
    "identity_gone",
    "The person may not take this identity, or may no longer.",
    fix="Show the sentence and let the person choose another identity; the ticket is still open.",
    source=_API,
    zh="这个身份现在不能用。请选择其他身份。",
)
IDENTITY_NOT_ACCEPTED = numbered(
    6031,
    "identity_not_accepted",
    "This identity cannot answer the request through this app.",
    fix="Offer the identities of the scan's answer only; the ticket is still open.",
    source=_API,
    zh="这个身份不能用于这次登录。请选择其他身份。",
)
FAR_UNCONFIRMED = numbered(
    6032,
    "far_unconfirmed",
    "Browser and phone are far apart, and the person was not asked about it.",
    fix="Show both places of the scan's answer, ask whether it is himself, and send far with true.",
    source="RFC 10027",
    zh="登录的电脑在{browser}，您的手机在{phone}，相距较远。请确认是您本人在登录；不是的话，请点「拒绝」。",
)
UNLOCK_REQUIRED = numbered(
    6033,
    "unlock_required",
    "This request needs the app unlocked by a PIN or a passkey.",
    fix="Ask for one of unlock.ways of the scan's answer; without any, let the person set a PIN first.",
    source="RFC 10027",
    zh="这项业务要先解锁。请输入 App 口令，或用通行密钥解锁；还没有口令的，请先在「我的」里设置。",
)
WRONG_PIN = numbered(
    6034,
    "wrong_pin",
    "The PIN is wrong.",
    fix="Ask again; the ticket is still open.",
    source=_API,
    zh="App 口令不正确。请重新输入；忘记了的话，可以退出后重新登录，再设置新的口令。",
)
NO_PIN = numbered(
    6035,
    "pin_not_set",
    "The person has no PIN yet.",
    fix="Show the agreement and let the person set one.",
    source="MISSION B24",
    zh="您还没有设置 App 口令。请先在「我的」里设置。",
)
PASSKEY_REFUSED = numbered(
    6036,
    "passkey_refused",
    "The passkey proved nothing.",
    fix="Scan the same ticket again for fresh passkey_options and try once more, or ask for the PIN.",
    source="WebAuthn Level 3 §7.2",
    zh="通行密钥没有通过。请再试一次，或改用 App 口令。",
)
TOO_MANY_SCANS = numbered(
    6040,
    "too_many_scans",
    "This person has scanned and confirmed too often within the hour.",
    fix="Try again after the seconds in the header Retry-After.",
    source=_API,
    zh="扫码太频繁。请 {minutes} 分钟后再试，账号没有受到影响。",
)
TOO_MANY_WRONG_NUMBERS = numbered(
    6041,
    "too_many_wrong_numbers",
    "Wrong numbers were chosen too often within the hour.",
    fix="Try again after the seconds in the header Retry-After.",
    source="RFC 10027",
    zh="选错数字的次数太多，扫码登录已暂停。请 {minutes} 分钟后再试；不是您本人在登录的，"
    "请不要再扫别人给的二维码。",
)
TOO_MANY_TRIES = numbered(
    6042,
    "too_many_tries",
    "The app was unlocked wrongly too often.",
    fix="Try again after the seconds in the header Retry-After; the ticket may have expired by then.",
    source=_API,
    zh="解锁失败的次数太多。请 {minutes} 分钟后再试，账号没有受到影响。",
)
WEAK_PIN = numbered(
    6050,
    "weak_pin",
    "The PIN is not six digits, or too easily guessed.",
    fix="Show the sentence; it says what to change.",
    source=_API,
    zh="口令要用 6 位数字，不要用容易猜到的数字。",
)
AGREEMENT_OUTDATED = numbered(
    6051,
    "agreement_outdated",
    "The agreement that was given is not the present one.",
    fix="Show pin.agreement of GET /scan/me and send its version.",
    source="MISSION B24",
    zh="协议已更新。请重新阅读并同意后，再设置口令。",
)
CURRENT_NEEDED = numbered(
    6052,
    "current_pin_required",
    "A PIN is set: the old one must come with the new one, or the sign-in must be young.",
    fix="Send current, or let the person sign in again (prompt=login) and set the new PIN within ten "
    "minutes.",
    source=_API,
    zh="修改口令要先输入原来的口令；忘记了的话，请退出后重新登录，并在 10 分钟内设置新口令。",
)
PIN_CHANGED_MEANWHILE = numbered(
    6053,
    "pin_changed",
    "The PIN was changed elsewhere at this moment.",
    fix="Read GET /scan/me again and let the person begin anew.",
    source=_API,
    zh="口令刚在别处修改过，这次没有更改。请重新操作。",
)
SIGN_IN_NOT_YOUNG = numbered(
    6054,
    "sign_in_not_young",
    "The first PIN needs a sign-in of this phone that is younger than ten minutes.",
    fix="Let the person sign in again (prompt=login) and set the PIN within ten minutes.",
    source=_API,
    zh="为了确认是您本人，请重新登录后再设置口令，并在登录后 10 分钟内完成。",
)
