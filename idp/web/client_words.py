"""What the fields of a relying party's registration are called, in the form and in the audit trail."""

from __future__ import annotations

LABELS = {
    "name": "应用名称",
    "client_id": "应用编号",
    "contacts": "联系人",
    "client_uri": "应用主页",
    "redirect_uris": "回调地址",
    "post_logout_redirect_uris": "退出后返回地址",
    "backchannel_logout_uri": "退出通知地址",
    "grant_types": "授权类型",
    "auth_method": "认证方式",
    "jwks": "公钥（JWKS）",
    "jwks_uri": "公钥地址",
    "assertion_alg": "认证断言算法",
    "id_token_alg": "ID 令牌签名算法",
    "request_object_alg": "请求签名算法",
    "require_signed_requests": "只接受签名请求",
    "scopes": "授权范围",
    "resource_scopes": "资源的授权范围",
    "full_phone": "可以看到完整手机号码",
    "first_party": "自有应用",
    "channel": "手机 App 渠道",
    "profile": "安全等级",
    "require_par": "只接受推送请求",
    "dpop": "令牌绑定应用的密钥",
    "subject_type": "用户标识",
    "sector": "标识分组",
    "default_acr_values": "默认认证等级",
    "default_max_age": "登录有效时长",
    "resources": "可以访问的资源",
    "serves": "自己提供的资源",
}
"""The fields of a registration, in the order of the form."""
# RFC 7591's name for what the registration calls otherwise.
_IN_METADATA = {
    "name": "client_name",
    "auth_method": "token_endpoint_auth_method",
    "assertion_alg": "token_endpoint_auth_signing_alg",
    "scopes": "scope",
    "id_token_alg": "id_token_signed_response_alg",
    "request_object_alg": "request_object_signing_alg",
    "require_signed_requests": "require_signed_request_object",
    "require_par": "require_pushed_authorization_requests",
    "dpop": "dpop_bound_access_tokens",
}
IN_METADATA = {_IN_METADATA.get(name, name): label for name, label in LABELS.items()} | {
    "response_types": "响应类型",
    "client_id_issued_at": "登记时间（秒）",
}
"""The same fields by the names of RFC 7591 §2, which the trail keeps."""


def field_words(names: tuple[str, ...]) -> str:
    """Fields as the trail names them, in words."""
    return "、".join(IN_METADATA.get(name, name) for name in names)
