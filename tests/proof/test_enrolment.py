"""Adding, naming and removing second factors (MISSION Y: passkeys, TOTP, recovery codes, notices)."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pyotp
import pytest
from sqlalchemy import select

from idp.accounts import factors
from idp.accounts.audit import Action, AuditEvent, Event
from idp.accounts.factors import Kind, Passkey, RecoveryCode, TotpSecret
from idp.accounts.outbox import OutboxMessage
from idp.proof import enrolment, recovery_codes
from idp.proof.enrolment import EnrolmentRefused, Owner, SetupGone
from idp.proof.passkeys import PasskeyRefused, Why
from tests.adapters.arrange import at_once
from tests.authenticator import AnAuthenticator
from tests.proof.enrolling import (
    START,
    an_owner,
    begun,
    changing,
    codes_of,
    finished,
    held_by,
    of_account,
    removed,
    told,
    tools_of,
    with_app,
    with_passkey,
)
from tests.world import World


def test_an_app_is_added_by_the_code_it_shows_and_that_code_is_spent(world: World) -> None:
    owner = an_owner(world)
    ticket, secret = begun(world, owner)
    added = finished(world, owner, ticket, pyotp.TOTP(secret).at(START))
    assert added.name == "手机"
    assert held_by(world, owner) == [(Kind.TOTP, "手机")]
    with world.reading() as db:
        row = db.scalars(select(TotpSecret)).one()
        assert row.secret(world.backends.vault) == secret
        assert row.last_step == int(START.timestamp()) // 30
        assert secret.encode() not in row.secret_sealed


def test_a_wrong_code_keeps_the_secret_for_another_try(world: World) -> None:
    owner = an_owner(world)
    ticket, secret = begun(world, owner)
    with pytest.raises(EnrolmentRefused, match="现在显示的 6 位数字"):
        finished(world, owner, ticket, "rubbish")
    assert enrolment.totp_secret(tools_of(world), owner, ticket) == secret
    assert finished(world, owner, ticket, pyotp.TOTP(secret).at(START))


def test_ten_tries_are_all_a_secret_gets(world: World) -> None:
    owner = an_owner(world)
    ticket, secret = begun(world, owner)
    for _ in range(10):
        with pytest.raises(EnrolmentRefused):
            finished(world, owner, ticket, "rubbish")
    with pytest.raises(SetupGone):
        finished(world, owner, ticket, pyotp.TOTP(secret).at(START))
    with pytest.raises(SetupGone):
        enrolment.totp_secret(tools_of(world), owner, ticket)


def test_the_secret_waits_for_its_browser_and_its_account_alone(world: World) -> None:
    owner = an_owner(world)
    ticket, secret = begun(world, owner)
    code = pyotp.TOTP(secret).at(START)
    for stranger in (an_owner(world), of_account(owner.account, browser="another")):
        with pytest.raises(SetupGone):
            enrolment.totp_secret(tools_of(world), stranger, ticket)
        with pytest.raises(SetupGone):
            finished(world, stranger, ticket, code)
    assert finished(world, owner, ticket, code)


def test_no_secret_waits_in_clear_or_for_long(world: World) -> None:
    ticket, secret = begun(world, an_owner(world))
    kept = world.platform.store.get(f"totp-setup:{ticket}")
    assert kept
    assert secret.encode() not in kept
    assert 890 < world.platform.store.remaining(f"totp-setup:{ticket}") <= 900


def test_an_invented_ticket_is_one_that_is_gone(world: World) -> None:
    owner = an_owner(world)
    ticket, _secret = begun(world, owner)
    with pytest.raises(EnrolmentRefused):
        finished(world, owner, ticket, "rubbish")
    for spelled in ("", "x", f"{ticket}:tries", "x" * 100_000, "\0"):
        with pytest.raises(SetupGone):
            finished(world, owner, spelled, "123456")


def test_of_two_who_finish_at_once_one_adds_an_app(world: World) -> None:
    owner = an_owner(world)
    ticket, secret = begun(world, owner)

    def finish(_number: int) -> bool:
        try:
            return bool(finished(world, owner, ticket, pyotp.TOTP(secret).at(START)))
        except SetupGone:
            return False

    assert sum(at_once(6, finish)) == 1
    assert len(held_by(world, owner)) == 1


def test_five_apps_are_the_most(world: World) -> None:
    owner = an_owner(world)
    for number in range(5):
        with_app(world, owner, name=f"手机 {number}")
    with pytest.raises(EnrolmentRefused, match="最多添加 5 个"):
        with_app(world, owner)
    with_passkey(world, owner, AnAuthenticator())
    assert len(held_by(world, owner)) == 6


@pytest.mark.parametrize("before", [0, 3])
def test_five_are_the_most_also_when_all_are_added_at_once(world: World, before: int) -> None:
    owner = an_owner(world)
    for _ in range(before):
        with_app(world, owner)
    tickets = [begun(world, owner) for _ in range(8)]

    def finish(number: int) -> bool:
        ticket, secret = tickets[number]
        try:
            return bool(finished(world, owner, ticket, pyotp.TOTP(secret).at(START)))
        except EnrolmentRefused:
            return False

    assert sum(at_once(8, finish)) == 5 - before
    assert len(held_by(world, owner)) == 5


def test_the_first_factor_brings_ten_codes_and_the_second_none(world: World) -> None:
    owner = an_owner(world)
    first = with_app(world, owner)
    assert len(set(first.recovery_codes)) == 10
    assert with_app(world, owner).recovery_codes == ()
    assert with_passkey(world, owner, AnAuthenticator()).recovery_codes == ()
    assert codes_of(world, owner) == 10
    with changing(world) as db:
        assert recovery_codes.spend(
            db, world.backends.vault, owner.account, first.recovery_codes[9], now=START
        )


def test_of_factors_added_at_once_one_is_the_first(world: World) -> None:
    owner = an_owner(world)
    keys = [AnAuthenticator() for _ in range(4)]
    added = at_once(4, lambda number: with_passkey(world, owner, keys[number]))
    assert sorted(len(one.recovery_codes) for one in added) == [0, 0, 0, 10]
    assert codes_of(world, owner) == 10


def test_the_last_factor_takes_the_codes_with_it(world: World) -> None:
    owner = an_owner(world)
    with_app(world, owner)
    with_passkey(world, owner, AnAuthenticator())
    removed(world, owner, Kind.TOTP)
    assert codes_of(world, owner) == 10
    removed(world, owner, Kind.PASSKEY)
    with world.reading() as db:
        assert db.scalars(select(RecoveryCode.id)).all() == []
    with changing(world) as db, pytest.raises(EnrolmentRefused, match="添加一种第二步验证之后"):
        enrolment.renew_recovery_codes(db, tools_of(world), owner, now=START)
    assert len(with_app(world, owner).recovery_codes) == 10


def test_new_recovery_codes_end_the_old_ones_and_are_told(world: World) -> None:
    owner = an_owner(world)
    old = with_app(world, owner).recovery_codes
    with changing(world) as db:
        new = enrolment.renew_recovery_codes(db, tools_of(world), owner, now=START)
    with changing(world) as db:
        vault = world.backends.vault
        assert not recovery_codes.spend(db, vault, owner.account, old[0], now=START)
        assert recovery_codes.spend(db, vault, owner.account, new[0], now=START)
    lines, notices, _waiting = told(world, owner)
    assert lines == ["factor_added", "recovery_codes_made"]
    assert notices == ["factor_added", "recovery_codes_made"]


def test_the_last_factor_stays_where_one_must_be_kept(world: World) -> None:
    owner = an_owner(world)
    with_app(world, owner)
    with pytest.raises(EnrolmentRefused, match="至少要保留一种"):
        removed(world, owner, Kind.TOTP, keep_one=True)
    with_passkey(world, owner, AnAuthenticator())
    assert removed(world, owner, Kind.TOTP, keep_one=True) == "手机"
    assert held_by(world, owner) == [(Kind.PASSKEY, "钥匙")]


def test_removing_both_at_once_keeps_one_where_one_must_be_kept(world: World) -> None:
    owner = an_owner(world)
    with_app(world, owner)
    with_passkey(world, owner, AnAuthenticator())
    with world.reading() as db:
        held = factors.list_factors(db, owner.account)

    def remove(number: int) -> bool:
        one = held[number % 2]
        try:
            with changing(world) as db:
                enrolment.remove(db, tools_of(world), owner, one.kind, one.id, keep_one=True, now=START)
        except EnrolmentRefused:
            return False
        return True

    assert sum(at_once(4, remove)) == 1
    assert len(held_by(world, owner)) == 1


def test_a_passkey_is_on_one_account_alone(world: World) -> None:
    mine, theirs = an_owner(world), an_owner(world)
    with_passkey(world, theirs, AnAuthenticator(), id=b"the same id")
    with pytest.raises(PasskeyRefused) as caught:
        with_passkey(world, mine, AnAuthenticator(), id=b"the same id")
    assert caught.value.why is Why.TAKEN
    with pytest.raises(PasskeyRefused):
        with_passkey(world, theirs, AnAuthenticator(), id=b"the same id")
    assert (len(held_by(world, mine)), len(held_by(world, theirs))) == (0, 1)


def test_of_two_accounts_that_add_one_passkey_at_once_one_has_it(world: World) -> None:
    owners = [an_owner(world) for _ in range(4)]

    def add(number: int) -> Why | None:
        tools, owner = tools_of(world), owners[number]
        asked = enrolment.ceremony(tools, owner.browser).ask_to_add(owner.account, label="x", present=())
        answer = AnAuthenticator().create(asked.options, id=b"the same id")
        with world.backends.database.session() as db:
            try:
                enrolment.finish_passkey(
                    db, tools, owner, challenge_id=asked.id, answer=answer, name="", now=START
                )
            except PasskeyRefused as refused:
                # The request goes on: what it writes about the refusal must still be written.
                world.platform.trail.record(db, _refusal(owner), owner.origin, now=START)
                db.commit()
                return refused.why
            db.commit()
        return None

    outcomes = at_once(4, add)
    assert (outcomes.count(None), outcomes.count(Why.TAKEN)) == (1, 3)
    with world.reading() as db:
        assert len(db.scalars(select(Passkey.id)).all()) == 1
        written = db.scalars(select(AuditEvent.action)).all()
    assert (written.count("proof_refused"), written.count("factor_added")) == (3, 1)


def _refusal(owner: Owner) -> Event:
    return Event(Action.PROOF_REFUSED, target=owner.account)


def test_each_change_is_a_line_of_the_trail_and_a_notice(world: World) -> None:
    owner = an_owner(world)
    with_app(world, owner)
    with changing(world) as db:
        one = factors.list_factors(db, owner.account)[0]
        enrolment.rename(db, tools_of(world), owner, one.kind, one.id, "旧手机", now=START)
    assert held_by(world, owner) == [(Kind.TOTP, "旧手机")]
    assert removed(world, owner, Kind.TOTP) == "旧手机"
    lines, notices, waiting = told(world, owner)
    assert lines == ["factor_added", "factor_renamed", "factor_removed"]
    assert notices == ["factor_added", "factor_removed"]
    assert waiting == 2


@pytest.mark.parametrize("kind", list(Kind))
def test_a_change_that_is_rolled_back_is_told_to_nobody(world: World, kind: Kind) -> None:
    owner, tools = an_owner(world), tools_of(world)
    with world.backends.database.session() as db:
        if kind is Kind.TOTP:
            ticket, secret = begun(world, owner)
            code = pyotp.TOTP(secret).at(START)
            enrolment.finish_totp(db, tools, owner, ticket=ticket, code=code, name="", now=START)
        else:
            asked = enrolment.ceremony(tools, owner.browser).ask_to_add(owner.account, label="x", present=())
            answer = AnAuthenticator().create(asked.options)
            enrolment.finish_passkey(
                db, tools, owner, challenge_id=asked.id, answer=answer, name="", now=START
            )
        db.rollback()
    assert told(world, owner) == ([], [], 0)
    assert held_by(world, owner) == []
    assert codes_of(world, owner) == 0


def test_our_message_carries_no_words_of_whoever_added_the_factor(world: World) -> None:
    owner = an_owner(world)
    with_app(world, owner, name="退款请拨 4000000000")
    removed(world, owner, Kind.TOTP)
    with world.reading() as db:
        for message in db.scalars(select(OutboxMessage)):
            said = message.payload(world.backends.vault)["text"]
            assert "验证器 App" in said
            assert "4000000000" not in said


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", "验证器 App"),
        ("  ", "验证器 App"),
        (" 我的 手机 ", "我的 手机"),
        ("Ｐｉｘｅｌ", "Pixel"),
        ("<b>&", "<b>&"),
        ("名" * 40, "名" * 40),
    ],
)
def test_a_name_is_kept_as_typed_or_is_the_kinds(typed: str, kept: str) -> None:
    assert enrolment.clean_name(typed, Kind.TOTP) == kept


@pytest.mark.parametrize(
    "typed", ["名" * 41, "a\0b", "a\nb", "a\x1b[31mb", "\u202etxt", "\ud800", "a\u200bb", "x" * 100_000]
)
def test_a_name_that_cannot_be_shown_is_refused(typed: str) -> None:
    with pytest.raises(EnrolmentRefused, match="名称"):
        enrolment.clean_name(typed, Kind.PASSKEY)


def test_a_refused_name_keeps_the_secret_and_the_old_name(world: World) -> None:
    owner = an_owner(world)
    ticket, secret = begun(world, owner)
    code = pyotp.TOTP(secret).at(START)
    with pytest.raises(EnrolmentRefused, match="名称"):
        finished(world, owner, ticket, code, name="a\0b")
    assert finished(world, owner, ticket, code)
    with world.reading() as db:
        one = factors.list_factors(db, owner.account)[0]
    with changing(world) as db, pytest.raises(EnrolmentRefused, match="最多 40 个字符"):
        enrolment.rename(db, tools_of(world), owner, one.kind, one.id, "名" * 41, now=START)
    assert held_by(world, owner) == [(Kind.TOTP, "手机")]
    with changing(world) as db:
        enrolment.rename(db, tools_of(world), owner, one.kind, one.id, " ", now=START)
    with world.reading() as db:
        named = factors.list_factors(db, owner.account)[0].name
    assert named == enrolment.default_name(one.kind, now=one.created_at), "a name taken away is the given one"


def test_what_belongs_to_another_account_is_not_there(world: World) -> None:
    mine, theirs, tools = an_owner(world), an_owner(world), tools_of(world)
    with_app(world, mine)
    with_app(world, theirs)
    with world.reading() as db:
        other = factors.list_factors(db, theirs.account)[0]
    for kind, factor_id in ((Kind.TOTP, other.id), (Kind.PASSKEY, other.id), (Kind.TOTP, uuid4())):
        with changing(world) as db, pytest.raises(EnrolmentRefused, match="没有找到"):
            enrolment.rename(db, tools, mine, kind, factor_id, "我的", now=START)
        with changing(world) as db, pytest.raises(EnrolmentRefused, match="没有找到"):
            enrolment.remove(db, tools, mine, kind, factor_id, now=START)
    assert held_by(world, theirs) == [(Kind.TOTP, "手机")]
    assert codes_of(world, theirs) == 10


def test_the_phone_is_told_of_a_factor_so_often_a_day_and_no_more(world: World) -> None:
    owner = an_owner(world)
    most = world.settings.notices_a_day
    for _ in range(most + 2):
        with_app(world, owner)
        removed(world, owner, Kind.TOTP)
    lines, notices, _waiting = told(world, owner)
    assert lines.count("factor_added") == most + 2
    assert notices.count("factor_added") == most


def test_an_app_of_another_time_is_added_by_its_own_code_only(world: World) -> None:
    owner = an_owner(world)
    ticket, secret = begun(world, owner)
    with pytest.raises(EnrolmentRefused):
        finished(world, owner, ticket, pyotp.TOTP(secret).at(START + timedelta(minutes=5)))
    assert held_by(world, owner) == []
