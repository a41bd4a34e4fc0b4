"""The commands that docs/conformance.md has for the official suite register the clients it needs."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

from tests.cli.conftest import Command
from tests.oauth.keyholders import a_key, public_jwk

DOCUMENT = Path(__file__).parents[2] / "docs" / "conformance.md"
COMMANDS = re.findall(r"^```sh\nidp (.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def test_each_of_them_registers_its_client(idp: Command, tmp_path: Path) -> None:
    jwks = tmp_path / "first.jwks.json"
    jwks.write_text(json.dumps({"keys": [public_jwk(a_key("PS256"), kid="1", alg="PS256")]}))
    made = []
    for command in COMMANDS:
        typed = command.replace("\\\n", " ").replace("SUITE", "https://suite.example/test/a/ALIAS")
        answer = idp(*shlex.split(typed.replace(jwks.name, str(jwks))))
        assert answer.code == 0, answer.err
        made.append(answer.json)
    basic, fapi = made
    assert basic["client_secret"]
    assert "client_secret" not in fapi
    shown = idp.does("client", "show", fapi["client_id"])
    assert (shown["profile"], len(shown["redirect_uris"])) == ("fapi2", 2)
