"""Tencent Cloud as the SMS gateway: what the vendor alone has. The rest is tests/adapters/test_sms.py."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from idp.adapters.sms import NotReached, Report, SmsRefused
from idp.adapters.sms_tencent import AT_MOST, Signed, TencentSms
from idp.config import SettingsRefused
from tests.adapters.tencent import SECRET_KEY, Vendor, a_vendor
from tests.adapters.test_sms import PHONE, a_text

CODE = {"1000001": ("reset", "验证码{1}，{2}分钟内有效")}


def test_the_signature_is_the_one_of_the_vendors_own_example() -> None:
    """https://cloud.tencent.com/document/api/213/30654, TC3-HMAC-SHA256."""
    body = rb'{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}'
    signed = Signed(
        "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE",
        "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE",
        "cvm",
        "cvm.tencentcloudapi.com",
        1551113065,
    )
    assert signed.authorization(body) == (
        "TC3-HMAC-SHA256 Credential=AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE/2019-02-25/cvm/tc3_request, "
        "SignedHeaders=content-type;host, "
        "Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    )


def test_a_code_leaves_by_the_template_of_its_purpose_filled_with_what_it_takes() -> None:
    with a_vendor(templates=CODE) as vendor:
        templates = {"reset": {"id": "1000001", "params": [1, 3]}}
        message = a_text(purpose="reset", code="123456", params=("123456", "重置密码", "5"))
        assert TencentSms(vendor.config(templates=templates)).send(message) == "5000:1"
    (sent,) = vendor.sent
    assert (sent["phone"], sent["text"]) == (PHONE, "验证码123456，5分钟内有效")
    assert vendor.asked[0]["SessionContext"] == message.id
    assert vendor.headers[0]["x-tc-region"] == "ap-guangzhou"


def test_without_a_template_of_its_purpose_nothing_leaves() -> None:
    with a_vendor() as vendor:
        with pytest.raises(SmsRefused, match="no template for reset in IDP_SMS_VENDOR_CONFIG"):
            TencentSms(vendor.config()).send(a_text(purpose="reset"))
        templates = {"reset": {"id": "1000001", "params": [1, 3]}}
        with pytest.raises(SmsRefused, match="reset has 1 params"):
            TencentSms(vendor.config(templates=templates)).send(a_text(purpose="reset"))
    assert vendor.asked == []


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("InvalidParameterValue.IncorrectPhoneNumber", SmsRefused),
        ("FailedOperation.PhoneNumberInBlacklist", SmsRefused),
        ("FailedOperation.TemplateIncorrectOrUnapproved", SmsRefused),
        ("LimitExceeded.PhoneNumberThirtySecondLimit", NotReached),
        ("RequestLimitExceeded", NotReached),
        ("InternalError.Timeout", NotReached),
        ("FailedOperation.InsufficientBalanceInSmsPackage", NotReached),
        ("AuthFailure.SignatureFailure", NotReached),
    ],
)
def test_what_the_vendors_faults_mean(fault: str, outcome: type[Exception]) -> None:
    with a_vendor(fault=fault) as vendor, pytest.raises(outcome) as refused:
        TencentSms(vendor.config()).send(a_text())
    assert str(refused.value) == fault, "its name alone: the vendor's sentence names the phone"


@pytest.mark.parametrize(
    "answer",
    [
        (500, b""),
        (302, b""),
        (200, b""),
        (200, b"[]"),
        (200, b"[" * 60_000),
        (200, b"x" * 70_000),
        (200, b'{"Response": 1}'),
        (200, b'{"Response": {}}'),
        (200, b'{"Response": {"SendStatusSet": []}}'),
        (200, b'{"Response": {"SendStatusSet": [{}]}}'),
        (200, b'{"Response": {"SendStatusSet": [{"Code": "13900000001 !"}]}}'),
        (200, b'{"Response": {"Error": "13900000001"}}'),
    ],
)
def test_any_other_answer_is_tried_again_and_not_repeated(answer: tuple[int, bytes]) -> None:
    with a_vendor(answer=answer) as vendor, pytest.raises(NotReached) as refused:
        TencentSms(vendor.config()).send(a_text())
    assert PHONE not in str(refused.value)
    assert refused.value.perhaps_taken, "it was asked, and says nothing that can be understood"


def test_a_vendor_that_is_not_there_is_tried_again() -> None:
    for address in ("http://127.0.0.1:1", "https://nowhere.invalid"):
        with pytest.raises(NotReached) as missed:
            TencentSms(Vendor(address).config()).send(a_text())
        assert not missed.value.perhaps_taken


def test_only_what_is_signed_with_the_right_key_now_is_believed() -> None:
    """The vendor of these tests looks at what it is sent; without that they would prove nothing."""
    with a_vendor() as vendor:
        with pytest.raises(NotReached, match="SignatureFailure"):
            TencentSms(vendor.config(secret_key="another")).send(a_text())
        with pytest.raises(NotReached, match="SignatureExpire"):
            TencentSms(vendor.config(), clock=lambda: time.time() - 3600).send(a_text())
    assert vendor.sent == []


def test_the_vendor_reports_each_message_once() -> None:
    told: list[dict[str, Any]] = [
        {"SessionContext": "id-1", "SerialNo": "5000:1", "ReportStatus": "SUCCESS", "Description": "DELIVRD"},
        {"SessionContext": "", "SerialNo": "5000:2", "ReportStatus": "FAIL", "Description": "UNDELIV"},
        {"SessionContext": "id-3", "SerialNo": "5000:3", "ReportStatus": "FAIL"},
        {"ReportStatus": "SUCCESS"},
    ]
    with a_vendor(reports=told) as vendor:
        tencent = TencentSms(vendor.config())
        assert tencent.reports() == [
            Report("id-1", ""),
            Report("5000:2", "UNDELIV"),
            Report("id-3", "not arrived"),
        ]
        assert tencent.reports() == []
        assert vendor.asked[0] == {"SmsSdkAppId": "1400006666", "Limit": AT_MOST}


def test_a_vendor_that_reports_nothing_is_asked_again() -> None:
    for answer in ((503, b""), (200, b'{"Response": {"Error": {"Code": "UnsupportedOperation"}}}')):
        with a_vendor(answer=answer) as vendor, pytest.raises(NotReached):
            TencentSms(vendor.config()).reports()
    with a_vendor(answer=(200, b'{"Response": {"PullSmsSendStatusSet": null}}')) as vendor:
        assert TencentSms(vendor.config()).reports() == []


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"secret_id": "a b"}, "secret_id"),
        ({"secret_id": "a\r\nX: y"}, "secret_id"),
        ({"secret_id": "a\n"}, "secret_id"),
        ({"secret_key": ""}, "secret_key"),
        ({"sdk_app_id": 14}, "sdk_app_id"),
        ({"endpoint": "http://sms.example"}, "endpoint"),
        ({"endpoint": "https://sms.example/path"}, "endpoint"),
        ({"endpoint": ""}, "endpoint"),
        ({"sign_name": "名" * 41}, "sign_name"),
        ({"region": None}, "region"),
        ({"templates": {"reset": {"id": "x"}}}, "templates.reset.id"),
        ({"templates": {"reset": {"id": "1", "params": [0]}}}, "templates.reset.params.0"),
        ({"templates": {"reset": {"id": "1", "of": 2}}}, "templates.reset.of"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_config_that_cannot_be_used_is_refused_by_the_name_of_its_fault(
    changed: dict[str, Any], named: str
) -> None:
    config = Vendor("https://vendor.example").config(**changed)
    with pytest.raises(SettingsRefused) as refused:
        TencentSms(config)
    assert "IDP_SMS_VENDOR_CONFIG" in str(refused.value)
    assert named in str(refused.value)
    assert SECRET_KEY not in str(refused.value)


def test_every_fault_of_a_config_is_named_at_once() -> None:
    templates = {"reset": {"id": "x", "params": [0, "1"]}, "notice": 7}
    config = Vendor("http://sms.example").config(sdk_app_id=SECRET_KEY, templates=templates, more=SECRET_KEY)
    with pytest.raises(SettingsRefused) as refused:
        TencentSms(config)
    for name in ("sdk_app_id", "endpoint", "reset.id", "reset.params.0", "reset.params.1", "notice", "more"):
        assert f"{name} " in str(refused.value)
    assert SECRET_KEY not in str(refused.value)


def test_the_key_does_not_show_where_the_account_is_printed() -> None:
    tencent = TencentSms(Vendor("https://vendor.example").config())
    assert SECRET_KEY not in repr(vars(tencent))


@pytest.mark.parametrize(
    "config",
    ["", "{", "[]", "[" * 60_000, '"\ud800"', "\ud800", json.dumps({"secret_key": SECRET_KEY})],
    ids=ascii,
)
def test_a_config_that_is_not_there_or_broken_is_refused(config: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        TencentSms(config)
    assert SECRET_KEY not in str(refused.value)
