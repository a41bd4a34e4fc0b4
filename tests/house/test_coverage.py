"""docs/coverage.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PROMISES = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
PROOFS = re.findall(r"\| ([\w/]+\.py)::(test_\w+) \|", _PROMISES)


@pytest.mark.parametrize(("file", "test"), PROOFS)
def test_every_promise_names_a_test_that_exists(file: str, test: str) -> None:
    assert f"def {test}(" in (ROOT / "tests" / file).read_text(encoding="utf-8")


def test_no_line_goes_without_a_proof() -> None:
    lines = _PROMISES.splitlines()
    promises = [line for line in lines if line.startswith("| ") and not re.match(r"\| (id|promise) \|", line)]
    assert len(promises) == len(PROOFS) > 0
