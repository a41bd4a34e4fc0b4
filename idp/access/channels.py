"""The apps a person may scan with: what each may open, and in which form of the app (X17, A11–A14).

A channel is a row here and one registered client (:attr:`idp.access.clients.Client.channel`); the client
proves which app calls, the row says what it may do. A purpose or an identity that is not in the row is
refused on the phone, with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from idp.accounts.identity import Role
from idp.proof.ticket_record import Purpose


class Surface(StrEnum):
    """In what the app runs: an app of its own, or a mini program inside another."""

    APP = "app"
    MINI_PROGRAM = "mini_program"


@dataclass(frozen=True, slots=True)
class Channel:
    """One app: as what it runs, what it scans, for whom, and why it does not scan at all yet.

    `wants_card`: only the holder of an activated 电子社保卡, and only for companies that the social
    insurance records know him as an operator of (A13).
    """

    key: str
    name: str
    surfaces: frozenset[Surface]
    purposes: frozenset[Purpose]
    roles: frozenset[Role]
    wants_card: bool = False
    closed: str = ""


CHANNELS = {
    channel.key: channel
    for channel in (
        Channel(
            "jishiban",
            "吉事办",
            # A14: the app only, never its mini program.
            frozenset({Surface.APP}),
            frozenset(Purpose),
            frozenset(Role),
        ),
        Channel(
            "social_card",
            "电子社保卡",
            frozenset(Surface),
            frozenset({Purpose.LOGIN}),
            frozenset({Role.NATURAL_PERSON, Role.OPERATOR}),
            wants_card=True,
        ),
        Channel(
            "licence",
            "电子营业执照",
            frozenset({Surface.APP}),
            frozenset(),
            frozenset(),
            closed="电子营业执照扫码登录尚未开通。请用「吉事办」App 扫码，或者用密码登录。",
        ),
    )
}
"""By the key that a client is registered with."""
