"""The audit trail in words: what was done, by what kind of actor, and what the details are called."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, TypeGuard

from idp.accounts.audit import Action
from idp.accounts.calendar import SHANGHAI
from idp.web.audit_values import as_text, value_words, why_words
from idp.web.client_words import IN_METADATA

ACTIONS: dict[str, str] = {
    Action.SIGNED_IN: "登录",
    Action.SIGN_IN_REFUSED: "登录被拒",
    Action.SECOND_STEP_ASKED: "密码正确，要求第二步验证",
    Action.SIGNED_OUT: "退出登录",
    Action.IDENTITY_SWITCHED: "切换身份",
    Action.PASSWORD_CHANGED: "修改密码",
    Action.PASSWORD_RESET: "重置密码",
    Action.CONSENT_GIVEN: "同意授权",
    Action.TOKEN_REUSED: "令牌被重复使用",
    Action.PERSON_ADDED: "新增个人",
    Action.PERSON_REGISTERED: "个人注册",
    Action.PHONE_GIVEN_UP: "手机号码由他人验证，原登记移除",
    Action.COMPANIES_IMPORTED: "导入企业",
    Action.PEOPLE_IMPORTED: "导入个人",
    Action.ACCOUNT_ACTIVATED: "激活企业账号",
    Action.ENTERPRISE_REGISTERED: "注册企业账号",
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
    Action.APP_SIGNED_IN: "手机 App 登录",
    Action.APP_PIN_SET: "设置 App 口令",
    Action.APP_PIN_REFUSED: "App 口令不正确",
    Action.SCAN_SEEN: "手机扫码",
    Action.SCAN_CONFIRMED: "扫码确认",
    Action.SCAN_DENIED: "扫码拒绝",
    Action.SCAN_REFUSED: "扫码未通过",
    Action.FACE_CONSENTED: "同意人脸核验",
    Action.FACE_CHECKED: "人脸核验",
    Action.APPEAL_BEGUN: "开始申诉",
    Action.APPEAL_SUBMITTED: "提交申诉",
    Action.APPEAL_SUPPLEMENTED: "补充申诉材料",
    Action.APPEAL_WITHDRAWN: "撤回申诉",
    Action.APPEAL_CLAIMED: "领取申诉",
    Action.APPEAL_RELEASED: "退回待处理",
    Action.APPEAL_ASSIGNED: "分派申诉",
    Action.APPEAL_VIEWED: "查看申诉",
    Action.APPEAL_PAPER_VIEWED: "查看申诉材料",
    Action.APPEAL_COMPARED: "查询登记库比对",
    Action.APPEAL_MORE_WANTED: "要求补充材料",
    Action.APPEAL_PROPOSED: "初审通过，等待复核",
    Action.APPEAL_RETURNED: "复核退回",
    Action.APPEAL_APPROVED: "申诉通过",
    Action.APPEAL_REFUSED: "申诉不通过",
    Action.APPEAL_LAPSED: "逾期未补充，申诉结束",
    Action.APPEAL_LINK_SENT: "发送设置密码链接",
    Action.APPEAL_EXPORTED: "导出申诉",
    Action.APPEAL_PAPERS_ERASED: "删除申诉材料",
    Action.PHONE_CHANGED: "更换手机号码",
    Action.REPRESENTATIVE_CHANGED: "变更法定代表人",
    Action.COMPANY_RENAMED: "更正企业名称",
    Action.NAME_CORRECTED: "更正姓名",
    Action.FILE_STORED: "上传材料",
    Action.FILE_REMOVED: "移除材料",
    Action.FILE_REFUSED: "材料被拒",
    Action.STAFF_ADDED: "新增工作人员",
    Action.STAFF_INVITED: "邀请工作人员",
    Action.STAFF_LINK_TAKEN: "开始工作人员首次登录",
    Action.STAFF_ENROLLED: "工作人员首次登录完成",
    Action.STAFF_CHANGED: "修改工作人员",
    Action.STAFF_PASSWORD_PROVED: "工作台密码正确，等第二步",
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
    "appeal": "申诉",
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
    "notice": "通知短信里的「不是我」",
    "worker": "后台任务",
    "nobody": "没有这个账号",
}
_DETAILS = {
    "acr": "认证等级",
    "action": "事项",
    "active": "正在使用的密钥",
    "actor": "操作人",
    "added": "新增数",
    "address": "页面",
    "after": "已通过的验证",
    "agreement": "同意的说明版本",
    "alg": "算法",
    "already_there": "已存在数",
    "amr": "登录方式",
    "anchor": "封存末端",
    "asked_in": "要求第二步验证的请求",
    "brought_from": "来自",
    "browser": "等待的浏览器",
    "browser_address": "浏览器的地址",
    "by": "发起方",
    "change": "改动",
    "changes": "更改事项",
    "channel": "手机 App",
    "client": "应用",
    "days": "天数",
    "device": "通过设备授权",
    "ended": "结束的登录数",
    "events": "校验的记录数",
    "far": "相距较远",
    "factor": "第二步验证编号",
    "face_check": "人脸核验编号",
    "factors": "移除的第二步验证数",
    "faults": "发现的问题数",
    "fields": "项目",
    "file_sha256": "文件的 SHA-256",
    "filter": "查询条件",
    "first_day": "起始日期",
    "format": "格式",
    "found": "结果",
    "invitation": "链接编号",
    "kept": "下载",
    "kind": "类型",
    "last_day": "截止日期",
    "method": "方法",
    "name": "名称",
    "next": "下一把密钥",
    "outcome": "核验结果",
    "paper": "材料",
    "papers": "材料",
    "profile": "安全等级",
    "proved_by": "核验方式",
    "purpose": "用途",
    "reason": "原因",
    "recovery_codes_left": "剩余恢复码",
    "refused": "拒绝数",
    "registry": "登记库",
    "remotely": "在其他浏览器上退出",
    "removed": "移除的密钥",
    "representative": "法定代表人",
    "request_id": "请求编号",
    "reset": "先移除原有凭据",
    "retired": "停止签名的密钥",
    "role": "身份",
    "rows_at_most": "最多行数",
    "scope": "授权范围",
    "session": "登录编号",
    "taken_over": "沿用已有的个人记录",
    "slot": "材料",
    "slots": "材料",
    "target": "对象",
    "to": "交给",
    "unlock": "App 解锁",
    "updated": "更新数",
    "uses_left": "剩余使用次数",
    "value": "岗位",
    "version": "第几次变化",
    "why": "被拒原因",
}
UNREADABLE = "无法读取"
"""What stands in the place of a value that is not what this program writes."""
_COLUMNS = {
    "at": "时间",
    "action": "事项",
    "actor": "操作人",
    "on_behalf_of": "代表",
    "entity": "企业",
    "target": "对象",
    "detail": "详情",
    "address": "地址",
    "device": "浏览器",
    "request_id": "请求编号",
    "mac": "校验值",
    "batch_number": "封存批次",
}
_KNOWS = r"(?:the check of (?P<at>\S+)|the anchor given) knows"
_FAULTS = (
    (r"Batches (\d+) to (\d+) are missing\.", "第 {0} 至 {1} 批记录缺失"),
    (r"Batch (\d+) has (\d+) rows, (\d+) were sealed\.", "第 {0} 批有 {1} 条记录，封存时是 {2} 条"),
    (r"Batch (\d+) does not match its seal\.", "第 {0} 批的内容或顺序与封存时不一致"),
    (r"Event (?P<event>[0-9a-f-]{36}) of \S+ was changed\.", "记录 {event} 被改动过"),
    (r"Event (?P<event>[0-9a-f-]{36}) cannot be read: (?P<columns>.+)\.", "记录 {event} 无法读取：{columns}"),
    (r"Event without a readable id cannot be read: (?P<columns>.+)\.", "有一条记录的编号无法读取"),
    (
        rf"The trail ends with batch (\d+), {_KNOWS} batch (\d+)\.",
        "末尾的记录缺失：现在到第 {0} 批为止，{at} 的校验见过第 {2} 批",
    ),
    (rf"Batch (\d+) is not the one {_KNOWS}\.", "第 {0} 批不是 {at} 的校验见过的那一批"),
    (rf"The trail has (\d+) rows, {_KNOWS} (\d+)\.", "记录少了：现在有 {0} 条，{at} 的校验见过 {2} 条"),
    (r"Rows stand in batches that are not there\.", "有记录属于不存在的批次"),
    (r"Check (?P<check>[0-9a-f-]{36}) was changed\.", "校验结果 {check} 被改动过"),
    (r"Check without a readable id was changed\.", "有一次校验的结果被改动过"),
    (r"The trail could not be read to its end: (\w+)\.", "无法读取：没有读完全部记录（{0}）"),
)
_SHOWN = 8
_CHANGE = ("before", "after")
_SEARCHED_BY = "查找方式"


def printable(text: str) -> str:
    """`text` as it can be sent: half a surrogate pair, which a relying party may have given, is escaped."""
    return text.encode("utf-8", "backslashreplace").decode()


def action_words(action: str | None) -> str:
    """What was done; the stored name for one that this version does not know."""
    return UNREADABLE if action is None else ACTIONS.get(action, action)


def key_words(key: str | None) -> str:
    """An actor or target, short: its kind and the end of its id. The end tells two ids apart (UUIDv7)."""
    if key is None:
        return UNREADABLE
    kind, _, rest = key.partition(":")
    words = _KINDS.get(kind, kind)
    if not rest:
        return words or "—"
    return f"{words} {rest}" if len(rest) <= 2 * _SHOWN else f"{words} …{rest[-_SHOWN:]}"


def action_line(action: str | None, detail: dict[str, Any] | None) -> str:
    """What was done, with the reason where it was refused: a line of the list."""
    why = (detail or {}).get("why")
    return (
        f"{action_words(action)}：{printable(why_words(why))}"
        if isinstance(why, str)
        else action_words(action)
    )


def kind_words(key: str | None) -> str:
    """The kind of an actor or target alone."""
    return _KINDS.get(key.partition(":")[0], "") if key else ""


def detail_rows(detail: dict[str, Any] | None) -> list[tuple[str, str]]:
    """What is told beside the change itself, by name."""
    if detail is None:
        return [("详情", UNREADABLE)]
    return [
        (_SEARCHED_BY if name == "by" and "found" in detail else _named(name), _text(name, value))
        for name, value in detail.items()
        if name not in _CHANGE or not _is_change(detail)
    ]


def change_rows(detail: dict[str, Any] | None) -> list[tuple[str, str, str, bool]]:
    """Before and after, field by field: name, before, after, and whether they differ."""
    if not _is_change(detail):
        return []
    before, after = (_as_fields(detail.get(side)) for side in _CHANGE)
    names = dict.fromkeys((*before, *after))
    return [
        (
            _named(name),
            _text(name, before.get(name, "")),
            _text(name, after.get(name, "")),
            before.get(name) != after.get(name),
        )
        for name in names
    ]


def column_words(name: str) -> str:
    """What a column of the trail is called."""
    return _COLUMNS.get(name, name)


def fault_words(fault: str) -> tuple[str, str]:
    """What a verification found, and the id of the row it speaks of ("" if it speaks of a batch)."""
    for pattern, words in _FAULTS:
        if found := re.fullmatch(pattern, fault):
            named = {name: value or "" for name, value in found.groupdict().items()}
            if at := named.get("at"):
                named["at"] = f"{datetime.fromisoformat(at).astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"
            if "columns" in named:
                named["columns"] = "、".join(column_words(one) for one in named["columns"].split(", "))
            return words.format(*found.groups(), **named), named.get("event", "")
    return fault, ""


def _is_change(detail: dict[str, Any] | None) -> TypeGuard[dict[str, Any]]:
    # Where nothing was before, what came after is an object; a mere word has another sense.
    return detail is not None and ("before" in detail or isinstance(detail.get("after"), dict))


def _as_fields(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"value": value}


def _named(name: str) -> str:
    return _DETAILS.get(name) or IN_METADATA.get(name) or printable(name)


def _text(name: str, value: Any) -> str:
    if isinstance(value, dict) and value:
        return "；".join(f"{_named(one)}：{_text(one, told)}" for one, told in value.items())
    return printable(as_text(value_words(name, value, action_words=action_words)))
