"""账号安全: what protects an account, who came in with it, and what was allowed in its name (MISSION Y).

The same pages in the three centres, below ``/center/<person|enterprise|operator>/security``:

=========================  ==========================================================================
(nothing)                  the overview
/password                  another password; every other sign-in of the account ends
/totp, /passkey            adding a second factor; the first one brings recovery codes
/sms                       asking for codes sent to the phone of record
/factors/…                 another name for a factor, and removing it
/recovery-codes            ten new ones; they are shown until they are saved, ten minutes at most
/browsers/…                forgetting a browser that is known to the account
/apps/…                    withdrawing what was allowed to an application
/sign-ins                  every sign-in, live or ended, and the tries that failed
=========================  ==========================================================================

``views`` is the table of addresses, ``room`` knows whose pages these are and asks for a fresh proof before
a change; ``overview``, ``password`` (decided in ``password_change``), ``adding``, ``phone_codes``, ``codes``,
``changing``, ``browsers``, ``apps`` and ``history`` answer,
``service`` reads and decides, ``tries`` reads who did not come in. Factors belong to the account whose
secrets opened the sign-in (:mod:`idp.accounts.factors`): a person who went on to one of his mandates
manages his own in 个人中心. Whoever was sent here for a second factor carries ``next``, and is led back.

``/n/<token>``, the link of a notice, needs no sign-in: ``notice`` shows what happened, ``denial`` locks the
account of somebody who says 不是我.
"""
