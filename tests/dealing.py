"""Odd values dealt to addresses: all of them at each would take minutes and find what some of them find."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from tests.world import World

Value = TypeVar("Value")


def dealt(world: World, values: Sequence[Value], number: int, parts: int = 2) -> Sequence[Value]:
    """What an address gets on this pair of storage: each `parts`th value, and on the other pair others.

    With two parts each value reaches each address on one pair or the other.
    """
    first = number + (world.backends.database.engine.dialect.name == "sqlite")
    return values[first % parts :: parts]
