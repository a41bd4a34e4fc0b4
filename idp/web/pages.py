"""Pages that belong to no journey: the front page, help and legal texts, 大字版, health and metrics.

==========================  =====================================================
/                           the front page
/help                       what to do when signing in does not work
/pages/<name>               informative texts; of the agreements the current version
/pages/<name>/<version>     an agreement as it was, for whoever accepted it then (B16)
/large-text                 大字版 on and off
/healthz                    the process lives
/readyz                     its database and store answer
/metrics                    Prometheus, with the token of IDP_METRICS_TOKEN only
==========================  =====================================================
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, jsonify, redirect, request, url_for
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as BaseResponse

from idp.accounts import agreements
from idp.adapters.ephemeral import StoreUnavailable
from idp.crypto import same
from idp.web import cookies, ways
from idp.web.errors import Way
from idp.web.platform import platform, settings
from idp.web.redirects import own_path
from idp.web.render import page as render

blueprint = Blueprint("web", __name__)

TEXTS = ("sitemap", "notices", "about", "accessibility")


@blueprint.get("/")
def home() -> str:
    """The front page."""
    return render("web/home.html")


@blueprint.get("/help")
def help() -> str:  # noqa: A001 - the page's name in every template
    """What to do when signing in does not work."""
    return render("web/help.html")


@blueprint.get("/pages/<page>")
def page(page: str) -> str:
    """One of the informative texts, or the version of an agreement that is accepted today."""
    if page in agreements.CURRENT:
        return _agreement(page, agreements.CURRENT[page])
    if page not in TEXTS:
        abort(404)
    return render(f"web/{page}.html", registrations=_registrations())


def _registrations() -> list[Way]:
    """Where one registers, as far as this installation offers it (B21, B22)."""
    told = settings()
    offered = (
        ("法人注册", "enterprise.register", ways.company_registration_offered(told)),
        ("个人注册", "person.register", ways.registration_offered(told)),
    )
    return [(words, url_for(endpoint)) for words, endpoint, is_offered in offered if is_offered]


@blueprint.get("/pages/<page>/<version>")
def agreement(page: str, version: str) -> str:
    """A version of an agreement that was ever accepted."""
    if version not in agreements.VERSIONS.get(page, {}):
        abort(404)
    return _agreement(page, version)


@blueprint.post("/large-text")
def large_text() -> BaseResponse:
    """大字版 on or off, then back to where one was."""
    response = redirect(own_path(request.form.get("next", "")) or url_for("web.home"), 303)
    cookies.set_large_text(response, on=request.form.get("large") == "1")  # type: ignore[arg-type]  # werkzeug's base
    return response


@blueprint.get("/healthz")
def healthz() -> Any:
    """The process lives."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> Any:
    """Its database and ephemeral store answer."""
    parts = {"database": _answers(platform().database.ping), "store": _answers(platform().store.ping)}
    ready = all(parts.values())
    return jsonify(status="ok" if ready else "unavailable", **parts), 200 if ready else 503


@blueprint.get("/metrics")
def metrics() -> Response:
    """Prometheus figures, for whoever holds the token."""
    token = settings().metrics_token.get_secret_value()
    if not token or not same(request.headers.get("Authorization", ""), f"Bearer {token}"):
        abort(404)
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _agreement(name: str, version: str) -> str:
    return render(
        f"web/agreements/{name}-{version}.html",
        name=name,
        version=version,
        is_current=version == agreements.CURRENT[name],
        since=agreements.VERSIONS[name][version],
        versions=agreements.VERSIONS[name],
    )


def _answers(ping: Any) -> bool:
    try:
        ping()
    except (SQLAlchemyError, StoreUnavailable):
        return False
    return True
