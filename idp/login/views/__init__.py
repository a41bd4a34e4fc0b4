"""The pages of the sign-in: parse, call one service function, answer.

``qr`` is the page with the code for a phone, ``passwords`` are the three password ways, ``first_use`` is the
first use of a mandate's password, ``second`` the second step and the step-up, ``passkeys`` the sign-in by a
passkey, ``face`` the one by a face, ``reset`` the journey of a forgotten password, ``confirming`` the proof
asked for before a change, ``identities`` whom one signs in as and the way out. ``room`` holds what they
share.
"""

from __future__ import annotations

from idp.login.views import confirming, face, first_use, identities, passkeys, passwords, qr, reset, second
from idp.login.views.room import blueprint

__all__ = [
    "blueprint",
    "confirming",
    "face",
    "first_use",
    "identities",
    "passkeys",
    "passwords",
    "qr",
    "reset",
    "second",
]
