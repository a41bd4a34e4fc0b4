"""企业中心 and 经办人中心: first pages and sign-ins."""

from __future__ import annotations

from typing import Any

from idp.accounts.identifiers import mask_name, mask_phone
from idp.accounts.identity import Role
from idp.accounts.models import LegalAccount
from idp.accounts.sessions import SignedIn
from idp.enterprise import activation_views, registration_proof, registration_views
from idp.enterprise.room import blueprint
from idp.web import centre as frames
from idp.web import signin
from idp.web.platform import db, platform
from idp.web.render import page
from idp.web.signin import sign_in_required

__all__ = ["activation_views", "blueprint", "registration_proof", "registration_views"]


@blueprint.get("/center/enterprise")
@sign_in_required
def centre() -> Any:
    """The company's account, for its legal representative."""
    if (other := frames.elsewhere(Role.LEGAL_REPRESENTATIVE)) is not None:
        return other
    signed_in, vault = signin.required(), platform().vault
    account = db().get(LegalAccount, signed_in.identity.legal_account_id)
    phone = account.phone(vault) if account else None
    facts = [
        *_company(signed_in),
        ("法定代表人", mask_name(signed_in.person.name(vault))),
        ("绑定手机号码", mask_phone(phone) or "未登记"),
    ]
    return page("enterprise/centre.html", facts=facts, **frames.frame(signed_in))


@blueprint.get("/center/operator")
@sign_in_required
def operator_centre() -> Any:
    """The mandate an operator acts under: rights, department, days."""
    if (other := frames.elsewhere(Role.OPERATOR)) is not None:
        return other
    signed_in, vault = signin.required(), platform().vault
    mandate = signed_in.mandate
    phone = mandate.phone(vault) if mandate else None
    facts = [
        ("用户姓名", mask_name(signed_in.person.name(vault))),
        ("手机号码", mask_phone(phone or signed_in.person.phone(vault)) or "未登记"),
        *_company(signed_in),
    ]
    if mandate:
        facts += [
            ("授权有效开始时间", mandate.first_day.isoformat()),
            ("授权有效结束时间", mandate.last_day.isoformat()),
            ("经办人管理权限", "是" if mandate.manage_operators else "否"),
            ("印章管理权限", "是" if mandate.manage_seals else "否"),
            ("下级所属部门", mandate.department or "未设置"),
        ]
    return page("enterprise/operator_centre.html", facts=facts, **frames.frame(signed_in))


@blueprint.route("/center/enterprise/sessions", methods=["GET", "POST"])
@sign_in_required
def sessions() -> Any:
    """The sign-ins of the company's account, and ending them."""
    return frames.elsewhere(Role.LEGAL_REPRESENTATIVE) or frames.sessions_page()


@blueprint.route("/center/operator/sessions", methods=["GET", "POST"])
@sign_in_required
def operator_sessions() -> Any:
    """The operator's sign-ins for this company, and ending them."""
    return frames.elsewhere(Role.OPERATOR) or frames.sessions_page()


def _company(signed_in: SignedIn) -> list[tuple[str, str]]:
    enterprise = signed_in.enterprise
    if enterprise is None:
        return []
    return [
        ("企业名称", enterprise.name),
        ("统一社会信用代码", enterprise.uscc),
        ("法人类型", enterprise.type),
    ]
