"""Journeys in steps: whose they are, what is kept of them, and that each step and the end act once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from idp.adapters.ephemeral import StoreUnavailable
from idp.adapters.ephemeral.redis import RedisEphemeralStore
from idp.crypto import Vault
from idp.proof import journeys
from idp.proof.journeys import Journey, JourneyGone, JourneyMoved, Tools
from tests.adapters.arrange import at_once
from tests.proof.sending import read_by_a_thief
from tests.world import World

BROWSER = "a-browser-with-its-own-id"
LIFE = timedelta(minutes=30)
FACTS = {"name": "林小满", "phone": "13900000001", "id_number": "990100199001010016"}


def tools(world: World) -> Tools:
    return Tools(world.backends.store, world.backends.vault, LIFE)


def begin(world: World, **facts: Any) -> Journey:
    return journeys.begin(tools(world), "reset", browser=BROWSER, now=world.now(), facts=facts)


def find(
    world: World,
    journey_id: str,
    *,
    kind: str = "reset",
    browser: str = BROWSER,
    after: float = 0,
) -> Journey:
    now = world.now() + timedelta(seconds=after)
    return journeys.find(tools(world), kind, journey_id, browser=browser, now=now)


def learn(world: World, journey: Journey, **facts: Any) -> Journey:
    return journeys.learn(tools(world), journey, now=world.now(), **facts)


def end(world: World, journey: Journey, **facts: Any) -> Journey:
    return journeys.end(tools(world), journey, now=world.now(), **facts)


def moved(act: Callable[[], Journey]) -> bool:
    """Whether `act` found that the journey had gone on without it."""
    try:
        act()
    except JourneyMoved:
        return True
    return False


def test_what_was_told_is_known_at_the_next_step(world: World) -> None:
    begun = begin(world, **FACTS)
    learn(world, begun, phone_proved="13900000001", term=["5", None])
    found = find(world, begun.id)
    assert found.facts == {**FACTS, "phone_proved": "13900000001", "term": ["5", None]}
    assert (found.subject, found.is_done) == (begun.subject, False)
    assert found.has("name", "phone_proved")
    assert not found.has("name", "face")


def test_what_is_learned_reads_at_once_as_it_will_be_found(world: World) -> None:
    learned = learn(world, begin(world, **FACTS), phone=None, name="林\ud800")
    assert learned == find(world, learned.id)
    assert "phone" not in learned.facts


def test_two_tabs_are_two_journeys(world: World) -> None:
    one, other = begin(world, name="one"), begin(world, name="other")
    assert one.subject != other.subject
    assert find(world, one.id).facts == {"name": "one"}
    assert find(world, other.id).facts == {"name": "other"}


@pytest.mark.parametrize("elsewhere", [{"kind": "activation"}, {"browser": "another"}, {"browser": ""}])
def test_a_journey_is_of_one_kind_and_one_browser(world: World, elsewhere: dict[str, Any]) -> None:
    begun = begin(world)
    for journey in (begun, end(world, begun)):
        with pytest.raises(JourneyGone):
            find(world, journey.id, **elsewhere)


@pytest.mark.parametrize("unknown", ["", "x", "A" * 22, "A" * 23, "A" * 22 + "\n", "../" * 7 + "x"])
def test_an_id_that_nobody_gave_out_finds_nothing(world: World, unknown: str) -> None:
    with pytest.raises(JourneyGone):
        find(world, unknown)


def test_a_journey_ends_after_its_time_and_not_later_for_what_is_learned_meanwhile(world: World) -> None:
    begun = begin(world)
    find(world, begun.id, after=LIFE.total_seconds() - 2)
    learned = learn(world, begun, name="林小满")
    with pytest.raises(JourneyGone):
        find(world, learned.id, after=LIFE.total_seconds())


def test_one_that_ended_is_found_for_an_hour_from_its_end(world: World) -> None:
    ended = end(world, begin(world, **FACTS), account="linxiaoman")
    found = find(world, ended.id, after=LIFE.total_seconds() + 300)
    assert found.is_done
    assert found.facts == {"account": "linxiaoman"}, "nothing else is kept"
    left = world.backends.store.remaining(f"journey:{ended.id}")
    assert 3590 < left <= 3600 + LIFE.total_seconds()


def test_nothing_of_it_can_be_read_where_it_is_kept(world: World) -> None:
    """SECURITY 79."""
    begin(world, **FACTS)
    stolen = read_by_a_thief(world.backends.store)
    assert b"journey:" in stolen
    for secret in (*FACTS.values(), BROWSER, "reset", "phone"):
        assert secret.encode() not in stolen
        assert secret.encode("unicode_escape") not in stolen


def test_a_record_put_under_another_id_is_none(world: World) -> None:
    """It is sealed for its own id; so is one whose data key was taken out of use."""
    begun, other = begin(world, **FACTS), begin(world)
    world.backends.store.put(f"journey:{other.id}", begun.packed, ttl=60)
    with pytest.raises(JourneyGone):
        find(world, other.id)
    retired = replace(tools(world), vault=Vault({9: bytes(32)}))
    with pytest.raises(JourneyGone):
        journeys.find(retired, "reset", begun.id, browser=BROWSER, now=world.now())


def test_the_same_form_twice_teaches_once(world: World) -> None:
    begun = begin(world)
    learn(world, begun, name="the first")
    assert moved(lambda: learn(world, begun, name="the second"))
    assert find(world, begun.id).facts == {"name": "the first"}


def test_of_many_who_learn_at_once_one_does(world: World) -> None:
    begun = begin(world)
    outcomes = at_once(20, lambda number: moved(lambda: learn(world, begun, by=number)))
    assert outcomes.count(False) == 1
    assert find(world, begun.id).facts == {"by": outcomes.index(False)}


def test_of_many_ends_one_counts(world: World) -> None:
    begun = begin(world)
    outcomes = at_once(20, lambda number: moved(lambda: end(world, begun, by=number)))
    assert outcomes.count(False) == 1
    assert find(world, begun.id).facts == {"by": outcomes.index(False)}


def test_after_the_end_nothing_is_learned_and_no_second_end_comes(world: World) -> None:
    ended = end(world, begin(world))
    again = find(world, ended.id)
    assert moved(lambda: learn(world, ended, name="late"))
    assert moved(lambda: end(world, ended))
    assert moved(lambda: learn(world, again, name="late"))
    assert moved(lambda: end(world, again))


def test_one_that_is_gone_meanwhile_is_not_made_anew(world: World) -> None:
    begun = begin(world)
    world.backends.store.delete(f"journey:{begun.id}")
    assert moved(lambda: learn(world, begun, name="late"))
    with pytest.raises(JourneyGone):
        find(world, begun.id)


def test_a_fact_of_an_earlier_submission_is_no_new_one(world: World) -> None:
    empty = begin(world)
    first = learn(world, empty, password_hash="first")
    second = learn(world, first, password_hash="second")
    gone = learn(world, second, password_hash=None)
    seen = [one.has_new("password_hash", since) for since, one in ((empty, first), (first, second))]
    assert seen == [True, True]
    assert not any(one.has_new("password_hash", first) for one in (first, gone))


def test_a_fact_may_be_forgotten(world: World) -> None:
    learned = learn(world, begin(world, phone="13900000001", phone_proved="13900000001"), phone_proved=None)
    assert not learned.has("phone_proved")
    assert find(world, learned.id).facts == {"phone": "13900000001"}


def test_facts_do_not_show_where_a_journey_is_printed(world: World) -> None:
    """SECURITY 81."""
    assert "林小满" not in repr(begin(world, **FACTS))


def test_without_a_store_there_is_no_journey(world: World) -> None:
    nowhere = replace(tools(world), store=RedisEphemeralStore("redis://127.0.0.1:1/0"))
    with pytest.raises(StoreUnavailable):
        journeys.begin(nowhere, "reset", browser=BROWSER, now=world.now())
    with pytest.raises(StoreUnavailable):
        journeys.find(nowhere, "reset", begin(world).id, browser=BROWSER, now=world.now())
