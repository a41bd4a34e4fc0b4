"""What a person agrees to before he sets his PIN (B24). A changed text is a new version.

A PIN set under an older version goes on working; whoever sets one anew agrees to the present text.
"""

from __future__ import annotations

from idp.accounts.app_pins import AppPin

VERSION = "2026-11"
TITLE = "App 口令与扫码登录使用协议"
PARAGRAPHS = (
    "App 口令由您本人设置，是 6 位数字，用来在手机上解锁 App、确认重要的登录。",
    "办理电子印章业务时，App 口令也是您个人证书的口令。",
    "口令只由统一身份认证平台保存和核对，保存的是无法还原的摘要，工作人员看不到您的口令。",
    "请不要把口令告诉任何人，也不要使用生日、手机号或证件号码里的数字。工作人员不会向您询问口令。",
    "扫码登录时，手机会显示谁在请求登录、在哪里登录、以哪个身份登录。确认之前请逐项核对，并选出电脑上显示的数字。",
    "您确认之后，就视为您本人同意登录。",
    "不是您本人发起的登录，请点「拒绝」，不要扫描别人发来的二维码。",
    "手机丢失或口令可能被别人知道时，请尽快修改登录密码，并在「登录记录」里退出这部手机；也可以拨打服务热线办理。",
    "每次扫码、确认和拒绝都会留下记录，您可以在 App 的「最近登录」里查看。",
)


def told(pin: AppPin | None) -> dict[str, object]:
    """The agreement as an app shows it, and whether whoever has this PIN agreed to its present text."""
    agreed = pin is not None and pin.agreement == VERSION
    return {"version": VERSION, "title": TITLE, "paragraphs": list(PARAGRAPHS), "agreed": agreed}
