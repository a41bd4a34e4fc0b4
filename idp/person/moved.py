"""Taking over an account of the older app (B23): the phone it came with, the number of the document.

Who reads what is sent to that phone was known by it to the older app; the number keeps out whoever has the
phone alone, a number that was given to somebody else since.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from idp.accounts.models import IdType, Person
from idp.adapters.ephemeral import EphemeralStore
from idp.crypto import Vault, same
from idp.proof import throttle
from idp.proof.throttle import Ceiling

TRIES: Final = 5
"""So many numbers are looked at in an hour, whoever tries them; from then on one each WAIT seconds."""
WAIT: Final = 600


class NotHisNumber(Exception):
    """The document is another one."""


def check_number(
    store: EphemeralStore, vault: Vault, person: Person, id_type: IdType, number: str, *, now: datetime
) -> None:
    """Return if this is the person's document. The try is counted before it is compared.

    Raises NotHisNumber, idp.proof.throttle.Throttled.
    """
    throttle.count_below(store, Ceiling(f"moved:{person.id}", TRIES, WAIT), now=now)
    is_number = same(person.id_number(vault) or "", number)
    if not is_number or person.id_type != id_type.value:
        raise NotHisNumber
