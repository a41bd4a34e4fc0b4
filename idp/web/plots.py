"""Stacked bars of a day by hours, or of several days, as numbers for an SVG: no script runs.

Lengths are units of the drawing's own view box; the style sheet gives colours and sizes of letters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

WIDTH, HEIGHT = 480, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 6, 14, 38
_BAR = 0.72


@dataclass(frozen=True, slots=True)
class Axis:
    """What the stacks stand for, in words; every `step`-th is named, every `major`-th on a narrow screen too.

    `nothing` is what is said where there is nothing to draw.
    """

    words: tuple[str, ...]
    step: int
    major: int
    nothing: str


HOURS: Final = Axis(tuple(f"{hour} 时" for hour in range(24)), 3, 6, "今天还没有。")
"""The hours of a day."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One part of a stack; `number` is that of its series, from 1."""

    number: int
    x: float
    y: float
    width: float
    height: float
    told: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A label of an axis and where it stands; a minor one may be left out on a narrow screen."""

    text: str
    at: float
    minor: bool = False


@dataclass(frozen=True, slots=True)
class Plot:
    """Everything a plot shows: its bars, its axes, its legend, and the same as a table."""

    bars: tuple[Bar, ...]
    levels: tuple[Mark, ...]
    marks: tuple[Mark, ...]
    legend: tuple[tuple[int, str, int], ...]
    table: tuple[tuple[str, ...], ...]
    told: str
    total: int
    view_box: str = f"0 0 {WIDTH} {HEIGHT}"
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    base: float = HEIGHT - _BOTTOM
    foot: float = HEIGHT - _BOTTOM + 26


def stacked(series: Mapping[str, list[int]], *, unit: str = "次", axis: Axis = HOURS) -> Plot:
    """The plot of these series, one number for each word of the axis; the first series stands lowest."""
    names, words = list(series), axis.words
    sums = [sum(series[name][place] for name in names) for place in range(len(words))]
    top, step = _scale(max(sums))
    slot, per_one = (WIDTH - _LEFT - _RIGHT) / len(words), (HEIGHT - _TOP - _BOTTOM) / top
    return Plot(
        bars=tuple(_bars(series, words, unit, slot, per_one)),
        levels=tuple(
            Mark(short(level), round(HEIGHT - _BOTTOM - per_one * level, 2))
            for level in range(0, top + 1, step)
        ),
        marks=tuple(
            Mark(words[place], round(_LEFT + slot * (place + 0.5), 2), minor=place % axis.major != 0)
            for place in range(0, len(words), axis.step)
        ),
        legend=tuple((number, name, sum(series[name])) for number, name in enumerate(names, 1)),
        table=tuple(
            (words[place], *(f"{series[name][place]:,}" for name in names), f"{sums[place]:,}")
            for place in range(len(words))
            if sums[place]
        ),
        told=_told(series, sums, unit, axis),
        total=sum(sums),
    )


def _bars(
    series: Mapping[str, list[int]], words: tuple[str, ...], unit: str, slot: float, per_one: float
) -> Iterator[Bar]:
    for place, word in enumerate(words):
        below, x = 0, _LEFT + slot * (place + (1 - _BAR) / 2)
        for number, (name, counts) in enumerate(series.items(), 1):
            count = counts[place]
            if not count:
                continue
            below += count
            y = HEIGHT - _BOTTOM - per_one * below
            told = f"{word}，{name} {count:,} {unit}"
            yield Bar(
                number, round(x, 2), round(y, 2), round(slot * _BAR, 2), round(per_one * count, 2), told
            )


def short(number: int) -> str:
    """A number that fits beside an axis: 950, 1.2万."""
    if number < 10_000:
        return f"{number}"
    return f"{number / 10_000:.1f}".removesuffix(".0") + "万"


def _scale(most: int) -> tuple[int, int]:
    """The top of the axis and the step of its marks: at most five steps of 1, 2 or 5 times a power of ten."""
    step, factors = 1, (2, 5, 10)
    power = 1
    while step * 5 < most:
        for factor in factors:
            step = factor * power
            if step * 5 >= most:
                break
        power *= 10
    return max(step * -(-most // step), step), step


def _told(series: Mapping[str, list[int]], sums: list[int], unit: str, axis: Axis) -> str:
    total = sum(sums)
    if not total:
        return axis.nothing
    busiest = max(range(len(sums)), key=sums.__getitem__)
    parts = "，".join(f"{name} {sum(counts):,} {unit}" for name, counts in series.items())
    return f"共 {total:,} {unit}：{parts}。最多的是 {axis.words[busiest]}，{sums[busiest]:,} {unit}。"
