"""What the phone app must promise before it may speak for a person (MISSION X17).

The scope `app` opens what only the person himself should reach: his identities, and the answer to a browser
that waits. So it is given to apps of our own alone, known by their channel, with a key of their own for
every token. Each broken rule is a :class:`~idp.access.clients.ClientRefused`, as in
:mod:`idp.access.client_rules`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from idp.access.channels import CHANNELS
from idp.access.clients import ClientRefused

if TYPE_CHECKING:
    from idp.access.client_rules import NewClient

APP_SCOPE = "app"
_GRANTS = frozenset({"authorization_code", "refresh_token"})


def broken_app_rules(new: NewClient) -> Iterator[ClientRefused]:
    """Every rule for apps that the registration breaks; none for a client that is no app."""
    if APP_SCOPE not in new.scopes and not new.channel:
        return
    if new.registered_with:
        yield ClientRefused(
            "Only an administrator registers an app: the scope app and a channel are never invited.",
            zh="手机 App 只能由管理员登记。自行登记的应用不能选择 app，也不能有渠道",
            field="scopes",
        )
        return
    yield from _belonging(new)
    yield from _promises(new)


def _belonging(new: NewClient) -> Iterator[ClientRefused]:
    """The scope and the channel, each of which means nothing without the other."""
    known = ", ".join(CHANNELS)
    if not new.channel:
        yield ClientRefused(
            f"The scope app needs a channel: choose from {known} (`idp client add --channel`).",
            zh="选择 app 的应用必须有渠道。渠道由管理员用命令 idp client add --channel 或导入文件登记",
            field="scopes",
        )
    elif new.channel not in CHANNELS:
        yield ClientRefused(
            f"Unknown channel {new.channel[:60]!r}: choose from {known}.",
            zh=f"没有「{new.channel[:60]}」这个渠道，请从这些中选：{'、'.join(CHANNELS)}",
            field="channel",
        )
    if APP_SCOPE not in new.scopes:
        yield ClientRefused(
            "A client with a channel is an app: it needs the scope app.",
            zh="有渠道的应用是手机 App，必须选择 app",
            field="scopes",
        )


def _promises(new: NewClient) -> Iterator[ClientRefused]:
    if not new.first_party:
        yield ClientRefused(
            "The scope app is for first parties alone.", zh="只有自有应用才能选择 app", field="first_party"
        )
    if new.auth_method != "none":
        yield ClientRefused(
            "An app keeps no secret: the scope app needs the auth method none.",
            zh="手机 App 藏不住密钥，认证方式请选「不认证」",
            field="auth_method",
        )
    if not new.dpop:
        yield ClientRefused(
            "The scope app needs tokens bound to a key (dpop).",
            zh="手机 App 的令牌必须绑定应用的密钥，请选上这一项",
            field="dpop",
        )
    # A device code is allowed on another screen than the app's: whoever sent it would hold the app.
    # Without refresh_token people would sign in anew every ten minutes.
    if not new.redirect_uris or set(new.grant_types) != _GRANTS:
        yield ClientRefused(
            "An app signs people in at its redirect URIs, by authorization_code and refresh_token.",
            zh="手机 App 用授权码登录，并用刷新令牌保持登录：请填写回调地址，选上这两种方式，不选其他方式",
            field="redirect_uris" if not new.redirect_uris else "grant_types",
        )
