"""Every file: no notes to self, no machine's own paths, no registry, no personal numbers, no endless file."""

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import pytest
from stdnum.cn import ric, uscc

from tests.house.tree import ROOT, project_files, texts

# Style sheets are ordered by section and read by search; documents are read from top to bottom.
LONG_BY_NATURE = {".css", ".md", ".po", ".pot", ".json", ".svg"}
MAX_LINES = 400
NOTE_TO_SELF = re.compile(r"\b(?:TO" r"DO|FIX" r"ME)\b")
MACHINE = re.compile(r"(?<![\w./-])/(?:work|root|home|Users)/")
REGISTRY = re.compile(
    r"\bpypi\.org|pythonhosted\.org|registry\.(?:npmjs|yarnpkg|npmmirror)\.|/simple/?[\"'\s]"
)
ID_NUMBER = re.compile(r"(?<![0-9A-Za-z])\d{17}[\dXx](?![0-9A-Za-z])")
CREDIT_CODE = re.compile(r"(?<![0-9A-Za-z])[0-9A-HJ-NPQRTUWXY]{2}\d{6}[0-9A-HJ-NPQRTUWXY]{10}(?![0-9A-Za-z])")
# A region code that was never given out: no number built on it can be anybody's.
NOWHERE = "990100"


def looks_like_an_id_number(number: str) -> bool:
    """Whether the eighteen characters have a birth date where an ID number (GB 11643) has one."""
    with suppress(ValueError):
        datetime.strptime(number[6:14] + "+0000", "%Y%m%d%z")
        return 1900 <= int(number[6:10]) < 2100
    return False


def real_or_wrong_numbers(text: str, *, check_digits: bool) -> Iterator[str]:
    """ID numbers and credit codes of `text` that could be somebody's, or whose check digit is wrong."""
    for number in ID_NUMBER.findall(text):
        if not looks_like_an_id_number(number):
            continue
        if number[:6] != NOWHERE:
            yield f"{number}: an ID number of a real region"
        elif check_digits and ric.calc_check_digit(number) != number[17].upper():
            yield f"{number}: its check digit is wrong"
    for code in CREDIT_CODE.findall(text):
        if looks_like_an_id_number(code):
            continue
        if code[2:8] != NOWHERE:
            yield f"{code}: a credit code of a real region"
        elif check_digits and uscc.calc_check_digit(code[:17]) != code[17]:
            yield f"{code}: its check digit is wrong"


def found(pattern: re.Pattern[str]) -> list[str]:
    """Where in the project a pattern stands."""
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_nobody_left_a_note_to_himself() -> None:
    assert found(NOTE_TO_SELF) == []


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    assert found(MACHINE) == []


def test_no_file_names_a_package_registry() -> None:
    assert found(REGISTRY) == []


def test_no_file_is_endless() -> None:
    endless = [
        f"{path}: {len(text.splitlines())} lines"
        for path, text in texts()
        if path.suffix not in LONG_BY_NATURE and len(text.splitlines()) > MAX_LINES
    ]
    assert endless == []


def test_every_number_in_the_project_is_nobodys() -> None:
    wrong = [
        f"{path}: {problem}"
        for path, text in texts()
        # A test of a refusal needs a number whose check digit is wrong.
        for problem in real_or_wrong_numbers(text, check_digits=path.parts[0] != "tests")
    ]
    assert wrong == []


def test_every_program_run_by_make_is_executable() -> None:
    programs = [path for path in project_files() if path.parts[0] in {".ci", "scripts"}]
    assert programs
    assert [str(path) for path in programs if not (ROOT / path).stat().st_mode & 0o100] == []


@pytest.mark.parametrize(
    "line",
    [f"see {Path('/home')}/somebody", f"'{Path('/work')}/main'", f"PATH={Path('/root')}/bin"],
)
def test_a_machines_path_is_seen(line: str) -> None:
    assert MACHINE.search(line)


def test_the_address_of_a_page_is_no_machines_path() -> None:
    assert not MACHINE.search("https://example.com/home/page")


def test_numbers_that_could_be_somebodys_are_seen() -> None:
    real_region = "220102" + "19780412024"
    person = real_region + ric.calc_check_digit(real_region + "-")
    company_body = "91" + "220102" + "MA0TX0011"
    company = company_body + uscc.calc_check_digit(company_body)
    problems = list(real_or_wrong_numbers(f"{person} and {company}", check_digits=False))
    assert problems == [
        f"{person}: an ID number of a real region",
        f"{company}: a credit code of a real region",
    ]


def test_a_wrong_check_digit_is_seen() -> None:
    typo = "990100197804120241 91990100MA0TX00119"
    assert len(list(real_or_wrong_numbers(typo, check_digits=True))) == 2
    assert not list(real_or_wrong_numbers(typo, check_digits=False))


def test_the_numbers_of_the_demo_pass() -> None:
    assert not list(real_or_wrong_numbers("990100197804120240 91990100MA0TX00115", check_digits=True))
