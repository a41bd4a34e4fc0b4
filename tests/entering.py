"""A browser in which somebody has signed in, without the pages of the sign-in: most tests begin after it.

What stands afterwards is what his password leaves behind, except for the traces of the way in: there is no
line in the trail, no notice, and the browser is not known to him. A test that reads those goes by the pages
(`Browser.sign_in_person` and its like).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from sqlalchemy import select

from idp.access import assurance
from idp.accounts import credentials
from idp.accounts.identity import Identity, Role, account_of
from idp.accounts.models import LegalAccount
from idp.accounts.sessions import Device, Proof, open_session
from idp.web.cookie_names import named
from tests.inhabitants import ACompany, AnOperator, APerson
from tests.world import Browser, World

Known = APerson | ACompany | AnOperator


def has_entered(world: World, known: Known) -> Browser:
    """A new browser in which he is signed in by his password."""
    browser = world.browser()
    enter(browser, known)
    return browser


def enter(browser: Browser, known: Known) -> None:
    """Sign him in in this browser, as his password does; where somebody is signed in, the pages do that."""
    cookie = named("idp_session", browser.world.settings)
    assert not browser.cookie(cookie), (
        "somebody is signed in here: a sign-in that replaces another is asked for"
    )
    world, now = browser.world, browser.world.now()
    identity = _identity(world, known)
    with world.write() as db:
        account = account_of(identity)
        found = credentials.find(db, account)
        rests_on = (found.id, found.changed_at) if found else None
        proof = Proof(("pwd",), assurance.PASSWORD, now, account, rests_on)
        device = Device(browser.user_agent, browser.address)
        life = world.settings.seconds("session_lifetime")
        _, token = open_session(db, identity, proof, device, lifetime=life, now=now)
    host = urlsplit(world.settings.issuer).hostname or ""
    browser.client.set_cookie(cookie, token, domain=host)


def _identity(world: World, known: Known) -> Identity:
    if isinstance(known, APerson):
        return Identity(known.row.id, Role.NATURAL_PERSON)
    if isinstance(known, AnOperator):
        mandate = known.mandate
        return Identity(mandate.person_id, Role.OPERATOR, mandate.enterprise_id, mandate.id)
    with world.reading() as db:
        account = db.scalars(select(LegalAccount.id).where(LegalAccount.enterprise_id == known.row.id)).one()
    person = known.representative.row.id
    return Identity(person, Role.LEGAL_REPRESENTATIVE, known.row.id, legal_account_id=account)
