"""Where somebody goes on whom the platform could not recognise, and what this installation offers him."""

from __future__ import annotations

from flask import url_for

from idp.config import Settings
from idp.web.errors import Way
from idp.web.platform import settings


def when_proof_fails() -> tuple[Way, ...]:
    """What is left to whoever cannot prove himself by what the platform knows of him."""
    hotline = settings().hotline
    # RFC 3966 §3: no spaces in the number.
    call = ((f"拨打服务热线 {hotline}", f"tel:{hotline.replace(' ', '')}"),) if hotline else ()
    return (*call, ("查看帮助", url_for("web.help")), ("回到登录页", url_for("login.start")))


def when_a_company_fails(told: str = "") -> tuple[Way, ...]:
    """The same for a company's account, about which an appeal may be filed (E01, E16).

    `told` is the journey of a registration that was refused: what was typed there is not typed again.
    """
    appeal = url_for("appeal.choice", told=told) if told else url_for("appeal.choice")
    return (("账号申诉", appeal), *when_proof_fails())


def registration_offered(configured: Settings) -> bool:
    """Whether a person can get an account by himself: somebody has to know who he is (B22, X9)."""
    needs_face = configured.face_at_registration and not configured.face_url
    return bool(configured.population_url) and not needs_face


def company_registration_offered(configured: Settings) -> bool:
    """Whether a company can get an account by itself: both registries are there to be asked (B21, X9)."""
    needs_face = configured.face_at_registration and not configured.face_url
    return bool(configured.registry_url and configured.population_url) and not needs_face
