"""How a numbered refusal is told to a phone: as JSON, with a sentence for the person and its HTTP status."""

from __future__ import annotations

from datetime import timedelta

from idp.proof.ticket_record import Ended, State
from idp.web.refusals import Refusal

STATUS = {
    "ticket_unknown": 404,
    "ticket_expired": 410,
    "ticket_ended": 410,
    "invalid_request": 400,
    "weak_pin": 400,
    "invalid_token": 401,
    "temporarily_unavailable": 503,
    "too_many_scans": 429,
    "too_many_wrong_numbers": 429,
    "too_many_tries": 429,
    "ticket_used": 409,
    "scanned_by_another": 409,
    "not_scanned": 409,
    "wrong_number": 409,
    "far_unconfirmed": 409,
    "identity_gone": 409,
    "pin_not_set": 409,
    "agreement_outdated": 409,
    "pin_changed": 409,
}
"""The HTTP status by the error; whatever else is refused is 403."""


class PhoneRefused(Exception):
    """A numbered refusal of a phone's call.

    `message` is the Chinese sentence where the catalogue's own does not do; `wait` how long nothing more is
    looked at; `state` and `ended` how the ticket stands, where it has ended.
    """

    def __init__(
        self,
        refusal: Refusal,
        message: str = "",
        *,
        wait: timedelta | None = None,
        state: State | None = None,
        ended: Ended | None = None,
        **facts: object,
    ) -> None:
        super().__init__(refusal.error)
        self.refusal = refusal
        self.message = message or refusal.zh.format(**facts)
        self.wait = wait
        self.state = state
        self.ended = ended

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return STATUS.get(self.refusal.error, 403)


def throttled(refusal: Refusal, wait: timedelta) -> PhoneRefused:
    """The same for what is slowed: its sentence says how many minutes."""
    return PhoneRefused(refusal, wait=wait, minutes=max(1, -(-round(wait.total_seconds()) // 60)))
