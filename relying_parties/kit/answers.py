"""What a person is told when a sign-in does not end well, and which way leads on."""

from dataclasses import replace
from typing import Final
from urllib.parse import quote

from relying_parties.kit.errors import HOME, Stop
from relying_parties.kit.identity import Kind
from relying_parties.kit.next_page import HOME_PATH

_LOGIN_PATHS: Final = {Kind.UNIT: "/login", Kind.PERSON: "/login/person"}
_UNHARMED = "您的账号没有受到影响。"

NO_ATTEMPT: Final = Stop(
    400,
    "没有找到这次登录",
    f"登录超过了 10 分钟，或者结果已经用过，或者登录是在另一个浏览器里开始的。{_UNHARMED}请从首页重新登录。",
)
_ANSWER_REFUSED = Stop(
    400, "登录没有完成", f"统一认证平台返回的登录结果没有通过核对，已经停止。{_UNHARMED}请重新登录。"
)
_UNAVAILABLE = Stop(503, "统一认证平台暂时无法连接", f"现在不能登录。{_UNHARMED}请稍等片刻再试。")
SIGNED_OUT_HERE_ONLY: Final = Stop(
    503,
    "已退出网厅，统一认证平台暂时无法连接",
    "您已退出本网厅，但在统一认证平台可能仍处于登录状态。使用公用电脑时，请关闭浏览器的所有窗口。",
)

_PERSON_SAID_NO = Stop(403, "登录没有完成", f"您取消了登录，或没有同意向本网厅提供身份信息。{_UNHARMED}")
_OTHER_IDENTITY = Stop(
    403, "需要换一个身份登录", f"统一认证平台上当前登录的身份不能用于这项登录。{_UNHARMED}请换一个身份登录。"
)
_MUST_SIGN_IN = Stop(400, "需要重新登录", f"统一认证平台上的登录已经结束。{_UNHARMED}请重新登录。")
_PROVIDER_BUSY = Stop(503, "统一认证平台暂时无法办理登录", f"{_UNHARMED}请稍等片刻再试。")
_PORTAL_AT_FAULT = Stop(
    400,
    "登录没有完成",
    f"本网厅与统一认证平台的对接有误，重试不能解决。{_UNHARMED}请拨打服务热线，并告知请求编号。",
)

# RFC 6749 §4.1.2.1 and OpenID Connect Core 1.0 §3.1.2.6.
_BY_ERROR = {
    "access_denied": _PERSON_SAID_NO,
    "consent_required": _PERSON_SAID_NO,
    "interaction_required": _OTHER_IDENTITY,
    "account_selection_required": _OTHER_IDENTITY,
    "login_required": _MUST_SIGN_IN,
    "server_error": _PROVIDER_BUSY,
    "temporarily_unavailable": _PROVIDER_BUSY,
}


def login_path(kind: Kind, next_path: str = HOME_PATH) -> str:
    """Where a sign-in of `kind` begins that ends at `next_path`."""
    path = _LOGIN_PATHS[kind]
    return path if next_path == HOME_PATH else f"{path}?next={quote(next_path)}"


def provider_said(error: str, kind: Kind) -> tuple[Stop, str]:
    """The page for an `error` of the provider, and what the log may say of it."""
    if error not in _BY_ERROR:
        return replace(_PORTAL_AT_FAULT, ways=_ways("重新登录", kind)), "another error of the provider"
    stop = _BY_ERROR[error]
    if stop is _OTHER_IDENTITY:
        return replace(stop, ways=(("换一个身份登录", f"/switch/{kind}"), HOME)), error
    return replace(stop, ways=_ways("重新登录", kind)), error


def answer_refused(kind: Kind) -> Stop:
    """The page for an answer that did not pass the checks."""
    return replace(_ANSWER_REFUSED, ways=_ways("重新登录", kind))


def unavailable(kind: Kind, next_path: str) -> Stop:
    """The page while the provider cannot be reached, with a way to try again."""
    return replace(_UNAVAILABLE, ways=(("重试", login_path(kind, next_path)), HOME))


def _ways(label: str, kind: Kind) -> tuple[tuple[str, str], ...]:
    return ((label, login_path(kind)), HOME)
