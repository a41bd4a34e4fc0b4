"""docs/settings.md says what the program knows."""

from __future__ import annotations

from idp.cli.settings import settings_page
from idp.config import Settings, described
from tests.cli.conftest import Command
from tests.house.tree import ROOT


def test_the_page_of_settings_is_up_to_date() -> None:
    page = (ROOT / "docs/settings.md").read_text(encoding="utf-8")
    assert page == settings_page(), "run `idp settings > docs/settings.md`"


def test_the_command_prints_the_page_and_needs_no_settings(embedded: Command) -> None:
    answer = embedded("settings", IDP_MODE="nonsense")
    assert (answer.code, answer.out) == (0, settings_page())


def test_every_setting_is_explained() -> None:
    assert [name for name, field in described(Settings).items() if not field.description] == []
