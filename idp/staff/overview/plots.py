"""Stacked bars of a day, hour by hour, as numbers for an SVG: the server draws, no script runs.

Lengths are units of the drawing's own view box; the style sheet gives colours and sizes of letters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

WIDTH, HEIGHT = 480, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 6, 14, 38
_BAR = 0.72
_MINOR_STEP, _MAJOR_STEP = 3, 6


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
    hours: tuple[Mark, ...]
    legend: tuple[tuple[int, str, int], ...]
    table: tuple[tuple[str, ...], ...]
    told: str
    total: int
    view_box: str = f"0 0 {WIDTH} {HEIGHT}"
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    base: float = HEIGHT - _BOTTOM
    foot: float = HEIGHT - _BOTTOM + 26


def stacked(by_hour: Mapping[str, list[int]], *, unit: str = "次") -> Plot:
    """The plot of these series, the first one lowest."""
    names, hours = list(by_hour), len(next(iter(by_hour.values())))
    sums = [sum(by_hour[name][hour] for name in names) for hour in range(hours)]
    top, step = _scale(max(sums))
    plot_width, plot_height = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
    slot, per_one = plot_width / hours, plot_height / top
    bars = []
    for hour in range(hours):
        below = 0
        for number, name in enumerate(names, 1):
            count = by_hour[name][hour]
            if not count:
                continue
            below += count
            x, y = _LEFT + slot * (hour + (1 - _BAR) / 2), HEIGHT - _BOTTOM - per_one * below
            told = f"{hour} 时，{name} {count:,} {unit}"
            bars.append(
                Bar(number, round(x, 2), round(y, 2), round(slot * _BAR, 2), round(per_one * count, 2), told)
            )
    return Plot(
        bars=tuple(bars),
        levels=tuple(
            Mark(short(level), round(HEIGHT - _BOTTOM - per_one * level, 2))
            for level in range(0, top + 1, step)
        ),
        hours=tuple(
            Mark(f"{hour} 时", round(_LEFT + slot * (hour + 0.5), 2), minor=hour % _MAJOR_STEP != 0)
            for hour in range(0, hours, _MINOR_STEP)
        ),
        legend=tuple((number, name, sum(by_hour[name])) for number, name in enumerate(names, 1)),
        table=tuple(
            (f"{hour} 时", *(f"{by_hour[name][hour]:,}" for name in names), f"{sums[hour]:,}")
            for hour in range(hours)
            if sums[hour]
        ),
        told=_told(by_hour, sums, unit),
        total=sum(sums),
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


def _told(by_hour: Mapping[str, list[int]], sums: list[int], unit: str) -> str:
    total = sum(sums)
    if not total:
        return "今天还没有。"
    busiest = max(range(len(sums)), key=sums.__getitem__)
    parts = "，".join(f"{name} {sum(counts):,} {unit}" for name, counts in by_hour.items())
    return f"共 {total:,} {unit}：{parts}。最多的是 {busiest} 时，{sums[busiest]:,} {unit}。"
