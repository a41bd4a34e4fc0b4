"""The portal's own pages."""

from flask import Blueprint, redirect, render_template
from flask.typing import ResponseReturnValue

from relying_parties.kit.identity import Kind
from relying_parties.kit.portal import current_portal, current_profile, sign_in_required
from relying_parties.social_insurance.models import InsuredUnit

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def home() -> ResponseReturnValue:
    """The portal's home (A01); for whoever is signed in, who he is here and by what right (I02)."""
    who = current_profile()
    if who is None:
        return render_template("social_insurance/home.html")
    page = "unit" if who.kind is Kind.UNIT else "person"
    return render_template(f"social_insurance/{page}.html", who=who)


@blueprint.get("/login/unit")
def unit_entry() -> ResponseReturnValue:
    """The page between 单位登录 and the provider, with 去登录 (A02)."""
    return render_template("social_insurance/unit_entry.html")


@blueprint.get("/record")
@sign_in_required
def record() -> ResponseReturnValue:
    """What the portal's own records say of the unit."""
    who = current_profile()
    if who is None or who.company is None:
        return redirect("/", 303)
    with current_portal().database.reading() as session:
        unit = session.get_one(InsuredUnit, who.company.uscc)
        return render_template("social_insurance/record.html", who=who, unit=unit)
