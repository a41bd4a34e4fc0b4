"""A value from outside is of the type that is asked for, or told by its place and never by itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest

from idp.typed import Bounds, Reading


class Colour(StrEnum):
    """An enum."""

    RED = "red"
    BLUE = "blue"


def check_even(where: str, value: int) -> None:
    """What a hint may ask for beside its bounds. Raises ValueError."""
    if value % 2:
        raise ValueError(f"{where} must be even.")


@dataclass(frozen=True, kw_only=True)
class Inner:
    """A dataclass in another."""

    id: Annotated[str, Bounds(pattern=r"^[0-9]+\Z")]
    places: tuple[Annotated[int, Bounds(least=1, most=9)], ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Outer:
    """What JSON may say."""

    name: Annotated[str, Bounds(shortest=1, longest=8)]
    even: Annotated[int, Bounds(least=0), check_even] = 0
    flag: bool | None = None
    anything: dict[str, Any] | None = None
    inner: dict[str, Inner]


def read(hint: Any, given: Any, *, written: bool = False) -> tuple[Any, list[str]]:
    """The value, and what was said of it."""
    reading = Reading(written=written)
    value = reading.value(hint, given, "x")
    return value, reading.problems


def refused(hint: Any, given: Any, *, written: bool = False) -> str:
    """The sentence of the only problem."""
    _, (problem,) = read(hint, given, written=written)
    return problem


@pytest.mark.parametrize(
    ("hint", "given"),
    [
        (int, True),
        (int, "1"),
        (int, 1.0),
        (int, None),
        (bool, 1),
        (bool, "true"),
        (str, 1),
        (str, None),
        (str, b"x"),
        (str, "\ud800"),
        (Annotated[int, Bounds(least=60, most=90)], 59),
        (Annotated[int, Bounds(least=60, most=90)], 2**80),
        (Annotated[str, Bounds(shortest=1, longest=3)], ""),
        (Annotated[str, Bounds(shortest=1, longest=3)], "四个汉字"),
        (Annotated[str, Bounds(pattern=r"^[a-z]+\Z")], "abc\n"),
        (Annotated[int, check_even], 3),
        (list[str], "a"),
        (list[str], {"a": 1}),
        (list[str], None),
        (dict[str, Any], []),
        (Outer, []),
        (Colour, "green"),
        (Literal["", "one"], "two"),
        (Path, 7),
        (Path, None),
    ],
)
def test_what_does_not_fit_is_refused_in_one_sentence(hint: Any, given: Any) -> None:
    sentence = refused(hint, given)
    assert sentence.startswith("x must be ")
    assert sentence.endswith(".")


@pytest.mark.parametrize(
    ("hint", "given", "value"),
    [
        (Annotated[int, Bounds(least=60, most=90), check_even], 60, 60),
        (int, 2**80, 2**80),
        (int | None, None, None),
        (Annotated[str, Bounds(shortest=1)] | None, None, None),
        (list[str], ["a", "b"], ["a", "b"]),
        (tuple[str, ...], ["a", "b"], ("a", "b")),
        (dict[str, Any], {"a": [None, {"b": 1.5}]}, {"a": [None, {"b": 1.5}]}),
        (Colour, "red", Colour.RED),
        (Colour, Colour.RED, Colour.RED),
        (Literal["", "one"], "", ""),
        (Path, "a/b", Path("a/b")),
        (Path, Path("a"), Path("a")),
    ],
)
def test_what_fits_is_of_its_type(hint: Any, given: Any, value: Any) -> None:
    made, problems = read(hint, given)
    assert (made, type(made), problems) == (value, type(value), [])


@pytest.mark.parametrize(
    ("hint", "sentence"),
    [
        (bool, "x must be true or false."),
        (Annotated[int, Bounds(least=60, most=90)], "x must be a whole number, 60 to 90."),
        (Annotated[int, Bounds(least=60)], "x must be a whole number, 60 or more."),
        (Annotated[int, Bounds(most=90)] | None, "x must be a whole number, 90 or less."),
        (Annotated[str, Bounds(shortest=1, longest=3)], "x must be text of 1 to 3 characters."),
        (Annotated[str, Bounds(pattern="^a")], "x must be text and match ^a."),
        (tuple[str, ...], "x must be a list."),
        (dict[str, str], "x must be an object."),
        (Colour, "x must be red or blue."),
        (Literal["", "one"], "x must be empty or one."),
        (str, "x must be text."),
        (Path, "x must be text."),
    ],
)
def test_a_sentence_says_what_is_wanted(hint: Any, sentence: str) -> None:
    assert refused(hint, 1.5) == sentence


def test_every_problem_is_told_by_its_place_and_no_value() -> None:
    given = {
        "name": "much too long",
        "even": 7777,
        "flag": "hidden",
        "unknown": "hidden",
        "inner": {"a": {"id": "hidden", "places": [1, 77, "hidden"]}, "b": "hidden", "c": {}},
    }
    _, problems = read(Outer, given)
    assert [problem.partition(" ")[0] for problem in problems] == [
        "x.unknown",
        "x.name",
        "x.even",
        "x.flag",
        "x.inner.a.id",
        "x.inner.a.places.1",
        "x.inner.a.places.2",
        "x.inner.b",
        "x.inner.c.id",
    ]
    assert not [problem for problem in problems for value in ("hidden", "77", "long") if value in problem]


def test_of_thousands_of_problems_the_first_are_told_and_the_others_counted() -> None:
    reading = Reading()
    reading.value(list[str], [1] * 3000, "x")
    assert reading.sentences.startswith("x.0 must be text. x.1 must be text.")
    assert reading.sentences.endswith("x.19 must be text. There are 2980 more.")


def test_an_object_becomes_a_dataclass_with_its_defaults() -> None:
    made, problems = read(Outer, {"name": "n", "inner": {"a": {"id": "1", "places": [1, 2]}}})
    assert problems == []
    assert made == Outer(name="n", inner={"a": Inner(id="1", places=(1, 2))})


@pytest.mark.parametrize("word", ["true", "1", "yes", "y", "on", "t", "TRUE", "Yes", True, 1])
def test_a_written_truth_value_is_true(word: object) -> None:
    assert read(bool, word, written=True) == (True, [])


@pytest.mark.parametrize("word", ["false", "0", "no", "n", "off", "f", "FALSE", "Off", False, 0])
def test_a_written_truth_value_is_false(word: object) -> None:
    assert read(bool, word, written=True) == (False, [])


@pytest.mark.parametrize("word", ["", "2", " true", "maybe", "真", 2, None])
def test_no_other_word_is_a_truth_value(word: object) -> None:
    assert refused(bool, word, written=True) == "x must be true or false."


@pytest.mark.parametrize(("text", "number"), [("60", 60), (" 60\n", 60), ("060", 60), ("-1", -1), (60, 60)])
def test_a_written_number_is_read(text: object, number: int) -> None:
    assert read(int, text, written=True) == (number, [])


@pytest.mark.parametrize("text", ["", "sixty", "1.5", "1e3", "６０", "0x10", "9" * 5000, 1.5, True])
def test_no_other_text_is_a_number(text: object) -> None:
    assert refused(int, text, written=True) == "x must be a whole number."
