"""When a sign-in counts, asked of the table itself (SECURITY 33, 62, 64, 99)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from idp.access.endings import lock
from idp.accounts.audit import Origin
from idp.accounts.calendar import day_begins
from idp.accounts.identity import Identity, Role, account_of
from idp.accounts.models import Credential
from idp.accounts.sessions import Device, NotOpened, Proof, SigninSession, find_live, note_seen, open_session
from idp.accounts.whose_sign_ins import list_live, opened_with
from tests.world import AnOperator, APerson, World

IDLE, LIFETIME = timedelta(minutes=30), timedelta(hours=8)
DEVICE = Device("a browser", "127.0.0.1")
A_TOOL = Origin(actor="cli:test")


def opened(db: Session, identity: Identity, now: datetime) -> str:
    """The token of a sign-in opened at `now`."""
    proof = Proof(("pwd",), "urn:idp:loa:1", now, account_of(identity))
    return open_session(db, identity, proof, DEVICE, lifetime=LIFETIME, now=now)[1]


def as_himself(person: APerson) -> Identity:
    return Identity(person.row.id, Role.NATURAL_PERSON)


def as_operator(operator: AnOperator) -> Identity:
    return Identity(operator.person.row.id, Role.OPERATOR, operator.company.row.id, operator.mandate.id)


def test_it_counts_until_it_is_idle_or_old_and_not_a_second_longer(world: World) -> None:
    now, second = world.now(), timedelta(seconds=1)
    with world.write() as db:
        token = opened(db, as_himself(world.a_person()), now)

        def counts(at: datetime, idle: timedelta = IDLE) -> bool:
            return find_live(db, token, idle=idle, now=at) is not None

        assert counts(now)
        assert counts(now + IDLE - second)
        assert not counts(now + IDLE)
        assert counts(now + LIFETIME - second, idle=LIFETIME)
        assert not counts(now + LIFETIME, idle=LIFETIME * 2)


def test_being_seen_is_written_once_a_minute(world: World) -> None:
    now = world.now()
    with world.write() as db:
        token = opened(db, as_himself(world.a_person()), now)
    with world.reading() as db:
        found = find_live(db, token, idle=IDLE, now=now)
        assert found
        note_seen(db, found.session, now=now + timedelta(seconds=59))
        assert find_live(db, token, idle=IDLE, now=now + IDLE) is None
        note_seen(db, found.session, now=now + timedelta(seconds=60))
        assert find_live(db, token, idle=IDLE, now=now + IDLE)


@pytest.mark.parametrize("token", ["", "x", "\0", "\ud800", "' OR 1=1"])
def test_an_invented_token_opens_nothing(world: World, token: str) -> None:
    with world.write() as db:
        opened(db, as_himself(world.a_person()), world.now())
        assert find_live(db, token, idle=IDLE, now=world.now()) is None


def test_a_mandate_counts_on_its_days_in_shanghai_both_ends_included(world: World) -> None:
    first = datetime(2030, 3, 4, tzinfo=UTC).date()
    operator = world.an_operator(first_day=first, last_day=first + timedelta(days=1))
    begins, ends = day_begins(first), day_begins(first + timedelta(days=2))
    assert begins.astimezone(UTC) == datetime(2030, 3, 3, 16, tzinfo=UTC)
    instant = timedelta(microseconds=1)
    with world.write() as db:
        token = opened(db, as_operator(operator), begins - timedelta(hours=1))
        late = opened(db, as_operator(operator), ends - timedelta(hours=1))
        assert find_live(db, token, idle=LIFETIME, now=begins - instant) is None
        assert find_live(db, token, idle=LIFETIME, now=begins)
        assert find_live(db, late, idle=LIFETIME, now=ends - instant)
        assert find_live(db, late, idle=LIFETIME, now=ends) is None


def test_a_session_whose_rows_do_not_fit_its_role_counts_for_nobody(world: World) -> None:
    operator, company = world.an_operator(), world.a_company()
    person, mandate = operator.person.row.id, operator.mandate.id
    now = world.now()
    odd = [
        Identity(person, Role.OPERATOR, operator.company.row.id),
        Identity(person, Role.LEGAL_REPRESENTATIVE, operator.company.row.id, mandate),
        Identity(company.representative.row.id, Role.LEGAL_REPRESENTATIVE, company.row.id),
    ]
    with world.write() as db:
        tokens = [opened(db, identity, now) for identity in odd]
        assert [find_live(db, token, idle=IDLE, now=now) for token in tokens] == [None] * 3


def test_the_list_holds_what_one_accounts_secrets_opened(world: World) -> None:
    person = world.a_person()
    first, second = world.an_operator(person=person), world.an_operator(person=person)
    colleague = world.an_operator(first.company)
    now = world.now()
    with world.write() as db:
        for identity in (as_himself(person), as_operator(first), as_operator(second), as_operator(colleague)):
            opened(db, identity, now)
            opened(db, identity, now - timedelta(hours=9))
        for identity in (as_himself(person), as_operator(first)):
            ((row, company),) = list_live(db, opened_with(account_of(identity)), now=now)
            assert row.identity == identity
            assert bool(company) is bool(identity.enterprise_id)
            db.execute(update(SigninSession).where(SigninSession.id == row.id).values(account=""))
            ((again, _),) = list_live(db, opened_with(account_of(identity)), now=now)
            assert again.id == row.id, "one of the version before"


def test_none_opens_once_its_password_was_changed_or_its_account_locked(world: World) -> None:
    """Section Y, 不是我: who was on the way in when the account was locked does not come in."""
    person, now = world.a_person(), world.now()
    identity = as_himself(person)
    with world.reading() as db:
        credential = db.scalars(select(Credential).where(Credential.person_id == person.row.id)).one()
    as_it_was = (credential.id, credential.changed_at)
    proof = Proof(("pwd",), "urn:idp:loa:1", now, account_of(identity), as_it_was)
    with world.write() as db:
        assert open_session(db, identity, proof, DEVICE, lifetime=LIFETIME, now=now)
    changed = replace(proof, rests_on=(credential.id, credential.changed_at - timedelta(seconds=1)))
    with world.write() as db, pytest.raises(NotOpened):
        open_session(db, identity, changed, DEVICE, lifetime=LIFETIME, now=now)


def test_whoever_comes_in_while_the_account_is_being_locked_is_out(world: World) -> None:
    """A lock that is not yet committed is waited for; one that comes after ends what was opened."""
    person, now = world.a_person(), world.now()
    identity = as_himself(person)
    with world.reading() as db:
        credential = db.scalars(select(Credential).where(Credential.person_id == person.row.id)).one()
    proof = Proof(
        ("pwd",), "urn:idp:loa:1", now, account_of(identity), (credential.id, credential.changed_at)
    )
    tokens: list[str] = []

    def comes_in() -> None:
        with suppress(NotOpened), world.write() as db:
            tokens.append(open_session(db, identity, proof, DEVICE, lifetime=LIFETIME, now=now)[1])

    coming = Thread(target=comes_in)
    with world.write() as db:
        here = world.platform
        coming.start()
        lock(db, here.vault, here.trail, here.notifier, account_of(identity), A_TOOL, now=now)
    coming.join(20)
    with world.reading() as db:
        assert all(find_live(db, token, idle=IDLE, now=now) is None for token in tokens)
