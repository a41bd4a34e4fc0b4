"""What an app may open, and which identities of a person can answer a browser (X17, A12 to A16).

Nothing of it moves the ticket: an app that may not do it leaves the code to another phone.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from idp.access.channels import Channel, Surface
from idp.accounts import standing
from idp.accounts.identity import Role
from idp.accounts.standing import NoSuchStanding, Standing
from idp.adapters.social_security import CardHolder, SocialSecurityCrowded, SocialSecurityUnavailable
from idp.db import pause
from idp.proof.ticket_record import Asked, Purpose
from idp.scan.caller import Caller, Tools
from idp.web.refusals import scan as refusals
from idp.web.refusals.to_phones import PhoneRefused

_ROLES = {
    Role.LEGAL_REPRESENTATIVE: "法人",
    Role.OPERATOR: "经办人",
    Role.NATURAL_PERSON: "个人",
}
_CROWDED = "现在用电子社保卡扫码的人较多，没有做任何更改。请稍等一会儿再试，或改用「吉事办」App 扫码。"
_WAYS_ON = "请联系企业的法定代表人添加授权，或换一个账号登录 App。"


def check_open(channel: Channel) -> None:
    """Return if the app scans at all. Raises PhoneRefused, with the sentence of its row."""
    if channel.closed:
        raise PhoneRefused(refusals.CHANNEL_CLOSED, channel.closed)


def check_channel(channel: Channel, purpose: Purpose, surface: Surface | None = None) -> None:
    """Return if the app scans for this purpose, in this form of it where that is known.

    Raises PhoneRefused.
    """
    check_open(channel)
    if surface is not None and surface not in channel.surfaces:
        raise PhoneRefused(refusals.WRONG_SURFACE, app=channel.name)
    if purpose not in channel.purposes:
        raise PhoneRefused(refusals.WRONG_PURPOSE, app=channel.name)


def can_answer(db: Session, tools: Tools, caller: Caller, asked: Asked, *, now: datetime) -> list[Standing]:
    """The identities of the caller that can answer what is asked, at least one. Raises PhoneRefused."""
    all_of_his = standing.standings(db, caller.person, now=now)
    wanted = [one for one in all_of_his if _is_wanted(one, asked)]
    found = [one for one in wanted if one.identity.role in caller.channel.roles]
    if not found:
        raise PhoneRefused(refusals.NO_IDENTITY, _why_none(asked, caller.channel, wanted))
    if caller.channel.wants_card:
        return _recorded(db, tools, caller, found)
    return found


def chosen(db: Session, tools: Tools, caller: Caller, asked: Asked, key: str, *, now: datetime) -> Standing:
    """The identity that `key` names, if it still stands and can answer what is asked. Raises PhoneRefused."""
    try:
        found = standing.find_standing(db, caller.person, key, now=now)
    except NoSuchStanding as gone:
        raise PhoneRefused(refusals.IDENTITY_GONE, str(gone)) from None
    if not _is_wanted(found, asked) or found.identity.role not in caller.channel.roles:
        raise PhoneRefused(refusals.IDENTITY_NOT_ACCEPTED)
    if caller.channel.wants_card:
        _recorded(db, tools, caller, [found])
    return found


def _is_wanted(one: Standing, asked: Asked) -> bool:
    if asked.wants_entity:
        return one.enterprise is not None and asked.entity in {None, one.enterprise.uscc}
    return one.enterprise is None if asked.wants_person else True


def _why_none(asked: Asked, channel: Channel, wanted: list[Standing]) -> str:
    if wanted:
        held = "、".join(dict.fromkeys(_ROLES[one.identity.role] for one in wanted))
        return f"「{channel.name}」不能以{held}身份登录。请用「吉事办」App 扫码。"
    if asked.entity:
        return f"这项业务要以指定的企业办理，您名下没有这家企业的身份。{_WAYS_ON}"
    return f"这项业务要以企业身份办理，您名下没有企业身份。{_WAYS_ON}"


def _recorded(db: Session, tools: Tools, caller: Caller, found: list[Standing]) -> list[Standing]:
    """Those for which the holder of an activated card is recorded as the operator (A13).

    The social insurance records are asked with no connection in hand. Raises PhoneRefused.
    """
    holder = _holder(db, tools, caller, found)
    if not holder.activated:
        raise PhoneRefused(refusals.CARD_NOT_ACTIVATED)
    kept = [one for one in found if one.enterprise is None or one.enterprise.uscc in holder.recorded]
    if not kept:
        raise PhoneRefused(refusals.CARD_NOT_RECORDED)
    return kept


def _holder(db: Session, tools: Tools, caller: Caller, found: list[Standing]) -> CardHolder:
    number = caller.person.id_number(tools.vault)
    if number is None:
        raise PhoneRefused(refusals.CARD_NOT_ACTIVATED)
    if tools.cards is None:
        raise PhoneRefused(refusals.CARD_UNAVAILABLE)
    companies = [one.enterprise.uscc for one in found if one.enterprise]
    pause(db)
    try:
        return tools.cards.holder(caller.person.id_type, number, companies)
    except SocialSecurityCrowded:
        raise PhoneRefused(refusals.CARD_UNAVAILABLE, _CROWDED) from None
    except SocialSecurityUnavailable:
        raise PhoneRefused(refusals.CARD_UNAVAILABLE) from None
