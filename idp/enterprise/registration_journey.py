"""The journey of a company's registration, and its end: 填写信息 → 实名核验 → 注册完成."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import current_app, redirect, url_for

from idp.accounts.companies import AccountTaken, CompanyKnown, MayNotAct
from idp.enterprise import registration
from idp.enterprise.registration import (
    Applicant,
    Application,
    Closed,
    DocumentOver,
    Mismatch,
    Proof,
    ProvedBy,
    Registries,
    Tools,
)
from idp.proof.journeys import Journey
from idp.web import signin, ways
from idp.web.errors import Stop, Way
from idp.web.platform import db, now, platform, settings
from idp.web.steps import Step, Walk, carried

REGISTRATION = Walk(
    "register-enterprise",
    "法人注册",
    (
        Step("form", "填写信息", "enterprise.register"),
        Step("face", "实名核验", "enterprise.register_face", needs=("password_hash",)),
        Step("done", "注册完成", "enterprise.register_done"),
    ),
)


def registries() -> Registries:
    """Whom to ask who a company and its representative are. Raises Stop where registration is not offered."""
    here = platform()
    is_offered = ways.company_registration_offered(settings())
    if not is_offered or here.registry is None or here.population is None:
        raise Stop(
            "这里不能自助注册法人账号",
            "本平台没有开通法人账号的自助注册，没有做任何更改。单位账号已经导入的，可以直接激活。",
            status=404,
            ways=(("账号激活", leading_to("enterprise.activate")), *ways.when_a_company_fails()),
        )
    return Registries(here.registry, here.population)


def proof_of(journey: Journey, application: Application) -> Proof | None:
    """How the representative has proved himself for exactly this application; None if he has yet to."""
    if not settings().face_at_registration:
        return Proof(ProvedBy.PHONE)
    kept = journey.facts.get("proof")
    if not kept or kept["about"] != application.about:
        return None
    return Proof(ProvedBy(kept["by"]), kept["reference"])


def proved(journey: Journey, application: Application, proof: Proof) -> Any:
    """Keep a proof, so that nobody is asked for it twice, and go on to the end."""
    kept = {"by": proof.by.value, "reference": proof.reference, "about": application.about}
    return end(REGISTRATION.learn(journey, proof=kept), application, proof)


def end(journey: Journey, application: Application, proof: Proof) -> Any:
    """Register the company and lead to the last page; where another was faster, to what is left.

    Raises Stop.
    """
    here, facts = platform(), journey.facts
    try:
        registration.register(
            db(),
            Tools(here.vault, here.trail, here.notifier),
            application,
            proof,
            Applicant(signin.origin(actor=""), signin.device()),
            company_id=journey.subject,
            password_hash=facts["password_hash"],
            accepted=facts["agreements"],
            # A journey from the version before does not say when.
            agreed_at=datetime.fromisoformat(facts.get("agreed_at", now().isoformat())),
            now=now(),
        )
    except CompanyKnown as known:
        if known.company_id == journey.subject:
            # The same form was sent twice: this is the company that the first one made.
            return redirect(REGISTRATION.address("done", journey), 303)
        raise company_known(known, journey) from None
    except AccountTaken:
        return back_to_form(journey, taken=application.account)
    except DocumentOver:
        return back_to_form(journey)
    except (Mismatch, MayNotAct) as refused:
        raise refusal(refused, journey) from None
    ended = REGISTRATION.end(
        journey,
        company=application.claim.name,
        uscc=application.claim.uscc,
        account=application.account,
    )
    return redirect(REGISTRATION.address("done", ended), 303)


def back_to_form(journey: Journey, **facts: Any) -> Any:
    """To the first step with everything kept but the password, which belongs to what is typed anew."""
    journey = REGISTRATION.learn(journey, password_hash=None, **facts)
    return redirect(REGISTRATION.address("form", journey), 303)


def company_known(known: CompanyKnown, journey: Journey) -> Stop:
    """What is said to whoever proved a phone, where the company has an account (B19)."""
    back = ("返回修改", REGISTRATION.address("form", journey))
    if known.is_active:
        return Stop(
            "该企业已注册",
            "这个统一社会信用代码已经有法人账号，没有再次注册。请用法人账号或统一社会信用代码登录；"
            "忘记密码可以重置。",
            status=409,
            ways=(
                ("前往登录", leading_to("login.legal")),
                ("忘记密码", leading_to("login.reset_legal")),
                back,
            ),
        )
    return Stop(
        "该企业账号待激活",
        "这个企业的账号已经登记，不用注册。激活后设置账号和密码，就可以登录。",
        status=409,
        ways=(("去激活", leading_to("enterprise.activate")), back),
    )


def refusal(refused: Exception, journey: Journey) -> Stop:
    """What is said where the registration ends; which element differs, nobody is told (B20)."""
    back = ("返回核对", REGISTRATION.address("form", journey))
    if isinstance(refused, Closed):
        others = (back, *ways.when_a_company_fails(journey.id))
        return Stop("该企业不能注册", str(refused), status=403, ways=others)
    if isinstance(refused, MayNotAct):
        why = str(refused).replace("您的账号", "法定代表人在本平台的账号")
        return Stop("现在不能注册", f"{why}没有注册法人账号。", status=403, ways=ways.when_a_company_fails())
    return Stop(
        "法人信息不匹配",
        "填写的企业、法定代表人或手机号码与登记机关的记录不一致，没有注册。请对照营业执照和证件核对；"
        "手机号码要是法定代表人本人实名登记的。核对无误仍不通过的，请选择其他办法。",
        status=403,
        ways=(back, *ways.when_a_company_fails(journey.id)),
    )


def leading_to(endpoint: str) -> str:
    """An address that carries on what the browser came for; the start of signing in where there is none."""
    values: dict[str, Any] = {**carried()}
    return url_for(endpoint if endpoint in current_app.view_functions else "login.start", **values)


def other_ways() -> tuple[Way, ...]:
    """What stands beside the form: where a natural person registers, and where one signs in."""
    personal = ways.registration_offered(settings()) and "person.register" in current_app.view_functions
    links = (("前往个人注册", leading_to("person.register")),) if personal else ()
    return (*links, ("已有账号？请登录", leading_to("login.legal")))
