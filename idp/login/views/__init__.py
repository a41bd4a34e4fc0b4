"""The pages of the sign-in: parse, call one service function, answer.

``qr`` is the page with the code for a phone, ``passwords`` are the three password ways and the first use of
a mandate's password, ``second`` the second step and the step-up, ``passkeys`` the sign-in by a passkey,
``face`` the one by a face, ``confirming`` the proof asked for before a change, ``identities`` whom one signs
in as and the way out. ``room`` holds what they share, ``waiting`` what every page that waits for a phone
shows.
"""

from __future__ import annotations

from idp.login.views import confirming, face, identities, passkeys, passwords, qr, second
from idp.login.views.room import blueprint

__all__ = ["blueprint", "confirming", "face", "identities", "passkeys", "passwords", "qr", "second"]
