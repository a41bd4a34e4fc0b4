"""The values in the details of the audit trail in words: ways to sign in, roles, reasons, fields, pages.

What a relying party, a colleague or a standard named is shown as it is stored.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from idp.access.channels import CHANNELS
from idp.web.client_words import IN_METADATA
from idp.web.staff import ROLES as STAFF_ROLES
from idp.web.staff_rights import MENU
from idp.web.words import ROLES, device_words, ways_words

WHY = {
    "password": "密码不正确",
    "throttled": "频率限制",
    "not allowed": "账号不可用",
    "another identity": "不是当时要登录的身份",
    "first use": "要先用密码登录并改密码",
    "scanned_by_another": "二维码已被另一部手机扫过",
    "not_scanned": "没有先扫码",
    "ticket_expired": "二维码已过期",
    "ticket_ended": "二维码已取消",
    "ticket_used": "已经确认过",
    "wrong_number": "选错数字",
    "channel_closed": "这个 App 没有开通扫码",
    "wrong_surface": "不能在小程序里扫码",
    "wrong_purpose": "这个 App 不能办理这项操作",
    "no_identity": "没有可用的身份",
    "card_not_activated": "电子社保卡没有激活",
    "card_not_recorded": "社保系统没有登记为经办人",
    "temporarily_unavailable": "外部系统没有回答",
    "identity_gone": "选择的身份已失效",
    "identity_not_accepted": "选择的身份不能用于这次登录",
    "far_unconfirmed": "距离较远，没有再次确认",
    "unlock_required": "没有解锁 App",
    "wrong_pin": "App 口令不正确",
    "pin_not_set": "没有设置 App 口令",
    "passkey_refused": "通行密钥没有通过",
    "too_many_scans": "扫码太频繁",
    "too_many_wrong_numbers": "选错数字太多次",
    "too_many_tries": "解锁失败太多次",
    "code": "动态口令或恢复码不正确",
    "sms_code": "短信验证码不正确",
    "no account": "本人没有账号",
}
"""Why a sign-in or a proof was refused; passkeys stand beside it in :func:`why_words`."""
_FACTORS = {"totp": "验证器 App", "passkey": "通行密钥", "all": "全部"}
_ROLES = {role.value: words for role, words in (*ROLES.items(), *STAFF_ROLES.items())}
_BY = {
    "credit_code": "统一社会信用代码",
    "phone": "手机号码",
    "resident_id": "居民身份证号码",
    "account_or_document": "账号名或证件号码",
    "client": "应用",
    "person": "本人",
}
_CHANGES = {"suspended": "停用", "resumed": "恢复"}
_FIELDS = {
    **IN_METADATA,
    "name": "姓名",
    "phone": "手机号码",
    "id_number": "证件号码",
    "representative": "法定代表人",
    "company_name": "企业名称",
    "type": "法人类型",
    "status": "企业状态",
    "id_validity": "证件有效期",
    "account": "账号名",
    "operator_phone": "经办人手机号码",
}
_PAPERS = {
    "licence": "营业执照",
    "authorisation": "授权书",
    "representative_front": "法定代表人证件正面",
    "representative_back": "法定代表人证件反面",
    "operator_front": "经办人证件正面",
    "operator_back": "经办人证件反面",
    "operator_holding": "经办人手持证件",
}
_APPROVED = {
    "register": "登记企业",
    "activate": "激活账号",
    "phone": "更换手机号码",
    "representative": "变更法定代表人",
    "name": "更正姓名",
    "company_name": "更正企业名称",
    "password": "重新设置密码",
}
_REGISTRY = {"answered": "有记录", "nobody": "没有这家企业", "failed": "没有答复"}
_PURPOSES = {
    "login": "登录",
    "face": "人脸核验",
    "sign_in": "刷脸登录",
    "register_person": "个人注册",
    "register_enterprise": "法人注册",
    "draft": "没有提交的申诉到期",
    "unanswered": "没有按时补充材料",
    "retention": "保存期满或已撤回",
}
_CHANNELS = {channel.key: channel.name for channel in CHANNELS.values()}
_OUTCOMES = {"passed": "通过", "failed": "没有通过"}
_PROVED_BY = {"face": "刷脸", "account": "个人账号和短信验证码", "phone": "短信验证码"}
_PROFILES = {"basic": "基本", "fapi2": "高（FAPI 2.0）"}
# The entry room has no page in the menu.
_ROOMS = {endpoint.partition(".")[0]: label for label, endpoint in MENU} | {"staff_entry": "登录工作台"}


def why_words(value: str) -> str:
    """Why something was refused; the stored word for one that this version does not know."""
    return "通行密钥没有通过" if value.startswith("passkey") else WHY.get(value, value)


def value_words(name: str, value: Any, *, action_words: Callable[[str], str]) -> Any:
    """`value` of the detail `name`, in words where there are some; lists stay lists."""
    if isinstance(value, list):
        return [value_words(name, one, action_words=action_words) for one in value]
    if isinstance(value, bool) and name == "found":
        return "找到" if value else "没有找到"
    if not isinstance(value, str):
        return value
    if name == "action":
        return action_words(value)
    found = _WORDS.get(name)
    return found(value) if found else value


def as_text(value: Any) -> str:
    """A value of any kind as a line of text."""
    if value is True or value is False:
        return "是" if value else "否"
    if value in ("", None, [], {}):
        return "—"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "、".join(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _ways(value: str) -> str:
    return ways_words(value.split())


def _among(words: dict[str, str]) -> Callable[[str], str]:
    return lambda value: words.get(value, value)


def _page(endpoint: str) -> str:
    return _ROOMS.get(endpoint.partition(".")[0], endpoint)


_WORDS: dict[str, Callable[[str], str]] = {
    "address": _page,
    "after": _ways,
    "amr": _ways,
    "browser": device_words,
    "by": _among(_BY),
    "changes": _among(_APPROVED),
    "change": _among(_CHANGES),
    "channel": _among(_CHANNELS),
    "fields": _among(_FIELDS),
    "kind": _among(_FACTORS),
    "outcome": _among(_OUTCOMES),
    "paper": _among(_PAPERS),
    "papers": _among(_PAPERS),
    "profile": _among(_PROFILES),
    "proved_by": _among(_PROVED_BY),
    "purpose": _among(_PURPOSES),
    "registry": _among(_REGISTRY),
    "reset": _among({"yes": "是"}),
    "role": _among(_ROLES),
    "slot": _among(_PAPERS),
    "slots": _among(_PAPERS),
    "unlock": _ways,
    "value": _among(_ROLES),
    "why": why_words,
}
