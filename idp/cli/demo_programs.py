"""The programs of `idp demo`, and what each is told by its environment.

The provider and its worker share `demo.env`; every other program has `<name>.env` with its own variables.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import idp
from idp.config import Settings, as_variables, kept_secret
from idp.demo import addresses
from idp.demo.manifest import CLIENTS

_LOOPBACK = "127.0.0.1"
_RECORDS = Path(idp.__file__).parents[1] / "relying_parties" / "social_insurance" / "demo_records.json"


@dataclass(frozen=True, slots=True)
class Program:
    """A program: the name of its log, the Python module with its arguments, its variables.

    `environment` names the file that the variables are written to.
    """

    name: str
    module: tuple[str, ...]
    variables: Mapping[str, str]
    environment: str


def programs(settings: Settings, *, portal_secret: str) -> list[Program]:
    """All of them, in the order they are started in. `portal_secret` is the portal's at the provider."""
    provider = as_variables(settings)
    port = str(addresses.ports(settings.demo_port_base)["idp"])
    return [
        Program("idp", ("idp.cli", "serve", "--port", port), provider, "demo"),
        Program("worker", ("idp.cli", "worker"), provider, "demo"),
        _beside("social_insurance", _portal(settings, portal_secret)),
        _beside("app", _phone(settings), name="phone"),
        _beside("simulators", _simulators(settings)),
    ]


def environments(started: Sequence[Program]) -> dict[str, Mapping[str, str]]:
    """Name of each environment file to its variables."""
    return {program.environment: program.variables for program in started}


def _beside(package: str, variables: Mapping[str, str], *, name: str = "") -> Program:
    return Program(name or package, (f"relying_parties.{package}",), variables, name or package)


def _portal(settings: Settings, secret: str) -> dict[str, str]:
    base, var = settings.demo_port_base, settings.var_dir
    return {
        "SI_ISSUER": settings.issuer,
        "SI_CLIENT_ID": CLIENTS["social_insurance"],
        "SI_CLIENT_SECRET": secret,
        "SI_BASE_URL": addresses.app_urls(base)["social_insurance"],
        "SI_OTHER_BASE_URLS": addresses.app_urls(base, host=_LOOPBACK)["social_insurance"],
        "SI_SECRET_KEY": kept_secret(var / "social_insurance_key.secret", secrets.token_urlsafe(48)),
        "SI_DATABASE": str(var / "social_insurance.db"),
        "SI_RECORDS": str(_RECORDS),
        "SI_HOST": _LOOPBACK,
        "SI_PORT": str(addresses.port(base, "social_insurance")),
    }


def _phone(settings: Settings) -> dict[str, str]:
    base = settings.demo_port_base
    return {
        "APP_ISSUER": settings.issuer,
        "APP_BASE_URL": addresses.app_urls(base)["phone"],
        "APP_HOST": _LOOPBACK,
        "APP_PORT": str(addresses.port(base, "phone")),
        "APP_JISHIBAN": CLIENTS["phone"],
        "APP_SOCIAL_CARD": CLIENTS["social_card"],
        "APP_LICENCE": CLIENTS["licence"],
    }


def _simulators(settings: Settings) -> dict[str, str]:
    base = settings.demo_port_base
    return {
        "SIM_ISSUER": settings.issuer,
        "SIM_BASE_URL": addresses.urls(base)["simulators"],
        "SIM_HOST": _LOOPBACK,
        "SIM_PORT": str(addresses.ports(base)["simulators"]),
        "SIM_FACE_KEY": settings.face_key.get_secret_value(),
        "SIM_CARDS_TOKEN": settings.social_security_token.get_secret_value(),
        "SIM_POPULATION_TOKEN": settings.population_token.get_secret_value(),
        "SIM_REGISTRY_TOKEN": settings.registry_token.get_secret_value(),
    }
