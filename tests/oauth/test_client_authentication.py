"""Who calls: by the one method a client registered, and never by an exception."""

from __future__ import annotations

import base64
from urllib.parse import quote_plus

from werkzeug.test import TestResponse

from idp.access.clients import Client, announce_change
from idp.access.registration import rotate_secret
from tests.oauth.asking import at_once, basic, call, later
from tests.world import AClient, World

ENDPOINTS = ["/oauth/token", "/oauth/introspect", "/oauth/revoke"]
# Authenticated, each of these is answered without invalid_client.
HARMLESS = {"grant_type": "refresh_token", "refresh_token": "x", "token": "x"}


def said(answer: TestResponse) -> str:
    return str((answer.get_json() or {}).get("error", ""))


def test_a_client_is_known_by_its_registered_method_only(world: World) -> None:
    for path in ENDPOINTS:
        for method in ("client_secret_basic", "client_secret_post"):
            client = world.a_client(auth_method=method)
            form = {**HARMLESS, "client_id": client.client_id, "client_secret": client.secret}
            by_basic, by_post = call(world, path, HARMLESS, headers=client.basic), call(world, path, form)
            right, wrong = (by_basic, by_post) if method == "client_secret_basic" else (by_post, by_basic)
            assert said(right) != "invalid_client"
            assert said(wrong) == "invalid_client"
            assert said(call(world, path, {**HARMLESS, "client_id": client.client_id})) == "invalid_client"


def test_a_public_client_has_no_secret_to_show(world: World) -> None:
    for path in ENDPOINTS:
        client = world.a_client(auth_method="none")
        named = {**HARMLESS, "client_id": client.client_id}
        assert said(call(world, path, named)) != "invalid_client"
        for secret in ("", "anything"):
            assert said(call(world, path, {**named, "client_secret": secret})) == "invalid_client"
            assert said(call(world, path, HARMLESS, headers=basic(f"{client.client_id}:{secret}"))) == (
                "invalid_client"
            )


def test_two_methods_at_once_are_refused(world: World) -> None:
    for path in ENDPOINTS:
        client, other = world.a_client(), world.a_client()
        both = {**HARMLESS, "client_id": client.client_id, "client_secret": client.secret}
        assert said(call(world, path, both, headers=client.basic)) == "invalid_request"
        assert said(call(world, path, {**HARMLESS, "client_secret": ""}, headers=client.basic)) == (
            "invalid_request"
        )
        named = {**HARMLESS, "client_id": other.client_id}
        assert said(call(world, path, named, headers=client.basic)) == "invalid_request"
        same = {**HARMLESS, "client_id": client.client_id}
        assert said(call(world, path, same, headers=client.basic)) not in {
            "invalid_request",
            "invalid_client",
        }


MALFORMED = [
    "Basic //46AA==",
    "Basic ",
    "Basic",
    "",
    " ",
    "Basic é",
    "Basic =",
    "Basic ====",
    "Basic !!!!",
    "Basic " + base64.b64encode(b"no colon").decode(),
    "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
    "Basic " + base64.b64encode(b":").decode(),
    "Basic " + base64.b64encode(b"a:" * 20000).decode(),
    "Basic " + base64.b64encode(b"\x00:\x00").decode(),
    "Basic " + base64.b64encode(b"%00:%ff").decode(),
    "Basic " + base64.b64encode(b"%ED%A0%80:x").decode(),
    "Bearer abc",
    "Digest username=x",
    "basic\tabc",
    "Basic YTpi Basic YTpi",
    "Basic YTpi, Basic YTpi",
]


def test_a_broken_header_is_a_failed_authentication(world: World) -> None:
    for path in ENDPOINTS:
        for header in MALFORMED:
            answer = call(world, path, HARMLESS, headers={"Authorization": header})
            assert answer.status_code == 401, header
            assert answer.get_json()["error"] == "invalid_client", header
            assert answer.headers["WWW-Authenticate"].startswith("Basic "), header


def test_the_scheme_is_read_in_any_case(world: World) -> None:
    client = world.a_client()
    header = {"Authorization": client.basic["Authorization"].replace("Basic", "bAsIc")}
    assert said(call(world, "/oauth/token", HARMLESS, headers=header)) == "invalid_grant"


def test_a_wrong_secret_opens_nothing(world: World) -> None:
    client, posting = world.a_client(), world.a_client(auth_method="client_secret_post")
    for secret in ("", "wrong", "é", "\x7f", "x" * 5000):
        for path in ENDPOINTS:
            header = basic(f"{client.client_id}:{quote_plus(secret)}")
            assert said(call(world, path, HARMLESS, headers=header)) == "invalid_client"
        form = {**HARMLESS, "client_id": posting.client_id, "client_secret": secret}
        assert said(call(world, "/oauth/token", form)) == "invalid_client"


def test_unknown_client_and_wrong_secret_are_answered_alike(world: World) -> None:
    client = world.a_client()
    wrong = call(world, "/oauth/token", HARMLESS, headers=basic(f"{client.client_id}:wrong"))
    unknown = call(world, "/oauth/token", HARMLESS, headers=basic("nobody:wrong"))
    assert (wrong.status_code, wrong.data) == (unknown.status_code, unknown.data)


def test_name_and_secret_are_form_encoded_inside_the_header(world: World) -> None:
    secret = "a:b+c%d é/=&"
    client = world.a_client(client_id="portal+one", secret=secret)
    pair = f"{quote_plus(client.client_id)}:{quote_plus(secret)}"
    assert said(call(world, "/oauth/token", HARMLESS, headers=basic(pair))) == "invalid_grant"


def test_a_rotated_secret_keeps_working_for_a_day(world: World) -> None:
    client = world.a_client()
    with world.write() as db:
        fresh = rotate_secret(db.get_one(Client, client.client_id), now=world.now())
    announce_change(world.backends.store)

    def answered(secret: str) -> str:
        return said(call(world, "/oauth/token", HARMLESS, headers=AClient(client.client_id, secret).basic))

    assert (answered(client.secret), answered(fresh)) == ("invalid_grant", "invalid_grant")
    with later(hours=23):
        assert answered(client.secret) == "invalid_grant"
    with later(hours=25):
        assert (answered(client.secret), answered(fresh)) == ("invalid_client", "invalid_grant")


def test_a_query_parameter_is_no_credential(world: World) -> None:
    client = world.a_client(auth_method="client_secret_post")
    path = f"/oauth/token?client_id={client.client_id}&client_secret={client.secret}"
    assert said(call(world, path, HARMLESS)) == "invalid_client"


def tried(world: World, client_id: str, secret: str, address: str = "192.0.2.1") -> TestResponse:
    """One try of a secret, from an address."""
    header = AClient(client_id, secret).basic
    return call(world, "/oauth/token", HARMLESS, headers=header, environ_base={"REMOTE_ADDR": address})


def test_guessing_a_secret_is_slowed_and_then_nothing_is_compared(world: World) -> None:
    client = world.a_client()
    answers = [tried(world, client.client_id, f"guess {number}") for number in range(20)]
    assert {answer.status_code for answer in answers} == {401, 429}
    assert {said(answer) for answer in answers} == {"invalid_client"}
    assert sum(answer.status_code == 401 for answer in answers) <= 11
    assert answers[-1].headers["Retry-After"] == "60"
    assert "/help/errors#2011" in answers[-1].get_json()["error_uri"]
    assert tried(world, client.client_id, client.secret).status_code == 429, "not even the right one"
    assert said(tried(world, client.client_id, client.secret, "198.51.100.7")) == "invalid_grant"


def test_guesses_side_by_side_pass_the_limit_no_further_than_one_a_process(world: World) -> None:
    client = world.a_client()
    with world.rewired() as second:
        answers = at_once(
            40, lambda number: tried((world, second)[number % 2], client.client_id, f"guess {number}")
        )
    assert sum(answer.status_code == 401 for answer in answers) <= 10 + 2


def test_a_neighbourhood_is_one_caller(world: World) -> None:
    client = world.a_client()
    answers = [tried(world, client.client_id, "guess", f"2001:db8::{number:x}") for number in range(1, 15)]
    assert answers[-1].status_code == 429
    assert tried(world, client.client_id, "guess", "2001:db8:0:1::1").status_code == 401


def test_an_honest_client_beside_a_broken_one_goes_on(world: World) -> None:
    client = world.a_client()
    for _ in range(4):
        for _ in range(6):
            tried(world, client.client_id, "an old secret")
        assert said(tried(world, client.client_id, client.secret)) == "invalid_grant"


def test_guessing_tells_nothing_of_which_clients_there_are(world: World) -> None:
    client = world.a_client()
    for client_id in (client.client_id, "nobody"):
        statuses = [tried(world, client_id, "guess").status_code for _ in range(14)]
        assert (statuses[0], statuses[-1]) == (401, 429)
