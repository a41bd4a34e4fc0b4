"""Notices: to the phone of record, in the transaction of what they tell, few enough and short enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from idp.accounts.models import Enterprise, LegalAccount
from idp.accounts.notices import SMS, Kind, Notice, Notifier, Told, find_notice
from idp.accounts.outbox import OutboxMessage
from idp.accounts.sessions import Device
from idp.adapters.ephemeral import EphemeralStore, StoreUnavailable
from idp.crypto import hash_token
from tests.world import World

WHAT = {
    Kind.FACTOR_ADDED: "验证器 App",
    Kind.FACTOR_REMOVED: "通行密钥",
    Kind.RECOVERY_CODE_USED: "还剩 9 个恢复码",
}


def texts(world: World) -> list[dict[str, Any]]:
    """The messages that wait, the oldest first."""
    with world.reading() as db:
        rows = db.scalars(select(OutboxMessage).where(OutboxMessage.kind == SMS).order_by(OutboxMessage.id))
        return [row.payload(world.backends.vault) for row in rows]


def tell(
    world: World, account: str, kind: Kind = Kind.NEW_BROWSER, *, notifier: Notifier | None = None
) -> bool:
    """Tell an account of something."""
    told = Told(kind, WHAT.get(kind, ""), Device("Mozilla/5.0 Firefox/130.0", "203.0.113.7"))
    with world.write() as db:
        return (notifier or world.platform.notifier).tell(db, account, told, now=world.now())


def test_each_account_has_its_phone_of_record(world: World) -> None:
    operator = world.an_operator()
    company = operator.company
    with world.reading() as db:
        legal = db.scalars(select(LegalAccount.id)).one()
    for account in (f"person:{operator.person.row.id}", f"legal:{legal}", f"mandate:{operator.mandate.id}"):
        assert tell(world, account)
    phones = [text["phone"] for text in texts(world)]
    # The operator's own phone, which his company cannot change, before the one it wrote down.
    assert phones == [operator.person.phone, company.representative.phone, operator.person.phone]


def test_nobody_is_told_where_there_is_no_phone(world: World) -> None:
    person = world.a_person(phone=None)
    staff = world.a_staff_member()
    assert not tell(world, f"person:{person.row.id}")
    assert not tell(world, staff.row.key)
    assert texts(world) == []


@pytest.mark.parametrize("kind", Kind)
def test_a_text_says_when_what_and_what_to_do_and_nobodys_name(world: World, kind: Kind) -> None:
    person = world.a_person(name="欧阳小满")
    notifier = replace(world.platform.notifier, issuer="https://denglu.tongyirenzheng.example.gov.cn")
    with time_machine.travel(datetime(2026, 11, 30, 16, 5, tzinfo=UTC), tick=False):
        assert tell(world, f"person:{person.row.id}", kind, notifier=notifier)
    (told,) = texts(world)
    text = told["text"]
    assert text.startswith("【通行】12 月 1 日 00:05，")
    assert len(text) <= 140
    assert "{" not in text
    for private in (person.name, person.phone, person.id_number, person.account, "203.0.113.7"):
        assert private not in text
    when, what, token = told["params"]
    assert text.startswith(f"【通行】{when}，")
    assert what in text
    if kind in {Kind.LOCKED, Kind.LOCKED_ELSEWHERE, Kind.ACCOUNT_SUSPENDED, Kind.SIGNED_OUT_BY_STAFF}:
        assert token == ""
        assert world.settings.hotline in text
        assert "/n/" not in text
    else:
        assert f"{notifier.issuer}/n/{token} " in text
        assert token
        assert text.endswith(" 暂停账号。")
        assert f"不是您本人{'要求' if kind is Kind.ACCOUNT_RESUMED else '操作'}？" in text


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_a_lock_says_which_of_the_accounts_on_one_phone_it_is(world: World) -> None:
    operator = world.an_operator()
    company = operator.company.row.name
    with world.reading() as db:
        legal = db.scalars(select(LegalAccount.id)).one()
    for account in (f"person:{operator.person.row.id}", f"legal:{legal}", f"mandate:{operator.mandate.id}"):
        assert tell(world, account, Kind.LOCKED)
    called = ("个人账号", f"法人账号（{company}）", f"经办人账号（{company}）")
    for text, account in zip(texts(world), called, strict=True):
        assert f"，您的{account}已按您的要求暂停" in text["text"]


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
@pytest.mark.parametrize("kind", [Kind.ACCOUNT_SUSPENDED, Kind.ACCOUNT_RESUMED, Kind.SIGNED_OUT_BY_STAFF])
def test_what_staff_did_is_told_of_one_account_in_140_characters(world: World, kind: Kind) -> None:
    operator = world.an_operator()
    with world.write() as db:
        company = db.get_one(Enterprise, operator.company.row.id)
        company.name = "松花江流域示例农产品加工与冷链物流有限公司"
    issuer = "https://denglu.tongyirenzheng.example.gov.cn"
    notifier = replace(world.platform.notifier, issuer=issuer + "x" * (45 - len(issuer)))
    with time_machine.travel(datetime(2026, 11, 30, 16, 5, tzinfo=UTC), tick=False):
        assert tell(world, f"mandate:{operator.mandate.id}", kind, notifier=notifier)
    (told,) = texts(world)
    assert "经办人账号（松花江" in told["text"]
    assert len(told["text"]) <= 140


def test_of_the_links_token_only_the_hash_is_kept(world: World) -> None:
    person = world.a_person()
    tell(world, f"person:{person.row.id}")
    token = texts(world)[0]["text"].split("/n/")[1].split(" ")[0]
    with world.reading() as db:
        (notice,) = db.scalars(select(Notice))
        assert notice.token_hash == hash_token(token)
        assert find_notice(db, token, now=world.now()) is not None
        assert find_notice(db, token, now=world.now() + timedelta(days=8)) is None
        assert (notice.browser, notice.address) == ("Mozilla/5.0 Firefox/130.0", "203.0.113.7")


def test_ten_of_a_kind_in_a_day_and_then_silence_for_this_account_and_kind_alone(world: World) -> None:
    first, second = (f"person:{world.a_person().row.id}" for _ in range(2))
    assert [tell(world, first) for _ in range(12)] == [True] * 10 + [False] * 2
    assert tell(world, first, Kind.PASSWORD_CHANGED)
    assert tell(world, second)
    assert len(texts(world)) == 12


def test_what_rolls_back_tells_nobody(world: World) -> None:
    person = world.a_person()
    with world.reading() as db:
        told = Told(Kind.PASSWORD_CHANGED)
        assert world.platform.notifier.tell(db, f"person:{person.row.id}", told, now=world.now())
        db.flush()
        db.rollback()
    assert texts(world) == []


class _Away:
    """A store that does not answer."""

    def increment(self, *_args: Any, **_more: Any) -> int:
        raise StoreUnavailable


def test_while_the_store_is_away_a_notice_is_sent_rather_than_not(world: World) -> None:
    person = world.a_person()
    away: EphemeralStore = _Away()  # type: ignore[assignment]  # the one operation a notice needs
    assert tell(world, f"person:{person.row.id}", notifier=replace(world.platform.notifier, store=away))
    assert len(texts(world)) == 1
