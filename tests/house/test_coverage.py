"""docs/coverage.md and docs/conformance.md name tests that exist, and leave nothing out they speak of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_TEST = re.compile(r"([\w/]+\.py)::(test_\w+)")
_PROMISES = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
_PLANS = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
PROOFS = re.findall(r"\| ([\w/]+\.py)::(test_\w+) \|", _PROMISES)
# The plan's name, how many modules it has, and its table.
PLANS = re.findall(r"^Plan `([\w-]+)`, (\d+) modules?;[^|]*\n((?:\|.*\n)+)", _PLANS, re.MULTILINE)


def rows(table: str) -> list[list[str]]:
    """The cells of each line below the head of a table."""
    return [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]


@pytest.mark.parametrize(("file", "test"), sorted({*PROOFS, *_TEST.findall(_PLANS)}))
def test_every_promise_names_a_test_that_exists(file: str, test: str) -> None:
    assert f"def {test}(" in (ROOT / "tests" / file).read_text(encoding="utf-8")


def test_no_line_goes_without_a_proof() -> None:
    lines = _PROMISES.splitlines()
    promises = [line for line in lines if line.startswith("| ") and not re.match(r"\| (id|promise) \|", line)]
    assert len(promises) == len(PROOFS) > 0


@pytest.mark.parametrize(("plan", "count", "table"), PLANS, ids=[plan for plan, *_ in PLANS])
def test_every_module_of_a_plan_has_its_tests_or_a_reason(plan: str, count: str, table: str) -> None:
    modules = [module for names, _, _ in rows(table) for module in names.split(", ")]
    assert len(set(modules)) == len(modules) == int(count)
    for names, _, proof in rows(table):
        tests = _TEST.sub("", proof).strip(", ")
        assert not tests or proof.startswith("not covered: "), names


def test_the_plans_are_those_of_the_promise() -> None:
    assert len(PLANS) == 5
