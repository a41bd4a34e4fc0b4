"""A reason stands in the trail for years: no personal data in it (SECURITY 76, 81)."""

from __future__ import annotations

import pytest

from idp.accounts.reasons import ReasonRefused, parse_reason

# Nobody's; the one with X holds what looks like a mobile number, the other one does not.
RESIDENT, ANOTHER = "99010019930105026X", "990100199003070035"


@pytest.mark.parametrize(
    "typed",
    [
        "来电 13800138000",
        "工单 20261121 13800138000",
        "13800138000 20261121",
        "工单2026112113800138000",
        "+86 138 0013 8000",
        "+8613800138000 20261121",
        "0086-138-0013-8000",
        "013800138000",
        "138.0013.8000",
        "138，0013，8000",
        "1 3 8 0 0 1 3 8 0 0 0",
        "１３８００１３８０００",
        f"证件 {RESIDENT}",
        f"工单12 {RESIDENT.lower()}",
        f"工单12 {ANOTHER}",
        f"工单12{ANOTHER}2026",
        "990100 19930105 026X",
        "990100.19900307.0035",
        "欧阳小明来电",
        "欧 阳 小 明 来电",
        "护照 E12345678",
    ],
)
def test_a_number_or_a_name_of_somebodys_is_refused_however_it_is_written(typed: str) -> None:
    with pytest.raises(ReasonRefused, match="不要写姓名") as refused:
        parse_reason(typed, about=("欧阳小明", "E12345678", None, ""))
    assert refused.value.english


@pytest.mark.parametrize(
    "typed",
    [
        "工单 209901001234567890",
        "工单 2026-1121",
        "GD20261121-000138，2026 年 11 月 21 日 16:30 核对",
        "核对登记信息，工单 1",
        "热线 12333 转来，编号 20261121093000",
        "见小明的工单",
        "工单　１２，核对",
    ],
)
def test_a_ticket_is_a_reason_and_stays_as_it_was_typed(typed: str) -> None:
    assert parse_reason(f"　{typed} ", about=("欧阳小明", "明")) == typed
