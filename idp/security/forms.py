"""Parsing what the forms send; what it is worth is decided below, and said at the field."""

from __future__ import annotations

from wtforms import Form, HiddenField, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length

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


def _secret(missing: str, *more: EqualTo) -> PasswordField:
    return PasswordField(validators=[InputRequired(missing), Length(max=4096, message="密码太长"), *more])


class PasswordForm(Form):
    """The old password, and the new one twice."""

    old_password = _secret("请填写旧密码")
    new_password = _secret("请填写新密码")
    confirm_password = _secret("请再次输入新密码", EqualTo("new_password", "两次填写的新密码不一样"))
