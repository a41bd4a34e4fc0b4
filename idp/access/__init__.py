"""What relying parties may get, and the endings that must reach them.

``clients``   registered relying parties, kept in the process with a version check
``keys``      signing keys, and the published key set as ready bytes
``pending``   authorization requests that wait for a sign-in
``grants``    authorization codes, grants, refresh tokens: spent before minted
``consents``  what a person allowed a third-party client to see
``subjects``  pairwise and public subject identifiers
``logouts``   telling relying parties that a sign-in has ended; the worker delivers
``endings``   ending a session, a mandate or an account, everywhere at once
``retention`` forgetting what has been dead for long

Whether a token counts is always decided by joining it to its sign-in session
(:func:`idp.accounts.sessions.live`), so nothing here outlives the right it rests on.
"""
