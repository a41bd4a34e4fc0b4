"""docs/sms.md names every purpose, so that an operator can have templates approved before they are needed."""

from __future__ import annotations

import re
from pathlib import Path

from idp.accounts.notices import Kind
from idp.appeal.messages import Message
from idp.proof.sms_codes import Purpose

_DOCS = (Path(__file__).parents[2] / "docs" / "sms.md").read_text(encoding="utf-8")


def test_every_purpose_of_an_sms_stands_in_its_document() -> None:
    tables = _DOCS.partition("## Purposes and templates")[2].partition("\n## ")[0]
    named = re.findall(r"^\| `(\w+)` \|", tables, re.MULTILINE)
    assert sorted(named) == sorted(purpose.value for purpose in (*Purpose, *Kind, *Message))
