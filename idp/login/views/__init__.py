"""The pages of the sign-in: parse, call one service function, answer.

``passwords`` are the three password ways and the first use of a mandate's password, ``second`` the
second step and the step-up, ``passkeys`` the sign-in by a passkey, ``confirming`` the proof asked for
before a change, ``identities`` whom one signs in as and the way out. ``room`` holds what they share.
"""

from __future__ import annotations

from idp.login.views import confirming, identities, passkeys, passwords, second
from idp.login.views.room import blueprint

__all__ = ["blueprint", "confirming", "identities", "passkeys", "passwords", "second"]
