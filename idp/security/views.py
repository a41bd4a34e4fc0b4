"""The addresses of the room, each with what answers it."""

from __future__ import annotations

from idp.security import adding, apps, browsers, changing, codes, history, overview, password, phone_codes
from idp.security.room import blueprint

__all__ = ["blueprint"]

_FORM = ["GET", "POST"]
_NAMED = "/factors/<any(totp,passkey):kind>/<uuid:factor_id>"
_FACTOR = "/factors/<any(totp,passkey,sms):kind>/<uuid:factor_id>"

blueprint.add_url_rule("", "overview", overview.overview)
blueprint.add_url_rule("/password", "password", password.password, methods=_FORM)
blueprint.add_url_rule("/totp", "totp", adding.totp_app, methods=_FORM)
blueprint.add_url_rule("/passkey", "passkey", adding.passkey, methods=_FORM)
blueprint.add_url_rule("/sms", "sms", phone_codes.phone_codes, methods=_FORM)
blueprint.add_url_rule("/recovery-codes", "recovery_codes", codes.renew, methods=_FORM)
blueprint.add_url_rule("/recovery-codes/new", "codes", codes.codes, methods=_FORM)
blueprint.add_url_rule("/recovery-codes/new.txt", "codes_file", codes.as_file)
blueprint.add_url_rule(f"{_NAMED}/name", "rename", changing.rename, methods=_FORM)
blueprint.add_url_rule(f"{_FACTOR}/remove", "remove", changing.remove, methods=_FORM)
blueprint.add_url_rule("/browsers/<key>/forget", "forget", browsers.forget, methods=_FORM)
blueprint.add_url_rule("/apps/<client_id>/withdraw", "withdraw", apps.withdraw, methods=_FORM)
blueprint.add_url_rule("/sign-ins", "sign_ins", history.sign_ins, methods=_FORM)
