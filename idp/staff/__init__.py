"""The console of the people who run the platform.

==============  ============================  ======================================================
package         addresses                     what for
==============  ============================  ======================================================
``overview``    /staff                        the day at a glance
``entry``       /staff/sign-in, /staff/        password, then a second factor: a sign-in of its own;
                confirm, /staff/invitation/…  the first sign-in by a one-time link
``me``          /staff/me/security            one's own factors, password and sign-ins
``deliveries``  /staff/deliveries             messages that wait or were given up
``clients``     /staff/clients                relying parties
``keys``        /staff/keys                   signing keys
``accounts``    /staff/accounts               people: find, suspend, resume, look at personal data
                /staff/companies              companies and their mandates
``trail``       /staff/audit                  the trail: filter, export, verify
==============  ============================  ======================================================

``console`` names the blueprints of all of them, ``news`` is what a page says after a change. In each package
``views`` (in ``accounts``: ``people`` and ``companies``) is what answers.

Who may open what is one table, :mod:`idp.web.staff_rights`; the guard, the cookie and the frame stand in
:mod:`idp.web.staff`. A process with ``IDP_CONSOLE=false`` imports none of this.
"""
