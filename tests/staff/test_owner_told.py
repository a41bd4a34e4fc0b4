"""Whoever owns an account hears what staff did to it (MISSION section Y, notices)."""

from __future__ import annotations

import pytest

from tests.security.telling import texts
from tests.staff.deciding import with_reason
from tests.world import World


@pytest.mark.parametrize("installation", ["sqlite"], indirect=True)
def test_the_owner_is_told_of_what_was_done_to_the_account(world: World) -> None:
    """MISSION Y: a notice to the phone of record, in the transaction of what it tells."""
    person, console = world.a_person(), world.at_the_console()
    world.browser().sign_in_person(person)
    for change in ("sign-out", "suspend", "resume"):
        with_reason(console, f"/staff/accounts/{person.row.id}/{change}")
    told = [text["text"] for text in texts(world) if text["phone"] == person.phone]
    said = (
        "您的个人账号的全部登录已由工作人员退出",
        "您的个人账号已停用，全部登录已退出",
        "您的个人账号已恢复使用",
    )
    assert [words in text for words, text in zip(said, told, strict=True)] == [True] * 3
    assert "/n/" in told[2]
