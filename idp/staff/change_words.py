"""What is said before an account or a mandate is changed: what will happen, and the word on the button."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from idp.staff.account_changes import Change, MandateChange

DONE = {
    Change.SUSPEND: "账号已停用，全部登录已退出。",
    Change.RESUME: "账号已恢复，现在可以登录。",
    Change.SIGN_OUT: "全部登录已退出，账号本身不受影响。",
    MandateChange.END: "授权已结束，依据它的登录已退出。",
    MandateChange.UNLOCK: "授权已解除锁定，经办人可以重新登录。",
}
"""What is said once it is done."""
_TOLD = "进入过的办事网站会收到退出通知，发出的令牌同时失效。"
_MAKE_SURE = "请先核实是本人要求，并提醒他马上修改密码。"
_LEAKED = "如果密码可能泄露，请改用停用。"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before something is done: what will happen, and the button that does it."""

    title: str
    effects: Sequence[str]
    button: str
    done: Change | MandateChange
    warning: bool = True


def of_person(change: Change, *, locked: bool, live: int) -> Question:
    """The question before a person's account is changed; `live` is the number of his sign-ins."""
    if change is Change.SUSPEND:
        effects = [
            "他的全部登录马上退出。" + _TOLD,
            "停用期间他不能登录，作为法定代表人和经办人也不能。",
            "资料和授权都保留，恢复后可以重新登录。",
        ]
        return Question("停用这个账号", effects, "停用账号", change)
    if change is Change.RESUME:
        effects = ["恢复后他可以用原来的密码登录。已经退出的登录不会回来。"]
        if locked:
            effects += ["这个账号由本人点「不是我」锁定，恢复会同时解除锁定。" + _MAKE_SURE]
        return Question("恢复这个账号", effects, "恢复账号", change, warning=False)
    effects = [
        f"现在生效的 {live} 个登录马上退出，包括他代表企业的登录。" + _TOLD,
        "账号本身不受影响，他可以马上重新登录。" + _LEAKED,
    ]
    return Question("退出全部登录", effects, "退出全部登录", change)


def of_company(change: Change, *, locked: bool, live: int) -> Question:
    """The question before a company's account is changed; `live` is the number of sign-ins for it."""
    if change is Change.SUSPEND:
        effects = [
            "法定代表人和全部经办人代表这家企业的登录马上退出。" + _TOLD,
            "停用期间谁都不能代表这家企业登录。",
            "企业资料和授权都保留，恢复后可以重新登录。各人自己的个人账号不受影响。",
        ]
        return Question("停用这家企业的账号", effects, "停用账号", change)
    if change is Change.RESUME:
        effects = ["恢复后法定代表人和经办人可以用原来的密码登录。已经退出的登录不会回来。"]
        if locked:
            effects += ["这个账号由法定代表人点「不是我」锁定，恢复会同时解除锁定。" + _MAKE_SURE]
        return Question("恢复这家企业的账号", effects, "恢复账号", change, warning=False)
    effects = [
        f"代表这家企业的 {live} 个登录马上退出。" + _TOLD,
        "账号和授权不受影响，大家可以马上重新登录。" + _LEAKED,
    ]
    return Question("退出这家企业的全部登录", effects, "退出全部登录", change)


def of_mandate(change: MandateChange) -> Question:
    """The question before a mandate is changed."""
    if change is MandateChange.END:
        effects = [
            "依据这项授权的登录马上退出。" + _TOLD,
            "结束后不能恢复。需要时由企业重新授权。",
            "他自己的个人账号和其他企业的授权不受影响。",
        ]
        return Question("结束这项授权", effects, "结束授权", change)
    effects = [
        "这项授权由经办人点「不是我」锁定。解除后他可以用这项授权的密码登录。",
        _MAKE_SURE,
    ]
    return Question("解除这项授权的锁定", effects, "解除锁定", change, warning=False)
