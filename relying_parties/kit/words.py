"""The Chinese words for what a token says: roles, levels of sign-in, days of the calendar."""

from datetime import datetime, timedelta, timezone
from typing import Final

from markupsafe import Markup

from relying_parties.kit.identity import Mandate, Role

# China keeps one offset all year, so the pages need no time zone database.
SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")

ROLE_WORDS: Final = {
    Role.LEGAL_REPRESENTATIVE: "法定代表人",
    Role.OPERATOR: "经办人",
    Role.NATURAL_PERSON: "个人",
}
ROLE_TAGS: Final = ROLE_WORDS | {Role.LEGAL_REPRESENTATIVE: "法人"}
_ACR_WORDS = {
    "urn:idp:loa:1": "密码登录",
    "urn:idp:loa:2": "第二步验证、通行密钥，或 App 扫码确认",
    "urn:idp:loa:3": "本次登录核验过人脸",
}


def acr_words(acr: str) -> Markup:
    """How the sign-in was proved, with the provider's own value kept in the mark-up."""
    return Markup('<data value="{}">{}</data>').format(acr, _ACR_WORDS.get(acr, acr))


def mandate_days(mandate: Mandate) -> str:
    """First and last day of a mandate, both included (MISSION section Y, dates)."""
    last = mandate.valid_until - timedelta(microseconds=1)
    return f"{_day(mandate.valid_from)} 至 {_day(last)}"


def prose_time(instant: datetime) -> str:
    """An instant as a sentence has it: 2026 年 11 月 20 日 14:33:05."""
    local = instant.astimezone(SHANGHAI)
    return f"{local.year} 年 {local.month} 月 {local.day} 日 {local:%H:%M:%S}"


def _day(instant: datetime) -> str:
    return instant.astimezone(SHANGHAI).date().isoformat()
