"""The form of a relying party: what an administrator may set, one field a field of the registration.

What is not a field here cannot be sent: it is what it was. The rules themselves are
:mod:`idp.access.client_rules`; this only reads what was typed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from wtforms import (
    BooleanField,
    Field,
    Form,
    HiddenField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)

from idp.access.client_metadata import is_plain, split_scopes
from idp.access.client_rules import SCOPES, NewClient, ProfileForbids, broken_rules
from idp.access.clients import ClientRefused
from idp.staff.clients import words

_LIST = ("redirect_uris", "post_logout_redirect_uris", "resources", "serves", "contacts")
_TEXT = ("client_uri", "backchannel_logout_uri", "jwks_uri", "assertion_alg", "request_object_alg")
_CHOICE = ("auth_method", "id_token_alg", "profile", "subject_type")
_FLAG = ("require_signed_requests", "full_phone", "first_party", "require_par", "dpop")


CHOICES: dict[str, Mapping[str, str]] = {
    "grant_types": words.GRANTS,
    "auth_method": words.AUTH_METHODS,
    "assertion_alg": {"": "按第一把公钥"} | words.ALGS,
    "id_token_alg": words.ALGS,
    "request_object_alg": {"": "不限"} | words.ALGS,
    "scopes": words.SCOPES,
    "profile": words.PROFILES,
    "subject_type": words.SUBJECT_TYPES,
    "default_acr_values": words.ACR,
}
"""What the page offers. The rules refuse what is none of these, in Chinese, so the fields need not."""


def _several() -> SelectMultipleField:
    return SelectMultipleField(choices=[], validate_choice=False)


class ClientForm(Form):
    """A registration as it is typed; the order is that of the page."""

    name = StringField()
    client_id = StringField()
    contacts = TextAreaField()
    client_uri = StringField()
    first_party = BooleanField()
    redirect_uris = TextAreaField()
    post_logout_redirect_uris = TextAreaField()
    backchannel_logout_uri = StringField()
    grant_types = _several()
    auth_method = StringField()
    jwks = TextAreaField()
    jwks_uri = StringField()
    assertion_alg = StringField()
    id_token_alg = StringField()
    request_object_alg = StringField()
    require_signed_requests = BooleanField()
    scopes = _several()
    resource_scopes = TextAreaField()
    full_phone = BooleanField()
    profile = StringField()
    require_par = BooleanField()
    dpop = BooleanField()
    subject_type = StringField()
    sector = StringField()
    default_acr_values = _several()
    default_max_age = StringField()
    resources = TextAreaField()
    serves = TextAreaField()
    version = HiddenField()


def shown(new: NewClient, *, version: str = "") -> ClientForm:
    """The form with what a registration says."""
    values: dict[str, Any] = {name: getattr(new, name) or "" for name in (*_TEXT, *_CHOICE)}
    values |= {name: "\n".join(getattr(new, name)) for name in _LIST}
    values |= {name: getattr(new, name) for name in _FLAG}
    return ClientForm(
        data={
            **values,
            "name": new.name,
            "client_id": new.client_id,
            "sector": new.sector,
            "version": version,
            "grant_types": list(new.grant_types),
            "scopes": [scope for scope in new.scopes if scope in SCOPES],
            "resource_scopes": "\n".join(scope for scope in new.scopes if scope not in SCOPES),
            # In ASCII: a set registered before may hold what no page can (half of a surrogate pair).
            "jwks": json.dumps(new.jwks, indent=2) if new.jwks else "",
            "default_acr_values": list(new.default_acr_values),
            "default_max_age": "" if new.default_max_age is None else str(new.default_max_age),
        }
    )


def read(form: ClientForm, before: NewClient) -> NewClient | None:
    """The registration that was typed; None where it cannot be read, and the fields say why.

    `before` is what there was: what the form cannot say stays as it is.
    """
    jwks, max_age = _read_jwks(form), _read_seconds(form)
    if form.jwks.errors or form.default_max_age.errors:
        return None
    typed: dict[str, Any] = {name: _lines(form[name]) for name in _LIST}
    typed |= {name: _text(form[name]) or None for name in _TEXT}
    typed |= {name: _text(form[name]) for name in _CHOICE}
    typed |= {name: bool(form[name].data) for name in _FLAG}
    scopes = (*_several_of(form.scopes), *split_scopes([_text(form.resource_scopes)]))
    return replace(
        before,
        **typed,
        name=_text(form.name),
        client_id=before.client_id or _text(form.client_id),
        sector=_text(form.sector),
        jwks=jwks,
        default_max_age=max_age,
        grant_types=_same_set(_several_of(form.grant_types), before.grant_types),
        scopes=_same_set(scopes, before.scopes),
        default_acr_values=_same_set(_several_of(form.default_acr_values), before.default_acr_values),
    )


def check(form: ClientForm, new: NewClient, *, production: bool) -> bool:
    """Whether the registration may stand; each broken rule is said at its field."""
    for refused in broken_rules(new, production=production):
        for each in refused.broken if isinstance(refused, ProfileForbids) else (refused,):
            say(form, each)
    return not form.errors


def say(form: ClientForm, refused: ClientRefused) -> None:
    """Put the sentence of a refusal at its field, or above the form where it has none."""
    sentence = refused.zh.removesuffix("。")
    if refused.field in form:
        field = form[refused.field]
        field.errors = [*field.errors, sentence]
    else:
        form.form_errors.append(sentence)


def _read_jwks(form: ClientForm) -> dict[str, Any] | None:
    typed = _text(form.jwks)
    if not typed:
        return None
    try:
        found = json.loads(typed)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and not is_plain(found):
        form.jwks.errors = [
            "公钥里有不能保存的内容：\\ud800 一类的半个字符、NaN，或嵌套太深。请让接入方改好再提交"
        ]
        return None
    if not isinstance(found, dict):
        form.jwks.errors = ["公钥不是有效的 JSON。请粘贴完整的 JWKS，以 { 开头，以 } 结尾"]
        return None
    return found


def _read_seconds(form: ClientForm) -> int | None:
    typed = _text(form.default_max_age)
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit() and len(typed) <= 10):
        form.default_max_age.errors = ["登录有效时长应为整数秒，例如 3600；不限就不用填"]
        return None
    return int(typed)


def _text(field: Field) -> str:
    return (field.data or "").strip()


def _lines(field: Field) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.strip() for line in (field.data or "").splitlines() if line.strip()))


def _several_of(field: SelectMultipleField) -> tuple[str, ...]:
    return tuple(dict.fromkeys(field.data or ()))


def _same_set(given: Iterable[str], before: tuple[str, ...]) -> tuple[str, ...]:
    """What was chosen; boxes have no order, so the one there was stays where nothing else changed."""
    chosen = tuple(dict.fromkeys(given))
    return before if set(chosen) == set(before) else chosen
