"""个人中心: what is known of a person, and his sign-ins."""

from __future__ import annotations

from typing import Any

from idp.accounts.identifiers import mask_id_number, mask_name, mask_phone
from idp.accounts.identity import Role
from idp.person import moved_views, registration_views
from idp.person.room import blueprint
from idp.web import centre as frames
from idp.web import signin, ways
from idp.web.platform import platform, settings
from idp.web.render import page
from idp.web.signin import sign_in_required

__all__ = ["blueprint", "moved_views", "registration_views"]


@blueprint.get("/center/person")
@sign_in_required
def centre() -> Any:
    """The person's own facts, masked."""
    if (other := frames.elsewhere(Role.NATURAL_PERSON)) is not None:
        return other
    signed_in, vault = signin.required(), platform().vault
    person = signed_in.person
    facts = [
        ("姓名", mask_name(person.name(vault))),
        ("证件号码", mask_id_number(person.id_number(vault)) or "未登记"),
        ("手机号码", mask_phone(person.phone(vault)) or "未登记"),
    ]
    return page(
        "person/centre.html",
        facts=facts,
        # B25: whoever represents a company registers it next.
        registers_companies=ways.company_registration_offered(settings()),
        **frames.frame(signed_in),
    )


@blueprint.route("/center/person/sessions", methods=["GET", "POST"])
@sign_in_required
def sessions() -> Any:
    """His sign-ins, and ending them."""
    return frames.elsewhere(Role.NATURAL_PERSON) or frames.sessions_page()
