"""How a relying party's registration is said in Chinese: one table of its fields, and what they may hold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from idp.access.assurance import LEVELS
from idp.access.channels import CHANNELS
from idp.access.clients import Client
from idp.access.profiles import DEVICE_GRANT, SIGNING_ALGS
from idp.accounts.identifiers import mask_name
from idp.accounts.outbox import OutboxMessage
from idp.accounts.staff import StaffMember
from idp.crypto import Vault
from idp.staff.clients.changes import Meanwhile
from idp.web.audit_words import action_words, key_words
from idp.web.client_words import LABELS, field_words
from idp.web.render import minute

AUTH_METHODS = {
    "client_secret_basic": "密钥，在请求头",
    "client_secret_post": "密钥，在表单里",
    "private_key_jwt": "私钥签名",
    "none": "不认证，公开应用",
}
# Whoever looks a registration up compares it with what the other side calls it.
_AUTH_METHODS = {method: f"{name}（{method}）" for method, name in AUTH_METHODS.items()}
KINDS = {
    "client_secret_basic": "密钥",
    "client_secret_post": "密钥",
    "private_key_jwt": "私钥签名",
    "none": "公开应用",
}
GRANTS = {
    "authorization_code": "授权码：用户在浏览器里登录",
    "refresh_token": "刷新令牌：用户离开后继续使用",
    "client_credentials": "应用自身凭据：没有用户参与",
    DEVICE_GRANT: "设备授权：没有键盘的终端",
}
SCOPES = {
    "openid": "openid：用户标识",
    "profile": "profile：姓名和登录名",
    "phone": "phone：手机号码",
    "identity": "identity：证件类型和号码",
    "entity": "entity：代表的企业和身份",
    "offline_access": "offline_access：刷新令牌",
    "app": "app：手机 App，由本人使用",
}
PROFILES = {"basic": "基本（OAuth 2.1）", "fapi2": "高（FAPI 2.0）"}
SUBJECT_TYPES = {"pairwise": "每个应用不同（pairwise）", "public": "所有应用相同（public）"}
ACR = dict(zip(LEVELS, ("1 级：密码", "2 级：第二步验证或通行密钥", "3 级：人脸"), strict=True))
ALGS = {alg: alg for alg in SIGNING_ALGS}
_YES = {True: "是", False: "否"}
_NONE = "没有登记"


def meanwhile_words(db: Session, vault: Vault, done: Meanwhile) -> str:
    """What somebody else did, in a sentence."""
    what = action_words(done.action) + (f"：{field_words(done.fields)}" if done.fields else "")
    return f"{minute(done.at)}，{actor_words(db, vault, done.actor)}，{what}"


def actor_words(db: Session, vault: Vault, actor: str) -> str:
    """Who did something: a colleague by account and masked name, a command by its user."""
    kind, _, key = actor.partition(":")
    member = db.get(StaffMember, UUID(key)) if kind == "staff" else None
    return f"{member.account}（{mask_name(member.name(vault))}）" if member else key_words(actor)


def facts(client: Client) -> dict[str, list[tuple[str, Any]]]:
    """The registration by section of the form: label and words."""
    return {
        "名称与联系": [
            *_some(client, "client_id", "contacts", "client_uri"),
            (LABELS["first_party"], _YES[client.first_party]),
            *_channel(client),
        ],
        "回调地址": _some(client, "redirect_uris", "post_logout_redirect_uris", "backchannel_logout_uri"),
        "登录方式与密钥": [
            *_chosen(client, {"grant_types": GRANTS, "auth_method": _AUTH_METHODS}),
            ("公钥", _keys(client)),
            *_some(client, "assertion_alg", "id_token_alg", "request_object_alg"),
            (LABELS["require_signed_requests"], _YES[client.require_signed_requests]),
        ],
        "授权范围": [
            (LABELS["scopes"], client.scopes),
            (LABELS["full_phone"], _YES[client.full_phone]),
        ],
        "安全等级": [
            *_chosen(client, {"profile": PROFILES, "subject_type": SUBJECT_TYPES}),
            *_some(client, "sector"),
            (LABELS["require_par"], _YES[client.require_par]),
            (LABELS["dpop"], _YES[client.dpop]),
            *_chosen(client, {"default_acr_values": ACR}),
            (LABELS["default_max_age"], _seconds(client.default_max_age)),
        ],
        "资源": _some(client, "resources", "serves"),
    }


def _some(client: Client, *names: str) -> list[tuple[str, Any]]:
    return [(LABELS[name], getattr(client, name) or _NONE) for name in names]


def _chosen(client: Client, choices: dict[str, Mapping[str, str]]) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, words in choices.items():
        value = getattr(client, name)
        several = [words.get(each, each) for each in ([value] if isinstance(value, str) else value)]
        rows.append((LABELS[name], several or _NONE))
    return rows


def _channel(client: Client) -> list[tuple[str, Any]]:
    """Which app it is; nothing for the others, who are many."""
    if not client.channel:
        return []
    channel = CHANNELS.get(client.channel)
    return [(LABELS["channel"], f"{channel.name}（{client.channel}）" if channel else client.channel)]


def _keys(client: Client) -> str:
    if client.jwks_uri:
        return client.jwks_uri
    return f"{len(client.jwks['keys'])} 把，登记在这里" if client.jwks else _NONE


def _seconds(seconds: int | None) -> str:
    return "不限" if seconds is None else f"{seconds} 秒"


def delivery_words(message: OutboxMessage) -> dict[str, Any]:
    """What became of one message that a sign-in has ended."""
    if message.delivered_at:
        state = ("已送达", "ok", "check")
    elif message.failed_at:
        state = ("已放弃", "bad", "x")
    else:
        state = ("等待中", "wait", "clock")
    return {
        "queued": minute(message.created_at),
        "state": state,
        "tries": f"{message.tries} 次",
        "next": minute(message.next_try_at) if message.next_try_at else "—",
        "error": message.last_error or "—",
    }


def old_secret(client: Client, *, now: datetime) -> str:
    """Until when the secret before this one works; empty where none does."""
    until = client.old_secret_until
    return minute(until) if client.old_secret_hash and until and now < until else ""
