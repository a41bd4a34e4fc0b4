"""What templates may call, and nothing else reaches them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask import Blueprint, Flask, g, render_template, request, url_for
from markupsafe import Markup, escape
from wtforms import Form

import theme
from idp.accounts.calendar import SHANGHAI
from idp.accounts.identifiers import mask_id_number, mask_name, mask_phone, mask_uscc
from idp.web import cookies, downloads
from idp.web.platform import now, settings
from idp.web.security import allow_scripts


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
        unbroken=unbroken,
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
    app.after_request(downloads.offer_to_keep)


def page(template: str, **values: Any) -> str:
    """Render a page. It is kept apart from Flask's name so that every page goes through one door.

    One that answers a form with the form again (`form` is a WTForms form) loads `form_answer.js`: whoever
    comes back to it by 后退 is shown the page at its address, and is not asked to send the form once more.
    """
    if isinstance(values.get("form"), Form) and _answers_what_can_be_opened():
        allow_scripts()
        values["answers_a_form"] = True
    return render_template(template, **values)


def theme_url(name: str) -> str:
    """The address of a file of the theme; it changes with the file, so browsers may keep it for good."""
    return url_for("theme.static", filename=name, v=theme.asset_version())


def unbroken(sentence: str) -> Markup:
    """A sentence in which the hotline's number, if it stands there, is not broken at the end of a line."""
    escaped, hotline = escape(sentence), settings().hotline
    if not hotline:
        return escaped
    whole = Markup('<span class="tx-nowrap">{}</span>').format(hotline)
    return escaped.replace(escape(hotline), whole)


def day(value: date | datetime | None) -> str:
    """A calendar day for tables: 2026-11-20."""
    if value is None:
        return "—"
    return (value.astimezone(SHANGHAI) if isinstance(value, datetime) else value).strftime("%Y-%m-%d")


def minute(value: datetime) -> str:
    """An instant for people: 2026-11-20 14:33, in Asia/Shanghai."""
    return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _answers_what_can_be_opened() -> bool:
    return request.method == "POST" and "GET" in getattr(request.url_rule, "methods", ())


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
