"""A worker's installation is to each test as if nobody had lived there."""

from __future__ import annotations

from sqlalchemy import func, select

from idp.accounts.audit import AuditEvent
from idp.accounts.models import Person
from tests.houses import House
from tests.keys import kid_of, ring, rotated
from tests.world import World


def test_whoever_moves_in_finds_no_row_no_key_in_the_store_and_no_file(installation: House) -> None:
    before = installation.world()
    before.browser().sign_in_person(before.a_person())
    before.backends.store.put("left", b"behind", ttl=60)
    (installation.settings.var_dir / "left").mkdir()
    (installation.settings.var_dir / "left" / "behind").touch()
    installation.empty()
    after = installation.world()
    with after.reading() as db:
        assert [db.scalar(select(func.count()).select_from(kind)) for kind in (Person, AuditEvent)] == [0, 0]
    assert after.backends.store.get("left") is None
    assert not (installation.settings.var_dir / "left").exists()


def test_the_signing_keys_are_those_of_the_beginning(installation: House) -> None:
    before = installation.world()
    kid, published = kid_of(before, "ES256", "active"), ring(before).jwks
    rotated(before, "ES256")
    assert kid_of(before, "ES256", "active") != kid
    installation.empty()
    after = installation.world()
    assert kid_of(after, "ES256", "active") == kid
    assert (ring(after).jwks, after.platform.keys.jwks) == (published, published)


def test_the_application_remembers_nobody(installation: House) -> None:
    def remembered(world: World) -> set[str]:
        return set(world.app.extensions)

    before = installation.world()
    fresh, client = remembered(before), before.a_client()
    assert before.platform.clients.find(client.client_id)
    before.at_the_console().open("/staff")
    assert remembered(before) > fresh
    installation.empty()
    after = installation.world()
    assert remembered(after) == fresh
    assert after.platform.clients.find(client.client_id) is None
    assert after.app.extensions["oauth-server"].clients is after.platform.clients
