"""`/oauth/register`: whoever was invited registers a client, as often and with as much as he was allowed."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from idp.access import registration_tokens
from idp.access.clients import Client, RegisteredClient
from idp.access.registration_tokens import Invitation, RegistrationToken
from idp.accounts.audit import AuditEvent
from tests.oauth.asking import a_signed_in_person, at_once, call, later, payload_of, tokens_for
from tests.oauth.devices import changed
from tests.oauth.keyholders import a_key, public_jwk
from tests.portals import Authorization
from tests.world import CALLBACK, ISSUER, AClient, World

REGISTER = "/oauth/register"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
A_KEY = a_key("ES256")
PUBLISHED = {"keys": [public_jwk(A_KEY)]}


def an_invitation(world: World, **given: Any) -> str:
    """An initial access token, as the administrator hands it over."""
    with world.write() as db:
        _row, token = registration_tokens.invite(db, Invitation("某局信息中心", **given), now=world.now())
    return token


def metadata(**changes: Any) -> dict[str, Any]:
    """What a portal registers; `...` leaves a member out."""
    members = {"client_name": "自助登记的网厅", "redirect_uris": [CALLBACK], **changes}
    return {name: value for name, value in members.items() if value is not ...}


def register(world: World, token: str | None, members: Any, **headers: str) -> TestResponse:
    """One registration request."""
    body = members if isinstance(members, bytes) else json.dumps(members).encode()
    told = {"Content-Type": "application/json", **headers}
    if token is not None:
        told.setdefault("Authorization", f"Bearer {token}")
    return call(world, REGISTER, body, headers=told)


def registered(world: World, token: str, **changes: Any) -> dict[str, Any]:
    """The answer to a registration that must work."""
    answer = register(world, token, metadata(**changes))
    assert answer.status_code == 201, answer.get_json()
    told: dict[str, Any] = answer.get_json()
    return told


def refused(answer: TestResponse) -> tuple[int, str, str]:
    """Status, error and number of a refusal."""
    told = answer.get_json()
    assert told["error_description"].isascii()
    uri = urlsplit(told["error_uri"])
    return answer.status_code, told["error"], uri.fragment


def with_member(value: bytes) -> bytes:
    """A registration that would do, but for a member of its key."""
    return (
        json.dumps(metadata(jwks={"keys": [{**PUBLISHED["keys"][0], "more": "?"}]}))
        .encode()
        .replace(b'"?"', value)
    )


def known(world: World, client_id: str) -> RegisteredClient:
    """The client as the running application sees it."""
    found = world.platform.clients.find(client_id)
    assert found is not None
    return found


def clients(world: World) -> int:
    """How many clients there are."""
    with world.reading() as db:
        return db.scalar(select(func.count()).select_from(Client)) or 0


def test_a_registered_client_is_told_what_was_registered(world: World) -> None:
    answer = register(
        world, an_invitation(world), metadata(scope="openid profile", software_version="7", x={"y": 1})
    )
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    told = answer.get_json()
    assert told["client_secret_expires_at"] == 0
    assert abs(told["client_id_issued_at"] - world.now().timestamp()) < 60
    assert (told["client_name"], told["redirect_uris"]) == ("自助登记的网厅", [CALLBACK])
    assert (told["scope"], told["grant_types"]) == ("openid profile", ["authorization_code"])
    assert told["token_endpoint_auth_method"] == "client_secret_basic"
    assert told["id_token_signed_response_alg"] == "RS256"
    assert "registration_access_token" not in told
    assert "x" not in told
    assert known(world, told["client_id"]).knows_secret(told["client_secret"], now=world.now())


def test_a_registered_client_signs_people_in_and_asks_for_their_consent(world: World) -> None:
    told = registered(world, an_invitation(world))
    client = AClient(told["client_id"], told["client_secret"])
    browser, asked = a_signed_in_person(world), Authorization(client)
    page = browser.open(asked.address("openid profile"))
    assert urlsplit(page.url).path == "/oauth/consent"
    assert "自助登记的网厅" in page.text
    assert "自行登记，名称没有经过平台核实" in page.text
    allowed = browser.submit({"decision": "allow"})
    tokens = asked.redeem(browser, allowed.query["code"])
    assert tokens.status_code == 200


def test_nobody_registers_under_the_name_of_the_platform(world: World) -> None:
    site = world.settings.site_name
    answer = register(world, an_invitation(world), metadata(client_name=f"{site}官方认证中心"))
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_client_metadata")
    assert answer.get_json()["error_uri"].endswith("#5011")


def test_every_process_knows_it_at_once(world: World) -> None:
    with world.rewired() as other:
        told = registered(world, an_invitation(world))
        assert known(other, told["client_id"]).name == "自助登记的网厅"


def test_whoever_registers_chooses_neither_id_nor_secret(world: World) -> None:
    victim = world.a_client()
    told = registered(world, an_invitation(world), client_id=victim.client_id, client_secret="mine")
    assert told["client_id"] != victim.client_id
    assert not known(world, told["client_id"]).knows_secret("mine", now=world.now())
    assert known(world, victim.client_id).knows_secret(victim.secret, now=world.now())


def test_a_client_with_keys_gets_no_secret(world: World) -> None:
    told = registered(
        world,
        an_invitation(world),
        token_endpoint_auth_method="private_key_jwt",
        jwks=PUBLISHED,
        require_pushed_authorization_requests=True,
        dpop_bound_access_tokens=True,
        default_max_age=600,
    )
    assert "client_secret" not in told
    assert "client_secret_expires_at" not in told
    assert (told["jwks"], told["token_endpoint_auth_signing_alg"]) == (PUBLISHED, "ES256")
    client = known(world, told["client_id"])
    assert (client.require_par, client.dpop, client.default_max_age) == (True, True, 600)


def test_the_profile_is_the_invitations(world: World) -> None:
    token = an_invitation(world, profile="fapi2", uses=2)
    told = registered(world, token, jwks=PUBLISHED)
    client = known(world, told["client_id"])
    assert (client.profile.name, client.require_par, client.dpop) == ("fapi2", True, True)
    assert (client.auth_method, client.id_token_alg) == ("private_key_jwt", "PS256")
    assert told["require_pushed_authorization_requests"] is True
    assert registered(world, token, jwks=PUBLISHED, profile="fapi2")["profile"] == "fapi2"


def test_what_the_profile_forbids_is_refused_with_every_reason(world: World) -> None:
    token = an_invitation(world, profile="fapi2")
    members = metadata(token_endpoint_auth_method="none", id_token_signed_response_alg="RS256")
    answer = register(world, token, members)
    assert refused(answer) == (400, "invalid_client_metadata", "5007")
    assert "not none" in answer.get_json()["error_description"]
    assert "not RS256" in answer.get_json()["error_description"]
    weak = {"keys": [public_jwk(a_key("RS256"), alg="RS256")]}
    assert refused(register(world, token, metadata(jwks=weak)))[2] == "5007"
    assert registered(world, token, jwks=PUBLISHED)


def test_scopes_are_those_of_the_invitation(world: World) -> None:
    token = an_invitation(world, scopes=("openid", "identity", "seal:verify"), uses=3)
    # What nobody asks for is not given: ID numbers least of all.
    assert registered(world, token)["scope"] == "openid"
    assert registered(world, token, scope="openid identity seal:verify")["scope"].split()[1] == "identity"
    answer = register(world, token, metadata(scope="openid profile"))
    assert refused(answer) == (400, "invalid_client_metadata", "5009")
    assert answer.get_json()["error_description"].endswith("profile.")
    refusal = register(world, an_invitation(world), metadata(scope="openid identity"))
    assert refused(refusal)[2] == "5009"


@pytest.mark.parametrize(
    "members",
    [
        {"first_party": True},
        {"full_phone": True},
        {"sector": "portal.example"},
        {"sector_identifier_uri": "https://other.example/sector.json"},
        {"resources": ["https://seal.example/api"]},
        {"serves": ["https://seal.example/api"]},
        {"profile": "fapi2"},
        {"subject_type": "public"},
    ],
    ids=lambda members: next(iter(members)),
)
def test_what_an_administrator_decides_cannot_be_registered(world: World, members: dict[str, Any]) -> None:
    answer = register(world, an_invitation(world), metadata(**members))
    assert refused(answer) == (400, "invalid_client_metadata", "5008")
    assert next(iter(members)) in answer.get_json()["error_description"]
    assert clients(world) == 0


def test_nobody_takes_anothers_sector_by_its_host(world: World) -> None:
    token = an_invitation(world, uses=2)
    for more in ({}, {"grant_types": ["authorization_code", DEVICE]}):
        told = registered(world, token, subject_type="pairwise", **more)
        assert known(world, told["client_id"]).sector == told["client_id"]


def test_who_registers_himself_on_a_portals_host_sees_another_sub_than_the_portal(world: World) -> None:
    portal, told = world.a_client(), registered(world, an_invitation(world))
    browser, asked = (
        a_signed_in_person(world),
        Authorization(AClient(told["client_id"], told["client_secret"])),
    )
    browser.open(asked.address("openid"))
    code = browser.submit({"decision": "allow"}).query["code"]
    theirs = payload_of(asked.redeem(browser, code).get_json()["id_token"])["sub"]
    assert theirs != payload_of(tokens_for(browser, portal, "openid")["id_token"])["sub"]


def test_no_registered_host_writes_into_the_policy_of_a_page(world: World) -> None:
    uri = "https://a.example;frame-ancestors/callback"
    answer = register(world, an_invitation(world), metadata(redirect_uris=[uri]))
    assert refused(answer) == (400, "invalid_redirect_uri", "5005")
    old = world.a_client()
    changed(world, old, redirect_uris=[CALLBACK, uri, "https://b.example,c/"])
    page = world.browser().open(Authorization(old).address("openid"))
    policy = page.response.headers["Content-Security-Policy"]
    assert "form-action 'self' https://portal.example; frame-ancestors 'none'; base-uri 'none'" in policy


@pytest.mark.parametrize(
    ("changes", "error", "number"),
    [
        ({"redirect_uris": ...}, "invalid_redirect_uri", "5005"),
        ({"redirect_uris": ["http://portal.example/callback"]}, "invalid_redirect_uri", "5005"),
        ({"redirect_uris": ["https://门户.example/callback"]}, "invalid_redirect_uri", "5005"),
        ({"redirect_uris": ['https://portal.example/"']}, "invalid_redirect_uri", "5005"),
        ({"redirect_uris": [CALLBACK, "https://other.example/"]}, "invalid_redirect_uri", "5005"),
        ({"redirect_uris": [ISSUER.replace("http:", "https:") + "/x"]}, "invalid_redirect_uri", "5005"),
        ({"redirect_uris": ["https://" + "a." * 200 + "example/"]}, "invalid_redirect_uri", "5005"),
        ({"redirect_uris": [f"{CALLBACK}/{n}" for n in range(51)]}, "invalid_client_metadata", "5006"),
        ({"redirect_uris": CALLBACK}, "invalid_client_metadata", "5006"),
        ({"redirect_uris": [7]}, "invalid_client_metadata", "5006"),
        ({"client_name": "名" * 121}, "invalid_client_metadata", "5006"),
        ({"client_name": "a\u0000b"}, "invalid_client_metadata", "5006"),
        ({"contacts": ["\ud800"]}, "invalid_client_metadata", "5006"),
        ({"grant_types": ["implicit"]}, "invalid_client_metadata", "5006"),
        ({"grant_types": []}, "invalid_client_metadata", "5006"),
        ({"response_types": ["code", "token"]}, "invalid_client_metadata", "5006"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "invalid_client_metadata", "5006"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata", "5006"),
        ({"jwks": {"keys": [{"kty": "oct", "k": "AAAA"}]}}, "invalid_client_metadata", "5006"),
        ({"jwks": {"keys": [A_KEY.as_dict(private=True)]}}, "invalid_client_metadata", "5006"),
        ({"jwks": {"keys": [public_jwk(A_KEY, kid="\ud800")]}}, "invalid_client_metadata", "5006"),
        ({"jwks_uri": "https://127.0.0.1/jwks"}, "invalid_client_metadata", "5006"),
        ({"jwks_uri": "https://localhost/jwks"}, "invalid_client_metadata", "5006"),
        ({"backchannel_logout_uri": "https://10.0.0.7/out"}, "invalid_client_metadata", "5006"),
        ({"backchannel_logout_uri": "https://[fd00::1]/out"}, "invalid_client_metadata", "5006"),
        ({"backchannel_logout_uri": "https://169.254.169.254/"}, "invalid_client_metadata", "5006"),
        ({"userinfo_encrypted_response_alg": "RSA-OAEP"}, "invalid_client_metadata", "5006"),
        ({"default_acr_values": ["urn:idp:loa:1", "1"]}, "invalid_client_metadata", "5006"),
        ({"subject_type": "ephemeral"}, "invalid_client_metadata", "5006"),
        ({"default_max_age": -1}, "invalid_client_metadata", "5006"),
        ({"default_max_age": "600"}, "invalid_client_metadata", "5006"),
        ({"scope": "profile"}, "invalid_client_metadata", "5006"),
        ({"scope": 'openid "<é'}, "invalid_client_metadata", "5009"),
        ({"software_statement": "eyJ.eyJ.x"}, "unapproved_software_statement", "5010"),
    ],
    ids=lambda value: value if isinstance(value, str) else next(iter(value)),
)
def test_wrong_metadata_are_refused_and_spend_nothing(
    world: World, changes: dict[str, Any], error: str, number: str
) -> None:
    token = an_invitation(world)
    assert refused(register(world, token, metadata(**changes))) == (400, error, number)
    assert clients(world) == 0
    assert registered(world, token)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"x"',
        b"null",
        b"{",
        b"\xff\xfe{}",
        b'{"client_name": "\xff"}',
        b"[" * 60_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        with_member(b"NaN"),
        with_member(b"-Infinity"),
        with_member(b"1e999"),
        with_member(b"[" * 50 + b"]" * 50),
        b'{"default_max_age": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda body: repr(body[:9]),
)
def test_a_strange_body_is_refused_in_json(world: World, body: bytes) -> None:
    answer = register(world, an_invitation(world), body)
    status, error, number = refused(answer)
    assert (status, error) == (400, "invalid_client_metadata")
    assert number in {"5003", "5006"}


def test_a_large_body_is_refused(world: World) -> None:
    answer = register(world, an_invitation(world), metadata(padding="x" * 64_000))
    assert refused(answer) == (413, "invalid_client_metadata", "5004")
    assert register(world, None, b"x" * 200_000).get_json()["error"]


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "", "application/jose"])
def test_only_json_is_read(world: World, kind: str) -> None:
    answer = register(world, an_invitation(world), metadata(), **{"Content-Type": kind})
    assert refused(answer) == (400, "invalid_client_metadata", "5003")


def test_without_a_token_there_is_only_the_challenge(world: World) -> None:
    for header in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer "}):
        answer = register(world, None, metadata(), **header)
        assert refused(answer) == (401, "invalid_token", "5001")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="registration"'
    assert clients(world) == 0


def test_a_token_that_does_not_count_is_refused(world: World) -> None:
    used, ended, old = (an_invitation(world) for _ in range(3))
    registered(world, used)
    with world.write() as db:
        row = registration_tokens.find_invitation(db, ended, now=world.now())
        registration_tokens.end_invitation(row, now=world.now())
    for token in ("nonsense", used, ended, "é" * 500, used + "x"):
        answer = register(world, token, metadata())
        assert refused(answer) == (401, "invalid_token", "5002"), token
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    with later(days=7, seconds=1):
        assert refused(register(world, old, metadata()))[2] == "5002"
    assert clients(world) == 1


def test_of_many_at_once_as_many_win_as_there_are_uses(world: World) -> None:
    token = an_invitation(world, uses=2)
    answers = at_once(8, lambda _number: register(world, token, metadata()).status_code)
    assert sorted(answers) == [201] * 2 + [401] * 6
    assert clients(world) == 2
    with world.reading() as db:
        assert db.scalars(select(RegistrationToken.uses_left)).all() == [0]


def test_the_trail_says_which_invitation_registered(world: World) -> None:
    told = registered(world, an_invitation(world), contacts=["duty@portal.example"])
    with world.reading() as db:
        invitation = db.scalars(select(RegistrationToken)).one()
        target = f"client:{told['client_id']}"
        row = db.scalars(select(AuditEvent).where(AuditEvent.target == target)).one()
        client = db.get_one(Client, told["client_id"])
    assert (row.action, row.actor) == ("client_added", f"invitation:{invitation.id}")
    assert told["client_secret"] not in json.dumps(row.detail)
    assert client.registered_with == invitation.id


def test_the_token_is_kept_as_a_hash(world: World) -> None:
    token = an_invitation(world)
    with world.reading() as db:
        row = db.scalars(select(RegistrationToken)).one()
    assert len(row.token_hash) == 32
    assert token.encode() not in row.token_hash
    assert row.expires_at - row.created_at == timedelta(days=7)


def test_another_method_is_refused_in_json_and_no_cookie_is_set(world: World) -> None:
    plain = world.app.test_client()
    for method in ("GET", "PUT", "DELETE"):
        answer = plain.open(REGISTER, method=method, base_url=ISSUER)
        assert (answer.status_code, answer.mimetype) == (405, "application/json")
    assert "Set-Cookie" not in register(world, an_invitation(world), metadata()).headers
