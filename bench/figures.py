"""A figure of a benchmark: one JSON line on standard output."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A named value with its unit and the values of the single runs it is the median of."""

    name: str
    value: float | None
    unit: str
    runs: Sequence[float] = ()
    note: str = ""

    def line(self) -> str:
        """The figure as one line of JSON."""
        told = {
            "name": self.name,
            "value": None if self.value is None else _short(self.value),
            "unit": self.unit,
            "runs": [_short(run) for run in self.runs],
            "note": self.note,
        }
        return json.dumps(told, ensure_ascii=False)


def median_figure(name: str, runs: Sequence[float], unit: str, note: str = "") -> Figure:
    """The median of `runs`."""
    return Figure(name, statistics.median(runs), unit, runs, note)


def missing(name: str, why: str) -> Figure:
    """A figure that could not be taken."""
    return Figure(name, None, "", (), why)


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0 to 1) of `values` do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _short(value: float) -> float:
    return float(f"{value:.4g}")
