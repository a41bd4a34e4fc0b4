"""Putting the portal together."""

import logging
from functools import partial
from pathlib import Path
from typing import Final

from flask import Flask

from relying_parties.kit.app import make_app
from relying_parties.kit.cookies import Cookies
from relying_parties.kit.database import Database
from relying_parties.kit.oidc import RelyingParty
from relying_parties.kit.portal import Portal
from relying_parties.kit.provider import Provider
from relying_parties.social_insurance import pages
from relying_parties.social_insurance.admission import admit
from relying_parties.social_insurance.config import Settings, load_settings
from relying_parties.social_insurance.records import load_records

NAME: Final = "示例智慧人社 单位网厅"
AUTHORITY: Final = "单位参保地的社会保险经办机构"
REQUIRED_ACR: Final = "urn:idp:loa:1"

log = logging.getLogger(__name__)


def create_app(settings: Settings) -> Flask:
    """The portal as `settings` want it. Raises SettingsRefused if its records cannot be loaded."""
    secret = settings.secret_key.get_secret_value()
    provider = Provider(settings.issuer, settings.client_id, settings.client_secret.get_secret_value())
    portal = Portal(
        name=NAME,
        authority=AUTHORITY,
        settings=settings,
        database=_open_database(settings, secret),
        relying_party=RelyingParty(provider, settings.client_id, REQUIRED_ACR),
        cookies=Cookies.named("si", https=settings.https),
        admit=partial(admit, secret=secret),
    )
    return make_app(portal, pages.blueprint, Path(__file__).parent / "templates")


def from_environment() -> Flask:
    """The portal of this process, for the server's worker."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # The HTTP client would log every request it makes to the provider.
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    return create_app(load_settings())


def _open_database(settings: Settings, secret: str) -> Database:
    database = Database(settings.database)
    database.create_tables()
    if settings.records is not None:
        with database.writing() as session:
            loaded = load_records(session, settings.records, secret)
        log.info("records: %s units loaded", loaded)
    return database
