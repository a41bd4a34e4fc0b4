"""New recovery codes stay in sight for ten minutes: whoever changes the size of the letters keeps them.

The page that made them leads to one that shows them, and may be loaded again until its reader says that he
has saved them. Meanwhile they lie sealed in the store, for one browser and one sign-in. Only codes that
still count are shown: after newer ones were made, or the factors removed, nothing is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from idp.crypto import keyed_digest
from idp.proof import recovery_codes
from idp.proof.enrolment import Owner, Tools

SHOWN_FOR = 600
"""Seconds."""


def keep(tools: Tools, owner: Owner, sign_in: str, codes: Sequence[str]) -> None:
    """Keep new codes in sight of the sign-in with this id, in the browser of `owner`.

    Called before what made them is committed: without the store nothing is changed. Raises StoreUnavailable.
    """
    sealed = tools.vault.seal("recovery_codes.shown", UUID(int=0), json.dumps(list(codes)))
    tools.store.put(_place(owner, sign_in), sealed, ttl=SHOWN_FOR)


def codes_in_sight(db: Session, tools: Tools, owner: Owner, sign_in: str) -> tuple[str, ...]:
    """The codes that were kept and still count, in their order; none once they are out of sight."""
    sealed = tools.store.get(_place(owner, sign_in))
    if sealed is None:
        return ()
    kept = json.loads(tools.vault.open("recovery_codes.shown", UUID(int=0), sealed))
    return recovery_codes.still_good(db, tools.vault, owner.account, kept)


def put_out_of_sight(tools: Tools, owner: Owner, sign_in: str) -> None:
    """He has saved them: nobody sees them again."""
    tools.store.delete(_place(owner, sign_in))


def as_text(codes: Sequence[str], *, site: str, account: str, issuer: str, day: str) -> str:
    """A file of the codes to save or print, with what they are for; the lines end as Windows wants them."""
    lines = [
        f"{site} 恢复码",
        f"账号：{account}",
        f"网址：{issuer}",
        f"生成日期：{day}",
        "",
        *codes,
        "",
        "手机或通行密钥不在身边时，用一个恢复码代替第二步验证。每个只能用一次。",
        "请打印或抄写后，从这台设备上删除这个文件。不要告诉别人，工作人员不会向您索要。",
    ]
    return "\r\n".join([*lines, ""])


def _place(owner: Owner, sign_in: str) -> str:
    return f"recovery-shown:{keyed_digest(b'recovery-shown', owner.account, owner.browser, sign_in)}"
