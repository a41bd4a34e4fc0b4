"""The trail in words: Chinese, whatever the programs call it."""

from __future__ import annotations

from typing import Any

import pytest

from idp.accounts.audit import Action
from idp.web.audit_words import action_line, change_rows, detail_rows, key_words


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        (
            {"role": "natural_person", "amr": ["pwd", "otp"]},
            [("身份", "个人"), ("登录方式", "密码、动态口令")],
        ),
        ({"role": "operator", "amr": "pwd hwk"}, [("身份", "经办人"), ("登录方式", "密码、通行密钥")]),
        ({"role": "customer_service"}, [("身份", "客服")]),
        ({"kind": "totp"}, [("类型", "验证器 App")]),
        ({"kind": "all", "factors": 2}, [("类型", "全部"), ("移除的第二步验证数", "2")]),
        ({"by": "phone", "found": True}, [("查找方式", "手机号码"), ("结果", "找到")]),
        ({"by": "credit_code", "found": False}, [("查找方式", "统一社会信用代码"), ("结果", "没有找到")]),
        ({"by": "client"}, [("发起方", "应用")]),
        ({"fields": ["client_name", "contacts"]}, [("项目", "应用名称、联系人")]),
        ({"fields": ["name", "id_number"]}, [("项目", "姓名、证件号码")]),
        ({"why": "code", "after": "pwd"}, [("被拒原因", "动态口令或恢复码不正确"), ("已通过的验证", "密码")]),
        (
            {"filter": {"action": "signed_in", "first_day": "2026-11-01"}},
            [("查询条件", "事项：登录；起始日期：2026-11-01")],
        ),
        ({"change": "suspended"}, [("改动", "停用")]),
        ({"address": "staff_keys.index", "method": "GET"}, [("页面", "签名密钥"), ("方法", "GET")]),
    ],
)
def test_details_are_told_in_chinese(detail: dict[str, Any], told: list[tuple[str, str]]) -> None:
    assert detail_rows(detail) == told


def test_a_changed_role_and_a_changed_registration_are_told_by_their_fields() -> None:
    assert change_rows({"before": "auditor", "after": "administrator"}) == [
        ("岗位", "审计员", "管理员", True)
    ]
    changed = change_rows({"before": {"client_name": "甲"}, "after": {"client_name": "乙"}})
    assert changed == [("应用名称", "甲", "乙", True)]


def test_a_refusal_says_why_in_the_list() -> None:
    assert action_line(Action.SIGN_IN_REFUSED, {"why": "throttled"}) == "登录被拒：频率限制"
    assert action_line(Action.SIGN_IN_REFUSED, {"why": "passkey wrong"}) == "登录被拒：通行密钥没有通过"
    assert action_line(Action.SIGNED_IN, {}) == "登录"
    assert action_line(None, None) == "无法读取"


def test_what_a_notice_did_is_told_as_such() -> None:
    assert key_words("notice:0198c0de-0000-7000-8000-000000000001") == "通知短信里的「不是我」 …00000001"
