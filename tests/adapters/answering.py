"""A party outside that always says the same, whoever asks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.relying_parties.simulating import served


@contextmanager
def answering(status: int, body: bytes, heard: list[bytes] | None = None, **headers: str) -> Iterator[str]:
    """The address of a party that answers every question alike; what it was asked is added to `heard`."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        if heard is not None:
            heard.append(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
        start_response(f"{status} X", [("Content-Type", "application/json"), *headers.items()])
        return [body]

    with served(app) as address:
        yield address
