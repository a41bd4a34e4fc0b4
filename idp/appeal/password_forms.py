"""The form behind the one-time link: a password twice; of a new account its name and the yes to the texts."""

from __future__ import annotations

from collections.abc import Iterator

from werkzeug.datastructures import MultiDict
from wtforms import Field

from idp.appeal.password import Opened
from idp.web.account_fields import AccountFields, InOrder


class LinkForm(InOrder, AccountFields):
    """设置登录密码. What the account has already is not asked for."""

    order = AccountFields.account_order

    def __init__(self, formdata: MultiDict[str, str], opened: Opened) -> None:
        super().__init__(formdata)
        if not opened.asks_name:
            del self.account
        if not opened.is_new:
            del self.agreed

    def __iter__(self) -> Iterator[Field]:
        return iter([self[name] for name in self.order if name in self])

    @property
    def account_name(self) -> str:
        """The account in canonical form; empty where it has one already."""
        return super().account_name if "account" in self else ""
