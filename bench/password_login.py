"""What a password login costs beside its hash: one POST /login/legal, in this process.

The usual one comes from a browser its account knows. From another one the account's owner is told of it as
well, until he was told often enough on one day.

CPU time of the request less that of `PasswordHasher.verify` within it: a hash beside it would be
cheaper than the same hash in the middle of a request, which finds its memory cold.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator

from bench import population
from bench.figures import Figure, median_figure
from bench.http import WrongAnswer
from bench.in_process import InProcess, in_process
from bench.installation import Installation, installation
from bench.population import PASSWORD, Company
from idp.accounts.passwords import PasswordHasher, Verdict
from idp.proof import captcha

_RUNS = 5
_LOGINS = 20
PAGE = "/login/legal"


def run() -> Iterator[Figure]:
    """The share of a login's CPU time that is not Argon2, and both parts in milliseconds."""
    with installation() as here:
        house = in_process(here)
        try:
            yield from _measure(house, settled(here, house, range(1, _LOGINS + 1)))
        finally:
            house.close()


def settled(here: Installation, house: InProcess, numbers: range) -> list[Company]:
    """Companies with the password of `bench.population`, hashed once for all."""
    return population.settle(here, numbers, password_hash=house.platform.hasher.hash(PASSWORD))


def log_in(house: InProcess, company: Company, known: str = "") -> tuple[float, str]:
    """CPU seconds of the POST that signs this company in, and the cookie by which its browser is known then.

    `known` is that cookie; without it nobody knows the browser. Raises WrongAnswer.
    """
    shown = house.get(PAGE).expect(200)
    form, cookie = filled_in(house, shown.body.decode(), company), shown.headers["set-cookie"].split(";")[0]
    house.cpu = 0.0
    answer = house.post(PAGE, form, COOKIE=f"{cookie}; {known}" if known else cookie)
    if answer.status not in {302, 303}:
        raise WrongAnswer(f"not signed in: {answer.status} {answer.body[-300:]!r}")
    return house.cpu, answer.headers["set-cookie"].split(";")[0]


def filled_in(house: InProcess, page: str, company: Company) -> dict[str, str]:
    """The fields of the sign-in page with the right answers."""
    names = ("csrf_token", "captcha_id")
    fields = {name: re.findall(rf'name="{name}"[^>]*value="([^"]+)"', page)[0] for name in names}
    answer = captcha.answer(house.platform.store, fields["captcha_id"]) or ""
    return {**fields, "account": company.uscc, "password": PASSWORD, "captcha": answer}


def _measure(house: InProcess, companies: list[Company]) -> Iterator[Figure]:
    hashing = _timed(house.platform.hasher)
    known = [log_in(house, company)[1] for company in companies]
    yield from _shares("password_login", house, hashing, list(zip(companies, known, strict=True)))
    strangers = [(company, "") for company in companies]
    yield from _shares("password_login_new_browser", house, hashing, strangers)


def _shares(
    name: str, house: InProcess, hashing: list[float], browsers: list[tuple[Company, str]]
) -> Iterator[Figure]:
    hashes, ours, shares = [], [], []
    for _ in range(_RUNS):
        hashing.clear()
        request = statistics.mean([log_in(house, company, known)[0] for company, known in browsers])
        hash_ = statistics.mean(hashing)
        hashes.append(hash_ * 1000)
        ours.append((request - hash_) * 1000)
        shares.append((request - hash_) / request)
    yield median_figure(name, shares, "share", "of the request's CPU time that is not Argon2; target ≤ 0.15")
    yield median_figure(f"{name}_ours", ours, "ms", "CPU beside the hash")
    yield median_figure(f"{name}_hash", hashes, "ms", "CPU of Argon2id, 19 MiB, t=2, p=1")


def _timed(hasher: PasswordHasher) -> list[float]:
    """Where the CPU seconds of each check of `hasher` are noted from now on."""
    noted: list[float] = []
    verify = hasher.verify

    def timed(stored: str | None, password: str) -> Verdict:
        began = time.process_time()
        verdict = verify(stored, password)
        noted.append(time.process_time() - began)
        return verdict

    hasher.verify = timed  # type: ignore[method-assign]  # on this object alone
    return noted
