"""The files of this project as the house checks see them: what is, or could be, under version control."""

import ast
import subprocess
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Where there is no git (a clone handed on as an archive), these are what .gitignore names.
MADE_BY_MACHINES = {"node_modules", "var", "dist", "__pycache__", "test-results"}
BINARY = {".doc", ".docx", ".ico", ".jpg", ".pdf", ".png", ".wav", ".woff2", ".xls", ".xlsx"}
# Written by programs: nothing a rule for authors could say about them.
GENERATED = {"package-lock.json", "govuk.css", "dev.txt", "runtime.txt"}
# Written by others, and kept as it came.
VENDORED = Path("relying_parties/app/static/vendor")


@cache
def project_files() -> tuple[Path, ...]:
    """Every file of the project, relative to its root, in order."""
    names = _names_git_knows() or _names_on_disk()
    return tuple(sorted(path for path in map(Path, names) if (ROOT / path).is_file()))


def _names_git_knows() -> list[str]:
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    return [name for name in done.stdout.split("\0") if name]


def _names_on_disk() -> Iterator[str]:
    for path in ROOT.rglob("*"):
        parts = path.relative_to(ROOT).parts
        hidden = any(part.startswith(".") and part != ".ci" for part in parts[:-1])
        if not hidden and not MADE_BY_MACHINES.intersection(parts):
            yield str(path.relative_to(ROOT))


def texts() -> Iterator[tuple[Path, str]]:
    """The files people write, with their text."""
    for path in project_files():
        machine_made = path.suffix in BINARY or path.name in GENERATED
        if not machine_made and VENDORED not in path.parents:
            yield path, (ROOT / path).read_text(encoding="utf-8")


def python_paths(*tops: str) -> Iterator[Path]:
    """The Python files under the named top directories."""
    return (path for path in project_files() if path.suffix == ".py" and path.parts[0] in tops)


def python_files(*tops: str, words: Collection[str]) -> Iterator[tuple[Path, ast.Module]]:
    """Those where one of `words` stands, parsed: to parse one takes a hundred times as long as to read it."""
    for path in python_paths(*tops):
        text = (ROOT / path).read_text(encoding="utf-8")
        if any(word in text for word in words):
            yield path, ast.parse(text, str(path))


def templates() -> Iterator[tuple[Path, str]]:
    """Every Jinja template with its text."""
    for path, text in texts():
        if path.suffix == ".html" and "templates" in path.parts:
            yield path, text
