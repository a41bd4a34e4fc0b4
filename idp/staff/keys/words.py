"""How signing keys are said in Chinese: their states, how long they stay published, what a removal breaks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from idp.access.key_life import published_enough_at, removed_from
from idp.access.keys import ACCESS_TOKEN_ALG, JWKS_MAX_AGE, SigningKey, State
from idp.config import Settings
from idp.web.render import minute

STATES = {
    State.NEXT: ("下一把", "info", "clock"),
    State.ACTIVE: ("正在签名", "ok", "check"),
    State.RETIRED: ("只供核验", "", "minus"),
    State.REMOVED: ("已移除", "bad", "x"),
}
"""Word, kind and icon of the tag of a state."""
TYPED = 6
"""So many characters of a key's id are typed before it is removed."""


def row(key: SigningKey, settings: Settings, *, now: datetime) -> dict[str, Any]:
    """One key of the list: never its private half."""
    state = State(key.state)
    return {
        "kid": key.kid,
        "alg": key.alg,
        "tag": STATES[state],
        "since": minute(_since(key, state)),
        "until": _until(key, settings, now=now),
        "removable": state is not State.REMOVED,
    }


def _since(key: SigningKey, state: State) -> datetime:
    entered = {
        State.NEXT: key.created_at,
        State.ACTIVE: key.active_since,
        State.RETIRED: key.retired_at,
        State.REMOVED: key.removed_at,
    }
    return entered[state] or key.created_at


def _until(key: SigningKey, settings: Settings, *, now: datetime) -> str:
    if key.state == State.REMOVED:
        return "不再公布"
    if key.state == State.NEXT:
        ready = published_enough_at(key)
        return "随时可以启用" if ready <= now else f"{minute(ready)} 起可以启用"
    until = removed_from(key, settings)
    return f"公布到 {minute(until)}" if until else "一直公布"


def waiting(wait: timedelta) -> str:
    """How long it still takes, for people: 5 分 20 秒."""
    seconds = math.ceil(wait.total_seconds())
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes} 分 {seconds} 秒" if minutes else f"{seconds} 秒"


def breaks(alg: str, *, now: datetime) -> Iterator[str]:
    """What whoever removes a key must know, and tell the relying parties: what the command says."""
    if alg == ACCESS_TOKEN_ALG:
        yield (
            "它签过的访问令牌一秒内全部被拒绝。应用要用刷新令牌换新的，或请用户重新登录；刷新令牌和本平台的登录不受影响。"
        )
    yield "它签过的 ID 令牌不能再作为提示：用它退出时会先询问本人，用它发起的登录请求会被拒绝。"
    believed_until = minute(now + timedelta(seconds=JWKS_MAX_AGE))
    yield (
        f"缓存了公钥的应用在 {believed_until} 前仍会相信它，不遵守缓存时间的会更久。"
        "请通知接入方立即重新读取公钥，并结束来历不明的登录。"
    )
