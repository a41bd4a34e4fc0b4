"""What an approval does, all of it or nothing: accounts, sign-ins, phones, the link (E15, X21, S64, S73)."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from idp.access import endings, logouts
from idp.accounts import directory, factors, locks
from idp.accounts.audit import Origin
from idp.accounts.identity import Identity, Role
from idp.accounts.models import Credential, Enterprise, LegalAccount, Person
from idp.accounts.outbox import OutboxMessage
from idp.accounts.sessions import Device, Proof, SigninSession, open_session
from idp.appeal.applying import Unapplicable
from idp.appeal.models import State
from idp.appeal.outcome import Change
from idp.appeal.states import Moved
from tests.access.test_endings import BACK_CHANNEL
from tests.appeal.approving import (
    account_of,
    approved,
    begin_confirming,
    confirm,
    count,
    link_of,
    not_me,
    opened,
    planned,
    proposed,
    purposes,
    sets,
    told_anew,
    trail,
    without_account,
)
from tests.appeal.builders import AnAppeal, an_appeal, told_of
from tests.enterprise.pending import Waiting
from tests.login.acting import is_in
from tests.messages import last_code, waiting
from tests.oauth.asking import introspect, refresh, tokens_for
from tests.security.telling import key_of
from tests.world import ACompany, AnOperator, APerson, Browser, World, a_resident_number, error_sentences

SCOPE = "openid entity offline_access"
LINK, APPROVED = "appeal_approved_link", "appeal_approved"


def opens(world: World, company: ACompany) -> bool:
    """Whether its password lets its representative in."""
    return is_in(world.browser().sign_in_legal(company, follow=False))


def scanned_in(world: World, company: ACompany) -> Browser:
    """A browser whose representative came in by his own phone: his secrets opened it, not the company's."""
    account, holder, browser = account_of(world, company), company.representative.row, world.browser()
    identity = Identity(holder.id, Role.LEGAL_REPRESENTATIVE, company.row.id, legal_account_id=account.id)
    proof = Proof(("qr",), "urn:idp:loa:2", world.now(), f"person:{holder.id}")
    with world.write() as db:
        life = timedelta(hours=1)
        _, token = open_session(db, identity, proof, Device("", ""), lifetime=life, now=world.now())
    browser.client.set_cookie("idp_session", token, domain="localhost")
    assert browser.open("/center/enterprise", follow=False).status == 200
    return browser


def reasons(world: World, company: ACompany, holder: APerson) -> set[str | None]:
    """Why the sign-ins ended in which somebody represented the company."""
    mine = select(SigninSession.end_reason).where(
        SigninSession.enterprise_id == company.row.id, SigninSession.person_id == holder.row.id
    )
    with world.reading() as db:
        return set(db.scalars(mine))


class SignedIn:
    """A company's representative and an operator of it, each at a browser, with tokens of a portal."""

    def __init__(self, world: World, company: ACompany) -> None:
        self.world, self.company = world, company
        self.client = world.a_client(backchannel_logout_uri=BACK_CHANNEL)
        self.operator: AnOperator = world.an_operator(company)
        self.legal, self.other = world.browser(), world.browser()
        self.legal.sign_in_legal(company)
        self.other.sign_in_operator(self.operator)
        self.tokens = [tokens_for(one, self.client, SCOPE) for one in (self.legal, self.other)]

    @property
    def is_active(self) -> list[bool]:
        """Whether introspection knows the representative's token, and the operator's."""
        return [introspect(self.world, self.client, one["access_token"])["active"] for one in self.tokens]

    def check_only_the_operator_is_left(self) -> None:
        """His sign-in and his tokens live; of the representative's nothing does, and his portal is told."""
        assert self.is_active == [False, True]
        again = refresh(self.world, self.client, self.tokens[0]["refresh_token"])
        assert again.get_json()["error"] == "invalid_grant"
        assert self.legal.open("/center/enterprise", follow=False).status == 302
        assert self.other.open("/center/operator", follow=False).status == 200
        with self.world.reading() as db:
            told = select(OutboxMessage.id).where(OutboxMessage.kind == logouts.KIND)
            assert len(db.scalars(told).all()) == 1


def test_a_registered_company_waits_with_its_name_kept_and_its_phone_gets_the_link(world: World) -> None:
    told = told_of()
    appeal = approved(world, told)
    made, row = opened(world, told), appeal.row(world)
    assert made
    assert (made.company.name, made.company.type) == (told.claim.name, told.claim.type)
    assert (made.names, made.has_password, made.account.activated_at) == ([told.account], False, None)
    vault = world.backends.vault
    assert made.account.phone(vault) == told.phone
    assert made.representative.id_number(vault) == told.claim.document.id_number
    assert made.representative.id_valid_until == told.claim.document.valid_until
    assert (row.state, row.enterprise_id, row.changes) == (State.APPROVED, made.company.id, ["register"])
    assert row.link_hash
    assert (purposes(world, told.phone), purposes(world, told.operator_phone)) == ([LINK], [APPROVED])
    assert [one.action for one in trail(world)] == ["enterprise_registered", "appeal_link_sent"]
    browser = world.browser()
    browser.open("/login/legal")
    page = browser.submit_with_captcha({"account": told.account, "password": "Whatever-1"})
    assert "待激活" in page.text


def test_whoever_missed_the_link_activates_as_everybody_does(world: World) -> None:
    told = told_of()
    approved(world, told)
    made = opened(world, told)
    assert made
    holder = world.a_person()
    waiting_company = Waiting(world, ACompany(made.company, holder, told.claim.uscc, told.claim.name, "", ""))
    for number, name in enumerate((told.account, "quite_another")):
        browser = world.browser()
        browser.open("/activate")
        known = {
            "representative_name": told.claim.representative_name,
            "id_number": told.claim.document.id_number,
            "valid_from": "2020-01-01",
        }
        browser.submit_with_captcha(waiting_company.told(**known))
        if number:
            assert "已经激活" in (browser.page.text if browser.page else "")
            break
        browser.submit({"send": "1"})
        browser.submit({"code": last_code(world, told.phone)})
        page = waiting_company.chooses(browser, account=name)
        assert "企业账号已激活" in page.text


def test_a_reserved_name_gives_way_to_another_one(world: World) -> None:
    told = told_of()
    approved(world, told)
    made = opened(world, told)
    assert made
    with world.write() as db:
        account = db.get_one(LegalAccount, made.account.id)
        directory.activate(
            db,
            world.backends.vault,
            account,
            name="quite_another",
            password_hash="x",
            phone=told.phone,
            now=world.now(),
        )
    again = opened(world, told)
    assert again
    assert again.names == ["quite_another"]


def test_an_approval_closes_the_account_and_operators_stay(world: World) -> None:
    company = world.a_company()
    signed_in = SignedIn(world, company)
    appeal = an_appeal(world, State.IN_HAND, company=company)
    confirm(world, appeal)
    signed_in.check_only_the_operator_is_left()
    assert not opens(world, company)
    phone = company.representative.phone
    assert purposes(world, phone)[-2:] == ["appeal_reset", LINK]
    assert purposes(world, appeal.told.operator_phone) == [APPROVED]


def test_who_unlocks_an_account_does_not_revive_its_old_password(world: World) -> None:
    company = world.a_company()
    confirm(world, an_appeal(world, State.IN_HAND, company=company))
    with world.write() as db:
        row = db.get_one(Enterprise, company.row.id)
        endings.resume(db, world.backends.trail, row, Origin("cli:root"), reason="proved", now=world.now())
    browser = world.browser()
    assert error_sentences(browser.sign_in_legal(company)) == ["账号或密码不正确，请核对后重新填写"]


def test_the_old_phone_hears_of_the_new_one_and_the_second_factors_go(world: World) -> None:
    company = world.a_company()
    world.a_totp(key_of(world, company))
    old, told = company.representative.phone, told_anew(company)
    before = len(purposes(world, old))
    approved(world, told, company)
    assert purposes(world, old)[before:] == ["factor_removed", "phone_changed", APPROVED]
    assert "不是您本人操作？请打开" in waiting(world, old)[-2]["text"]
    assert purposes(world, told.phone) == [LINK]
    assert account_of(world, company).phone(world.backends.vault) == told.phone
    assert [one.action for one in trail(world, key_of(world, company))] == ["factor_removed", "phone_changed"]
    with world.reading() as db:
        assert not factors.kinds_of(db, key_of(world, company))


def test_the_old_representative_loses_everything_at_once_and_the_new_one_is_told(world: World) -> None:
    company, heir = world.a_company(), world.a_person(name="周新")
    signed_in, holder = SignedIn(world, company), company.representative
    by_phone = scanned_in(world, company)
    own = world.browser()
    own.sign_in_person(holder)
    told = told_of(company, id_number=heir.id_number, representative_name=heir.name)
    approved(world, told, company)
    signed_in.check_only_the_operator_is_left()
    assert by_phone.open("/center/enterprise", follow=False).status == 302
    assert reasons(world, company, holder) == {"appeal_approved"}
    assert own.open("/center/person", follow=False).status == 200
    assert "representative_changed" in purposes(world, holder.phone)
    assert purposes(world, heir.phone) == ["representative_named"]
    with world.reading() as db:
        assert db.get_one(Enterprise, company.row.id).representative_id == heir.row.id
    line = trail(world, action="representative_changed")[0]
    assert line.detail["after"] == {"representative": f"person:{heir.row.id}"}


def test_a_representative_nobody_knew_comes_into_being(world: World) -> None:
    company, number = world.a_company(), a_resident_number(90_002)
    approved(world, told_of(company, id_number=number, representative_name="周新"), company)
    with world.reading() as db:
        row = db.get_one(Enterprise, company.row.id)
        holder = db.get_one(Person, row.representative_id)
    vault = world.backends.vault
    assert (holder.name(vault), holder.id_number(vault)) == ("周新", number)


def test_names_are_corrected_with_a_line_each(world: World) -> None:
    company = world.a_company()
    without_account(world, company.representative)
    told = told_of(company, representative_name="林大满", name=f"新{company.name}")
    approved(world, told, company)
    with world.reading() as db:
        assert db.get_one(Person, company.representative.row.id).name(world.backends.vault) == "林大满"
        assert db.get_one(Enterprise, company.row.id).name == told.claim.name
    actions = [one.action for one in trail(world)]
    assert [actions.count(one) for one in ("name_corrected", "company_renamed")] == [1, 1]
    renamed = trail(world, action="company_renamed")[0].detail
    assert renamed == {"before": {"name": company.name}, "after": {"name": told.claim.name}}


def test_a_name_that_other_companies_show_is_corrected_with_their_knowledge(world: World) -> None:
    """A person without an account stands here once, whoever he represents."""
    other = world.a_company()
    holder, reserved = other.representative, "13300000007"
    without_account(world, holder)
    with world.write() as db:
        db.scalars(select(LegalAccount)).one().set_phone(world.backends.vault, reserved)
    mine = world.a_company()
    corrected: dict[str, Any] = {"id_number": holder.id_number, "representative_name": "林改名"}
    to_register = proposed(world, told_of(**corrected))
    for appeal in (to_register, proposed(world, told_of(mine, **corrected), mine)):
        assert any(f"还代表{other.name}，" in one for one in planned(world, appeal).remarks)
        assert not any(mine.name in one for one in planned(world, appeal).remarks)
    confirm(world, to_register)
    assert purposes(world, reserved) == ["representative_renamed"]
    assert "法定代表人姓名已更正。不是您本人操作？请打开" in waiting(world, reserved)[0]["text"]


def test_who_is_replaced_hears_of_it_by_his_own_phone_and_may_stop_it(world: World) -> None:
    company, reserved = world.a_company(), "13300000009"
    with world.write() as db:
        db.scalars(select(LegalAccount)).one().set_phone(world.backends.vault, reserved)
    told = told_of(company, phone=reserved, id_number=a_resident_number(90_021), representative_name="周新")
    appeal = approved(world, told, company)
    assert "representative_changed" in purposes(world, reserved)
    assert purposes(world, company.representative.phone) == ["representative_replaced"]
    not_me(world, company.representative.phone, "representative_replaced")
    # He has no way to a reset, and whoever has the other phone would have one.
    assert account_of(world, company).phone(world.backends.vault) is None
    assert "密码已设置" not in sets(world.browser(), link_of(world, appeal)).text


def test_an_imported_company_is_corrected_and_keeps_waiting(world: World) -> None:
    company = world.a_company(active=False)
    told = told_anew(company)
    approved(world, told, company)
    made = opened(world, told)
    assert made
    assert (made.names, made.account.activated_at, made.has_password) == ([told.account], None, False)
    assert made.account.phone(world.backends.vault) == told.phone


def is_refused(world: World, appeal: AnAppeal, expected: Sequence[str] | None = None) -> str:
    """What is said of an approval that is not done; nothing of it may be there."""
    with pytest.raises(Unapplicable) as refused:
        confirm(world, appeal, expected)
    row = appeal.row(world)
    assert (row.state, row.link_hash, row.decided_at) == (State.SECOND, None, None)
    assert not purposes(world, appeal.told.operator_phone)
    return refused.value.sentences[0]


def test_what_was_not_seen_is_not_done(world: World) -> None:
    company = world.a_company()
    appeal = proposed(world, told_anew(company), company)
    assert "有变动" in is_refused(world, appeal, ["password"])
    assert "有变动" in is_refused(world, appeal, ["phone", "password", "company_name"])
    with world.write() as db:
        db.merge(company.row).suspended_at = world.now()
    assert "已停用" in is_refused(world, appeal, ["phone", "password"])
    assert "直接登录" in is_refused(world, proposed(world, told_of(world.a_company())), ["register"])


@pytest.mark.parametrize("change", [Change.REGISTER, Change.PHONE])
def test_what_needs_two_is_not_done_by_one(world: World, change: Change) -> None:
    company = world.a_company() if change is Change.PHONE else None
    told = told_anew(company) if company else told_of()
    appeal = an_appeal(world, State.IN_HAND, company=company, told=told)
    with pytest.raises(Unapplicable, match="另一位客服主管复核"):
        confirm(world, appeal)
    assert appeal.row(world).state == State.IN_HAND
    assert not purposes(world, told.phone)
    if company:
        assert opens(world, company)


def test_a_newer_approval_takes_the_link_of_the_one_before(world: World) -> None:
    company = world.a_company()
    first, second = (an_appeal(world, State.IN_HAND, company=company) for _ in range(2))
    confirm(world, first)
    confirm(world, second)
    assert first.row(world).link_hash is None
    assert second.row(world).link_hash


def test_of_many_approvals_at_once_of_one_credit_code_one_is_done(world: World) -> None:
    told = told_of()
    two = [proposed(world, told), proposed(world, told_of(uscc=told.claim.uscc))]

    def attempt(number: int) -> str:
        try:
            confirm(world, two[number % 2], ["register"])
        except (Unapplicable, Moved) as lost:
            return type(lost).__name__
        return "done"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(attempt, range(20)))
    assert outcomes.count("done") == 1, outcomes
    assert sorted(one.row(world).state for one in two) == [State.APPROVED, State.SECOND]
    assert (count(world, Enterprise), count(world, LegalAccount), count(world, Person)) == (1, 1, 1)
    assert len(trail(world, action="enterprise_registered")) == 1


def test_who_dies_before_the_commit_has_done_nothing(world: World) -> None:
    company = world.a_company()
    signed_in = SignedIn(world, company)
    told = told_anew(company, representative_name="周新", id_number=a_resident_number(90_003))
    appeal = proposed(world, told, company)
    before = purposes(world, company.representative.phone)
    db = world.backends.database.session()
    begin_confirming(db, world, appeal)
    db.close()
    assert signed_in.is_active == [True, True]
    assert purposes(world, company.representative.phone) == before
    assert not purposes(world, appeal.told.phone)
    assert (appeal.row(world).state, trail(world, action="phone_changed")) == (State.SECOND, [])
    assert opens(world, company)
    with world.reading() as db:
        credential = db.scalars(select(Credential).where(Credential.legal_account_id.is_not(None))).one()
        assert credential.locked_at is None
        assert locks.locked_since(db, key_of(world, company)) is None
