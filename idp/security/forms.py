"""Parsing what the forms send; what it is worth is decided below, and said at the field."""

from __future__ import annotations

from wtforms import Form, HiddenField, StringField

from idp.accounts.factors import Kind
from idp.proof.enrolment import EnrolmentRefused, clean_name


class NameForm(Form):
    """What a factor is called."""

    name = StringField()

    def names(self, kind: Kind) -> bool:
        """Whether a factor of this kind can be called so; the field says why not."""
        try:
            clean_name(self.name.data or "", kind)
        except EnrolmentRefused as refused:
            self.name.errors = [str(refused)]
            return False
        return True


class TotpForm(NameForm):
    """An authenticator app and the first code it shows."""

    code = StringField()


class PasskeyForm(NameForm):
    """What a browser answers that was asked for a passkey."""

    challenge_id = HiddenField()
    answer = HiddenField()
