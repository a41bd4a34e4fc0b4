"""Who asks the simulated records: the provider, known by the token of each; and what gets in his way."""

import hmac
import time
from typing import Final, TypeVar

from flask import abort, request
from pydantic import BaseModel, SecretStr, ValidationError

from relying_parties.simulators.face import NAME_OF_A_FAILURE

Question = TypeVar("Question", bound=BaseModel)

BROKEN: Final = "故障"
SILENT: Final = "沉默"
_SECONDS_OF_SILENCE: Final = 4.0
"""Longer than the provider waits."""


def check_token(expected: SecretStr) -> None:
    """Return if the request shows this token; anybody else gets 401. Without a token nobody may ask."""
    token = expected.get_secret_value()
    sent = request.headers.get("Authorization", "").encode("utf-8", "replace")
    if not hmac.compare_digest(f"Bearer {token}".encode(), sent) or not token:
        abort(401)


def question(kind: type[Question], token: SecretStr) -> Question:
    """What whoever shows this token asks, to the letter; 401 for anybody else, 400 for anything else."""
    check_token(token)
    try:
        return kind.model_validate_json(request.get_data())
    except ValidationError:
        abort(400)


def obstruct(name: str) -> None:
    """Return unless `name` asks for registers that are out of order (503), or answer too late (504).

    Whoever finds the face service alone out of order has to get as far as that.
    """
    if name == NAME_OF_A_FAILURE:
        return
    if BROKEN in name:
        abort(503)
    if SILENT in name:
        time.sleep(_SECONDS_OF_SILENCE)
        abort(504)
