"""The application as the benchmarks serve it: the provider, and two bare routes to compare it with.

``/bench/json`` is a route of the same application and passes all that holds for every request;
``/bench/flask`` belongs to an empty Flask application in the same process. Both answer a line of JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, jsonify

from idp.app import create_served_app

OF_THE_HOUSE = "/bench/json"
OF_BARE_FLASK = "/bench/flask"


def answer() -> Response:
    """A line of JSON."""
    return jsonify(ok=True)


def build() -> Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]:
    """Both applications behind one door, with the settings of the environment."""
    house, bare = create_served_app(), Flask("bare", static_folder=None)
    house.add_url_rule(OF_THE_HOUSE, "bench.json", answer)
    bare.add_url_rule(OF_BARE_FLASK, "bench.flask", answer)

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        chosen = bare if environ["PATH_INFO"] == OF_BARE_FLASK else house
        return chosen(environ, start_response)

    return application
