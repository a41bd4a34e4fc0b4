"""What a scope opens, in the words of the pages where a person decides about it, and takes it back."""

from __future__ import annotations

from collections.abc import Sequence

from idp.access.registration import RESOURCE_SCOPE

_SEES = {
    "profile": "您的姓名和登录名",
    "phone": "您的手机号码",
    "identity": "您的证件类型和证件号码",
    "entity": "您代表的企业、您的身份和权限",
    "app": "以您本人的身份使用手机 App：您的个人、法人和经办人身份，扫码登录时由您确认",
    "openid": "一个不含个人信息的编号，用来认出您",
    "offline_access": "在您离开后继续读取以上信息，直到这次登录结束",
}


def what_it_sees(scope: Sequence[str]) -> list[str]:
    """A sentence for each thing that `scope` opens, what other systems guard last."""
    ours = [words for name, words in _SEES.items() if name in scope]
    return ours + [
        f"以您的身份使用业务系统的功能：{name}" for name in scope if RESOURCE_SCOPE.fullmatch(name)
    ]
