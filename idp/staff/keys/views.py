"""签名密钥: what signs, what is next, what still verifies; rotating, and removing a key that has leaked.

=========================  ====================================================================
/staff/keys                the keys of each algorithm, as `idp key list` tells them
/staff/keys/rotate?alg=…   let the next key of an algorithm sign
/staff/keys/remove?kid=…   a leaked key: away at once, with all it signed, once its id is typed
=========================  ====================================================================

A form that is sent again does nothing a second time: a key that has just become the next one has not been
published for long enough, and one that was removed is removed. Both changes ask for a fresh proof first.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request, url_for

from idp.access import key_life
from idp.access.key_life import Change, RotationRefused
from idp.access.keys import ALGORITHMS, SigningKey, State, announce_keys, list_keys
from idp.adapters.ephemeral import StoreUnavailable
from idp.crypto import same
from idp.staff.keys import words
from idp.web import staff
from idp.web.errors import Stop
from idp.web.platform import after_commit, db, now, platform, settings
from idp.web.render import minute

blueprint = Blueprint("staff_keys", __name__, url_prefix="/staff/keys")


@blueprint.get("")
def index() -> str:
    """Every key by algorithm, the newest first; removed ones too."""
    keys = list_keys(db())
    by_alg = {
        alg: [words.row(key, settings(), now=now()) for key in reversed(keys) if key.alg == alg]
        for alg in ALGORITHMS
    }
    days = settings().key_rotation_days
    return staff.page("staff/keys/index.html", by_alg=by_alg, rotation_days=days)


@blueprint.route("/rotate", methods=["GET", "POST"])
def rotate() -> Any:
    """Let the next key sign; what the one before signed stays valid."""
    alg, refused = request.args.get("alg", ""), None
    if alg not in ALGORITHMS:
        raise _nothing()
    if (elsewhere := staff.proof_first(url_for(".rotate", alg=alg))) is not None:
        return elsewhere
    if request.method == "POST":
        try:
            change = key_life.rotate(db(), platform().vault, alg, now=now())
        except RotationRefused as why:
            refused = why
        else:
            return _changed(change, "密钥已轮换")
    pair = {key.state: key for key in list_keys(db()) if key.alg == alg}
    upcoming = pair.get(State.NEXT)
    wait = key_life.published_enough_at(upcoming) - now() if upcoming else None
    shown = staff.page(
        "staff/keys/rotate.html",
        alg=alg,
        active=pair.get(State.ACTIVE),
        upcoming=upcoming,
        refused=refused.zh if refused else "",
        wait=words.waiting(wait) if wait and wait.total_seconds() > 0 else "",
        ready=minute(key_life.published_enough_at(upcoming)) if upcoming else "",
    )
    return shown, 409 if refused else 200


@blueprint.route("/remove", methods=["GET", "POST"])
def remove() -> Any:
    """The emergency: a key that has leaked, away at once."""
    key, error = _key(request.args.get("kid", "")), ""
    if (elsewhere := staff.proof_first(url_for(".remove", kid=key.kid))) is not None:
        return elsewhere
    typed = request.form.get("typed", "").strip()
    if request.method == "POST":
        if same(typed, key.kid[: words.TYPED]):
            return _withdrawn(key)
        error = f"与这把密钥编号的前 {words.TYPED} 位不一致，没有撤销。请核对后再填"
    shown = staff.page(
        "staff/keys/remove.html",
        key=words.row(key, settings(), now=now()),
        breaks=list(words.breaks(key.alg, now=now())),
        error=error,
        typed=typed[:80],
        digits=words.TYPED,
    )
    return shown, 400 if error else 200


def _withdrawn(key: SigningKey) -> str:
    try:
        change = key_life.withdraw(db(), platform().vault, key.kid, now=now())
    except RotationRefused as refused:
        raise Stop("密钥没有撤销", refused.zh, status=409, ways=_back()) from None
    if change is None:
        # Said again for a key that was removed before: perhaps the processes were not told then.
        after_commit(_announce)
        raise Stop(
            "这把密钥已经撤销过了",
            "可能是别的管理员刚刚处理的。正在运行的服务已经再次收到通知，没有做其他更改。",
            status=409,
            ways=_back(),
        )
    return _changed(change, "密钥已紧急撤销")


def _changed(change: Change, title: str) -> str:
    """The answer to a change: on record, announced once it is committed."""
    staff.record(change.event())
    after_commit(_announce)
    keys = {key.kid: words.row(key, settings(), now=now()) for key in list_keys(db())}
    return staff.page(
        "staff/keys/changed.html",
        title=title,
        change=change,
        keys=keys,
        breaks=list(words.breaks(change.alg, now=now())) if change.removed else [],
    )


def _key(kid: str) -> SigningKey:
    found = next((key for key in list_keys(db()) if key.kid == kid), None)
    if found is None:
        raise _nothing()
    return found


def _nothing() -> Stop:
    return Stop("没有这把密钥", "地址可能不完整。请从密钥列表重新选择。", status=404, ways=_back())


def _back() -> tuple[tuple[str, str], ...]:
    return (("回到密钥列表", url_for("staff_keys.index")),)


def _announce() -> None:
    try:
        announce_keys(platform().store)
    except StoreUnavailable:
        raise Stop(
            "已经保存，一分钟内全部生效",
            "密钥的更改已经写入，但暂时无法通知正在运行的服务进程。它们会在一分钟内自己读到，重启后立即生效。",
            status=503,
            ways=_back(),
        ) from None
