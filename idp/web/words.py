"""How identities, rights and sign-ins are said in words, the same on every page."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from idp.access.channels import CHANNELS
from idp.accounts.identifiers import mask_name, mask_uscc
from idp.accounts.identity import Identity, Role
from idp.accounts.models import Enterprise, Mandate, Person
from idp.accounts.sessions import SignedIn, SigninSession
from idp.crypto import Vault
from idp.web.platform import platform
from idp.web.render import minute

ROLES = {
    Role.LEGAL_REPRESENTATIVE: "法定代表人",
    Role.OPERATOR: "经办人",
    Role.NATURAL_PERSON: "个人",
}
_WAYS = {
    "pwd": "密码",
    "sms": "短信验证码",
    "otp": "动态口令",
    "face": "人脸",
    "hwk": "通行密钥",
    "qr": "扫码",
    "pin": "App 口令",
}
_BROWSERS = (
    (r"MicroMessenger/(\d{1,4})(?!\d)", "微信"),
    (r"Edg/(\d{1,4})(?!\d)", "Edge"),
    (r"Firefox/(\d{1,4})(?!\d)", "Firefox"),
    (r"(?:Headless)?Chrom(?:e|ium)/(\d{1,4})(?!\d)", "Chrome"),
    (r"Version/(\d{1,4})(?!\d).*Safari", "Safari"),
)
_SYSTEMS = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_DEVICES = {
    "Windows": "Windows 电脑",
    "Android": "安卓手机",
    "macOS": "Mac 电脑",
    "Linux": "Linux 电脑",
}
# Not `is_private` of the library, which counts the networks kept for documentation, too.
_INSIDE = tuple(
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8",
        "::1/128",
        "10.0.0.0/8",  # RFC 1918 §3
        "172.16.0.0/12",
        "192.168.0.0/16",
        "fc00::/7",  # RFC 4193 §3.1
        "169.254.0.0/16",  # RFC 3927 §2.1
        "fe80::/10",  # RFC 4291 §2.5.6
    )
)


def who(signed_in: SignedIn, vault: Vault) -> dict[str, str]:
    """Name (masked), role and company of a sign-in."""
    return {
        "name": mask_name(signed_in.person.name(vault)),
        "role": ROLES[signed_in.identity.role],
        "company": signed_in.enterprise.name if signed_in.enterprise else "",
    }


def company_facts(db: Session, vault: Vault, identity: Identity | None) -> dict[str, str]:
    """The same of an identity nobody has signed in with yet."""
    if identity is None:
        return {"name": "", "role": "", "company": ""}
    enterprise = db.get(Enterprise, identity.enterprise_id) if identity.enterprise_id else None
    person = db.get_one(Person, identity.person_id)
    return {
        "name": mask_name(person.name(vault)),
        "role": ROLES[identity.role],
        "company": enterprise.name if enterprise else "",
    }


def mandate_words(mandate: Mandate) -> dict[str, str]:
    """A mandate as a choice: the company, its masked code, the rights, the days."""
    return {
        "value": str(mandate.id),
        "name": mandate.enterprise.name,
        "uscc": mask_uscc(mandate.enterprise.uscc),
        "rights": rights(mandate),
        "validity": f"授权至 {mandate.last_day.isoformat()}",
    }


def rights(mandate: Mandate) -> str:
    """The rights of a mandate in words."""
    held = [
        word
        for word, has in (("可管理经办人", mandate.manage_operators), ("可管理印章", mandate.manage_seals))
        if has
    ]
    return "、".join(held) or "办理业务"


def browser_words(user_agent: str) -> str:
    """Browser and system from a user agent, for people, and nothing else it says: Chrome 130，Windows."""
    browser = next(
        (
            f"{name} {found.group(1)}"
            for pattern, name in _BROWSERS
            if (found := re.search(pattern, user_agent, re.ASCII))
        ),
        "其他浏览器",
    )
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return f"{browser}，{system}" if system else browser


def device_words(user_agent: str) -> str:
    """The same with the system first, as people name a device: Windows，Chrome 130."""
    return "，".join(reversed(browser_words(user_agent).split("，")))


def device_facts(user_agent: str) -> tuple[str, str]:
    """System and browser as a person would say them: Windows 电脑, Chrome 浏览器."""
    browser, _, system = browser_words(user_agent).partition("，")
    name = browser.split(" ")[0]
    named = name if name in {"微信", "其他浏览器"} else f"{name} 浏览器"
    return _DEVICES.get(system, system) or "未知设备", named


def place_words(address: str) -> str:
    """Where a request came from, as far as its address says."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address or "地址未知"
    mapped = getattr(found, "ipv4_mapped", None) or found
    inside = any(mapped in network for network in _INSIDE if network.version == mapped.version)
    return f"{address}（内网地址）" if inside else address


def acts_as(session: SigninSession, company: str | None) -> str:
    """For which company somebody was signed in, and by what right; empty for one's own business."""
    return f"{ROLES[session.identity.role]}，{company}" if company else ""


def ways_words(amr: Sequence[str]) -> str:
    """The ways somebody proved himself by, from the values of `amr`."""
    return "、".join(_WAYS.get(way, way) for way in amr)


def sign_in_words(session: SigninSession) -> str:
    """In what somebody is signed in: a browser, or a phone app with what it runs on."""
    if session.app is None:
        return browser_words(session.browser)
    client = platform().clients.find(session.app)
    channel = CHANNELS.get(client.channel or "") if client else None
    return f"{channel.name if channel else '手机'} App，{device_words(session.browser)}"


def session_words(session: SigninSession, *, current: bool) -> dict[str, Any]:
    """One row of the list of sign-ins."""
    return {
        "id": str(session.id),
        "browser": sign_in_words(session),
        "place": place_words(session.address),
        "how": ways_words(session.amr.split()),
        "when": minute(session.auth_time),
        "current": current,
    }


def span_words(seconds: int) -> str:
    """A span of time in its largest one or two units: 3 分钟, 1 小时 5 分钟, 2 天 3 小时."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if not hours:
        return f"{minutes} 分钟"
    if not days:
        return f"{hours} 小时 {minutes % 60} 分钟"
    return f"{days} 天 {hours % 24} 小时"
