"""The commands others rely on are there, and the locks can be trusted on any machine."""

import json
import re
import subprocess
import tomllib
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.tree import ROOT, project_files

LOCKS = ["locks/runtime.txt", "locks/dev.txt"]
PACKAGE_LOCKS = [str(path) for path in project_files() if path.name == "package-lock.json"]


def pinned(lock: str) -> dict[str, str]:
    """Name to version of a lock."""
    return dict(re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==([^\s;]+)", (ROOT / lock).read_text(), re.MULTILINE))


def project() -> dict[str, Any]:
    """The table [project] of pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return table


def asked_for(requirements: list[str]) -> list[Requirement]:
    """Requirements in parsed form."""
    return [Requirement(text) for text in requirements]


@pytest.mark.parametrize("target", ["demo", "test", "check", "bench", "services", "lock"])
def test_make_knows_the_commands_of_the_contract(target: str) -> None:
    done = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(rf"^{target}:.*\n\t", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_gate_runs_everything_with_every_service() -> None:
    script = (ROOT / ".ci/run").read_text()
    assert "export REQUIRE_SERVICES=1" in script
    assert re.findall(r"^make (\w+)", script, re.MULTILINE) == ["services", "check", "test"]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_a_hash(lock: str) -> None:
    packages = re.split(r"^(?=[\w.-]+(?:\[|==))", (ROOT / lock).read_text(), flags=re.MULTILINE)
    bare = [package for package in packages if package.strip() and "--hash=sha256:" not in package]
    assert bare == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address(lock: str) -> None:
    assert not re.search(r"://|--(?:extra-)?index-url|--find-links| @ ", (ROOT / lock).read_text())


def test_the_locks_hold_what_the_project_asks_for() -> None:
    runtime, dev = pinned("locks/runtime.txt"), pinned("locks/dev.txt")
    needed = asked_for(project()["dependencies"])
    tools = asked_for(project()["optional-dependencies"]["dev"])
    outdated = [
        str(r) for r in needed if not r.specifier.contains(runtime.get(canonicalize_name(r.name), "0"))
    ]
    outdated += [str(r) for r in tools if not r.specifier.contains(dev.get(canonicalize_name(r.name), "0"))]
    assert outdated == [], "run `make lock`"


def test_what_is_tested_is_what_runs() -> None:
    runtime, dev = pinned("locks/runtime.txt"), pinned("locks/dev.txt")
    assert runtime
    assert {name: dev.get(name) for name in runtime} == runtime


@pytest.mark.parametrize("lock", PACKAGE_LOCKS)
def test_an_npm_lock_has_hashes_and_no_address(lock: str) -> None:
    packages = json.loads((ROOT / lock).read_text())["packages"]
    fetched = {name: package for name, package in packages.items() if name}
    assert fetched
    assert [
        name for name, package in fetched.items() if "integrity" not in package or "resolved" in package
    ] == []


def test_npm_packages_are_pinned_to_one_version() -> None:
    loose = [
        f"{path}: {name} {version}"
        for path in project_files()
        if path.name == "package.json"
        for kind in ("dependencies", "devDependencies")
        for name, version in json.loads((ROOT / path).read_text()).get(kind, {}).items()
        if not re.fullmatch(r"\d+\.\d+\.\d+", version)
    ]
    assert loose == []
