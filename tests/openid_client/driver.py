"""Runs `driver.mjs`: an independent, certified relying party, for the tests of the provider.

    client = OpenIdClient(node_path, {"issuer": …, "client_id": …, "client_secret": …})
    sent = client("authorize", redirect_uri=…, scope="openid")     # url, state, nonce, code_verifier
    tokens = client("complete", callback_url=…, state=…, nonce=…, code_verifier=…)

What each command takes and answers stands in `driver.mjs`.
"""

import json
import subprocess
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
class OpenIdClient:
    """A client of one provider; every call is a process of its own and remembers nothing."""

    node: str
    settings: dict[str, Any]

    def __call__(self, command: str, **given: Any) -> dict[str, Any]:
        """The answer to one command. Raises OpenIdClientError."""
        done = subprocess.run(
            [self.node, str(DRIVER), command],
            input=json.dumps(self.settings | given),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        if not done.stdout:
            raise OpenIdClientError({"message": done.stderr})
        answer: dict[str, Any] = json.loads(done.stdout)
        if done.returncode != 0:
            raise OpenIdClientError(answer["error"])
        return answer
