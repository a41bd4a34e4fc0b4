"""通行: one sign-in for companies and the people who act for them.

The map of the house. Imports only go down; rooms on one floor never import one another and meet over URLs.

====================  ==========================================================================
``app``, ``cli``      wiring: :func:`idp.app.create_app` and the ``idp`` command
rooms                 ``oauth`` (the provider's protocol), ``login`` (prove who you are),
                      ``person`` and ``enterprise`` (the centres), ``security`` (what protects an
                      account), ``appeal`` (when proof fails, a person decides), ``staff`` (the
                      console), ``wait`` (holds waiting browsers), ``demo`` (demo mode only)
``web``               HTTP furniture: headers, cookies, CSRF, errors as pages, guards
``access``            what relying parties may get: clients, keys, pending requests, grants, endings
``proof``             ways of proving something: captcha, throttling, codes, passkeys
``accounts``          people, companies, mandates, staff; credentials, factors, sign-ins; audit, outbox
``adapters``          the outside world, one file a party
``db``, ``crypto``    storage and secrets
``config``            typed settings; the only reader of the environment
``typed``             what comes from outside, made into values of the types asked for
====================  ==========================================================================

The human (:class:`~idp.accounts.models.Person`), the company he acts for
(:class:`~idp.accounts.models.Enterprise`) and by what right
(:class:`~idp.accounts.models.Mandate`, or being its legal representative) are three different
things in every table, token and page.
"""
