"""What relying parties may get, and the endings that must reach them.

``clients``   registered relying parties, kept in the process with a version check
``registration``  writing what is registered; ``client_rules`` what may be, ``addresses`` at which
              addresses; ``profiles`` what a security profile demands; ``client_keys`` the public keys
              a client signs with; ``client_metadata`` all of it in the names of RFC 7591;
              ``registration_tokens`` initial access tokens
``keys``      signing keys, and the published key set as ready bytes; ``key_life`` their rotation;
              ``jws`` signed tokens that others made
``versions``  how processes learn that clients or keys have changed
``pending``   authorization requests that wait for a sign-in; ``pushed`` those that wait for a browser
``assurance`` the levels of a sign-in, the ways that reach them, what is missing
``channels``  the apps one may scan with, and what each may open
``grants``    authorization codes and grants, ``refresh_tokens`` under them: spent before minted
``tokens``    making and reading access tokens and ID tokens
``devices``   device authorizations; ``user_codes`` the codes people type for them
``consents``  what a person allowed a third-party client to see
``subjects``  pairwise and public subject identifiers
``logouts``   telling relying parties that a sign-in has ended; ``logout_delivery`` the worker's part
``endings``   ending a session, a mandate, an account or a consent, everywhere at once
``retention`` forgetting what has been dead for long

Whether a token counts is always decided by joining it to its sign-in session
(:func:`idp.accounts.sessions.live`), so nothing here outlives the right it rests on.
"""
