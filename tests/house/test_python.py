"""Python: the rules of the house that neither ruff nor import-linter knows."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import ROOT, project_files, python_files, python_paths

CODE = ("idp", "relying_parties", "theme")
ENVIRONMENT = {"environ", "environb", "getenv", "putenv"}
COOKIES = {"set_cookie", "delete_cookie", "cookies"}
VAGUE = {"utils", "util", "helpers", "helper", "manager", "misc", "common"}


def uses(tree: ast.Module, module: str, names: set[str]) -> Iterator[int]:
    """Line numbers where `tree` takes one of `names` from `module`, by import or by attribute."""
    for node in ast.walk(tree):
        imported = isinstance(node, ast.ImportFrom) and node.module == module
        if imported and any(alias.name in names for alias in node.names):  # type: ignore[attr-defined]
            yield node.lineno  # type: ignore[attr-defined]
        elif isinstance(node, ast.Attribute) and node.attr in names and _is_name(node.value, module):
            yield node.lineno


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def cookie_uses(tree: ast.Module) -> Iterator[int]:
    """Line numbers where `tree` reads or writes a cookie or Flask's session."""
    yield from uses(tree, "flask", {"session"})
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in COOKIES:
            yield node.lineno


def imported_modules(tree: ast.Module) -> Iterator[str]:
    """Every module `tree` imports; `from a import b` counts as both a and a.b."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def concrete_adapters() -> set[str]:
    """The modules below a party of idp/adapters: one implementation each."""
    return {
        ".".join(path.with_suffix("").parts)
        for path in project_files()
        if path.match("idp/adapters/*/*.py") and path.name != "__init__.py"
    }


def may_read_environment(path: Path) -> bool:
    """Whether `path` is the settings of the provider or of a portal."""
    return path == Path("idp/config/loading.py") or path.match("relying_parties/*/config.py")


def parsed(path: Path) -> ast.Module:
    """One file's tree."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def test_every_package_opens_with_a_map() -> None:
    short = [
        str(path)
        for path in python_paths(*CODE)
        if path.name == "__init__.py" and len((ast.get_docstring(parsed(path)) or "").splitlines()) < 2
    ]
    assert short == []


def test_every_directory_of_code_is_a_package() -> None:
    alone = {
        str(path.parent)
        for path in python_paths(*CODE)
        if "migrations" not in path.parts and not (ROOT / path.parent / "__init__.py").is_file()
    }
    assert alone == set()


def test_only_settings_read_the_environment() -> None:
    readers = [
        f"{path}:{line}"
        for path, tree in python_files(*CODE, words=ENVIRONMENT)
        for line in uses(tree, "os", ENVIRONMENT)
        if not may_read_environment(path)
    ]
    assert readers == []


def test_only_web_touches_cookies_and_the_flask_session() -> None:
    touching = [
        f"{path}:{line}"
        for path, tree in python_files("idp", words={*COOKIES, "session"})
        for line in cookie_uses(tree)
        if path.parts[:2] != ("idp", "web")
    ]
    assert touching == []


def test_only_the_app_names_concrete_adapters() -> None:
    concrete = concrete_adapters()
    naming = [
        f"{path}: {module}"
        for path, tree in python_files("idp", words={"adapters"})
        for module in imported_modules(tree)
        if module in concrete and path != Path("idp/app.py") and path.parts[:2] != ("idp", "adapters")
    ]
    assert naming == []


def test_every_module_has_a_name_that_says_something() -> None:
    vague = [
        str(path) for path in python_paths(*CODE, "tests") if path.stem in VAGUE or path.parent.name in VAGUE
    ]
    assert vague == []


def test_our_own_code_is_never_mocked() -> None:
    mocking = [
        str(path)
        for path, tree in python_files("tests", words={"mock"})
        for module in imported_modules(tree)
        if module == "unittest.mock"
    ]
    assert mocking == []


@pytest.mark.parametrize(
    "source",
    ["import os\nos.environ['A']", "from os import getenv", "import os\nx = os.getenv('A')"],
)
def test_a_reader_of_the_environment_is_seen(source: str) -> None:
    assert list(uses(ast.parse(source), "os", {"environ", "getenv"}))


@pytest.mark.parametrize(
    "source",
    [
        "from flask import session",
        "flask.session['a']",
        "request.cookies.get('a')",
        "response.set_cookie('a')",
    ],
)
def test_a_touched_cookie_is_seen(source: str) -> None:
    assert list(cookie_uses(ast.parse(source)))
