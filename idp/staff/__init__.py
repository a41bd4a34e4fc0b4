"""The console of the people who run the platform.

========================  ==================================================================
/staff                    the day at a glance
/staff/sign-in            password, then a second factor; a sign-in of its own
/staff/invitation/<link>  the first sign-in: a one-time link that ends with a second factor
/staff/me/security        one's own factors, password and sign-ins
/staff/clients            relying parties
/staff/keys               signing keys
/staff/accounts           people: find, suspend, resume, end sign-ins, look at personal data
/staff/companies          companies and their mandates
/staff/audit              the trail: filter, export, verify
========================  ==================================================================

Who may open what is one table, :mod:`idp.web.staff_rights`; the guard, the cookie and the frame stand in
:mod:`idp.web.staff`. Each module is one part of the console: its views, and beside them what it decides.
"""
