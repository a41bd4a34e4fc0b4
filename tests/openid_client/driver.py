"""Talks to `driver.mjs`: an independent, certified relying party, for the tests of the provider.

    client = OpenIdClient(driver, {"issuer": …, "client_id": …, "client_secret": …})
    sent = client("authorize", redirect_uri=…, scope="openid")     # url, state, nonce, code_verifier
    tokens = client("complete", callback_url=…, state=…, nonce=…, code_verifier=…)

What each command takes and answers stands in `driver.mjs`.
"""

import json
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DRIVER = Path(__file__).with_name("driver.mjs")
SECONDS = 90


class OpenIdClientError(Exception):
    """What openid-client objects to; `details` has the library's code and the provider's error and status."""

    def __init__(self, details: dict[str, Any]) -> None:
        super().__init__(json.dumps(details, ensure_ascii=False))
        self.details = details


@dataclass(frozen=True)
class Driver:
    """The running library: a line of JSON for each command, a line for its answer."""

    process: subprocess.Popen[str]

    def ask(self, command: str, given: dict[str, Any]) -> dict[str, Any]:
        """The answer to one command. Raises OpenIdClientError."""
        asked, told = self.process.stdin, self.process.stdout
        assert asked
        assert told
        asked.write(json.dumps({"command": command, "given": given}) + "\n")
        asked.flush()
        ready, _, _ = select.select([told], [], [], SECONDS)
        line = told.readline() if ready else ""
        if not line:
            raise OpenIdClientError({"message": f"{command}: no answer in {SECONDS} s"})
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise OpenIdClientError(answer["error"])
        result: dict[str, Any] = answer["result"]
        return result


@contextmanager
def started(node: str) -> Iterator[Driver]:
    """The driver in a process of its own, which loads the library once."""
    pipe = subprocess.PIPE
    with subprocess.Popen([node, str(DRIVER)], stdin=pipe, stdout=pipe, text=True) as process:
        # It ends where its input does.
        yield Driver(process)


@dataclass(frozen=True)
class OpenIdClient:
    """A client of one provider, which remembers nothing between two calls."""

    driver: Driver
    settings: dict[str, Any]

    def __call__(self, command: str, **given: Any) -> dict[str, Any]:
        """The answer to one command. Raises OpenIdClientError."""
        return self.driver.ask(command, self.settings | given)
