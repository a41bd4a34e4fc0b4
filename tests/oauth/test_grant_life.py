"""The whole life of grants in any order: no dead token is ever accepted, no living one refused.

A state machine signs operators in, redeems, refreshes, replays, revokes, rotates keys and ends mandates as
it likes, and after every step asks two processes about every token it ever saw.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from idp.access.endings import end_mandate
from idp.accounts.audit import Origin
from idp.accounts.models import Mandate
from tests.entering import enter
from tests.keys import attentive, rotated
from tests.oauth.asking import at_once, code_for, introspect, refresh
from tests.portals import Authorization, get_with, post_as
from tests.world import AClient, AnOperator, Browser, World

SCOPE = "openid entity offline_access"
A_TOOL = Origin(actor="cli:test", address="", device="", request_id="")


@dataclass(eq=False)
class ASignIn:
    """A browser in which an operator signed in, and whether that still counts."""

    browser: Browser
    operator: AnOperator
    alive: bool = True


@dataclass(eq=False)
class AGrant:
    """What one code gave: its tokens so far, and whether they still count."""

    sign_in: ASignIn
    client: AClient
    asked: Authorization
    code: str
    refresh_tokens: list[str]
    access_tokens: list[str]
    revoked: set[str] = field(default_factory=set)
    ended: bool = False

    @property
    def alive(self) -> bool:
        """Whether anything of it may be accepted."""
        return self.sign_in.alive and not self.ended


class GrantLife(RuleBasedStateMachine):
    """People, portals and an administrator doing things in any order."""

    world: World
    other: World
    sign_ins = Bundle("sign_ins")
    grants = Bundle("grants")

    def __init__(self) -> None:
        super().__init__()
        self.known: list[AGrant] = []
        self.asked_first = False

    @initialize()
    def a_portal(self) -> None:
        """One portal a run."""
        self.client = self.world.a_client()

    @precondition(lambda self: len(self.known) < 6)
    @rule(target=sign_ins)
    def sign_in(self) -> ASignIn:
        """An operator signs in."""
        browser, operator = self.world.browser(), self.world.an_operator()
        enter(browser, operator)
        return ASignIn(browser, operator)

    @rule(target=grants, sign_in=sign_ins)
    def redeem(self, sign_in: ASignIn) -> AGrant:
        """A portal gets a code and redeems it; of an ended sign-in it gets none."""
        asked = Authorization(self.client)
        page = sign_in.browser.open(asked.address(SCOPE, prompt="none"))
        assert ("code" in page.query) == sign_in.alive
        if not sign_in.alive:
            return AGrant(sign_in, self.client, asked, "", [], [], ended=True)
        tokens = asked.redeem(sign_in.browser, page.query["code"]).get_json()
        grant = AGrant(
            sign_in,
            self.client,
            asked,
            page.query["code"],
            [tokens["refresh_token"]],
            [tokens["access_token"]],
        )
        self.known.append(grant)
        return grant

    @rule(grant=grants)
    def replay_the_code(self, grant: AGrant) -> None:
        """A second use of the code ends what the first gave."""
        if grant.code:
            assert grant.asked.redeem(grant.sign_in.browser, grant.code).status_code == 400
            grant.ended = True

    @rule(grant=grants)
    def refresh_the_newest(self, grant: AGrant) -> None:
        """The newest refresh token gives the next."""
        if not grant.refresh_tokens:
            return
        answer = refresh(self.world, grant.client, grant.refresh_tokens[-1])
        assert (answer.status_code == 200) == grant.alive
        if grant.alive:
            grant.refresh_tokens.append(answer.get_json()["refresh_token"])
            grant.access_tokens.append(answer.get_json()["access_token"])

    @rule(grant=grants)
    def repeat_the_last_refresh(self, grant: AGrant) -> None:
        """A lost answer is given again: the same successor."""
        if len(grant.refresh_tokens) < 2:
            return
        answer = refresh(self.world, grant.client, grant.refresh_tokens[-2])
        assert (answer.status_code == 200) == grant.alive
        if grant.alive:
            assert answer.get_json()["refresh_token"] == grant.refresh_tokens[-1]
            grant.access_tokens.append(answer.get_json()["access_token"])

    @rule(grant=grants)
    def replay_an_old_refresh(self, grant: AGrant) -> None:
        """A token whose successor was used ends the family."""
        if len(grant.refresh_tokens) < 3:
            return
        assert refresh(self.world, grant.client, grant.refresh_tokens[-3]).status_code == 400
        grant.ended = True

    @rule(grant=grants, which=st.integers(0, 5))
    def revoke_an_access_token(self, grant: AGrant, which: int) -> None:
        """One access token, by itself."""
        if not grant.access_tokens:
            return
        token = grant.access_tokens[which % len(grant.access_tokens)]
        assert post_as(self.world, grant.client, "/oauth/revoke", {"token": token}).status_code == 200
        grant.revoked.add(token)

    @rule(grant=consumes(grants))
    def revoke_the_refresh_token(self, grant: AGrant) -> None:
        """A refresh token, with everything under its grant."""
        if not grant.refresh_tokens:
            return
        values = {"token": grant.refresh_tokens[-1], "token_type_hint": "access_token"}
        assert post_as(self.world, grant.client, "/oauth/revoke", values).status_code == 200
        grant.ended = True

    @rule()
    def rotate_the_keys(self) -> None:
        """New keys sign; the tokens of the old ones stay what they were."""
        rotated(self.world, "ES256")

    @rule(sign_in=consumes(sign_ins))
    def sign_out(self, sign_in: ASignIn) -> None:
        """The operator signs out."""
        if sign_in.alive:
            sign_in.browser.open("/oauth/logout")
            sign_in.browser.submit()
        sign_in.alive = False

    @rule(sign_in=sign_ins)
    def end_the_mandate(self, sign_in: ASignIn) -> None:
        """The company ends the mandate."""
        end(self.world, sign_in.operator)
        sign_in.alive = False

    def in_turn(self) -> tuple[World, World]:
        """The two processes; each time the other one comes first."""
        self.asked_first = not self.asked_first
        return (self.world, self.other) if self.asked_first else (self.other, self.world)

    @invariant()
    def every_token_is_what_it_is_on_every_process(self) -> None:
        """Introspection and userinfo agree with what happened."""
        for grant in self.known:
            for token in grant.access_tokens[-3:]:
                living = grant.alive and token not in grant.revoked
                one, another = self.in_turn()
                assert introspect(one, grant.client, token)["active"] is living
                assert (get_with(another, token).status_code == 200) is living
            newest = grant.refresh_tokens[-1]
            assert introspect(self.other, grant.client, newest)["active"] is grant.alive


def end(world: World, operator: AnOperator) -> None:
    """End a mandate, as the company does."""
    with world.write() as db:
        mandate = db.get_one(Mandate, operator.mandate.id)
        end_mandate(db, world.backends.vault, world.backends.trail, mandate, A_TOOL, now=world.now())


def test_no_dead_token_is_ever_accepted(world: World) -> None:
    with world.rewired() as other:
        machine = type("GrantLife", (GrantLife,), {"world": attentive(world), "other": attentive(other)})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=6,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_whoever_asks_after_the_end_is_refused_whatever_runs_beside(world: World) -> None:
    operator, client = world.an_operator(), world.a_client()
    browser = world.browser()
    enter(browser, operator)
    families = []
    for _ in range(4):
        asked = Authorization(client)
        families.append(asked.redeem(browser, code_for(browser, asked, SCOPE)).get_json())
    ended_at: list[float] = []

    def use(number: int) -> list[str]:
        """Refresh and ask without a pause; what was accepted although it began after the end."""
        wrong: list[str] = []
        tokens, dice = dict(families[number]), random.Random(number)  # noqa: S311 - a test
        for _ in range(2_000):
            began = time.monotonic()
            if dice.random() < 0.5:
                answer = refresh(world, client, tokens["refresh_token"])
                accepted = answer.status_code == 200
                tokens |= answer.get_json() if accepted else {}
            else:
                accepted = introspect(world, client, tokens["access_token"])["active"]
            after_the_end = bool(ended_at) and began > ended_at[0]
            if after_the_end and accepted:
                wrong.append("accepted")
            if after_the_end and not accepted:
                return wrong
        return ["the end was never seen"]

    def act(number: int) -> list[str]:
        if number < len(families):
            return use(number)
        end(world, operator)
        ended_at.append(time.monotonic())
        return []

    assert at_once(len(families) + 1, act) == [[]] * (len(families) + 1)
