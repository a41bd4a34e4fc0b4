"""The `idp` command as somebody types it, on both pairs of storage."""

from __future__ import annotations

import io
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from idp.cli import main
from idp.config import PREFIX, Settings
from tests.conftest import make_settings
from tests.houses import House
from tests.quick import variables_of


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


@dataclass
class Command:
    """`idp` with the environment of one installation."""

    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    settings: Settings

    def __call__(self, *arguments: str | Path, stdin: str = "", **settings: str) -> Answer:
        """Run one command in this process; `settings` are variables to change."""
        for name, value in {**variables_of(self.settings), **settings}.items():
            self.monkeypatch.setenv(name, value)
        self.monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        said = self.capsys.readouterr()
        return Answer(int(left.value.code or 0), said.out, said.err)

    def does(self, *arguments: str | Path, stdin: str = "") -> Any:
        """Run a command that must work, and return the JSON it prints."""
        answer = self(*arguments, "--json", stdin=stdin)
        assert answer.code == 0, answer.err
        return answer.json

    def refuses(self, *arguments: str | Path, stdin: str = "", **settings: str) -> str:
        """Run a command that must be wrong input: code 2, a sentence, nothing printed, no trace."""
        answer = self(*arguments, stdin=stdin, **settings)
        assert (answer.code, answer.out) == (2, ""), answer
        assert "Traceback" not in answer.err
        assert answer.err.strip()
        return answer.err


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of whoever runs the tests."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


@pytest.fixture
def idp(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    installation: House,
) -> Command:
    """The command on the installation that `world` shares; runs on both pairs of storage."""
    return Command(monkeypatch, capsys, installation.settings)


@pytest.fixture
def embedded(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    sqlite_template: Path,
    tmp_path: Path,
) -> Command:
    """The command on SQLite alone, for what is refused before storage is asked."""
    path = tmp_path / "embedded.db"
    path.write_bytes(sqlite_template.read_bytes())
    return Command(monkeypatch, capsys, make_settings(database_url=f"sqlite:///{path}", var_dir=tmp_path))
