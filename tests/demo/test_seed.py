"""Seeding makes the manifest true: on an empty database, again, and after somebody played with it."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import func, select

from idp.accounts import directory, factors
from idp.accounts.models import Credential, Enterprise, LoginName, Mandate, Person
from idp.accounts.staff import find_staff
from idp.demo import world as facts
from idp.demo.manifest import CLIENTS, manifest
from idp.demo.seed import Seeder, register_apps, register_portal
from idp.proof import recovery_codes
from tests.staff.acting import a_code, is_in, type_password
from tests.world import ACompany, AnOperator, APerson, AStaffMember, World

ACCOUNTS = manifest(issuer="", port_base=8000)["accounts"]


def seed(world: World, *, at: datetime | None = None) -> None:
    """Seed as a start at this instant would."""
    with world.write() as db:
        Seeder(db, world.backends.vault, world.platform.hasher, at or world.now()).seed()
        register_portal(db, secret="s" * 40, port_base=8000, now=world.now())
        register_apps(db, port_base=8000, now=world.now())


def counts(world: World) -> list[int]:
    """How many rows there are of each kind."""
    with world.reading() as db:
        tables = (Person, Enterprise, Mandate, LoginName, Credential)
        return [db.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


def mandate_of(world: World, key: str, company: str) -> Mandate:
    """A mandate of the demo world as stored."""
    with world.reading() as db:
        enterprise = directory.find_enterprise(db, facts.company(company).uscc)
        assert enterprise is not None
        phone = facts.person(key).phone
        found = directory.find_mandate(db, world.backends.vault, enterprise, phone)
        assert found is not None
        return found


def signs_in(world: World, kind: str, account: dict[str, str]) -> str:
    """Where somebody ends who signs in with an account of the manifest."""
    browser, nobody = world.browser(), APerson(None, "", "", "", "")  # type: ignore[arg-type]
    company = ACompany(None, nobody, account.get("uscc", ""), "", "", account["password"])  # type: ignore[arg-type]
    if kind == "legal":
        return browser.sign_in_legal(company).url
    if kind == "operator":
        operator = AnOperator(None, nobody, company, account["account"], account["password"])  # type: ignore[arg-type]
        return browser.sign_in_operator(operator).url
    person = APerson(None, "", "", "", account["account"], account["password"])  # type: ignore[arg-type]
    return browser.sign_in_person(person).url


LANDS_AT = {
    ("legal", "live"): "/center/enterprise",
    ("legal", "revoked"): "/login/legal",
    ("legal", "deregistered"): "/login/legal",
    ("operator", "live"): "/center/operator",
    ("operator", "several"): "/center/operator",
    ("operator", "expired"): "/login/operator",
    ("operator", "future"): "/login/operator",
    ("operator", "first_use"): "/login/first-password",
    ("person", "live"): "/center/person",
    ("person", "several"): "/center/person",
    ("person", "none"): "/center/person",
    ("person", "representative"): "/center/person",
}


def test_every_account_does_what_its_case_says(world: World) -> None:
    seed(world)
    landed = {}
    for kind, case in LANDS_AT:
        account = next(account for account in ACCOUNTS[kind] if account["case"] == case)
        landed[kind, case] = urlsplit(signs_in(world, kind, account)).path
    assert landed == LANDS_AT


def test_seeding_again_adds_nothing(world: World) -> None:
    seed(world)
    before = counts(world)
    seed(world)
    assert counts(world) == before
    assert before[0] == len(facts.PEOPLE)


def test_a_company_that_somebody_activated_is_pending_again(world: World) -> None:
    seed(world)
    before = counts(world)
    wanted = facts.company("D")
    with world.write() as db:
        company = directory.find_enterprise(db, wanted.uscc)
        assert company is not None
        assert company.account is not None
        assert company.account.phone(world.backends.vault) == wanted.phone
        chosen = {"name": "yunshan_build", "password_hash": world.hash("x"), "phone": "13800000009"}
        directory.activate(db, world.backends.vault, company.account, **chosen, now=world.now())
    seed(world)
    assert counts(world) == before
    with world.reading() as db:
        company = directory.find_enterprise(db, wanted.uscc)
        assert company is not None
        assert company.account is not None
        assert company.account.activated_at is None


def test_two_years_later_live_is_live_and_future_is_future(world: World) -> None:
    seed(world)
    later = world.now() + timedelta(days=730)
    seed(world, at=later)
    assert mandate_of(world, "qianwb", "A").is_live(later)
    assert not mandate_of(world, "zhouqm", "A").is_live(later)
    assert mandate_of(world, "zhouqm", "A").valid_until < later
    assert mandate_of(world, "wujing", "B").valid_from > later


def test_everybody_has_a_document_that_is_valid(world: World) -> None:
    seed(world)
    with world.write() as db:
        for person in db.scalars(select(Person)):
            person.id_valid_from, person.id_valid_until = None, world.now().date() - timedelta(days=1)
    seed(world)
    for wanted in facts.PEOPLE:
        with world.reading() as db:
            person = directory.find_person(db, world.backends.vault, wanted.id_number)
            assert person is not None
            document = (person.id_valid_from, person.id_valid_until)
        assert document == (wanted.id_valid_from, wanted.id_valid_until)


def test_what_somebody_changed_is_set_back(world: World) -> None:
    seed(world)
    with world.write() as db:
        mandate = db.merge(mandate_of(world, "qianwb", "A"))
        mandate.ended_at = world.now()
        for credential in db.scalars(select(Credential)):
            credential.password_hash, credential.must_change = world.hash("Something else 1"), True
        for person in db.scalars(select(Person)):
            person.suspended_at = world.now()
        for enterprise in db.scalars(select(Enterprise)):
            enterprise.suspended_at, enterprise.status = world.now(), "revoked"
    seed(world)
    for kind, lands_at in (("legal", "enterprise"), ("operator", "operator"), ("person", "person")):
        assert f"/center/{lands_at}" in signs_in(world, kind, ACCOUNTS[kind][0])


def test_every_staff_member_comes_in_with_what_the_manifest_says(world: World) -> None:
    seed(world)
    for account in ACCOUNTS["staff"]:
        browser = world.browser()
        assert "/second" in type_password(browser, account["account"], account["password"]).url
        assert is_in(browser.submit({"code": a_code(account["totp_secret"])}, follow=False))


def test_what_a_staff_member_changed_is_set_back_and_his_sign_in_stays(world: World) -> None:
    seed(world)
    account = ACCOUNTS["staff"][0]
    with world.write() as db:
        member = find_staff(db, account["account"])
        assert member is not None
        factors.remove_all(db, member.key)
        recovery_codes.renew(db, world.backends.vault, member.key, now=world.now())
        member.password_hash, member.role = world.hash("Something else 1"), "auditor"
    world.a_totp(member.key)
    browser = world.at_the_console(member=AStaffMember(member, member.account, ""))
    with world.write() as db:
        db.merge(member).suspended_at = world.now()
    seed(world)
    assert browser.open("/staff").status == 200
    assert "管理员" in browser.page.text if browser.page else False
    other = world.browser()
    type_password(other, account["account"], account["password"])
    assert is_in(other.submit({"code": a_code(account["totp_secret"])}, follow=False))
    with world.reading() as db:
        assert len(factors.list_factors(db, member.key)) == 1
        assert recovery_codes.left(db, member.key) == 0


def test_a_code_that_was_used_stays_used_after_a_restart(world: World) -> None:
    seed(world)
    account, code = ACCOUNTS["staff"][0], a_code(ACCOUNTS["staff"][0]["totp_secret"])
    for expected in (True, False):
        browser = world.browser()
        type_password(browser, account["account"], account["password"])
        assert is_in(browser.submit({"code": code}, follow=False)) is expected
        seed(world)


def test_people_who_were_added_stay(world: World) -> None:
    person = world.a_person()
    seed(world)
    assert "/center/person" in world.browser().sign_in_person(person).url


def test_the_portal_is_registered_on_both_names_of_this_machine(world: World) -> None:
    seed(world)
    seed(world)
    client = world.platform.clients.find("social-insurance")
    assert client is not None
    assert client.redirect_uris == ("http://localhost:8001/callback", "http://127.0.0.1:8001/callback")
    assert client.post_logout_redirect_uris == (
        "http://localhost:8001/signed-out",
        "http://127.0.0.1:8001/signed-out",
    )
    assert client.first_party
    assert client.knows_secret("s" * 40, now=world.now())


def test_the_phone_app_is_registered_once_for_each_channel(world: World) -> None:
    seed(world)
    seed(world)
    found = {}
    for name in ("phone", "social_card", "licence"):
        client = world.platform.clients.find(CLIENTS[name])
        assert client is not None
        # On localhost alone: its key is one origin's.
        assert client.redirect_uris == ("http://localhost:8004/callback",)
        assert (client.auth_method, client.dpop, client.first_party) == ("none", True, True)
        assert "app" in client.scopes
        found[client.channel] = client.name
    assert found == {"jishiban": "吉事办", "social_card": "电子社保卡", "licence": "电子营业执照"}
