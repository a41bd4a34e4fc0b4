"""What registering and taking over an account of the older app share: what their pages say, and their end."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from flask import url_for

from idp.accounts import agreements, registering
from idp.accounts.identifiers import mask_phone
from idp.accounts.passwords import TooBusy
from idp.accounts.registering import By, Chosen
from idp.db import pause
from idp.person.registration import CannotBeChecked, NotThePerson
from idp.proof.journeys import Journey
from idp.proof.throttle import Throttled
from idp.web import signin, ways
from idp.web.errors import Stop
from idp.web.platform import db, now, platform, settings
from idp.web.steps import carried


def check_offered() -> None:
    """Return where a person can get an account by himself. Raises Stop."""
    if not ways.registration_offered(settings()):
        raise Stop(
            "这里不能在线注册个人账号",
            "本平台没有开通个人在线注册，没有建立账号。",
            status=404,
            ways=ways.when_proof_fails(),
        )


def chosen_of(journey: Journey, account: str) -> Chosen:
    """What somebody chose, as his journey keeps it."""
    facts = journey.facts
    return Chosen(
        account, facts["password_hash"], facts["agreed"], datetime.fromisoformat(facts["agreed_at"])
    )


def chosen_facts(password: str) -> dict[str, Any]:
    """What a journey keeps of a password and of the yes to the texts of today. Raises TooBusy."""
    pause(db())
    return {
        "password_hash": platform().hasher.hash(password),
        "agreed": agreements.CURRENT,
        "agreed_at": now().isoformat(),
    }


def tools() -> registering.Tools:
    """What an account is made with."""
    here = platform()
    return registering.Tools(here.vault, here.trail, here.notifier)


def by(face_check: str = "") -> By:
    """From where this request makes an account."""
    return By(signin.origin(actor=""), signin.device(), face_check)


def account_facts(journey: Journey) -> list[tuple[str, str]]:
    """What the last page says of the account."""
    account = journey.facts.get("account")
    return [*([("账号", account)] if account else []), ("手机号码", mask_phone(journey.facts["phone"]))]


def leading_to(endpoint: str) -> str:
    """The address of a page, with what the browser came for."""
    values: dict[str, Any] = {**carried()}
    return url_for(endpoint, **values)


def busy(refused: Throttled | TooBusy) -> str:
    """How long one has to wait."""
    if isinstance(refused, TooBusy):
        return "现在办理的人较多，没有做任何更改，请过几秒再提交"
    return f"尝试次数过多，请过 {max(1, math.ceil(refused.wait.total_seconds() / 60))} 分钟再试"


def refused_title(refusal: Exception | None) -> str:
    """What stands over the sentence of a form that has no field to be changed; empty where it has one."""
    if refusal is None:
        return ""
    return "没有核验通过" if isinstance(refusal, NotThePerson) else "没有提交成功"


def said_with(shown: str, refusal: Exception | None) -> Any:
    """A page with the status of what it says."""
    if isinstance(refusal, NotThePerson):
        return shown, 403
    if isinstance(refusal, CannotBeChecked):
        return shown, 503
    if isinstance(refusal, TooBusy):
        return shown, 503, {"Retry-After": "1"}
    if isinstance(refusal, Throttled):
        return shown, 429, {"Retry-After": str(math.ceil(refusal.wait.total_seconds()))}
    return shown


def has_account_already() -> Stop:
    """What is said to whoever proved himself, and has a password of his own."""
    return Stop(
        "您已有个人账号",
        "不用再次注册，请用手机号码、证件号码或账号登录；忘记密码可以重置。没有做任何更改。",
        status=409,
        ways=(("前往登录", leading_to("login.person")), ("忘记密码", leading_to("login.reset_person"))),
    )


def closed(refused: registering.Closed) -> Stop:
    """What is said of an account that was suspended."""
    return Stop("现在不能注册", str(refused), status=403, ways=ways.when_proof_fails())
