"""Scan to log in: the browser that waits, the phone that confirms, the face that is checked.

===================================  =================================================================
/scan/tickets                        a page of ours asks for a new ticket (same origin, CSRF)
/scan/wait/<ticket>                  the waiting page asks how far it is; held by `idp wait` in production
/scan/qr/<ticket>.svg                the QR code
/scan/tickets/<ticket>/cancel        the page gives a ticket up
/app                                 where to get the app
/q/<ticket>                          what any other camera opens: which app to scan with
/scan/me · /scan/pin · /scan/recent  the app: who is signed in, his PIN, his latest scans
/scan/tickets/<ticket>/scan          the app scanned: what is asked, for whom, the three numbers
/scan/tickets/<ticket>/confirm       the person confirms: as whom, the number, the app unlocked
/scan/tickets/<ticket>/deny          the person refuses
/scan/tickets/<ticket>/face          the person lets his face be checked
/face/callback                       the face service says what it saw
===================================  =================================================================

``browser`` is the waiting side, ``phone`` the app's, ``face`` the face checks, ``other_camera`` for everybody
else. What a confirmed ticket opens is the sign-in room's (`/login/qr/finish`).

Behind ``phone``: ``calls`` reads a call and answers it, ``caller`` is who calls; ``service`` decides about a
ticket, ``eligible`` what an app may open and as whom, ``unlocking`` checks PIN and passkey, ``pins`` sets the
PIN under the ``agreement``; ``told`` is what a phone is told, ``trail`` what is remembered.
"""
