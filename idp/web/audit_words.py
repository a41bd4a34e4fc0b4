"""The audit trail in words: what was done, by what kind of actor, and what the details are called."""

from __future__ import annotations

import json
import re
from typing import Any

from idp.accounts.audit import Action

ACTIONS: dict[str, str] = {
    Action.SIGNED_IN: "登录",
    Action.SIGN_IN_REFUSED: "登录被拒",
    Action.SIGNED_OUT: "退出登录",
    Action.IDENTITY_SWITCHED: "切换身份",
    Action.PASSWORD_CHANGED: "修改密码",
    Action.CONSENT_GIVEN: "同意授权",
    Action.TOKEN_REUSED: "令牌被重复使用",
    Action.PERSON_ADDED: "新增个人",
    Action.ACCOUNT_SUSPENDED: "停用账号",
    Action.ACCOUNT_RESUMED: "恢复账号",
    Action.MANDATE_ENDED: "终止经办授权",
    Action.CLIENT_ADDED: "新增应用",
    Action.CLIENT_CHANGED: "修改应用",
    Action.CLIENT_REMOVED: "删除应用",
    Action.CLIENT_SECRET_ROTATED: "更换应用密钥",
    Action.CLIENT_INVITED: "邀请应用接入",
    Action.INVITATION_ENDED: "终止接入邀请",
    Action.KEY_MADE: "生成签名密钥",
    Action.KEY_ROTATED: "轮换签名密钥",
    Action.KEY_WITHDRAWN: "撤回签名密钥",
    Action.KEY_REMOVED: "移除签名密钥",
    Action.DATA_VIEWED: "查看个人信息",
    Action.ACCOUNT_SEARCHED: "查找账号",
    Action.FACTOR_ADDED: "添加第二步验证",
    Action.FACTOR_RENAMED: "重命名第二步验证",
    Action.FACTOR_REMOVED: "移除第二步验证",
    Action.RECOVERY_CODES_MADE: "生成恢复码",
    Action.PROVED_AGAIN: "再次验证身份",
    Action.PROOF_REFUSED: "身份验证未通过",
    Action.CONSENT_WITHDRAWN: "撤回授权",
    Action.BROWSER_FORGOTTEN: "移除常用浏览器",
    Action.ACCOUNT_LOCKED: "本人锁定账号",
    Action.ACCOUNT_UNLOCKED: "解除账号锁定",
    Action.SESSIONS_ENDED: "结束登录",
    Action.STAFF_ADDED: "新增工作人员",
    Action.STAFF_INVITED: "邀请工作人员",
    Action.STAFF_ENROLLED: "工作人员首次登录完成",
    Action.STAFF_CHANGED: "修改工作人员",
    Action.STAFF_SIGNED_IN: "登录工作台",
    Action.STAFF_SIGN_IN_REFUSED: "登录工作台被拒",
    Action.STAFF_SIGNED_OUT: "退出工作台",
    Action.ACCESS_DENIED: "越权访问被拒",
    Action.AUDIT_READ: "查阅审计",
    Action.AUDIT_EXPORTED: "导出审计",
    Action.AUDIT_VERIFIED: "校验审计",
}
"""Every action; the console's select offers them in this order."""

_KINDS = {
    "person": "个人账号",
    "legal": "法人账号",
    "mandate": "经办授权",
    "staff": "工作人员",
    "client": "应用",
    "cli": "命令行",
    "key": "签名密钥",
    "invitation": "邀请",
    "enterprise": "企业",
    "event": "审计记录",
    "check": "审计校验",
    "worker": "后台任务",
    "nobody": "没有这个账号",
}
_DETAILS = {
    "acr": "认证等级",
    "action": "事项",
    "actor": "操作人",
    "address": "页面",
    "alg": "算法",
    "amr": "登录方式",
    "by": "发起方",
    "ended": "结束的登录数",
    "events": "校验的记录数",
    "fields": "项目",
    "faults": "发现的问题数",
    "filter": "查询条件",
    "first_day": "起始日期",
    "format": "格式",
    "kind": "类型",
    "last_day": "截止日期",
    "method": "方法",
    "name": "名称",
    "reason": "原因",
    "remotely": "在其他浏览器上退出",
    "request_id": "请求编号",
    "role": "身份",
    "rows_at_most": "最多行数",
    "scope": "授权范围",
    "target": "对象",
    "why": "被拒原因",
}
_WHY = {
    "password": "密码不正确",
    "throttled": "频率限制",
    "not allowed": "账号不可用",
    "another identity": "不是当时要登录的身份",
    "first use": "要先用密码登录并改密码",
    "code": "动态口令或恢复码不正确",
}
_FAULTS = (
    (r"Batches (\d+) to (\d+) are missing\.", "第 {0} 至 {1} 批记录缺失"),
    (r"Batch (\d+) has (\d+) rows, (\d+) were sealed\.", "第 {0} 批有 {1} 条记录，封存时是 {2} 条"),
    (r"Batch (\d+) does not match its seal\.", "第 {0} 批的内容或顺序与封存时不一致"),
    (r"Event ([0-9a-f-]{36}) of \S+ was changed\.", "记录 {0} 被改动过"),
)
_SHOWN = 8


def action_words(action: str) -> str:
    """What was done; the stored name for one that this version does not know."""
    return ACTIONS.get(action, action)


def key_words(key: str) -> str:
    """An actor or target, short: its kind and the end of its id. The end tells two ids apart (UUIDv7)."""
    kind, _, rest = key.partition(":")
    words = _KINDS.get(kind, kind)
    if not rest:
        return words or "—"
    return f"{words} {rest}" if len(rest) <= 2 * _SHOWN else f"{words} …{rest[-_SHOWN:]}"


def kind_words(key: str) -> str:
    """The kind of an actor or target alone."""
    return _KINDS.get(key.partition(":")[0], "") if key else ""


def detail_rows(detail: dict[str, Any]) -> list[tuple[str, str]]:
    """What is told beside the change itself, by name."""
    return [
        (_DETAILS.get(name, name), _why(str(value)) if name == "why" else _text(value))
        for name, value in detail.items()
        if name not in {"before", "after"}
    ]


def change_rows(detail: dict[str, Any]) -> list[tuple[str, str, str, bool]]:
    """Before and after, field by field: name, before, after, and whether they differ."""
    before, after = (_as_fields(detail.get(side)) for side in ("before", "after"))
    names = dict.fromkeys((*before, *after))
    return [
        (
            _DETAILS.get(name, name),
            _text(before.get(name, "")),
            _text(after.get(name, "")),
            before.get(name) != after.get(name),
        )
        for name in names
    ]


def fault_words(fault: str) -> tuple[str, str]:
    """What a verification found, and the id of the row it speaks of ("" if it speaks of a batch)."""
    for pattern, words in _FAULTS:
        if found := re.fullmatch(pattern, fault):
            return words.format(*found.groups()), found.group(1) if fault.startswith("Event") else ""
    return fault, ""


def _why(value: str) -> str:
    return "通行密钥没有通过" if value.startswith("passkey") else _WHY.get(value, value)


def _as_fields(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"value": value}


def _text(value: Any) -> str:
    if value is True or value is False:
        return "是" if value else "否"
    if value in ("", None, [], {}):
        return "—"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "、".join(value)
    if isinstance(value, dict):
        return "；".join(f"{_DETAILS.get(name, name)}：{_text(one)}" for name, one in value.items())
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
