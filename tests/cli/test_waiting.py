"""What `idp wait` does not start with."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Command


def test_without_redis_the_server_answers_waiting_browsers_itself(embedded: Command) -> None:
    assert "`idp serve` itself answers" in embedded.refuses("wait")


def test_an_address_that_is_none_of_redis_is_refused(embedded: Command) -> None:
    assert "IDP_REDIS_URL" in embedded.refuses("wait", IDP_REDIS_URL="http://localhost:6379")


def test_a_redis_that_does_not_answer_is_an_outage(embedded: Command) -> None:
    answer = embedded("wait", IDP_REDIS_URL="redis://127.0.0.1:1/0")
    assert (answer.code, answer.out) == (1, "")
    assert "does not answer" in answer.err


@pytest.mark.parametrize("option", ["--port=0", "--port=x", "--most=0"])
def test_a_wrong_number_is_refused(embedded: Command, option: str) -> None:
    assert "Invalid value" in embedded.refuses("wait", option)
