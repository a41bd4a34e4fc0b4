"""What templates may call, and nothing else reaches them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import Blueprint, Flask, g, render_template, request, url_for

import theme
from idp.accounts.calendar import SHANGHAI
from idp.accounts.identifiers import mask_id_number, mask_name, mask_phone, mask_uscc
from idp.web import cookies
from idp.web.platform import now, settings


def install(app: Flask) -> None:
    """Register the theme's files and the names templates may use."""
    static = Blueprint(
        "theme",
        theme.__name__,
        static_folder=str(theme.STATIC_DIR),
        static_url_path="/theme",
        template_folder=str(theme.TEMPLATE_DIR),
    )
    app.register_blueprint(static)
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        day=day,
        minute=minute,
        mask_name=mask_name,
        mask_phone=mask_phone,
        mask_id=mask_id_number,
        mask_uscc=mask_uscc,
    )
    app.jinja_env.globals["theme_url"] = theme_url
    app.context_processor(_context)
    app.after_request(_cache_theme)


def page(template: str, **values: Any) -> str:
    """Render a page. It is kept apart from Flask's name so that every page goes through one door."""
    return render_template(template, **values)


def theme_url(name: str) -> str:
    """The address of a file of the theme; it changes with the file, so browsers may keep it for good."""
    return url_for("theme.static", filename=name, v=theme.asset_version())


def day(value: date | datetime | None) -> str:
    """A calendar day for tables: 2026-11-20."""
    if value is None:
        return "—"
    return (value.astimezone(SHANGHAI) if isinstance(value, datetime) else value).strftime("%Y-%m-%d")


def minute(value: datetime) -> str:
    """An instant for people: 2026-11-20 14:33, in Asia/Shanghai."""
    return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _context() -> dict[str, Any]:
    configured = settings()
    site = {
        "name": configured.site_name,
        "hotline": configured.hotline,
        "hotline_hours": configured.hotline_hours,
        "fax": configured.fax,
        "icp": configured.icp,
        "police_record": configured.police_record,
    }
    moment = now().astimezone(SHANGHAI)
    when = f"{moment.year} 年 {moment.month} 月 {moment.day} 日 {moment:%H:%M:%S}"
    return {
        "site": site,
        "large_text": cookies.large_text(),
        "request_id": g.get("request_id", ""),
        "when": when,
    }


def _cache_theme(response: Any) -> Any:
    if request.endpoint == "theme.static" and request.args.get("v"):
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
