"""5,000 pages that ask every two seconds, where nobody holds their answers: on Redis and embedded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from urllib.parse import urlsplit

from bench.crowd import crowd, said, tickets_for
from bench.figures import Figure, missing, percentile
from bench.installation import Installation, installation
from bench.processes import Meter
from bench.serving import served
from idp.app import open_backends
from idp.config import Secret

_PAGES = 5_000
_SECONDS = 15.0


def run() -> Iterator[Figure]:
    """Answers a second, what one costs, and how long a page waits for it."""
    with installation() as here:
        if here.settings.redis_url.get_secret_value():
            yield from _polled("redis", here)
        else:
            yield missing("polling_redis", here.storage)
        embedded = replace(here.settings, redis_url=Secret(""))
        yield from _polled("embedded", replace(here, settings=embedded, storage="the SQL store"))


def _polled(name: str, here: Installation) -> Iterator[Figure]:
    host = urlsplit(here.settings.issuer).netloc
    with served(here) as provider, closing(open_backends(here.settings)) as backends:
        cookie, opened = tickets_for(backends.store, _PAGES)
        meter = Meter(here, provider)
        before = meter.read()
        about = {"host": host, "cookie": cookie, "opened": opened}
        with crowd("poll", here.settings.var_dir, seconds=_SECONDS, **about) as browsers:
            told = json.loads(said(browsers))
        spent = meter.read().since(before)
    waits, rate = told["waits"], len(told["waits"]) / told["seconds"]
    note = f"{_PAGES} pages, 2 s after the last answer, over 64 connections, one worker; {here.storage}"
    yield Figure(f"polling_{name}", rate, "answers/s", (), f"{note}; 2500 were asked for")
    each = spent.total / told["answers"]
    yield Figure(f"polling_{name}_cpu", each * rate, "cores", (), spent.per(told["answers"]))
    for share in (50, 99):
        late = percentile(waits, share / 100) * 1000
        yield Figure(f"polling_{name}_p{share}", late, "ms", (), "from the moment it was due to its answer")
