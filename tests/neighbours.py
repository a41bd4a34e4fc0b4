"""Registrations before the registries and a face service on loopback, which stand as long as their worker.

A test that asks for `neighbours` gets them without building anything: the simulators are served once, and an
application with other settings (an annex of a house) is made once for each pair of storage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from tests.houses import House
from tests.oauth.asking import at_once
from tests.pages import Page
from tests.relying_parties.simulating import FACE_KEY, Simulators, served, simulators
from tests.world import World

TOKEN = "a-token-of-the-registries-0123456789"
APP = "http://localhost:8004"


@dataclass
class Neighbours:
    """Who stands beside the provider, where the provider is reached by them, and its annexes so far."""

    issuer: str
    simulators: Simulators
    current: dict[str, World]

    def world(self, house: House, **changed: Any) -> World:
        """The storage of `house` behind a provider that asks these neighbours; it begins just now."""
        registries = {
            "population_url": self.simulators.population_url,
            "registry_url": self.simulators.registry_url,
            "population_token": TOKEN,
            "registry_token": TOKEN,
        }
        return self._begin(house.annex, {**self._faces, **registries, **changed})

    def before_the_face_service(self, world: World, **changed: Any) -> World:
        """The storage behind a provider that has the face service and no registry; it begins just now."""
        assert world.annex, "a house keeps the application for the next test"
        return self._begin(world.annex, {**self._faces, **changed})

    def _begin(self, annex: Callable[..., World], settings: dict[str, Any]) -> World:
        forget_checks(self.simulators)
        self.current["world"] = annex(**settings)
        return self.current["world"]

    @property
    def _faces(self) -> dict[str, str]:
        return {
            "issuer": self.issuer,
            "app_url": APP,
            "face_url": self.simulators.face_url,
            "face_key": FACE_KEY,
        }


def forget_checks(running: Simulators) -> None:
    """No check of another test is remembered by the face service."""
    service = running.app.extensions["face-simulator"]
    service.asked.clear()
    service.nonces.clear()


def all_answered(count: int, send: Callable[[int], Page]) -> list[Page]:
    """What so many who send at once are told; whoever hears that there are too many now sends again."""
    pages = at_once(count, send)
    while waiting := [number for number, page in enumerate(pages) if page.status == 503]:
        again = at_once(len(waiting), partial(_send_anew, send, waiting))
        for number, page in zip(waiting, again, strict=True):
            pages[number] = page
    return pages


def _send_anew(send: Callable[[int], Page], numbers: list[int], place: int) -> Page:
    return send(numbers[place])


@pytest.fixture(scope="session")
def neighbours() -> Iterator[Neighbours]:
    """The registries and the face service of this worker."""
    current: dict[str, World] = {}

    def late(environ: Any, start_response: Any) -> Any:
        return current["world"].app.wsgi_app(environ, start_response)

    tokens = {"population_token": TOKEN, "registry_token": TOKEN}
    with served(late) as issuer, simulators(issuer, **tokens) as running:
        yield Neighbours(issuer, running, current)
