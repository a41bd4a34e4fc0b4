"""`idp key`: the signing keys, without their private halves, and their rotation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from idp.access import key_life
from idp.access.key_life import Change
from idp.access.keys import ACCESS_TOKEN_ALG, ALGORITHMS, JWKS_MAX_AGE, announce_keys, list_keys
from idp.adapters.ephemeral import StoreUnavailable
from idp.cli.desk import Desk, Failed, Json, Refused, opened, show, table

group = typer.Typer(help="Signing keys.")
Told = dict[str, Any]


@group.callback()
def describe() -> None:
    """Signing keys: next ones are published, active ones sign, retired ones still verify."""


@group.command("list")
def list_all(*, as_json: Json = False) -> None:
    """List the keys, the oldest first, removed ones too."""
    with opened() as desk, desk.transaction() as db:
        keys = [key_life.as_told(key, desk.settings) for key in list_keys(db)]
    shown = ("state", "alg", "kid", "created_at", "activated_at", "retired_at", "remove_after")
    rows = [tuple(str(key[name] or "-") for name in shown) for key in keys]
    show(keys, as_json=as_json, lines=table(tuple(name.replace("_", " ") for name in shown), rows))


@group.command("rotate")
def rotate(
    *,
    alg: Annotated[str, typer.Option(help="RS256, PS256, ES256 or EdDSA; all of them if left out.")] = "",
    emergency: Annotated[
        bool,
        typer.Option("--emergency", help="The active key of --alg, or --kid, has leaked: remove it now."),
    ] = False,
    kid: Annotated[str, typer.Option(help="With --emergency: the key that has leaked.")] = "",
    as_json: Json = False,
) -> None:
    """Let the next keys sign and retire the active ones; what those signed stays valid.

    With --emergency a leaked key is removed instead: at once, with all it signed.
    """
    if alg and alg not in ALGORITHMS:
        raise Refused(f"--alg: choose from {', '.join(ALGORITHMS)}.")
    if kid and not emergency:
        raise Refused("--kid names a leaked key: it goes with --emergency. A rotation takes --alg.")
    if emergency and bool(alg) == bool(kid):
        raise Refused("--emergency removes one key: name it by --kid, or the active one by --alg.")
    with opened() as desk:
        if emergency:
            _withdraw(desk, alg, kid, as_json=as_json)
        else:
            _rotate(desk, (alg,) if alg else ALGORITHMS, as_json=as_json)


def _rotate(desk: Desk, algs: tuple[str, ...], *, as_json: bool) -> None:
    with desk.transaction() as db:
        changes = [key_life.rotate(db, desk.backends.vault, alg, now=desk.now) for alg in algs]
        for change in changes:
            desk.record(db, change.event())
        told = [{**asdict(change), "remove_after": _remove_after(desk, db, change)} for change in changes]
    show(told, as_json=as_json, lines=(line for change in told for line in _rotated(change)))
    _announce(desk)


def _withdraw(desk: Desk, alg: str, kid: str, *, as_json: bool) -> None:
    with desk.transaction() as db:
        leaked = kid or key_life.active_kid(db, alg)
        change = key_life.withdraw(db, desk.backends.vault, leaked, now=desk.now)
        if change:
            desk.record(db, change.event())
    # Said again for a key that was removed before: perhaps the processes were not told then.
    _announce(desk)
    if change is None:
        told: Told = {"removed": leaked, "already": True}
        show(told, as_json=as_json, lines=[f"{leaked} was removed before. Running processes are told again."])
        return
    told = {**asdict(change), "already": False, "breaks": _breaks(desk, change)}
    show(told, as_json=as_json, lines=_withdrawn(change, told["breaks"]))


def _remove_after(desk: Desk, db: Session, change: Change) -> str:
    keys = {key.kid: key_life.as_told(key, desk.settings) for key in list_keys(db)}
    return str(keys[change.retired or ""]["remove_after"])


def _rotated(change: Told) -> Iterator[str]:
    yield f"{change['alg']}: {change['active']} signs now."
    yield f"  {change['retired']} signs no more and is published until {change['remove_after']}."
    yield f"  {change['next']} is next."


def _withdrawn(change: Change, breaks: list[str]) -> Iterator[str]:
    yield f"{change.alg}: {change.removed} is removed and no longer published."
    yield f"  {change.active} signs now, {change.next} is next."
    yield "What this breaks:"
    yield from (f"  - {sentence}" for sentence in breaks)


def _breaks(desk: Desk, change: Change) -> list[str]:
    """What whoever removes a key must know, and tell the relying parties."""
    believed_until = (desk.now + timedelta(seconds=JWKS_MAX_AGE)).isoformat(timespec="seconds")
    of_access_tokens = (
        "Access tokens signed by it are refused within a second; relying parties refresh theirs or send "
        "the person through sign-in again. Refresh tokens and sign-ins go on."
    )
    of_hints = (
        "ID tokens signed by it are no hints any more: a sign-out with one asks the person first, an "
        "authorization request with one is refused."
    )
    of_caches = (
        f"Relying parties that keep the published keys believe the leaked one until {believed_until}, "
        "longer if they heed no cache header: ask them to read the keys again now, and to end sign-ins "
        "that nobody can account for."
    )
    return [*([of_access_tokens] if change.alg == ACCESS_TOKEN_ALG else []), of_hints, of_caches]


def _announce(desk: Desk) -> None:
    try:
        announce_keys(desk.backends.store)
    except StoreUnavailable:
        raise Failed(
            "Saved, but running processes could not be told: they see it within a minute, or when restarted."
        ) from None
