"""What a registration says, and every rule it must keep.

The names are those of RFC 7591 §2 where it has them. A rule that is broken is a ClientRefused: one English
sentence for commands and programs, one in Chinese for the console, and the field it is about. What a profile
forbids is refused here and, again, at each request.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from idp.access.addresses import check_outside, check_uri, is_on_host_of
from idp.access.app_rules import broken_app_rules
from idp.access.assurance import LEVELS
from idp.access.client_keys import check_jwks
from idp.access.clients import ClientRefused
from idp.access.profiles import AUTH_METHODS, DEVICE_GRANT, GRANT_TYPES, PROFILES, SIGNING_ALGS

SCOPES = ("openid", "profile", "phone", "identity", "entity", "offline_access", "app")
DEFAULT_SCOPES = ("openid", "profile", "phone", "entity", "offline_access")
RESOURCE_SCOPE = re.compile(r"[a-z][a-z0-9_-]{0,30}(?:[:.][a-z0-9_-]{1,30}){1,3}")
"""What a resource's own scope looks like, such as `seal:verify`: never one of ours."""
SUBJECT_TYPES = ("pairwise", "public")
MOST_ADDRESSES = 50
"""Of one kind, in one registration."""
_SECTOR = re.compile(r"[A-Za-z0-9._-]{0,255}")
_ID = re.compile(r"[\x21-\x7e]{0,64}")
_KEY_TYPES = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}


class RedirectRefused(ClientRefused):
    """A redirect URI cannot be registered (RFC 7591 §3.2.2, invalid_redirect_uri)."""


class ProfileForbids(ClientRefused):
    """The registration does not keep what its security profile promises; every reason, a line each."""

    def __init__(self, broken: list[ClientRefused]) -> None:
        super().__init__("\n".join(map(str, broken)), zh="".join(each.zh for each in broken), field="profile")
        self.broken = broken


@dataclass(frozen=True, slots=True)
class NewClient:
    """What a registration says (RFC 7591 §2 where the names are shared)."""

    name: str
    redirect_uris: tuple[str, ...]
    client_id: str = ""
    secret: str = ""
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    auth_method: str = "client_secret_basic"
    grant_types: tuple[str, ...] = ("authorization_code",)
    scopes: tuple[str, ...] = DEFAULT_SCOPES
    id_token_alg: str = "RS256"  # noqa: S105 - an algorithm's name
    sector: str = ""
    subject_type: str = "pairwise"
    full_phone: bool = False
    first_party: bool = False
    profile: str = "basic"
    jwks: dict[str, Any] | None = None
    jwks_uri: str | None = None
    assertion_alg: str | None = None
    request_object_alg: str | None = None
    require_signed_requests: bool = False
    require_par: bool = False
    dpop: bool = False
    resources: tuple[str, ...] = ()
    serves: tuple[str, ...] = ()
    default_acr_values: tuple[str, ...] = ()
    default_max_age: int | None = None
    contacts: tuple[str, ...] = ()
    client_uri: str | None = None
    registered_with: UUID | None = None
    channel: str | None = None


def check_client(new: NewClient, *, production: bool) -> None:
    """Return if the registration may stand. Raises ClientRefused with the first reason."""
    first = next(broken_rules(new, production=production), None)
    if first:
        raise first


def broken_rules(new: NewClient, *, production: bool) -> Iterator[ClientRefused]:
    """Every rule that the registration breaks, in the order in which it is read."""
    yield from _texts(new)
    strange = list(_unknown_words(new))
    yield from strange
    yield from _grants(new)
    yield from broken_app_rules(new)
    yield from _addresses(new, production=production)
    if strange:
        # What keys and profiles ask of a word that does not exist, nobody can say.
        return
    of_keys = list(_keys(new))
    yield from of_keys
    # A key set that cannot stand says nothing of algorithms.
    usable = replace(new, jwks=None) if any(refused.field == "jwks" for refused in of_keys) else new
    broken = list(_broken_promises(usable))
    if broken:
        yield ProfileForbids(broken)


def check_redirects_leave(new: NewClient, issuer: str) -> None:
    """Return if no redirect URI leads back to this provider. Raises RedirectRefused.

    A code or an error that came to a page of ours would be handed on from there.
    """
    for uri in new.redirect_uris:
        if is_on_host_of(uri, issuer):
            raise RedirectRefused(
                f"{uri[:200]!r} is on the host of this provider.",
                zh=f"「{uri[:200]}」是本平台自己的地址。请填写应用的地址。",
                field="redirect_uris",
            )


def fixed_assertion_alg(new: NewClient) -> str | None:
    """The one algorithm this client signs assertions with: named, or what its first key is for."""
    if new.assertion_alg or new.auth_method != "private_key_jwt":
        return new.assertion_alg
    first = new.jwks["keys"][0] if new.jwks else {}
    of_rsa = "PS256" if "RS256" not in PROFILES[new.profile].signing_algs else "RS256"
    by_type = {"EC": "ES256", "OKP": "EdDSA"}.get(str(first.get("kty")), of_rsa)
    return str(first["alg"]) if first.get("alg") in SIGNING_ALGS else by_type


def _texts(new: NewClient) -> Iterator[ClientRefused]:
    if not new.name.strip() or len(new.name) > 120:
        yield ClientRefused(
            "A client needs a name of at most 120 characters.",
            zh="请填写应用名称，不超过 120 个字",
            field="name",
        )
    elif not new.name.isprintable():
        yield ClientRefused(
            "A client's name is printable text.", zh="应用名称只能是一行普通文字", field="name"
        )
    if not _ID.fullmatch(new.client_id):
        yield ClientRefused(
            "A client id is at most 64 printable ASCII characters without spaces.",
            zh="应用编号最多 64 个字符，只能用字母、数字和英文符号，不含空格",
            field="client_id",
        )
    if not _SECTOR.fullmatch(new.sector):
        yield ClientRefused(
            "A sector is at most 255 characters of a host name.",
            zh="标识分组应写成域名的样子，最多 255 个字符",
            field="sector",
        )
    if len(new.contacts) > 10 or not all(0 < len(c) <= 200 and c.isprintable() for c in new.contacts):
        yield ClientRefused(
            "Contacts are at most 10 printable texts of at most 200 characters.",
            zh="联系人最多 10 行，每行不超过 200 个字",
            field="contacts",
        )
    # A level that is none would be one that no sign-in ever has.
    if len(new.default_acr_values) > 10 or not set(new.default_acr_values) <= set(LEVELS):
        yield ClientRefused(
            f"default_acr_values are at most 10 of {', '.join(LEVELS)}.",
            zh=f"默认认证等级只能从这些中选：{'、'.join(LEVELS)}",
            field="default_acr_values",
        )
    if new.default_max_age is not None and not 0 <= new.default_max_age <= 10 * 366 * 86400:
        yield ClientRefused(
            "default_max_age is a number of seconds, at most ten years.",
            zh="登录有效时长应为 0 或更大的秒数，不超过 10 年",
            field="default_max_age",
        )


def _unknown_words(new: NewClient) -> Iterator[ClientRefused]:
    chosen = (
        ("auth method", "认证方式", "auth_method", new.auth_method, AUTH_METHODS),
        ("ID token algorithm", "ID 令牌签名算法", "id_token_alg", new.id_token_alg, SIGNING_ALGS),
        ("subject type", "用户标识", "subject_type", new.subject_type, SUBJECT_TYPES),
        *(("grant", "授权类型", "grant_types", grant, GRANT_TYPES) for grant in new.grant_types),
        *(
            ("scope", "授权范围", "scopes", scope, SCOPES)
            for scope in new.scopes
            if not RESOURCE_SCOPE.fullmatch(scope)
        ),
        ("profile", "安全等级", "profile", new.profile, tuple(PROFILES)),
    )
    for what, called, field, value, allowed in chosen:
        if value not in allowed:
            yield _unknown(what, called, field, value, allowed)


def _unknown(what: str, called: str, field: str, value: str, allowed: tuple[str, ...]) -> ClientRefused:
    return ClientRefused(
        f"Unknown {what} {value[:60]!r}: choose from {', '.join(allowed)}.",
        zh=f"没有「{value[:60]}」这个{called}，请从这些中选：{'、'.join(allowed)}",
        field=field,
    )


def _grants(new: NewClient) -> Iterator[ClientRefused]:
    interactive = {"authorization_code", DEVICE_GRANT} & set(new.grant_types)
    if not new.grant_types:
        yield ClientRefused(
            "A client needs at least one grant.", zh="请至少选择一种授权类型", field="grant_types"
        )
    if "authorization_code" in new.grant_types and not new.redirect_uris:
        yield RedirectRefused(
            "A client that redirects people needs at least one redirect URI.",
            zh="使用授权码登录的应用至少要有一个回调地址",
            field="redirect_uris",
        )
    if "refresh_token" in new.grant_types and not interactive:
        yield ClientRefused(
            "refresh_token needs authorization_code or the device grant beside it.",
            zh="选择刷新令牌时，还要选择授权码或设备授权",
            field="grant_types",
        )
    if interactive and "openid" not in new.scopes:
        yield ClientRefused(
            "The scopes of a client that signs people in must contain openid.",
            zh="让人登录的应用必须选择 openid",
            field="scopes",
        )
    if "client_credentials" in new.grant_types and new.auth_method == "none":
        yield ClientRefused(
            "client_credentials needs client authentication (RFC 6749 §4.4).",
            zh="选择应用自身凭据时，认证方式不能是「不认证」",
            field="auth_method",
        )


def _addresses(new: NewClient, *, production: bool) -> Iterator[ClientRefused]:
    lists = {
        name: getattr(new, name)
        for name in ("redirect_uris", "post_logout_redirect_uris", "resources", "serves")
    }
    for field, some in lists.items():
        if len(some) > MOST_ADDRESSES:
            yield ClientRefused(
                f"At most {MOST_ADDRESSES} addresses of a kind can be registered.",
                zh=f"每种地址最多登记 {MOST_ADDRESSES} 个",
                field=field,
            )
            return
    yield from _redirects(new, production=production)
    called = {name: getattr(new, name) for name in ("backchannel_logout_uri", "jwks_uri")}
    alone = {name: (uri,) for name, uri in (called | {"client_uri": new.client_uri}).items() if uri}
    del lists["redirect_uris"]
    for field, uris in (lists | alone).items():
        # What we call, and where we send browsers. The others are names: resources and serves are compared,
        # client_uri is kept for administrators, so they may lie inside.
        leads_there = field == "post_logout_redirect_uris" or field in called
        for uri in uris:
            yield from _address(uri, field, production=production, leads_there=leads_there)


def _address(uri: str, field: str, *, production: bool, leads_there: bool) -> Iterator[ClientRefused]:
    try:
        check_uri(uri, production=production, field=field)
        if production and leads_there:
            check_outside(uri, field=field)
    except ClientRefused as refused:
        yield refused


def _redirects(new: NewClient, *, production: bool) -> Iterator[ClientRefused]:
    for uri in new.redirect_uris:
        for refused in _address(uri, "redirect_uris", production=production, leads_there=True):
            yield RedirectRefused(str(refused), zh=refused.zh, field=refused.field)
    hosts = {urlsplit(uri).hostname for uri in new.redirect_uris}
    if len(hosts) > 1 and not new.sector and new.subject_type == "pairwise":
        yield RedirectRefused(
            "Redirect URIs on several hosts need a sector (OpenID Connect Core §8.1).",
            zh="回调地址在几个域名下，请填写标识分组，否则无法确定用户标识",
            field="sector",
        )


def _keys(new: NewClient) -> Iterator[ClientRefused]:
    if new.jwks is not None and new.jwks_uri:
        yield ClientRefused(
            "Give jwks or jwks_uri, not both (RFC 7591 §2).",
            zh="公钥和公钥地址只能填一个",
            field="jwks_uri",
        )
    needs_keys = new.auth_method == "private_key_jwt" or new.request_object_alg or new.require_signed_requests
    if needs_keys and new.jwks is None and not new.jwks_uri:
        yield ClientRefused(
            "private_key_jwt and signed requests need jwks or jwks_uri.",
            zh="用私钥认证或签名请求时，请填写公钥或公钥地址",
            field="jwks",
        )
    if new.jwks is not None:
        try:
            check_jwks(new.jwks)
        except ClientRefused as refused:
            yield refused
            return
    for what, called, alg, field in (
        ("assertion", "认证断言", new.assertion_alg, "assertion_alg"),
        ("request object", "请求签名", new.request_object_alg, "request_object_alg"),
    ):
        if alg is None:
            continue
        if alg not in SIGNING_ALGS:
            yield _unknown(f"{what} algorithm", f"{called}算法", field, alg, SIGNING_ALGS)
        elif new.jwks is not None and not any(_fits(jwk, alg) for jwk in new.jwks["keys"]):
            yield ClientRefused(
                f"jwks holds no key for the {what} algorithm {alg}.",
                zh=f"公钥中没有适合{called}算法 {alg} 的一把",
                field=field,
            )


def _fits(jwk: dict[str, Any], alg: str) -> bool:
    return jwk.get("kty") == _KEY_TYPES[alg] and jwk.get("alg", alg) == alg


def _broken_promises(new: NewClient) -> Iterator[ClientRefused]:
    """What the profile promises and the registration does not keep (FAPI 2.0 §5.3, §5.4)."""
    profile = PROFILES[new.profile]
    if new.auth_method not in profile.auth_methods:
        yield ClientRefused(
            f"The profile {profile.name} takes only the auth method {', '.join(profile.auth_methods)}, "
            f"not {new.auth_method}.",
            zh=f"安全等级 {profile.name} 只接受认证方式 {'、'.join(profile.auth_methods)}，"
            f"目前是 {new.auth_method}。",
            field="auth_method",
        )
    algs = (
        ("ID tokens", " ID 令牌", "id_token_alg", new.id_token_alg),
        ("assertions", "认证断言", "assertion_alg", fixed_assertion_alg(new)),
        ("request objects", "请求签名", "request_object_alg", new.request_object_alg),
    )
    for what, called, field, alg in algs:
        if alg is not None and alg not in profile.signing_algs:
            yield ClientRefused(
                f"The profile {profile.name} takes only {', '.join(profile.signing_algs)} for {what}, "
                f"not {alg}.",
                zh=f"安全等级 {profile.name} 的{called}只接受 {'、'.join(profile.signing_algs)}，"
                f"目前是 {alg}。",
                field=field,
            )
