"""A company's account changes hands: what rested on whoever held it is dead at once (S64, S73)."""

from __future__ import annotations

from typing import Any

from idp.access import holders
from idp.access.holders import Held, Tools
from idp.accounts import factors
from idp.accounts.audit import Origin
from idp.accounts.models import Enterprise, Person
from tests.appeal.approving import account_of, purposes, trail
from tests.appeal.test_applying import SignedIn, opens, reasons, scanned_in
from tests.security.telling import key_of
from tests.world import ACompany, World


def tools_of(world: World) -> Tools:
    here = world.platform
    return Tools(here.vault, here.trail, here.notifier, Origin("cli:root"))


def held(db: Any, company: ACompany) -> Held:
    found = holders.hold(db, company.uscc)
    assert found
    return found


def test_nobody_holds_a_company_that_is_not_here(world: World) -> None:
    with world.write() as db:
        assert holders.hold(db, "91990100MA00000000") is None


def test_another_representative_ends_what_the_one_before_opened_by_whatever_way(world: World) -> None:
    company, heir = world.a_company(), world.a_person(name="周新")
    signed_in, by_phone = SignedIn(world, company), scanned_in(world, company)
    world.a_totp(key_of(world, company))
    with world.write() as db:
        mine, person = held(db, company), db.get_one(Person, heir.row.id)
        holders.replace_representative(db, tools_of(world), mine, person, now=world.now())
        holders.tell_named(db, tools_of(world), mine, person, now=world.now())
    signed_in.check_only_the_operator_is_left()
    assert by_phone.open("/center/enterprise", follow=False).status == 302
    assert reasons(world, company, company.representative) == {"representative_changed"}
    assert purposes(world, company.representative.phone)[-2:] == ["factor_removed", "representative_changed"]
    assert purposes(world, heir.phone) == ["representative_named"]
    with world.reading() as db:
        assert db.get_one(Enterprise, company.row.id).representative_id == heir.row.id


def test_another_phone_is_told_at_the_one_before_and_takes_the_factors_with_it(world: World) -> None:
    company = world.a_company()
    key, old = key_of(world, company), company.representative.phone
    with world.write() as db:
        factors.add_sms(db, account=key, now=world.now())
    with world.write() as db:
        holders.replace_phone(db, tools_of(world), held(db, company), "13500000001", now=world.now())
    assert purposes(world, old)[-2:] == ["factor_removed", "phone_changed"]
    assert purposes(world, "13500000001") == []
    assert account_of(world, company).phone(world.backends.vault) == "13500000001"
    with world.reading() as db:
        assert factors.kinds_of(db, key) == frozenset()
    assert [one.action for one in trail(world, key)] == ["factor_removed", "phone_changed"]


def test_a_closed_account_opens_to_nobody_and_its_password_is_no_more(world: World) -> None:
    company = world.a_company()
    signed_in, by_phone = SignedIn(world, company), scanned_in(world, company)
    with world.write() as db:
        holders.close(db, tools_of(world), held(db, company), reason="closed", now=world.now())
    signed_in.check_only_the_operator_is_left()
    assert by_phone.open("/center/enterprise", follow=False).status == 302
    assert not opens(world, company)
