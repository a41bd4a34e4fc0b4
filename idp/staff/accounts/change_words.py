"""What is said before an account or a mandate is changed: what will happen, and the word on the button."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from idp.staff.accounts.changes import Change, MandateChange
from idp.staff.accounts.factor_rows import FactorRow

DONE = {
    Change.SUSPEND: "账号已停用，全部登录已退出。",
    Change.RESUME: "账号已恢复，现在可以登录。",
    Change.SIGN_OUT: "全部登录已退出，账号本身不受影响。",
    Change.RESET_FACTORS: "第二步验证和恢复码已全部移除，相关的登录已退出。",
    MandateChange.END: "授权已结束，依据它的登录已退出。",
    MandateChange.UNLOCK: "授权已解除锁定，经办人可以重新登录。",
}
"""What is said once it is done."""
_TOLD = "进入过的办事网站会收到退出通知，发出的令牌同时失效。"
_MAKE_SURE = "请先核实是本人要求。原来的密码会继续有效：别人可能知道密码时，请先不要解除锁定。"
_CHECK_FACTORS = "下面的第二步验证也会继续有效。请与本人逐个核对，有不是本人添加的，先移除全部第二步验证。"
_REMOVE_FIRST = "有最近 7 天添加的第二步验证，可能是盗用账号的人添加的，解除锁定后马上能用。建议先移除。"
_RESET = (
    "下面列出的第二步验证和全部恢复码都会移除，不能恢复。",
    "移除后只用密码就可以登录，本人可以重新添加第二步验证。",
)
_SIGNED_OUT = "用这个账号完成的登录马上退出，本人会收到通知。"
_STILL_LOCKED = "移除后仍然锁定，核实清楚再解除。"
_LEAKED = "如果密码可能泄露，请改用停用。"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before something is done: what will happen, and the button that does it."""

    title: str
    effects: Sequence[str]
    button: str
    done: Change | MandateChange
    warning: bool = True
    factors: Sequence[FactorRow] = ()
    remove_first: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands: locked by its owner, with so many live sign-ins, with these second factors."""

    locked: bool
    live: int
    factors: Sequence[FactorRow]


def of_person(change: Change, now: Standing) -> Question:
    """The question before a person's account is changed."""
    if change is Change.SUSPEND:
        effects = [
            "该用户的全部登录马上退出，本人会收到通知。" + _TOLD,
            "停用期间该用户不能登录，作为法定代表人和经办人也不能。",
            "资料和授权都保留，恢复后可以重新登录。",
        ]
        return Question("停用这个账号", effects, "停用账号", change)
    if change is Change.RESUME:
        effects = ["恢复后该用户可以用原来的密码登录，本人会收到通知。已经退出的登录不会回来。"]
        if now.locked:
            effects += ["这个账号由本人点「不是我」锁定，恢复会同时解除锁定。"]
        return _opening("恢复这个账号", effects, "恢复账号", change, now)
    if change is Change.RESET_FACTORS:
        return _resetting(
            "只影响个人账号。该用户担任法定代表人和经办人的账号另有自己的第二步验证。", change, now
        )
    effects = [
        f"现在生效的 {now.live} 个登录马上退出，包括该用户代表企业的登录。" + _TOLD,
        "账号本身不受影响，该用户可以马上重新登录。" + _LEAKED,
    ]
    return Question("退出全部登录", effects, "退出全部登录", change)


def of_company(change: Change, now: Standing) -> Question:
    """The question before a company's account is changed; `now.live` counts the sign-ins for it."""
    if change is Change.SUSPEND:
        effects = [
            "法定代表人和全部经办人代表这家企业的登录马上退出。" + _TOLD,
            "停用期间谁都不能代表这家企业登录。",
            "企业资料和授权都保留，恢复后可以重新登录。各人自己的个人账号不受影响。",
        ]
        return Question("停用这家企业的账号", effects, "停用账号", change)
    if change is Change.RESUME:
        effects = ["恢复后法定代表人和经办人可以用原来的密码登录。已经退出的登录不会回来。"]
        if now.locked:
            effects += ["这个账号由法定代表人点「不是我」锁定，恢复会同时解除锁定。"]
        return _opening("恢复这家企业的账号", effects, "恢复账号", change, now)
    if change is Change.RESET_FACTORS:
        return _resetting("只影响企业账号。经办人和各人的个人账号另有自己的第二步验证。", change, now)
    effects = [
        f"代表这家企业的 {now.live} 个登录马上退出。" + _TOLD,
        "账号和授权不受影响，大家可以马上重新登录。" + _LEAKED,
    ]
    return Question("退出这家企业的全部登录", effects, "退出全部登录", change)


def of_mandate(change: MandateChange, now: Standing) -> Question:
    """The question before a mandate is changed."""
    if change is MandateChange.END:
        effects = [
            "依据这项授权的登录马上退出。" + _TOLD,
            "结束后不能恢复。需要时由企业重新授权。",
            "该用户自己的个人账号和其他企业的授权不受影响。",
        ]
        return Question("结束这项授权", effects, "结束授权", change)
    if change is MandateChange.RESET_FACTORS:
        return _resetting(
            "只影响这项授权的登录。经办人的个人账号和其他授权另有自己的第二步验证。", change, now
        )
    effects = ["这项授权由经办人点「不是我」锁定。解除后经办人可以用这项授权的密码登录。"]
    return _opening("解除这项授权的锁定", effects, "解除锁定", change, now)


def _opening(
    title: str, effects: Sequence[str], button: str, done: Change | MandateChange, now: Standing
) -> Question:
    """What opens an account again; where its owner locked it, what a thief may have left is shown."""
    if not now.locked:
        return Question(title, effects, button, done, warning=False)
    warned = [*effects, _MAKE_SURE]
    if now.factors:
        warned.append(_CHECK_FACTORS)
    if any(one.recent for one in now.factors):
        warned.append(_REMOVE_FIRST)
    return Question(
        title, warned, button, done, warning=False, factors=now.factors, remove_first=bool(now.factors)
    )


def _resetting(alone: str, done: Change | MandateChange, now: Standing) -> Question:
    """What takes every second factor away; `alone` says whose are left."""
    effects = [*_RESET, _SIGNED_OUT + _TOLD, alone] + ([_STILL_LOCKED] if now.locked else [])
    return Question("移除全部第二步验证", effects, "移除全部第二步验证", done, factors=now.factors)
